//! killed by: dropped, as columns_dropped
//! Broadcasting's own idea of (b).

// HOLE 2
        Ok(condition.broadcast_mul(keep)?)
