//! The kernel that Jupyter starts, and the process that runs its cells.
//!
//! ```text
//! vl-kernel --control_file FILE                              run as a kernel
//! vl-kernel install --workspace DIR --deps DIR --facade FILE --folder DIR
//! ```

mod child;
mod kernel;
mod library;
mod memory;
mod spares;
mod talk;
mod wire;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use course_kernel::install::Install;
use course_kernel::session::Session;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let outcome = if std::env::var_os("EVCXR_IS_RUNTIME").is_some() {
        child::run()
    } else {
        match std::env::args().nth(1).as_deref() {
            Some("--control_file") => serve(),
            Some("install") => install(),
            _ => Err(anyhow::anyhow!(
                "started by Jupyter; install it with `cargo vl kernel install`"
            )),
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vl-kernel: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<()> {
    let program = std::env::current_exe()?;
    let folder = program.parent().context("the kernel lies in no folder")?;
    let control = std::env::args_os().nth(2).context("no connection file")?;
    let connection = wire::Connection::read(&PathBuf::from(control))?;
    let install = Install::read(folder)?;
    let session = Session::start(folder)?;
    let environment = session.environment(&install, folder)?;
    // SAFETY: no other thread exists yet.
    unsafe {
        for (name, value) in &environment {
            std::env::set_var(name, value);
        }
        libc::signal(libc::SIGINT, libc::SIG_IGN);
    }
    // An evcxr.toml in the notebook's folder is for stock kernels: it would add the library a second time.
    std::env::set_current_dir(session.cell())?;
    silence();
    kernel::serve(&connection, install, session)
}

/// evcxr greets on standard output, which is that of whoever started the kernel.
fn silence() {
    if let Ok(null) = std::fs::File::options().write(true).open("/dev/null") {
        // SAFETY: both are open file descriptors of this process.
        unsafe { libc::dup2(std::os::fd::AsRawFd::as_raw_fd(&null), 1) };
    }
}

fn install() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(2).collect();
    let mut given: BTreeMap<&str, PathBuf> = BTreeMap::new();
    for pair in arguments.chunks(2) {
        match pair {
            [name, value] if name.starts_with("--") => given.insert(&name[2..], value.into()),
            _ => bail!("expected --NAME VALUE, got {pair:?}"),
        };
    }
    let path = |name: &str| given.get(name).with_context(|| format!("--{name} is missing"));
    let install = Install::discover(path("workspace")?, path("deps")?, path("facade")?)?;
    install.write(path("folder")?)
}
