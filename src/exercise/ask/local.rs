//! Code in this process: a panic is caught and an endless loop is left behind, so that a notebook's variables live on.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::answers::Answers;
use super::{Answer, Ask, Failure, Question};
use crate::exercise::trial::quietly;

/// How long a question may take. Those of the checks take milliseconds.
pub const LIMIT: Duration = Duration::from_secs(10);

/// Asks items of this process, each question on a thread of its own.
pub struct Local {
    answers: Answers,
    limit: Duration,
}

impl Local {
    /// Asks these, ten seconds a question at most.
    pub fn new(answers: Answers) -> Self {
        Self { answers, limit: LIMIT }
    }

    /// With another limit.
    pub fn limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }
}

impl Ask for Local {
    fn ask(&self, question: &Question) -> Result<Answer, Failure> {
        within(self.limit, {
            let (answers, question) = (self.answers.clone(), question.clone());
            move || (*answers)(&question)
        })
    }
}

/// Runs `code` on a thread, quietly. After `limit` the thread is left to itself: nothing can end it but the process.
pub(in crate::exercise) fn within<T: Send + 'static>(
    limit: Duration,
    code: impl FnOnce() -> crate::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    let (sender, receiver) = channel();
    let thread = std::thread::Builder::new().name("check".into()).spawn(move || {
        // Nobody listens any more when the time is over.
        let _ = sender.send(quietly(code));
    });
    if let Err(error) = thread {
        return Err(Failure::Error(format!("no thread for the check: {error}")));
    }
    match receiver.recv_timeout(limit) {
        Ok(outcome) => outcome,
        Err(RecvTimeoutError::Timeout) => Err(Failure::TimedOut(limit)),
        Err(RecvTimeoutError::Disconnected) => Err(Failure::Died("the thread ended".into())),
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
