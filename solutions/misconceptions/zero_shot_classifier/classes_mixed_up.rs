//! killed by: mean, as classes_mixed_up
//! Sentences class by class, read as template by template.

    let (c, t) = (class_names.len(), templates.len());
    let mut sentences = Vec::new();
    for name in class_names {
        sentences.extend(templates.iter().map(|template| template.replace("{label}", name)));
    }
    let embeddings = l2_normalize(&encode_text(&sentences)?)?;
    let p = embeddings.dim(1)?;
    l2_normalize(&embeddings.reshape((t, c, p))?.mean(0)?)
