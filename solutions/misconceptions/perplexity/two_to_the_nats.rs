//! killed by: worked, as other_base
//! 2 to the power of nats.

    let nats = -log_probabilities.to_dtype(DType::F64)?.mean_all()?.to_scalar::<f64>()?;
    Ok(nats.exp2())
