//! killed by: parameters, as wrong_sizes
//! The projection keeps the length.

// HOLE 1
        let projection = Linear::new(embedding_dim, embedding_dim, &params.pp("projection"))?;
