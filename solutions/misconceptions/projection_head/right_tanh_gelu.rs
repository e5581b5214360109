//! right
//! GELU in GPT-2's form, as candle's own method has it.

// HOLE 2
        let projected = self.projection.forward(x)?;
        let x = self.fc.forward(&projected.gelu()?)?;
        let x = self.dropout.forward(&x, mode)?;
        self.layer_norm.forward(&(projected + x)?)
