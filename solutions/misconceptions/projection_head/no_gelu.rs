//! killed by: value, as no_gelu
//! Two linear layers in a row.

// HOLE 2
        let projected = self.projection.forward(x)?;
        let x = self.fc.forward(&projected)?;
        let x = self.dropout.forward(&x, mode)?;
        self.layer_norm.forward(&(x + projected)?)
