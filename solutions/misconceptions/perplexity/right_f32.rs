//! right
//! The mean cross-entropy in f32.

    let loss = (log_probabilities.sum_all()? / -(log_probabilities.elem_count() as f64))?;
    Ok(f64::from(loss.exp()?.to_scalar::<f32>()?))
