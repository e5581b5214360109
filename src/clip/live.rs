//! The curves of a training, drawn while it runs.

use std::time::{Duration, Instant};

use super::{Step, TrainLog};
use crate::Result;
use crate::display::{Live, loss_curves};

/// A plot below the notebook's cell that is drawn anew while the training runs.
///
/// On the course's kernel about once a second; a stock kernel shows at the cell's end what came last. Elsewhere nothing
/// is drawn.
#[derive(Clone, Debug, Default)]
pub struct LiveCurves {
    live: Live,
    steps: Vec<f64>,
    steps_per_epoch: usize,
    train: Vec<f64>,
    valid: Vec<f64>,
    next: Option<Instant>,
}

impl LiveCurves {
    /// A plot without curves.
    pub fn new() -> Self {
        Self::default()
    }

    /// A step was taken.
    pub fn step(&mut self, step: &Step) {
        self.steps.push(step.loss);
        self.steps_per_epoch = step.steps;
        let now = Instant::now();
        if self.live.is_live() && self.next.is_none_or(|next| next <= now) {
            // A plot that cannot be drawn is no reason to stop the training.
            let _ = self.draw();
            // Drawing takes a hundredth of the time at most.
            self.next = Some(Instant::now() + (now.elapsed() * 100).max(Duration::from_secs(1)));
        }
    }

    /// An epoch ended.
    ///
    /// # Errors
    /// When the plot cannot be drawn.
    pub fn epoch(&mut self, log: &TrainLog) -> Result<()> {
        self.steps.clone_from(&log.step_losses);
        self.train.clone_from(&log.train_losses);
        self.valid.clone_from(&log.valid_losses);
        // An epoch that was interrupted and begun again has more steps.
        self.steps_per_epoch = self.steps.len().div_ceil(self.train.len().max(1));
        self.draw()
    }

    fn draw(&mut self) -> Result<()> {
        let picture = loss_curves(&self.steps, self.steps_per_epoch, &self.train, &self.valid)?;
        self.live.picture(&picture);
        Ok(())
    }
}
