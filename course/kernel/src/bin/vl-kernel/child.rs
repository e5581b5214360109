//! The process that runs the cells: this program again, as evcxr starts it.
//!
//! evcxr reports a panic or a failed `?` in a cell as success, by a line on the cell's standard output that never
//! reaches Jupyter. So standard output passes through here. A headless run must know of such a line: it is written to the
//! file that [`variable::STATUS`] names. And what the cell said on standard error goes another way: such a line waits
//! until that has arrived, or the words would appear under the next cell.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use course_kernel::session::{original, variable};

/// Runs cells until the kernel closes our standard input. Does not return where evcxr started this process.
pub fn run() -> anyhow::Result<()> {
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
    }
    if let Some(folder) = std::env::var_os(variable::NOTEBOOK) {
        std::env::set_current_dir(folder)?;
    }
    leave_with_the_kernel();
    let status = std::env::var_os(variable::STATUS);
    let status = status.map(|path| OpenOptions::new().create(true).append(true).open(path));
    relay(status.transpose()?)?;
    evcxr::runtime_hook();
    Ok(())
}

/// A kernel that is killed takes a running cell with it.
fn leave_with_the_kernel() {
    let parent = std::os::unix::process::parent_id();
    std::thread::spawn(move || {
        while std::os::unix::process::parent_id() == parent {
            std::thread::sleep(Duration::from_millis(500));
        }
        std::process::exit(1);
    });
}

/// The word for a line by which evcxr's generated code says that a cell did not end well.
fn failure(line: &[u8]) -> Option<&'static str> {
    match line.trim_ascii_end() {
        b"EVCXR_PANIC_NOTIFICATION" => Some("panic"),
        b"EVCXR_ERROR_OCCURRED" => Some("error"),
        _ => None,
    }
}

const STANDARD_ERROR_ARRIVES: Duration = Duration::from_millis(30);

static DRAINED: Mutex<Option<Receiver<()>>> = Mutex::new(None);

/// Puts a pipe in the place of standard output, and a thread between it and the kernel.
fn relay(mut status: Option<File>) -> std::io::Result<()> {
    let mut ends = [0; 2];
    // SAFETY: plain calls on file descriptors that this function makes and owns.
    let (reader, mut kernel) = unsafe {
        let kernel = libc::fcntl(1, libc::F_DUPFD_CLOEXEC, 3);
        if kernel < 0 || libc::pipe(ends.as_mut_ptr()) < 0 {
            return Err(std::io::Error::last_os_error());
        }
        let (reader, writer) = (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]));
        libc::fcntl(reader.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC);
        if libc::dup2(writer.as_raw_fd(), 1) < 0 {
            return Err(std::io::Error::last_os_error());
        }
        libc::atexit(drain);
        (File::from(reader), File::from_raw_fd(kernel))
    };
    let (done, drained): (Sender<()>, _) = channel();
    *DRAINED.lock().expect("no thread holds this yet") = Some(drained);
    std::thread::spawn(move || {
        let mut reader = BufReader::new(reader);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            if let Some(word) = failure(&line) {
                if let Some(status) = &mut status {
                    let _ = writeln!(status, "{word}");
                }
                std::thread::sleep(STANDARD_ERROR_ARRIVES);
            }
            if kernel.write_all(&line).is_err() {
                break;
            }
            line.clear();
        }
        drop(kernel);
        let _ = done.send(());
    });
    Ok(())
}

/// At exit: what is still in the pipe reaches the kernel. A grandchild may hold the pipe open, so not for long.
extern "C" fn drain() {
    // SAFETY: closes our own standard output; nothing is written after exit handlers have begun.
    unsafe { libc::close(1) };
    if let Ok(mut drained) = DRAINED.lock()
        && let Some(drained) = drained.take()
    {
        let _ = drained.recv_timeout(Duration::from_millis(500));
    }
}

#[cfg(test)]
mod tests {
    use super::failure;

    #[test]
    fn only_a_whole_line_is_a_failure() {
        assert_eq!(failure(b"EVCXR_PANIC_NOTIFICATION\n"), Some("panic"));
        assert_eq!(failure(b"EVCXR_ERROR_OCCURRED\n"), Some("error"));
        assert_eq!(failure(b"see EVCXR_PANIC_NOTIFICATION\n"), None);
        assert_eq!(failure(b"EVCXR_EXECUTION_COMPLETE\n"), None);
    }
}
