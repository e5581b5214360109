//! killed by: written, as not_written
//! A word.
// HOLE 2
    "No."
