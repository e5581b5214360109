//! killed by: guided, as counted_from_the_conditional
//! The other paper's scale.

// HOLE 3
        Ok((conditional + ((conditional - unconditional)? * scale)?)?)
