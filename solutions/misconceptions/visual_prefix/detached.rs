//! killed by: gradients, as detached
//! Through a list of numbers.

    let all = projection.forward(features)?;
    let (b, wide) = all.dims2()?;
    let values = all.flatten_all()?.to_vec1::<f32>()?;
    Ok(Tensor::from_vec(values, (b, n, wide / n), features.device())?)
