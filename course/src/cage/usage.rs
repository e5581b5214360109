//! How a cage's processes ended, and what they have used.

use std::process::Child;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Processor time and memory of a cage's processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Seconds of processor time, of all of them together.
    pub cpu: f64,
    /// The most memory that one of them had at a time, in bytes.
    pub memory: u64,
}

impl Usage {
    /// Both: times add up, memory does not.
    pub fn and(self, other: Usage) -> Usage {
        Usage { cpu: self.cpu + other.cpu, memory: self.memory.max(other.memory) }
    }
}

/// How a cage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let signal = match *self {
            Ended::Code(code) => return write!(f, "exit code {code}"),
            Ended::Signal(signal) => signal,
        };
        let words = match signal {
            4 | 7 | 8 | 11 => "it touched memory that is not its own, or the like",
            6 => "it aborted",
            9 => "it was killed",
            24 => "its processor time was used up",
            25 => "it wrote more than it may",
            _ => return write!(f, "signal {signal}"),
        };
        write!(f, "signal {signal}: {words}")
    }
}

/// Waits for a cage until `limit`; `None` if it has not ended by then.
#[cfg(unix)]
pub fn wait(child: &Child, limit: Duration) -> Option<(Ended, Usage)> {
    let begun = Instant::now();
    let mut pause = Duration::from_micros(500);
    loop {
        let mut status = 0;
        // Safety: both are ours and as large as they must be.
        let (pid, used) = unsafe {
            let mut used: libc::rusage = std::mem::zeroed();
            (libc::wait4(child.id() as i32, &mut status, libc::WNOHANG, &mut used), used)
        };
        if pid != 0 {
            let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
            let cpu = seconds(used.ru_utime) + seconds(used.ru_stime);
            let usage = Usage { cpu, memory: used.ru_maxrss as u64 * 1024 };
            // The launcher gives a signal on as 128 and its number, as shells do.
            let ended = match libc::WIFEXITED(status) {
                true if libc::WEXITSTATUS(status) > 128 => {
                    Ended::Signal(libc::WEXITSTATUS(status) - 128)
                }
                true => Ended::Code(libc::WEXITSTATUS(status)),
                false => Ended::Signal(libc::WTERMSIG(status)),
            };
            return Some((ended, usage));
        }
        let left = limit.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return None;
        }
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

/// Ends a cage with everything in it.
#[cfg(unix)]
pub fn end(child: &Child) -> (Ended, Usage) {
    let send = |signal| unsafe { libc::kill(child.id() as i32, signal) };
    // The launcher ends what is in the cage, and can say what it has used.
    send(libc::SIGTERM);
    let ended = wait(child, Duration::from_secs(2));
    ended
        .or_else(|| {
            send(libc::SIGKILL);
            wait(child, Duration::from_secs(2))
        })
        .unwrap_or((Ended::Signal(libc::SIGKILL), Usage::default()))
}
