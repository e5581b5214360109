//! killed by: order, as back_to_front
//! The vectors in reverse.

    let all = projection.forward(features)?;
    let (b, wide) = all.dims2()?;
    Ok(all.reshape((b, n, wide / n))?.flip(&[1])?)
