//! killed by: parameters, as other_name
//! The place of another layer.

// HOLE 1
        let projection = Linear::new(embedding_dim, projection_dim, &params.pp("fc"))?;
