//! killed by: worked, as first_token_dropped
//! As if the first token were not predicted.

    let n = log_probabilities.dim(0)?;
    let rest = log_probabilities.narrow(0, 1, n - 1)?.to_dtype(DType::F64)?;
    Ok((-rest.mean_all()?.to_scalar::<f64>()?).exp())
