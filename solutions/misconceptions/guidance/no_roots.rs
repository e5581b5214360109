//! killed by: noise, as no_root
//! Shares of the variance as if they were lengths.

// HOLE 1
        let mut shape = vec![1; x0.rank()];
        shape[0] = x0.dim(0)?;
        let a = alpha_bar.reshape(shape)?;
        Ok((x0.broadcast_mul(&a)? + noise.broadcast_mul(&(1. - &a)?)?)?)
