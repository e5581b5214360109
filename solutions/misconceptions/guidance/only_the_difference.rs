//! killed by: guided, as unconditional_forgotten
//! A direction without a place.

// HOLE 3
        Ok(((conditional - unconditional)? * scale)?)
