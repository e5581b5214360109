//! killed by: dropped, as kept_and_dropped
//! Everything stays.

// HOLE 2
        let _ = keep;
        Ok(condition.clone())
