//! killed by: gradients, as detached
//! The caption never learns.

// HOLE 2
        let mut shape = vec![1; condition.rank()];
        shape[0] = condition.dim(0)?;
        Ok(condition.detach().broadcast_mul(&keep.reshape(shape)?)?)
