//! killed by: value, as gelu_at_the_end
//! One more bend after the normalisation.

// HOLE 2
        let projected = self.projection.forward(x)?;
        let x = self.fc.forward(&gelu(&projected)?)?;
        let x = self.dropout.forward(&x, mode)?;
        gelu(&self.layer_norm.forward(&(x + projected)?)?)
