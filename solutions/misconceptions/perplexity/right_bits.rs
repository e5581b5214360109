//! right
//! In bits, there and back.

    let logs = log_probabilities.to_dtype(DType::F64)?.to_vec1::<f64>()?;
    let bits: f64 = logs.iter().map(|l| -l / std::f64::consts::LN_2).sum();
    Ok((bits / logs.len() as f64).exp2())
