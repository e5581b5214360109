//! right
//! Codes last, a row a place, and back.

    let (b, k, h, w) = logits.dims4()?;
    let rows = |x: &Tensor| -> Result<Tensor> {
        Ok(x.permute((0, 2, 3, 1))?.contiguous()?.reshape((b * h * w, k))?)
    };
    let soft = match noise {
        Some(noise) => softmax(&((rows(logits)? + rows(noise)?)? / temperature)?, D::Minus1)?,
        None => {
            let table = Tensor::eye(k, DType::F32, logits.device())?;
            table.index_select(&rows(logits)?.argmax(1)?, 0)?
        }
    };
    Ok(soft.reshape((b, h, w, k))?.permute((0, 3, 1, 2))?.contiguous()?)
