//! right
//! A weighted sum.

// HOLE 3
        Ok(((conditional * scale)? + (unconditional * (1. - scale))?)?)
