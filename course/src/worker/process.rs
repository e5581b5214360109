//! The process of a student's code: it gets questions on descriptor 3 and answers on descriptor 4.

use std::cell::RefCell;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use vision_language::exercise::ask::{Answer, Ask, Failure, Question, frame};

use crate::{Error, Result};

/// How much of what the code prints is kept: its end.
const PRINTED: usize = 16 << 10;

/// A program of [`Library::compile`](super::Library::compile), started when it is first asked, and again after it was ended.
pub struct Worker {
    program: PathBuf,
    item: String,
    limit: Duration,
    running: RefCell<Option<Running>>,
    printed: Arc<Mutex<String>>,
}

struct Running {
    child: Child,
    questions: Option<ChildStdin>,
    answers: Receiver<std::io::Result<Option<Vec<u8>>>>,
}

impl Worker {
    /// A worker for one item of a program; `limit` is for each question.
    pub fn new(program: &Path, item: &str, limit: Duration) -> Self {
        Self {
            program: program.to_path_buf(),
            item: item.into(),
            limit,
            running: RefCell::default(),
            printed: Arc::default(),
        }
    }

    /// The end of what the code has printed so far.
    pub fn printed(&self) -> String {
        self.printed.lock().unwrap_or_else(|e| e.into_inner()).clone()
    }

    fn start(&self) -> Result<Running> {
        // The shell moves the two pipes to their numbers, so that the code's own output cannot be taken for an answer.
        let mut command = Command::new("sh");
        command
            .args(["-c", r#"exec "$0" "$1" 3<&0 4>&1 0</dev/null 1>&2"#])
            .arg(&self.program)
            .arg(&self.item)
            .env("RUST_BACKTRACE", "0")
            .env("RAYON_NUM_THREADS", "1")
            .env_remove("EVCXR_IS_RUNTIME")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(Error::io("sh"))?;
        let broken = || Error::Failed("the worker has no pipes".into());
        let questions = Some(child.stdin.take().ok_or_else(broken)?);
        let (mut out, mut err) =
            (child.stdout.take().ok_or_else(broken)?, child.stderr.take().ok_or_else(broken)?);
        let printed = self.printed.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = err.read(&mut buffer) {
                let mut printed = printed.lock().unwrap_or_else(|e| e.into_inner());
                printed.push_str(&String::from_utf8_lossy(&buffer[..n]));
                let over = printed.len().saturating_sub(PRINTED);
                let cut = (over..printed.len()).find(|i| printed.is_char_boundary(*i)).unwrap_or(0);
                printed.drain(..cut);
            }
        });
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            loop {
                let body = frame::read(&mut out);
                let over = !matches!(body, Ok(Some(_)));
                if sender.send(body).is_err() || over {
                    return;
                }
            }
        });
        Ok(Running { child, questions, answers })
    }
}

impl Ask for Worker {
    fn ask(&self, question: &Question) -> std::result::Result<Answer, Failure> {
        let body = frame::question(question).map_err(|e| Failure::Error(e.to_string()))?;
        let mut running = self.running.borrow_mut();
        if running.is_none() {
            *running = Some(self.start().map_err(|e| Failure::Died(e.to_string()))?);
        }
        let Some(worker) = running.as_mut() else { unreachable!("started above") };
        // A worker that does not read is found out below, where no answer comes.
        if let Some(pipe) = &mut worker.questions {
            let _ = frame::write(pipe, &body);
        }
        let failure = match worker.answers.recv_timeout(self.limit) {
            Ok(Ok(Some(body))) => match frame::read_answer(&body) {
                Ok(outcome) => return outcome,
                Err(error) => Failure::Died(format!("it answered something else: {error}")),
            },
            Err(RecvTimeoutError::Timeout) => Failure::TimedOut(self.limit),
            Ok(_) | Err(RecvTimeoutError::Disconnected) => {
                worker.questions = None;
                // It may live on with its pipes closed; and its last words may still be on their way.
                let _ = worker.child.kill();
                std::thread::sleep(Duration::from_millis(30));
                Failure::Died(ended(worker.child.wait().ok(), &self.printed()))
            }
        };
        // Whatever it is doing, its next answer would be to this question.
        *running = None;
        Err(failure)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.questions = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a process ended, in words for a student.
fn ended(status: Option<ExitStatus>, printed: &str) -> String {
    if printed.contains("overflowed its stack") {
        return "the process ended: it overflowed its stack (a function that calls itself without end?)".into();
    }
    let Some(status) = status else { return "the process ended".into() };
    let last = printed.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    format!("the process ended with {status}: {last}").trim_end_matches(": ").to_string()
}
