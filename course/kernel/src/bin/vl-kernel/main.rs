//! The kernel that Jupyter starts, and the process that runs its cells.
//!
//! ```text
//! vl-kernel --control_file FILE                              run as a kernel
//! vl-kernel install --workspace DIR --deps DIR --facade FILE --folder DIR
//! ```

mod child;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use course_kernel::install::Install;
use course_kernel::session::Session;

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
    let install = Install::read(folder)?;
    if !install.rustc.exists() {
        bail!("{}", install.missing().unwrap_or_default());
    }
    if let Some(missing) = install.missing() {
        eprintln!("vl-kernel: {missing}");
    }
    let session = Session::start()?;
    let environment = session.environment(&install, folder)?;
    // The connection file may be named relative to where Jupyter started us.
    let here = std::env::current_dir()?;
    let control = std::env::args_os().nth(2).context("no connection file")?;
    if !here.join(&control).is_file() {
        bail!("{}: no connection file", here.join(&control).display());
    }
    // SAFETY: no other thread exists yet.
    unsafe {
        for (name, value) in &environment {
            std::env::set_var(name, value);
        }
    }
    if PathBuf::from(&control).is_absolute() {
        // An evcxr.toml in the notebook's folder is for stock kernels: it would add the library a second time.
        std::env::set_current_dir(session.cell())?;
    }
    silence();
    evcxr_jupyter::main()
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
