//! The linear probe: how much of a task lies in frozen features, when a linear classifier learns from labelled examples
//! (arXiv:2103.00020, section 3.2 and appendix A.3). It is the supervised rival of a zero-shot classifier: the lecture's
//! figure 5 compares the two.
//!
//! ```text
//! min over W, b of   C Σ_i −ln softmax(W f_i + b)[y_i]  +  |W|² / 2          (scikit-learn's LogisticRegression)
//! ```
//!
//! minimised by L-BFGS in double precision, with `C` swept on held-out examples as in the paper.

mod lbfgs;
mod logistic;
mod sweep;

pub use lbfgs::{Lbfgs, Minimum};
pub use logistic::{LinearProbe, ProbeOptions};
pub use sweep::{Sweep, SweepOptions, sweep};
