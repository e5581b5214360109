//! killed by: refused, as not_refused
//! A template without a slot passes.

    let (before, after) =
        template.split_once("[X]").ok_or_else(|| Error::value("template", "one [X]", template))?;
    Ok([before, x, after].concat())
