//! killed by: value, as gelu_after_fc
//! fc and GELU have changed places.

// HOLE 2
        let projected = self.projection.forward(x)?;
        let x = gelu(&self.fc.forward(&projected)?)?;
        let x = self.dropout.forward(&x, mode)?;
        self.layer_norm.forward(&(x + projected)?)
