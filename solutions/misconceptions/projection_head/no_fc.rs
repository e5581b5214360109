//! killed by: value, as no_fc
//! A layer that is not used.

// HOLE 2
        let projected = self.projection.forward(x)?;
        let x = self.dropout.forward(&gelu(&projected)?, mode)?;
        self.layer_norm.forward(&(x + projected)?)
