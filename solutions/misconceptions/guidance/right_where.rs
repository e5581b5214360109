//! right
//! Chosen, not multiplied.

// HOLE 2
        let mut shape = vec![1; condition.rank()];
        shape[0] = condition.dim(0)?;
        let keep = keep.gt(0.5f32)?.reshape(shape)?.broadcast_as(condition.shape())?;
        Ok(keep.contiguous()?.where_cond(condition, &condition.zeros_like()?)?)
