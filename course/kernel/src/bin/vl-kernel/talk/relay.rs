//! The kernel's end of the three sockets, and the words that go through them.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use course_kernel::shim::build::AT;

use super::cell::{Cell, Panic};
use super::marks::{Marks, Piece};
use super::stream::{Stream, find_panic};
use crate::wire::{Message, sockets::Out};

/// The socket's name in a session's folder.
pub const SOCKET: &str = "talk";

/// The conversation with whatever process runs the cells now.
#[derive(Debug)]
pub struct Talk {
    out: Out,
    cell: Mutex<Cell>,
    changed: Condvar,
    child: Mutex<Option<Child>>,
}

/// The process that runs the cells.
#[derive(Debug)]
struct Child {
    pid: i32,
    control: UnixStream,
    wake: UnixStream,
    flush: Sender<Sender<()>>,
}

impl Talk {
    /// Listens in a session's folder.
    pub fn listen(folder: &Path, out: Out) -> Result<Arc<Talk>> {
        let path = folder.join(SOCKET);
        let listener = UnixListener::bind(&path).with_context(|| {
            format!("{}: cannot listen here; a shorter TMPDIR may help", path.display())
        })?;
        let talk = Arc::new(Talk {
            out,
            cell: Mutex::default(),
            changed: Condvar::new(),
            child: Mutex::default(),
        });
        let mine = talk.clone();
        std::thread::spawn(move || mine.accept(&listener));
        Ok(talk)
    }

    /// The cell that runs, or ran last.
    pub fn cell(&self) -> MutexGuard<'_, Cell> {
        self.cell.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// From here on what is said belongs to `request`.
    pub fn begin(&self, request: Message, count: u32) {
        *self.cell() = Cell::new(request, count);
        self.tell("clear");
    }

    /// The process that runs the cells.
    pub fn pid(&self) -> Option<i32> {
        self.child().as_ref().map(|child| child.pid)
    }

    /// A word to the process that runs the cells.
    fn tell(&self, word: &str) {
        if let Some(child) = &mut *self.child() {
            let _ = child.control.write_all(format!("{word}\n").as_bytes());
        }
    }

    /// Waits until what was said so far is published. When the process has ended, all of it was.
    pub fn flush(&self) {
        let (done, is_done) = channel();
        if let Some(child) = &mut *self.child()
            && child.flush.send(done).is_ok()
        {
            let _ = child.wake.write_all(b"!");
        }
        let _ = is_done.recv_timeout(Duration::from_secs(2));
        self.cell().end_block(&self.out);
    }

    /// Ends the cell that runs: at its loop's next step where the library's loops look for it, else with its process.
    pub fn interrupt(self: &Arc<Self>) {
        let mut cell = self.cell();
        if std::mem::replace(&mut cell.interrupted, true) {
            return;
        }
        let Some(begun) = cell.running else { return };
        drop(cell);
        self.tell("stop");
        let talk = self.clone();
        std::thread::spawn(move || talk.insist(begun));
    }

    /// After an interrupt: waits for the cell to end by itself, then ends its process.
    fn insist(&self, begun: Instant) {
        let ends = |cell: &mut Cell| cell.running == Some(begun);
        let cell = self.cell();
        let (cell, _) = self
            .changed
            .wait_timeout_while(cell, PATIENCE, ends)
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let listens = cell.listens;
        let (mut cell, _) = self
            .changed
            .wait_timeout_while(cell, if listens { LISTENING } else { Duration::ZERO }, ends)
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if cell.running == Some(begun)
            && let Some(pid) = self.pid()
        {
            cell.killed = true;
            // SAFETY: a signal to the group of a process that runs.
            unsafe { libc::kill(-pid, libc::SIGKILL) };
        }
    }

    /// Takes connections; three of one process belong together.
    fn accept(self: Arc<Self>, listener: &UnixListener) {
        let mut parts: Vec<(i32, String, UnixStream)> = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let Some((name, pid)) = introduction(&mut stream) else { continue };
            parts.retain(|(other, ..)| *other == pid);
            parts.push((pid, name, stream));
            if parts.len() == 3 {
                let mut take = |wanted: &str| {
                    let at = parts.iter().position(|(_, name, _)| name == wanted)?;
                    Some(parts.swap_remove(at).2)
                };
                if let (Some(out), Some(err), Some(control)) =
                    (take("out"), take("err"), take("control"))
                {
                    let _ = self.clone().start(pid, out, err, control);
                }
                parts.clear();
            }
        }
    }

    fn start(
        self: Arc<Self>,
        pid: i32,
        out: UnixStream,
        err: UnixStream,
        control: UnixStream,
    ) -> std::io::Result<()> {
        let (wake, woken) = UnixStream::pair()?;
        let (flush, flushes) = channel();
        for stream in [&out, &err, &control, &woken] {
            stream.set_nonblocking(true)?;
        }
        let answers = control.try_clone()?;
        answers.set_nonblocking(false)?;
        control.set_nonblocking(false)?;
        *self.child() = Some(Child { pid, control: answers.try_clone()?, wake, flush });
        let relay = Relay {
            talk: self,
            out: Source::new(out),
            err: Source::new(err),
            control: Source::new(control),
            answers,
            woken,
            flushes,
            marks: Marks::default(),
            words: Stream::default(),
            errors: Stream::default(),
            line: Vec::new(),
        };
        std::thread::spawn(move || relay.run());
        Ok(())
    }
}

/// How long a cell has to end by itself after an interrupt.
const PATIENCE: Duration = Duration::from_secs(5);

/// The same for a loop that has said that it listens: one step may take long.
const LISTENING: Duration = Duration::from_secs(120);

/// The first line of a connection: which of the three it is, and of which process.
fn introduction(stream: &mut UnixStream) -> Option<(String, i32)> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut line = Vec::new();
    let mut byte = [0];
    while line.len() < 64 && stream.read(&mut byte).ok()? == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    stream.set_read_timeout(None).ok()?;
    let (name, pid) = std::str::from_utf8(&line).ok()?.split_once(' ')?;
    Some((name.to_owned(), pid.parse().ok()?))
}

/// A socket and whether it has ended.
struct Source {
    stream: UnixStream,
    open: bool,
}

impl Source {
    fn new(stream: UnixStream) -> Source {
        Source { stream, open: true }
    }

    /// What can be read now without waiting.
    fn read(&mut self, most: usize) -> Vec<u8> {
        let mut all = Vec::new();
        let mut buffer = [0; 65_536];
        while self.open && all.len() < most {
            // SAFETY: reads into a buffer of that length.
            let read = unsafe {
                libc::recv(
                    self.stream.as_raw_fd(),
                    buffer.as_mut_ptr().cast(),
                    buffer.len(),
                    libc::MSG_DONTWAIT,
                )
            };
            match read {
                0 => self.open = false,
                n if n > 0 => all.extend_from_slice(&buffer[..n as usize]),
                _ => match std::io::Error::last_os_error().kind() {
                    ErrorKind::Interrupted => {}
                    ErrorKind::WouldBlock => break,
                    _ => self.open = false,
                },
            }
        }
        all
    }
}

struct Relay {
    talk: Arc<Talk>,
    out: Source,
    err: Source,
    control: Source,
    answers: UnixStream,
    woken: UnixStream,
    flushes: Receiver<Sender<()>>,
    marks: Marks,
    words: Stream,
    errors: Stream,
    line: Vec<u8>,
}

/// Read at a time, so that a cell that never stops talking does not keep its own end waiting.
const AT_ONCE: usize = 1 << 20;

impl Relay {
    /// Until all three sockets have ended.
    fn run(mut self) {
        while self.out.open || self.err.open || self.control.open {
            self.wait();
            self.read_control();
            self.read_errors();
            self.read_words();
            self.publish_due();
            if let Ok(done) = self.flushes.try_recv() {
                while self.woken.read(&mut [0; 16]).is_ok_and(|n| n == 16) {}
                self.drain();
                let _ = done.send(());
            }
        }
        self.drain();
        while let Ok(done) = self.flushes.try_recv() {
            let _ = done.send(());
        }
    }

    /// Until there is something to read or to publish.
    fn wait(&mut self) {
        let due = [self.words.due(), self.errors.due()].into_iter().flatten().min();
        let timeout = due
            .map_or(-1, |due| due.saturating_duration_since(Instant::now()).as_millis() as i32 + 1);
        let watch = |source: &Source| libc::pollfd {
            fd: if source.open { source.stream.as_raw_fd() } else { -1 },
            events: libc::POLLIN,
            revents: 0,
        };
        let mut fds = [
            watch(&self.out),
            watch(&self.err),
            watch(&self.control),
            libc::pollfd { fd: self.woken.as_raw_fd(), events: libc::POLLIN, revents: 0 },
        ];
        // SAFETY: the array lives during the call, and its length is given.
        unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, timeout) };
    }

    fn read_control(&mut self) {
        self.line.extend(self.control.read(AT_ONCE));
        while let Some(end) = self.line.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = self.line.drain(..=end).collect();
            match line.trim_ascii() {
                b"run" => {
                    let mut cell = self.talk.cell();
                    let go = !cell.interrupted;
                    match go {
                        true => cell.running = Some(Instant::now()),
                        // The process tells evcxr of a panic that was none.
                        false => cell.panicked = true,
                    }
                    drop(cell);
                    self.answer(if go { "go" } else { "skip" });
                }
                b"listens" => {
                    self.talk.cell().listens = true;
                    self.talk.changed.notify_all();
                }
                _ => {}
            }
        }
    }

    fn answer(&mut self, line: &str) {
        let _ = self.answers.write_all(format!("{line}\n").as_bytes());
    }

    fn read_errors(&mut self) {
        let bytes = self.err.read(AT_ONCE);
        self.errors.push(&bytes);
    }

    fn read_words(&mut self) {
        let bytes = self.out.read(AT_ONCE);
        for piece in self.marks.feed(&bytes) {
            match piece {
                Piece::Text(text) => self.words.push(&text),
                Piece::Record(record) => {
                    self.publish();
                    self.talk.cell().record(&self.talk.out, &record);
                }
                Piece::Block(kind, content) => {
                    self.publish();
                    self.talk.cell().block(&self.talk.out, kind, content);
                }
                Piece::Line(line) => self.line_for_evcxr(&line),
            }
        }
    }

    /// A line by which evcxr's generated code tells how the cell went.
    fn line_for_evcxr(&mut self, line: &str) {
        self.read_errors();
        match line {
            "EVCXR_PANIC_NOTIFICATION" => {
                let (before, panic) = self.take_panic();
                self.publish_words();
                let mut cell = self.talk.cell();
                cell.say(&self.talk.out, "stderr", &before);
                cell.panicked = true;
                cell.panic = panic;
            }
            "EVCXR_ERROR_OCCURRED" => {
                self.publish_words();
                let told = self.errors.take();
                let (error, line) = match told.rsplit_once(AT) {
                    Some((error, line)) => (error.to_owned(), line.trim().parse().ok()),
                    None => (told, None),
                };
                let mut cell = self.talk.cell();
                cell.failed = true;
                cell.error = error;
                cell.error_line = line;
            }
            "EVCXR_EXECUTION_COMPLETE" => {
                self.publish();
                let mut cell = self.talk.cell();
                if let Some(begun) = cell.running.take() {
                    cell.ran += begun.elapsed();
                }
                drop(cell);
                self.talk.changed.notify_all();
            }
            line => {
                if let Some(name) = line.strip_prefix("EVCXR_VARIABLE_CHANGED_TYPE:") {
                    // evcxr says so on standard error too; the kernel has better words for it.
                    let said = self.errors.take();
                    let said: String = said
                        .split_inclusive('\n')
                        .filter(|line| !line.contains("was redefined, so was lost"))
                        .collect();
                    let mut cell = self.talk.cell();
                    cell.say(&self.talk.out, "stderr", &said);
                    cell.redefined.push(name.to_owned());
                }
            }
        }
        self.answer(&format!("say {line}"));
    }

    /// The last panic's words among those that wait, and what was said before it.
    fn take_panic(&mut self) -> (String, Option<Panic>) {
        let mut before = self.errors.take();
        let mut panic = None;
        while let Some(at) = find_panic(&before) {
            let rest = before.split_off(at);
            let later = rest[1..].find("\nthread '").map(|at| rest[at + 1..].to_owned());
            panic = Panic::read(&rest).or(panic);
            match later {
                Some(later) => before.push_str(&later),
                None => break,
            }
        }
        (before.trim_end_matches('\n').to_owned(), panic)
    }

    fn publish_due(&mut self) {
        let now = Instant::now();
        if [self.words.due(), self.errors.due()].into_iter().flatten().any(|due| due <= now) {
            let panics = self.errors.due().is_some_and(|due| due > now);
            self.publish_words();
            if !panics {
                self.publish_errors();
            }
        }
    }

    fn publish(&mut self) {
        self.publish_words();
        self.publish_errors();
    }

    fn publish_words(&mut self) {
        let text = self.words.take();
        self.talk.cell().say(&self.talk.out, "stdout", &text);
    }

    fn publish_errors(&mut self) {
        let text = self.errors.take();
        self.talk.cell().say(&self.talk.out, "stderr", &text);
    }

    /// Reads and publishes all that is there.
    fn drain(&mut self) {
        self.read_errors();
        self.read_words();
        if !self.out.open {
            let rest = self.marks.end();
            self.words.push(&rest);
        }
        self.publish();
    }
}
