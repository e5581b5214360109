//! killed by: gradients, as detached
//! Only the projection learns.

    let all = projection.forward(&features.detach())?;
    let (b, wide) = all.dims2()?;
    Ok(all.reshape((b, n, wide / n))?)
