//! The other end of the pipe: a process with a student's code that answers questions until nobody asks any more.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::FromRawFd;
use std::process::ExitCode;

use super::answers::Answers;
use super::{Failure, frame};
use crate::exercise::trial::quietly;

/// The descriptor where questions come in; never standard input.
pub const QUESTIONS: i32 = 3;

/// The descriptor where answers go out; never standard output or error, which are the student's.
pub const ANSWERS: i32 = 4;

/// What a grader marks a question with, and finds again in the answer to it and in no other.
pub const NONCE: &str = "nonce";

/// An item of a worker: its name, and who answers for it.
pub type Item<'a> = (&'a str, fn() -> Answers);

/// A worker's `main`: the items that it holds. The first argument chooses one.
pub fn main(items: &[Item]) -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let Some((_, answers)) = items.iter().find(|(name, _)| *name == wanted) else {
        eprintln!("this worker holds no `{wanted}`; it is started by `cargo vl check`");
        return ExitCode::from(2);
    };
    // By number: in a sandbox there is no /dev/fd to open them in.
    // Safety: whoever starts a worker gives it these two, and nothing else here uses them.
    let (questions, out) = unsafe { (File::from_raw_fd(QUESTIONS), File::from_raw_fd(ANSWERS)) };
    if questions.metadata().and(out.metadata()).is_err() {
        eprintln!("a worker has two pipes of its own; it is started by `cargo vl check`");
        return ExitCode::from(2);
    }
    match serve(questions, out, &answers()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Answers one question after another.
fn serve(mut questions: impl Read, mut out: impl Write, answers: &Answers) -> std::io::Result<()> {
    while let Some(body) = frame::read(&mut questions)? {
        let (outcome, nonce) = match frame::read_question(&body) {
            Ok(mut question) => {
                // The student's code is not told.
                let nonce = question.words.remove(NONCE);
                (quietly(|| (**answers)(&question)), nonce)
            }
            Err(error) => (Err(Failure::Error(error.to_string())), None),
        };
        let nonce = nonce.as_deref();
        let body = frame::answer(&outcome, nonce)
            .or_else(|error| frame::answer(&Err(Failure::Error(error.to_string())), nonce))
            .map_err(std::io::Error::other)?;
        frame::write(&mut out, &body)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::exercise::ask::{Answer, Question};

    #[test]
    fn a_worker_answers_after_a_panic() {
        let answers: Answers = Arc::new(|question: &Question| match question.name.as_str() {
            "panic" => panic!("here"),
            name => Ok(Answer::default().word("name", name)),
        });
        let mut asked = Vec::new();
        for name in ["panic", "forward"] {
            let body = frame::question(&Question::new("clip_loss", name)).unwrap();
            frame::write(&mut asked, &body).unwrap();
        }
        let mut told = Vec::new();
        serve(asked.as_slice(), &mut told, &answers).unwrap();
        let mut told = told.as_slice();
        let mut next =
            || frame::read_answer(&frame::read(&mut told).unwrap().unwrap(), None).unwrap();
        assert_eq!(next().unwrap_err(), Failure::Panic("here".into()));
        assert_eq!(next().unwrap().words["name"], "forward");
    }
}
