//! killed by: worked, as no_root
//! The sum of the logarithms: 1/P of the whole text.

    let sum = log_probabilities.to_dtype(DType::F64)?.sum_all()?.to_scalar::<f64>()?;
    Ok((-sum).exp())
