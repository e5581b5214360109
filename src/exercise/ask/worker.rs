//! The other end of the pipe: a process with a student's code that answers questions until nobody asks any more.

use std::fs::File;
use std::io::{Read, Write};
use std::process::ExitCode;

use super::answers::Answers;
use super::{Failure, frame};
use crate::exercise::trial::quietly;

/// Where questions come in; never standard input.
pub const QUESTIONS: &str = "/dev/fd/3";

/// Where answers go out; never standard output or error, which are the student's.
pub const ANSWERS: &str = "/dev/fd/4";

/// An item of a worker: its name, and who answers for it.
pub type Item<'a> = (&'a str, fn() -> Answers);

/// A worker's `main`: the items that it holds. The first argument chooses one.
pub fn main(items: &[Item]) -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let Some((_, answers)) = items.iter().find(|(name, _)| *name == wanted) else {
        eprintln!("this worker holds no `{wanted}`; it is started by `cargo vl check`");
        return ExitCode::from(2);
    };
    let (questions, out) = match (File::open(QUESTIONS), File::options().write(true).open(ANSWERS))
    {
        (Ok(questions), Ok(out)) => (questions, out),
        _ => {
            eprintln!("a worker has two pipes of its own; it is started by `cargo vl check`");
            return ExitCode::from(2);
        }
    };
    match serve(questions, out, &answers()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Answers one question after another.
fn serve(mut questions: impl Read, mut out: impl Write, answers: &Answers) -> std::io::Result<()> {
    while let Some(body) = frame::read(&mut questions)? {
        let outcome = match frame::read_question(&body) {
            Ok(question) => quietly(|| (**answers)(&question)),
            Err(error) => Err(Failure::Error(error.to_string())),
        };
        let body = frame::answer(&outcome)
            .or_else(|error| frame::answer(&Err(Failure::Error(error.to_string()))))
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
        let mut next = || frame::read_answer(&frame::read(&mut told).unwrap().unwrap()).unwrap();
        assert_eq!(next().unwrap_err(), Failure::Panic("here".into()));
        assert_eq!(next().unwrap().words["name"], "forward");
    }
}
