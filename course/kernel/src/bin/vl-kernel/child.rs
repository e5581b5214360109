//! The process that runs the cells: this program again, as evcxr starts it.
//!
//! evcxr speaks with it on standard input and output. A cell's own words must not go that way ([`crate::talk`] says why),
//! so sockets to the kernel take the place of standard output and error, and a pipe that of standard input. Two threads
//! carry evcxr's lines: what it asks for (`LOAD_AND_RUN`), which the kernel may refuse, and what its generated code
//! answers.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use anyhow::{Context, Result};
use course_kernel::install::Install;
use course_kernel::session::{original, variable};

use crate::library::Library;
use crate::talk::relay::SOCKET;

/// Set for a cell's code: what it shows may be a record ([`crate::talk::marks`]).
const RECORDS: &str = "VL_RECORDS";

/// Runs cells until the kernel closes our standard input. Does not return where evcxr started this process.
pub fn run() -> Result<()> {
    let install = std::env::var_os(variable::INSTALL).context("no installation is named")?;
    let session = std::env::var_os(variable::SESSION).context("no session is named")?;
    // SAFETY: the first thing in main; no other thread exists yet.
    unsafe {
        for (name, value) in original() {
            match value {
                Some(value) => std::env::set_var(name, value),
                None => std::env::remove_var(name),
            }
        }
        // The frames of a cell's backtrace are evcxr's; only one who asks for all of them wants to see them.
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "full") {
            std::env::remove_var("RUST_BACKTRACE");
        }
        std::env::set_var(RECORDS, "1");
        // A stop button reaches the kernel as a message; a terminal's Ctrl-C is not meant for the cells.
        libc::signal(libc::SIGINT, libc::SIG_IGN);
    }
    if let Some(folder) = std::env::var_os(variable::NOTEBOOK) {
        std::env::set_current_dir(folder)?;
    }
    let session = Path::new(&session);
    std::fs::write(session.join(course_kernel::session::CHILD), std::process::id().to_string())?;
    connect(session)?;
    // What most cells link to is loaded while the student reads.
    let library =
        Install::read(Path::new(&install)).ok().and_then(|install| Library::load(&install));
    LIBRARY.get_or_init(|| library);
    evcxr::runtime_hook();
    Ok(())
}

static LIBRARY: std::sync::OnceLock<Option<Library>> = std::sync::OnceLock::new();

fn library() -> Option<&'static Library> {
    LIBRARY.get().and_then(Option::as_ref)
}

/// Puts our sockets in the place of evcxr's pipes, and the threads between them.
fn connect(session: &Path) -> Result<()> {
    let socket = session.join(SOCKET);
    let open = |name: &str| -> Result<UnixStream> {
        let mut stream = UnixStream::connect(&socket).context("the kernel is gone")?;
        writeln!(stream, "{name} {}", std::process::id())?;
        Ok(stream)
    };
    let (out, err, control) = (open("out")?, open("err")?, open("control")?);
    let mut ends = [0; 2];
    // SAFETY: plain calls on file descriptors that this process owns; what they give is checked.
    let (asked, answered, to_run) = unsafe {
        let asked = libc::fcntl(0, libc::F_DUPFD_CLOEXEC, 3);
        let answered = libc::fcntl(1, libc::F_DUPFD_CLOEXEC, 3);
        // evcxr waits for the end of this one when the process has ended.
        let error = libc::fcntl(2, libc::F_DUPFD_CLOEXEC, 3);
        let ok = libc::pipe(ends.as_mut_ptr()) == 0
            && libc::fcntl(ends[1], libc::F_SETFD, libc::FD_CLOEXEC) == 0
            && libc::dup2(ends[0], 0) == 0
            && libc::dup2(out.as_raw_fd(), 1) == 1
            && libc::dup2(err.as_raw_fd(), 2) == 2;
        if !ok || asked < 0 || answered < 0 || error < 0 {
            return Err(std::io::Error::last_os_error().into());
        }
        libc::close(ends[0]);
        (File::from_raw_fd(asked), File::from_raw_fd(answered), File::from_raw_fd(ends[1]))
    };
    drop((out, err));
    let (permit, permitted) = channel();
    let (words, answers) = (control.try_clone()?, answered.try_clone()?);
    std::thread::spawn(move || carry_questions(asked, to_run, words, answers, &permitted));
    std::thread::spawn(move || carry_answers(control, answered, &permit));
    Ok(())
}

/// From evcxr to its loop in this process; the kernel is asked before a cell runs.
fn carry_questions(
    asked: File,
    mut to_run: File,
    mut kernel: UnixStream,
    mut answered: File,
    permitted: &Receiver<bool>,
) {
    for line in BufReader::new(asked).lines() {
        let Ok(line) = line else { break };
        if line.starts_with("LOAD_AND_RUN ") {
            let _ = kernel.write_all(b"run\n");
            if !permitted.recv().unwrap_or(true) {
                // As after a panic: what the cell would have defined is not there, all else is.
                let _ = answered.write_all(b"EVCXR_PANIC_NOTIFICATION\nEVCXR_EXECUTION_COMPLETE\n");
                continue;
            }
        }
        if writeln!(to_run, "{line}").is_err() {
            break;
        }
    }
}

/// From the kernel: lines for evcxr, the permission to run, the wish to stop.
fn carry_answers(control: UnixStream, mut answered: File, permit: &Sender<bool>) {
    let Ok(mut kernel) = control.try_clone() else { return };
    for line in BufReader::new(control).lines() {
        let Ok(line) = line else { break };
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("say", text) => {
                if text == "EVCXR_EXECUTION_COMPLETE"
                    && let Some(library) = library()
                {
                    library.flush();
                }
                let _ = answered.write_all(format!("{text}\n").as_bytes());
            }
            ("go", _) => drop(permit.send(true)),
            ("skip", _) => drop(permit.send(false)),
            ("stop", _) => {
                let listens = library().is_some_and(|library| library.interrupt(true));
                let _ = kernel.write_all(if listens { b"listens\n" } else { b"is deaf\n" });
            }
            ("clear", _) => drop(library().map(|library| library.interrupt(false))),
            _ => {}
        }
    }
    // A kernel that is gone takes a running cell with it.
    // SAFETY: ends the process at once.
    unsafe { libc::_exit(1) };
}
