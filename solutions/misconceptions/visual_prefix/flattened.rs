//! killed by: shape, as pictures_not_apart
//! All vectors in one list.

    let all = projection.forward(features)?;
    let (b, wide) = all.dims2()?;
    Ok(all.reshape((b * n, wide / n))?)
