//! killed by: guided, as difference_forgotten
//! All of it, not the difference.

// HOLE 3
        Ok((unconditional + (conditional * scale)?)?)
