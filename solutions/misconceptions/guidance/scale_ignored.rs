//! killed by: guided, as scale_ignored
//! The conditional prediction.

// HOLE 3
        let _ = (unconditional, scale);
        Ok(conditional.clone())
