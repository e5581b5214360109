//! evcxr, made ready while the student reads.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::mpsc::Sender;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use evcxr::{CommandContext, EvalContext, EvalContextOutputs};

use course_kernel::shim::first::MARK;

use super::Kernel;
use crate::spares::Spares;

/// What comes before the first cell can run.
pub enum Start {
    /// A word for whoever waits.
    Note(String),
    /// Ready.
    Ready(Box<CommandContext>),
    /// It will never be.
    Failed(String),
}

/// Makes evcxr ready and sends it.
pub fn start(kernel: &Kernel, ready: &Sender<Start>) {
    let begun = Instant::now();
    let made =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| make(kernel, ready, begun)));
    let made = made.unwrap_or_else(|_| Err(anyhow!("evcxr panicked; Jupyter's log has its words")));
    let word = match made {
        Ok(context) => Start::Ready(Box::new(context)),
        Err(error) => Start::Failed(format!("{error:#}")),
    };
    let _ = ready.send(word);
}

fn make(kernel: &Kernel, ready: &Sender<Start>, begun: Instant) -> Result<CommandContext> {
    let program = std::env::current_exe()?;
    let folder = program.parent().context("the kernel lies in no folder")?;
    kernel.install.refresh(folder, &mut |line| drop(ready.send(Start::Note(line.to_owned()))))?;
    if let Some(group) = kernel.session.group().filter(|_| kernel.install.facade.exists())
        && let Ok(spares) = Spares::start(&kernel.install, folder, kernel.session.folder(), group)
    {
        let _ = kernel.spares.set(spares);
    }
    let mut child = Command::new(&program);
    // What cells start ends with the process that runs them.
    child.process_group(0);
    let (context, outputs) = EvalContext::with_subprocess_command(child)
        .map_err(|error| anyhow!("{error}"))
        .context("the first cell, evcxr's own, did not run")?;
    // Words go another way (`crate::talk`); what still comes here must not be waited for.
    let EvalContextOutputs { stdout, stderr } = outputs;
    std::thread::spawn(move || while stdout.recv().is_ok() {});
    std::thread::spawn(move || {
        while let Ok(line) = stderr.recv() {
            eprintln!("vl-kernel: {line}");
        }
    });
    let mut context = CommandContext::with_eval_context(context);
    time("evcxr is there", begun);
    context.execute(MARK).map_err(|error| anyhow!("{error}"))?;
    time("the first cell ran", begun);
    warm(&mut context);
    time("the library is read", begun);
    Ok(context)
}

/// With `VL_KERNEL_TIMES` set, Jupyter's log says how long the start takes.
fn time(what: &str, begun: Instant) {
    if std::env::var_os("VL_KERNEL_TIMES").is_some() {
        eprintln!("vl-kernel: {what} after {:.2} s", begun.elapsed().as_secs_f64());
    }
}

/// rust-analyzer's first look at the library takes a second or two; it remembers what it saw. The look is the one that a cell
/// gets: which types its variables have, and how these are written. A closure cannot be kept, so that evcxr gives up when it knows
/// all of them, before anything is compiled or defined.
fn warm(context: &mut CommandContext) {
    let code = "use vision_language::prelude::*;\n\
                let warm = Tensor::zeros(3, DType::F32, &Device::Cpu)?;\n\
                let names = vec![String::new()];\n\
                let closure = || 0;";
    let _ = context.execute(code);
}
