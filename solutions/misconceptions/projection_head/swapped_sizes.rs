//! killed by: parameters, as swapped_sizes
//! From the common space to the features.

// HOLE 1
        let projection = Linear::new(projection_dim, embedding_dim, &params.pp("projection"))?;
