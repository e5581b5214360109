//! right
//! Other initial values, the same names and shapes.

// HOLE 1
        let projection = Linear::bert(embedding_dim, projection_dim, &params.pp("projection"))?;
// HOLE 2
        let projected = self.projection.forward(x)?;
        let gate = (((&projected / 2f64.sqrt())?.erf()? + 1.)? / 2.)?;
        let x = self.fc.forward(&(&projected * gate)?)?;
        let x = self.dropout.forward(&x, mode)?;
        self.layer_norm.forward(&(x + projected)?)
