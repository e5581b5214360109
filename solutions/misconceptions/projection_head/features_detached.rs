//! killed by: gradients, as detached
//! The encoder below never learns.

// HOLE 2
        let projected = self.projection.forward(&x.detach())?;
        let x = self.fc.forward(&gelu(&projected)?)?;
        let x = self.dropout.forward(&x, mode)?;
        self.layer_norm.forward(&(x + projected)?)
