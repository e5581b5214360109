//! killed by: skip, as skip_subtracted
//! A difference.

// HOLE 2
        let projected = self.projection.forward(x)?;
        let x = self.fc.forward(&gelu(&projected)?)?;
        let x = self.dropout.forward(&x, mode)?;
        self.layer_norm.forward(&(x - projected)?)
