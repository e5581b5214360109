//! killed by: skip, as skip_after_gelu
//! The variable was overwritten before the sum.

// HOLE 2
        let projected = gelu(&self.projection.forward(x)?)?;
        let x = self.fc.forward(&projected)?;
        let x = self.dropout.forward(&x, mode)?;
        self.layer_norm.forward(&(x + projected)?)
