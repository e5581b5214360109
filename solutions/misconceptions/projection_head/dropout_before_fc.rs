//! killed by: dropout, as dropout_before_fc
//! Dropout and fc have changed places.

// HOLE 2
        let projected = self.projection.forward(x)?;
        let x = self.dropout.forward(&gelu(&projected)?, mode)?;
        let x = self.fc.forward(&x)?;
        self.layer_norm.forward(&(x + projected)?)
