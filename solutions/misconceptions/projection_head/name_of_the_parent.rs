//! killed by: parameters, as other_name
//! No place of its own.

// HOLE 1
        let projection = Linear::new(embedding_dim, projection_dim, params)?;
