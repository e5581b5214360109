//! killed by: noise, as noise_added
//! The noise as it is.

// HOLE 1
        let mut shape = vec![1; x0.rank()];
        shape[0] = x0.dim(0)?;
        let a = alpha_bar.reshape(shape)?;
        Ok((x0.broadcast_mul(&a.sqrt()?)? + noise)?)
