//! killed by: guided, as halved
//! A mean comes in.

// HOLE 3
        Ok((unconditional + ((conditional - unconditional)? * (scale / 2.))?)?)
