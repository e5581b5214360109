//! killed by: noise, as swapped
//! ᾱ as the share of the noise.

// HOLE 1
        let mut shape = vec![1; x0.rank()];
        shape[0] = x0.dim(0)?;
        let a = alpha_bar.reshape(shape)?;
        Ok((x0.broadcast_mul(&(1. - &a)?.sqrt()?)? + noise.broadcast_mul(&a.sqrt()?)?)?)
