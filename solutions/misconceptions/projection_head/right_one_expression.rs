//! right
//! Projected twice, and no variable at all.

// HOLE 2
        let branch = self.dropout.forward(&self.fc.forward(&gelu(&self.projection.forward(x)?)?)?, mode)?;
        self.layer_norm.forward(&self.projection.forward(x)?.broadcast_add(&branch)?)
