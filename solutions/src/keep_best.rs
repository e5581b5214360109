//! # `keep_best`: the model that was best on pictures it has not seen
//!
//! The training loss always falls; the validation loss falls and then rises again. After every epoch: if the current
//! model is better than the best model so far, then it replaces it, in a file called `best.pt`.
//!
//! ```text
//! bestₑ = min(bestₑ₋₁, lossₑ), best₀ = ∞;  best.pt is written where lossₑ < bestₑ₋₁
//! ```
//!
//! Example: validation losses 2.0, 1.5, 1.7, 1.2 save after epochs 1, 2 and 4, and the function gives 2.0, 1.5, 1.5, 1.2.

use vision_language::prelude::*;

/// Saves `model` as `best.pt` in `folder` if `valid_loss` is lower than `best_loss`; gives the best loss so far.
pub fn keep_best(valid_loss: f64, best_loss: f64, model: &dyn Save, folder: &Path) -> Result<f64> {
    // STUB todo!("keep_best: if the current model is better than the best model, save it as best.pt")
    // BEGIN SOLUTION
    if valid_loss < best_loss {
        model.save(&folder.join("best.pt"))?;
        return Ok(valid_loss);
    }
    Ok(best_loss)
    // END SOLUTION
}
