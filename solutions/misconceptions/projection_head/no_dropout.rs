//! killed by: dropout, as no_dropout
//! Nothing is dropped.

// HOLE 2
        let projected = self.projection.forward(x)?;
        let x = self.fc.forward(&gelu(&projected)?)?;
        let _ = (mode, &self.dropout);
        self.layer_norm.forward(&(x + projected)?)
