//! killed by: guided, as unconditional_forgotten
//! A louder prediction.

// HOLE 3
        let _ = unconditional;
        Ok((conditional * scale)?)
