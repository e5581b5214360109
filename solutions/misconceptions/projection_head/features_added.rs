//! killed by: shape, as features_added
//! The features instead of their projection.

// HOLE 2
        let projected = self.projection.forward(x)?;
        let y = self.fc.forward(&gelu(&projected)?)?;
        let y = self.dropout.forward(&y, mode)?;
        self.layer_norm.forward(&(y + x)?)
