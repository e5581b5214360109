//! killed by: worked, as off_by_one
//! Divided by N − 1.

    let logs = log_probabilities.to_dtype(DType::F64)?.to_vec1::<f64>()?;
    Ok((-logs.iter().sum::<f64>() / (logs.len() - 1) as f64).exp())
