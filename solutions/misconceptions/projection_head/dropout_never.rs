//! killed by: dropout, as no_dropout
//! The mode is written down.

// HOLE 2
        let projected = self.projection.forward(x)?;
        let _ = mode;
        let x = self.fc.forward(&gelu(&projected)?)?;
        let x = self.dropout.forward(&x, Mode::Eval)?;
        self.layer_norm.forward(&(x + projected)?)
