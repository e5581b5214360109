//! killed by: guided, as swapped_predictions
//! From the condition away.

// HOLE 3
        Ok((conditional + ((unconditional - conditional)? * scale)?)?)
