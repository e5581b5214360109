//! right
//! The last size is what is left.

    Ok(projection.forward(features)?.reshape((features.dim(0)?, n, ()))?)
