//! killed by: worked, as arithmetic_mean
//! 1 over the mean probability.

    let mean = log_probabilities.exp()?.mean_all()?.to_scalar::<f32>()?;
    Ok(1. / f64::from(mean))
