//! Code in this process: a panic is caught and an endless loop is stopped, so that a notebook's variables live on.

use std::cell::Cell;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::answers::Answers;
use super::halt;
use super::{Answer, Ask, Failure, Question};
use crate::exercise::trial::quietly;

/// How long a question may take. Those of the checks take milliseconds.
pub const LIMIT: Duration = Duration::from_secs(10);

/// Asks items of this process, each question on a thread of its own.
pub struct Local {
    answers: Answers,
    limit: Duration,
    running: Cell<bool>,
}

impl Local {
    /// Asks these, ten seconds a question at most.
    pub fn new(answers: Answers) -> Self {
        Self { answers, limit: LIMIT, running: Cell::new(false) }
    }

    /// With another limit.
    pub fn limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Whether code that had no end still runs: it could not be stopped.
    pub fn still_running(&self) -> bool {
        self.running.get()
    }
}

impl Ask for Local {
    fn ask(&self, question: &Question) -> Result<Answer, Failure> {
        let (answers, asked) = (self.answers.clone(), question.clone());
        let (outcome, stopped) = run(self.limit, move || (*answers)(&asked));
        self.running.set(self.running.get() || !stopped);
        outcome
    }
}

/// Runs `code` on a thread, quietly. After `limit` the thread is stopped, where that can be done ([`halt`]).
pub(in crate::exercise) fn within<T: Send + 'static>(
    limit: Duration,
    code: impl FnOnce() -> crate::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    run(limit, code).0
}

/// What came of it, and whether the thread does nothing any more.
fn run<T: Send + 'static>(
    limit: Duration,
    code: impl FnOnce() -> crate::Result<T> + Send + 'static,
) -> (Result<T, Failure>, bool) {
    let (sender, receiver) = channel();
    let thread = std::thread::Builder::new().name("check".into()).spawn(move || {
        // Nobody listens any more when the time is over.
        let _ = sender.send(quietly(code));
    });
    let thread = match thread {
        Ok(thread) => thread,
        Err(error) => {
            return (Err(Failure::Error(format!("no thread for the check: {error}"))), true);
        }
    };
    match receiver.recv_timeout(limit) {
        Ok(outcome) => (outcome, true),
        Err(RecvTimeoutError::Disconnected) => {
            (Err(Failure::Died("the thread ended".into())), true)
        }
        Err(RecvTimeoutError::Timeout) => (Err(Failure::TimedOut(limit)), halt::halt(&thread)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Error;

    fn ask(answers: Answers) -> Result<Answer, Failure> {
        let local = Local::new(answers).limit(Duration::from_millis(300));
        local.ask(&Question::new("clip_loss", "forward"))
    }

    #[test]
    fn whatever_the_code_does_has_a_name() {
        assert!(ask(Arc::new(|_: &Question| Ok(Answer::default()))).is_ok());
        assert_eq!(ask(Arc::new(|_: &Question| todo!("fill"))).unwrap_err(), Failure::NotYet);
        let panic = ask(Arc::new(|_: &Question| panic!("index 3"))).unwrap_err();
        assert_eq!(panic, Failure::Panic("index 3".into()));
        let error = ask(Arc::new(|_: &Question| Err(Error::value("x", "1", "2")))).unwrap_err();
        assert_eq!(error, Failure::Error("x: expected 1, got 2".into()));
    }

    #[test]
    fn an_endless_loop_is_left_behind() {
        let forever: Answers = Arc::new(|_: &Question| {
            loop {
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let failure = ask(forever).unwrap_err();
        assert_eq!(failure, Failure::TimedOut(Duration::from_millis(300)));
        // The next question is answered all the same.
        assert!(ask(Arc::new(|_: &Question| Ok(Answer::default()))).is_ok());
    }
}
