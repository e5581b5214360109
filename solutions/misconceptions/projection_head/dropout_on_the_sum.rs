//! killed by: dropout, as dropout_on_the_sum
//! The skip connection is dropped too.

// HOLE 2
        let projected = self.projection.forward(x)?;
        let x = self.fc.forward(&gelu(&projected)?)?;
        let x = self.dropout.forward(&(x + projected)?, mode)?;
        self.layer_norm.forward(&x)
