//! killed by: dropped, as keep_not_broadcast
//! Right for embeddings, not for tokens.

// HOLE 2
        let keep = keep.reshape((condition.dim(0)?, 1))?.broadcast_as(condition.shape())?;
        Ok((condition * keep)?)
