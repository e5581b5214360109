//! killed by: batch, as pictures_mixed
//! The vectors outside, the pictures inside.

    let all = projection.forward(features)?;
    let (b, wide) = all.dims2()?;
    Ok(all.reshape((n, b, wide / n))?.transpose(0, 1)?)
