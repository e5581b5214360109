//! killed by: long, as underflow
//! The product of a tensor, in half the digits.

    let n = log_probabilities.dim(0)? as f32;
    let product = log_probabilities.sum_all()?.exp()?.to_scalar::<f32>()?;
    Ok(f64::from(product.recip().powf(1. / n)))
