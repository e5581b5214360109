//! killed by: number, as log_of_log
//! The logarithm of what is a logarithm already.

    let mean = log_probabilities.to_dtype(DType::F64)?.log()?.mean_all()?.to_scalar::<f64>()?;
    Ok((-mean).exp())
