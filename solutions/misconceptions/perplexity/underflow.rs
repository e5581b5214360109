//! killed by: long, as underflow
//! The slide's formula as it stands: the product, then the root.

    let logs = log_probabilities.to_dtype(DType::F64)?.to_vec1::<f64>()?;
    let product: f64 = logs.iter().map(|l| l.exp()).product();
    Ok((1. / product).powf(1. / logs.len() as f64))
