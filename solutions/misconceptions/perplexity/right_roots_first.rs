//! right
//! The slide's product, with each factor's root taken before.

    let logs: Vec<f32> = log_probabilities.to_vec1()?;
    let n = logs.len() as f64;
    Ok(logs.into_iter().map(|l| f64::from(l).exp().powf(-1. / n)).product())
