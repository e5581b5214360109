//! killed by: noise, as one_minus_the_root
//! Two factors that add up to 1.

// HOLE 1
        let mut shape = vec![1; x0.rank()];
        shape[0] = x0.dim(0)?;
        let a = alpha_bar.reshape(shape)?;
        let a = a.sqrt()?;
        Ok((x0.broadcast_mul(&a)? + noise.broadcast_mul(&(1. - &a)?)?)?)
