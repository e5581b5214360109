//! killed by: shape, as not_reshaped
//! What the layer gives.

    let _ = n;
    projection.forward(features)
