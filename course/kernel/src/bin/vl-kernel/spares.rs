//! Keeps a few compilers waiting ([`course_kernel::shim::spare`] says why) and gives cells to them.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use course_kernel::install::Install;
use course_kernel::shim::build::library_name;
use course_kernel::shim::spare;

/// How many wait. evcxr compiles some cells twice.
const WAITING: usize = 2;

/// A compiler that waits at its pipe, or will.
struct Spare {
    folder: PathBuf,
    optimisation: String,
    rustc: Child,
}

impl Spare {
    fn start(of: &Spares, number: usize, optimisation: &str) -> Result<Spare> {
        let folder = of.session.join(format!("compiler-{number}"));
        fs::create_dir_all(folder.join("src"))?;
        fs::create_dir_all(folder.join("out"))?;
        fs::write(folder.join(spare::ROOT), spare::root())?;
        let pipe = std::ffi::CString::new(folder.join("src/lib.rs").as_os_str().as_bytes())?;
        // SAFETY: a path that ends in zero.
        if unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) } != 0 {
            return Err(std::io::Error::last_os_error()).context("no pipe for a cell");
        }
        let mut rustc = spare::command(&of.install, &of.kernel, &folder, optimisation);
        // In the guard's group: it ends with this process.
        rustc.process_group(of.group);
        let rustc =
            rustc.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        Ok(Spare { folder, optimisation: optimisation.to_owned(), rustc })
    }

    /// Writes the cell into the pipe.
    fn give(&mut self, source: &str) -> Result<()> {
        let path = self.folder.join("src/lib.rs");
        // An end for writing can be opened without waiting once there is one for reading.
        let mut pipe = loop {
            match File::options().write(true).custom_flags(libc::O_NONBLOCK).open(&path) {
                Ok(pipe) => break pipe,
                Err(error) if error.raw_os_error() == Some(libc::ENXIO) => {
                    if self.rustc.try_wait()?.is_some() {
                        bail!("the compiler ended before it got a cell");
                    }
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(error) => return Err(error.into()),
            }
        };
        // SAFETY: an open file of this process.
        unsafe { libc::fcntl(pipe.as_raw_fd(), libc::F_SETFL, 0) };
        Ok(pipe.write_all(source.as_bytes())?)
    }

    /// Compiles the cell and tells `to` what the compiler says.
    fn compile(mut self, source: &str, to: &mut UnixStream) -> Result<()> {
        self.give(source)?;
        let said = self.rustc.stderr.take().context("no pipe from the compiler")?;
        for line in BufReader::new(said).lines() {
            writeln!(to, "{}", line?)?;
        }
        let success = self.rustc.wait()?.success();
        match success {
            true => {
                writeln!(to, "made {}", self.folder.join("out").join(library_name()).display())?
            }
            false => writeln!(to, "failed")?,
        }
        // Until it has been taken away.
        to.set_read_timeout(Some(Duration::from_secs(5)))?;
        let _ = to.read(&mut [0]);
        Ok(())
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        if !matches!(self.rustc.try_wait(), Ok(Some(_))) {
            let _ = self.rustc.kill();
            let _ = self.rustc.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

struct State {
    waiting: VecDeque<Spare>,
    optimisation: String,
    /// A cell is compiled: no new compiler takes its processor.
    busy: bool,
    ended: bool,
}

/// The compilers that wait.
pub struct Spares {
    install: Install,
    kernel: PathBuf,
    session: PathBuf,
    group: i32,
    state: Mutex<State>,
    changed: Condvar,
}

impl Spares {
    /// Listens for cells in the session's folder and starts the first compilers. `kernel` is the kernel's folder.
    pub fn start(
        install: &Install,
        kernel: &Path,
        session: &Path,
        group: i32,
    ) -> Result<Arc<Spares>> {
        let listener = UnixListener::bind(session.join(spare::SOCKET))?;
        let optimisation = "0".to_owned();
        let waiting = VecDeque::new();
        let spares = Arc::new(Spares {
            install: install.clone(),
            kernel: kernel.to_path_buf(),
            session: session.to_path_buf(),
            group,
            state: Mutex::new(State { waiting, optimisation, busy: false, ended: false }),
            changed: Condvar::new(),
        });
        let mine = spares.clone();
        std::thread::spawn(move || mine.keep());
        let mine = spares.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                mine.serve(stream);
            }
        });
        Ok(spares)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Starts compilers where some are wanting.
    fn keep(&self) {
        let mut number = 0;
        loop {
            let mut state = self.state();
            while !state.ended && (state.busy || state.waiting.len() >= WAITING) {
                state = self.changed.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
            }
            if state.ended {
                return;
            }
            let optimisation = state.optimisation.clone();
            drop(state);
            number += 1;
            match Spare::start(self, number, &optimisation) {
                Ok(spare) => self.state().waiting.push_back(spare),
                // Cells are compiled without.
                Err(_) => return,
            }
        }
    }

    fn serve(&self, mut stream: UnixStream) {
        let mut asked = String::new();
        if stream.read_to_string(&mut asked).is_err() {
            return;
        }
        let Some((optimisation, source)) = asked.split_once('\n') else { return };
        let spare = {
            let mut state = self.state();
            if state.optimisation != optimisation {
                state.optimisation = optimisation.to_owned();
                state.waiting.clear();
            }
            state.busy = true;
            state.waiting.pop_front()
        };
        let fits = |spare: &Spare| spare.optimisation == optimisation;
        let _ = match spare.filter(fits) {
            Some(spare) => spare.compile(source, &mut stream),
            None => writeln!(stream, "none").map_err(Into::into),
        };
        self.state().busy = false;
        self.changed.notify_all();
    }

    /// Ends those that wait.
    pub fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        state.waiting.clear();
        self.changed.notify_all();
    }
}
