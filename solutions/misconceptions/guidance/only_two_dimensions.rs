//! killed by: each_its_own, as not_broadcast
//! Right for embeddings, not for pictures.

// HOLE 1
        let a = alpha_bar.reshape((x0.dim(0)?, 1))?;
        let left = a.sqrt()?.broadcast_as(x0.shape())?;
        let added = (1. - &a)?.sqrt()?.broadcast_as(x0.shape())?;
        Ok(((x0 * left)? + (noise * added)?)?)
