//! The process of a student's code: it gets questions on descriptor 3 and answers on descriptor 4.

use std::cell::{Cell, RefCell};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::RngCore;
use vision_language::exercise::ask::worker::NONCE;
use vision_language::exercise::ask::{Answer, Ask, Failure, Question, frame};

use crate::cage::{self, Cage, Ended, Usage};
use crate::{Error, Result};

/// How much of what the code prints is kept: its end.
const PRINTED: usize = 16 << 10;

/// A program of [`Library::compile`](super::Library::compile), started when it is first asked, and again after it was ended.
pub struct Worker {
    program: PathBuf,
    item: String,
    limit: Duration,
    caged: Option<Caged>,
    running: RefCell<Option<Running>>,
    printed: Arc<Mutex<String>>,
    used: Cell<Usage>,
    asked: Cell<Duration>,
}

/// A worker's cage, and the grader's part of it.
struct Caged {
    cage: Cage,
    /// Where checks put files; the cage may read it.
    folder: PathBuf,
    /// For all questions together.
    total: Cell<Duration>,
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
            caged: None,
            running: RefCell::default(),
            printed: Arc::default(),
            used: Cell::default(),
            asked: Cell::default(),
        }
    }

    /// In a cage. Checks put their files into `folder`; after `total` nothing more is asked.
    pub fn caged(mut self, cage: Cage, folder: &Path, total: Duration) -> Self {
        self.caged = Some(Caged { cage, folder: folder.to_path_buf(), total: Cell::new(total) });
        self
    }

    /// From now on this long for all questions together, whatever has been used up before.
    pub fn allow(&self, total: Duration) {
        if let Some(caged) = &self.caged {
            caged.total.set(self.asked.get() + total);
        }
    }

    /// The end of what the code has printed so far.
    pub fn printed(&self) -> String {
        self.printed.lock().unwrap_or_else(|e| e.into_inner()).clone()
    }

    /// Ends the process; what all processes of this worker have used.
    pub fn finish(&self) -> Usage {
        if let Some(running) = self.running.borrow_mut().take() {
            self.end(running);
        }
        self.used.get()
    }

    fn end(&self, mut running: Running) -> Ended {
        running.questions = None;
        let (ended, used) = cage::end(&running.child);
        self.used.set(self.used.get().and(used));
        ended
    }

    fn command(&self) -> Result<Command> {
        if let Some(caged) = &self.caged {
            return caged.cage.command(&self.program, &[self.item.as_ref()]);
        }
        // The shell moves the two pipes to their numbers, so that the code's own output cannot be taken for an answer.
        let mut command = Command::new("sh");
        command
            .args(["-c", r#"exec "$0" "$1" 3<&0 4>&1 0</dev/null 1>&2"#])
            .arg(&self.program)
            .arg(&self.item)
            .env("RUST_BACKTRACE", "0")
            .env("RAYON_NUM_THREADS", "1")
            .env_remove("EVCXR_IS_RUNTIME");
        Ok(command)
    }

    fn start(&self) -> Result<Running> {
        let mut command = self.command()?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(Error::io(command.get_program()))?;
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
        // Whoever answers more than he is asked fills a pipe, and not our memory.
        let (sender, answers) = sync_channel(1);
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

    /// How long the next question may take.
    fn limit(&self) -> Duration {
        let total = self.caged.as_ref().map_or(Duration::MAX, |caged| caged.total.get());
        self.limit.min(total.saturating_sub(self.asked.get()))
    }
}

impl Ask for Worker {
    fn ask(&self, question: &Question) -> std::result::Result<Answer, Failure> {
        let mut nonce = [0; 16];
        rand::rng().fill_bytes(&mut nonce);
        let nonce = format!("{:032x}", u128::from_le_bytes(nonce));
        let question = question.clone().word(NONCE, &nonce);
        let body = frame::question(&question).map_err(|e| Failure::Error(e.to_string()))?;
        let limit = self.limit();
        if limit.is_zero() {
            return Err(Failure::TimedOut(self.asked.get()));
        }
        let begun = Instant::now();
        let outcome = self.put(&body, &nonce, limit);
        self.asked.set(self.asked.get() + begun.elapsed());
        outcome
    }

    fn folder(&self) -> PathBuf {
        self.caged.as_ref().map_or_else(std::env::temp_dir, |caged| caged.folder.clone())
    }

    fn goes_on(&self) -> bool {
        self.caged.is_some()
    }
}

impl Worker {
    fn put(
        &self,
        body: &[u8],
        nonce: &str,
        limit: Duration,
    ) -> std::result::Result<Answer, Failure> {
        let mut running = self.running.borrow_mut();
        // What it has said unasked is no answer; nor is what it says next.
        if running
            .as_ref()
            .is_some_and(|r| !matches!(r.answers.try_recv(), Err(TryRecvError::Empty)))
            && let Some(old) = running.take()
        {
            let ended = self.end(old);
            return Err(Failure::Died(format!(
                "it answered without being asked, or its process ended ({ended})"
            )));
        }
        if running.is_none() {
            *running = Some(self.start().map_err(|e| Failure::Died(e.to_string()))?);
        }
        let Some(worker) = running.as_mut() else { unreachable!("started above") };
        let Some(pipe) = worker.questions.take() else { unreachable!("it has a pipe") };
        // From a thread: one that does not read must not keep us from looking at the clock.
        let (sender, written) = sync_channel(1);
        let bytes = body.to_vec();
        std::thread::spawn(move || {
            let mut pipe = pipe;
            let _ = frame::write(&mut pipe, &bytes);
            let _ = sender.send(pipe);
        });
        let failure = match worker.answers.recv_timeout(limit) {
            Ok(Ok(Some(body))) => match frame::read_answer(&body, Some(nonce)) {
                Ok(outcome) => {
                    // Who answers before the question has come to its end is asked no more.
                    worker.questions = written.recv_timeout(Duration::from_millis(200)).ok();
                    if worker.questions.is_none()
                        && let Some(old) = running.take()
                    {
                        self.end(old);
                    }
                    return outcome;
                }
                Err(error) => Failure::Died(format!("it answered something else: {error}")),
            },
            Err(RecvTimeoutError::Timeout) => Failure::TimedOut(limit),
            Ok(_) | Err(RecvTimeoutError::Disconnected) => {
                let Some(old) = running.take() else { unreachable!("started above") };
                // It may live on with its pipes closed; and its last words may still be on their way.
                let soon = cage::wait(&old.child, Duration::from_millis(30));
                let how = match soon {
                    Some((ended, used)) => {
                        self.used.set(self.used.get().and(used));
                        ended
                    }
                    None => self.end(old),
                };
                return Err(Failure::Died(ended(how, &self.printed())));
            }
        };
        // Whatever it is doing, its next answer would be to this question.
        if let Some(old) = running.take() {
            self.end(old);
        }
        Err(failure)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.finish();
    }
}

/// How a process ended, in words for a student.
fn ended(how: Ended, printed: &str) -> String {
    if printed.contains("overflowed its stack") {
        return "the process ended: it overflowed its stack (a function that calls itself without end?)".into();
    }
    let last = printed.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    format!("the process ended with {how}: {last}").trim_end_matches(": ").to_string()
}
