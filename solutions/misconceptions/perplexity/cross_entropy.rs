//! killed by: worked, as not_exponentiated
//! Nats a token.

    Ok(log_probabilities.to_dtype(DType::F64)?.mean_all()?.neg()?.to_scalar::<f64>()?)
