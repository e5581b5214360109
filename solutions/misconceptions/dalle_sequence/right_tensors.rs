//! right
//! With tensors alone.

    let (b, t) = text_ids.dims2()?;
    let n = image_codes.dim(1)?;
    let device = text_ids.device();
    let own = (Tensor::arange(0u32, t as u32, device)?.reshape((1, t))? + layout.text_vocabulary as f64)?;
    let text = text_ids.eq(layout.pad_id)?.where_cond(&own.broadcast_as((b, t))?.contiguous()?, text_ids)?;
    let codes = (image_codes + layout.first_code() as f64)?;
    let ids = Tensor::cat(&[&text, &codes], 1)?;
    let targets = Tensor::cat(&[&ids.narrow(1, 1, t + n - 1)?, &Tensor::zeros((b, 1), DType::U32, device)?], 1)?;
    let places = Tensor::cat(&[&Tensor::arange(0u32, t as u32, device)?, &Tensor::arange(0u32, n as u32, device)?], 0)?;
    let part = |count: usize, weight: f64| Tensor::full(weight as f32, (b, count), device);
    let weights = Tensor::cat(&[
        &part(t - 1, layout.text_weight / (b * (t - 1)) as f64)?,
        &part(n, layout.image_weight / (b * n) as f64)?,
        &part(1, 0.)?,
    ], 1)?;
    let positions = places.reshape((1, t + n))?.broadcast_as((b, t + n))?.contiguous()?;
    Ok(Sequence { ids, positions, targets, weights })
