//! killed by: worked, as not_exponentiated
//! Bits a token.

    let nats = -log_probabilities.to_dtype(DType::F64)?.mean_all()?.to_scalar::<f64>()?;
    Ok(nats / 2f64.ln())
