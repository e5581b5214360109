//! killed by: worked, as sign_forgotten
//! The mean probability's logarithm, without turning the sign.

    Ok(log_probabilities.to_dtype(DType::F64)?.mean_all()?.exp()?.to_scalar::<f64>()?)
