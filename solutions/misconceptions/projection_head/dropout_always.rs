//! killed by: dropout, as dropout_always
//! The mode is written down, the other way.

// HOLE 2
        let projected = self.projection.forward(x)?;
        let _ = mode;
        let x = self.fc.forward(&gelu(&projected)?)?;
        let x = self.dropout.forward(&x, Mode::Train)?;
        self.layer_norm.forward(&(x + projected)?)
