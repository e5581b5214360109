//! killed by: worked, as arithmetic_mean
//! The mean of 1/P.

    let logs = log_probabilities.to_dtype(DType::F64)?;
    Ok(logs.neg()?.exp()?.mean_all()?.to_scalar::<f64>()?)
