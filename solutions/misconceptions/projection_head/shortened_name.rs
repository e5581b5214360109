//! killed by: parameters, as other_name
//! A name of one's own.

// HOLE 1
        let projection = Linear::new(embedding_dim, projection_dim, &params.pp("proj"))?;
