//! killed by: skip, as norm_before_skip
//! Only the branch is normalised.

// HOLE 2
        let projected = self.projection.forward(x)?;
        let x = self.fc.forward(&gelu(&projected)?)?;
        let x = self.dropout.forward(&x, mode)?;
        Ok((self.layer_norm.forward(&x)? + projected)?)
