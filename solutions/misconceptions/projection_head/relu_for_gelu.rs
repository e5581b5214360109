//! killed by: value, as relu_for_gelu
//! Another bend.

// HOLE 2
        let projected = self.projection.forward(x)?;
        let x = self.fc.forward(&relu(&projected)?)?;
        let x = self.dropout.forward(&x, mode)?;
        self.layer_norm.forward(&(x + projected)?)
