//! killed by: parameters, as no_bias
//! The pseudocode is a plain product, the slide is not.

// HOLE 1
        let projection = Linear::no_bias(embedding_dim, projection_dim, &params.pp("projection"))?;
