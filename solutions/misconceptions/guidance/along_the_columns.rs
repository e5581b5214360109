//! killed by: each_its_own, as one_for_all
//! Broadcasting's own idea of (b).

// HOLE 1
        let left = alpha_bar.sqrt()?;
        let added = (1. - alpha_bar)?.sqrt()?;
        Ok((x0.broadcast_mul(&left)? + noise.broadcast_mul(&added)?)?)
