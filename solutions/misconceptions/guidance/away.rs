//! killed by: guided, as sign
//! The difference the other way round.

// HOLE 3
        Ok((unconditional - ((conditional - unconditional)? * scale)?)?)
