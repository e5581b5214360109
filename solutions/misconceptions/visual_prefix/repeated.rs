//! killed by: order, as repeated
//! The first vector n times.

    let all = projection.forward(features)?;
    let (b, wide) = all.dims2()?;
    let first = all.narrow(1, 0, wide / n)?.unsqueeze(1)?;
    Ok(first.broadcast_as((b, n, wide / n))?.contiguous()?)
