//! killed by: normalised, as no_layer_norm
//! The sum as it is.

// HOLE 2
        let projected = self.projection.forward(x)?;
        let x = self.fc.forward(&gelu(&projected)?)?;
        let x = self.dropout.forward(&x, mode)?;
        Ok((x + projected)?)
