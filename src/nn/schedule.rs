//! A learning rate that knows how much of a training is behind, by steps or by time.

use std::time::{Duration, Instant};

use super::{AdamW, warm_cosine};

/// A learning rate that rises over the first twentieth and falls to zero along a cosine.
pub struct Cosine {
    start: Instant,
    steps: usize,
    budget: Option<Duration>,
    peak: Vec<f64>,
}

impl Cosine {
    /// For `optimizer`'s learning rates as they are now, over `steps`, or `budget` if that ends first.
    pub fn new(optimizer: &AdamW, steps: usize, budget: Option<Duration>) -> Self {
        let peak = optimizer.groups().iter().map(|g| g.lr).collect();
        Self { start: Instant::now(), steps, budget, peak }
    }

    /// How much of the training is behind, 0 to 1.
    pub fn progress(&self, step: usize) -> f64 {
        let by_steps = step as f64 / self.steps.max(1) as f64;
        let by_time =
            self.budget.map_or(0., |b| self.start.elapsed().as_secs_f64() / b.as_secs_f64());
        by_steps.max(by_time).min(1.)
    }

    /// Sets the learning rates for `step`; gives whether there is still something to do.
    pub fn set(&self, optimizer: &mut AdamW, step: usize) -> bool {
        let done = self.progress(step);
        let factor = warm_cosine(done);
        for (group, peak) in optimizer.groups_mut().iter_mut().zip(&self.peak) {
            group.lr = peak * factor;
        }
        done < 1.
    }
}
