//! killed by: linear, as not_linear
//! GELU, as in the projection head.

    let all = gelu(&projection.forward(features)?)?;
    let (b, wide) = all.dims2()?;
    Ok(all.reshape((b, n, wide / n))?)
