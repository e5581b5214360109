//! killed by: linear, as not_linear
//! Rows of unit length.

    let all = projection.forward(features)?;
    let (b, wide) = all.dims2()?;
    l2_normalize(&all.reshape((b, n, wide / n))?)
