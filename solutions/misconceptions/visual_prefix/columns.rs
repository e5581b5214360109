//! killed by: shape, as turned
//! Values first, vectors last.

    let all = projection.forward(features)?;
    let (b, wide) = all.dims2()?;
    Ok(all.reshape((b, n, wide / n))?.transpose(1, 2)?)
