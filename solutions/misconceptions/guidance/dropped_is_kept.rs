//! killed by: dropped, as kept_and_dropped
//! 1 drops.

// HOLE 2
        let mut shape = vec![1; condition.rank()];
        shape[0] = condition.dim(0)?;
        Ok(condition.broadcast_mul(&(1. - keep.reshape(shape)?)?)?)
