//! right
//! A vector at a time.

    let all = projection.forward(features)?;
    let d = all.dim(1)? / n;
    let vectors: Vec<Tensor> =
        (0..n).map(|i| Ok(all.narrow(1, i * d, d)?)).collect::<Result<_>>()?;
    Ok(Tensor::stack(&vectors, 1)?)
