//! right
//! GELU as candle's method for the exact form.

// HOLE 2
        let projected = self.projection.forward(x)?;
        let branch = self.fc.forward(&projected.gelu_erf()?)?;
        self.layer_norm.forward(&projected.add(&self.dropout.forward(&branch, mode)?)?)
