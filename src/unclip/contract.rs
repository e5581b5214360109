//! The contract of `guidance`.

use candle_core::Tensor;

use crate::Result;

/// What classifier-free guidance (arXiv:2207.12598) asks of a training and of a drawing.
pub trait Guidance: Send + Sync {
    /// Pictures or embeddings `x0 (b, …)`, standard normal `noise` of the same shape, `alpha_bar (b)`, how much is left of
    /// each → `x_t`, of the same shape: `√ᾱ x₀ + √(1 − ᾱ) ε`.
    fn noise(&self, x0: &Tensor, noise: &Tensor, alpha_bar: &Tensor) -> Result<Tensor>;

    /// Conditions `(b, …)`, `keep (b)`, 1 or 0 → the same, with zeros in the place of every condition that is not kept.
    fn drop_condition(&self, condition: &Tensor, keep: &Tensor) -> Result<Tensor>;

    /// The predictions with the condition and without it, of the same shape, and the guidance scale `s` →
    /// `ε(∅) + s · (ε(c) − ε(∅))`: s = 1 is the conditional prediction, more goes beyond it.
    fn guided(&self, conditional: &Tensor, unconditional: &Tensor, scale: f64) -> Result<Tensor>;
}
