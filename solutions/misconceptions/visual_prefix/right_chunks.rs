//! right
//! In n equal pieces.

    let pieces = projection.forward(features)?.chunk(n, 1)?;
    let rows: Vec<Tensor> = pieces.iter().map(|x| Ok(x.unsqueeze(1)?)).collect::<Result<_>>()?;
    Ok(Tensor::cat(&rows, 1)?)
