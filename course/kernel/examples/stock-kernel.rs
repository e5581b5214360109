//! A stock evcxr kernel, for `benches/kernel.py`: evcxr's own server, and nothing of ours but a clock.
//!
//! With `VL_BENCH_TIMES` set, the process that runs the cells writes there how long each cell's code ran, a line each.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{FromRawFd, IntoRawFd};
use std::time::Instant;

fn main() -> anyhow::Result<()> {
    if std::env::var_os("EVCXR_IS_RUNTIME").is_some()
        && let Some(path) = std::env::var_os("VL_BENCH_TIMES")
    {
        clock(OpenOptions::new().create(true).append(true).open(path)?)?;
    }
    evcxr_jupyter::main()
}

/// Puts pipes in the place of standard input and output, and looks at what goes through.
fn clock(mut times: File) -> std::io::Result<()> {
    let (asked, answered) =
        unsafe { (File::from_raw_fd(libc::dup(0)), File::from_raw_fd(libc::dup(1))) };
    let (run, mut to_run) = std::io::pipe()?;
    let (said, to_say) = std::io::pipe()?;
    unsafe {
        libc::dup2(std::os::fd::OwnedFd::from(run).into_raw_fd(), 0);
        libc::dup2(std::os::fd::OwnedFd::from(to_say).into_raw_fd(), 1);
    }
    let begun = std::sync::Arc::new(std::sync::Mutex::new(Instant::now()));
    let began = begun.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(asked).lines().map_while(Result::ok) {
            *began.lock().unwrap() = Instant::now();
            let _ = writeln!(to_run, "{line}");
        }
    });
    std::thread::spawn(move || {
        let (mut said, mut answered, mut line) = (BufReader::new(said), answered, Vec::new());
        while said.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            if line.ends_with(b"EVCXR_EXECUTION_COMPLETE\n") {
                let _ = writeln!(times, "{:.6}", begun.lock().unwrap().elapsed().as_secs_f64());
            }
            let _ = answered.write_all(&line);
            line.clear();
        }
    });
    Ok(())
}
