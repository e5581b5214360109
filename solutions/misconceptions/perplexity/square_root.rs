//! killed by: worked, as square_root
//! The plain root sign.

    let sum = log_probabilities.to_dtype(DType::F64)?.sum_all()?.to_scalar::<f64>()?;
    Ok((-sum).exp().sqrt())
