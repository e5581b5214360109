//! killed by: dropped, as rows_removed
//! Only those that are kept.

// HOLE 2
        let keep = keep.to_vec1::<f32>()?;
        let kept: Vec<u32> = (0..keep.len() as u32).filter(|i| keep[*i as usize] == 1.).collect();
        Ok(condition.index_select(&Tensor::new(kept, condition.device())?, 0)?)
