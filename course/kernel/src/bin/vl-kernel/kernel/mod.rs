//! The kernel: what Jupyter asks, and who answers.
//!
//! Three threads: one answers what can be asked at any time (the control channel), one takes requests in their order (the
//! shell channel), and at the start one makes evcxr ready, while the other two answer already.

mod analysis;
mod execute;
mod explain;
mod help;
mod info;
mod past;
mod shell;
mod start;
mod words;

use std::sync::mpsc::channel;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Result;
use course_kernel::install::Install;
use course_kernel::session::Session;
use serde_json::json;

use crate::spares::Spares;
use crate::talk::Talk;
use crate::wire::sockets::{self, Out};
use crate::wire::{Connection, Message};

/// What the parts of a kernel share.
pub struct Kernel {
    pub install: Install,
    pub session: Session,
    pub talk: Arc<Talk>,
    pub out: Out,
    pub spares: OnceLock<Arc<Spares>>,
}

/// Serves until Jupyter says that it is enough.
pub fn serve(connection: &Connection, install: Install, session: Session) -> Result<()> {
    // One thread sends and receives; what takes time has threads of its own.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (out, incoming) = runtime.block_on(sockets::open(connection))?;
    let talk = Talk::listen(session.folder(), out.clone())?;
    let kernel = Arc::new(Kernel { install, session, talk, out, spares: OnceLock::new() });

    let (ready, coming) = channel();
    let mine = kernel.clone();
    std::thread::spawn(move || start::start(&mine, &ready));
    let mine = kernel.clone();
    let (shell, stdin) = (incoming.shell, incoming.stdin);
    std::thread::spawn(move || shell::Shell::new(mine, coming, stdin).serve(&shell));

    let mine = kernel.clone();
    std::thread::spawn(move || mine.end_with_jupyter());
    while let Ok(request) = incoming.control.recv() {
        if kernel.control(&request) {
            break;
        }
    }
    kernel.end();
    // What was said last goes out.
    std::thread::sleep(Duration::from_millis(60));
    std::process::exit(0);
}

impl Kernel {
    /// Answers on the control channel; whether that was the last word.
    fn control(&self, request: &Message) -> bool {
        self.status(request, "busy");
        let answer = match request.kind() {
            "kernel_info_request" => info::kernel_info(),
            "interrupt_request" => {
                self.talk.interrupt();
                json!({"status": "ok"})
            }
            "shutdown_request" => {
                json!({"status": "ok", "restart": request.content["restart"] == true})
            }
            other => {
                json!({"status": "error", "ename": "NotImplemented", "evalue": other, "traceback": []})
            }
        };
        self.out.control(request.reply(answer.clone()));
        let last = request.kind() == "shutdown_request";
        if last {
            self.out.publish(request.child("shutdown_reply", answer));
        }
        self.status(request, "idle");
        last
    }

    /// Tells everyone whether the kernel works.
    pub fn status(&self, request: &Message, state: &str) {
        self.out.publish(request.child("status", json!({"execution_state": state})));
    }

    /// A Jupyter that was killed could not say that it is enough. One that wants its kernels to outlive it does not set
    /// this variable.
    fn end_with_jupyter(&self) {
        let parent = std::os::unix::process::parent_id();
        if std::env::var_os("JPY_PARENT_PID").is_none() {
            return;
        }
        while std::os::unix::process::parent_id() == parent {
            std::thread::sleep(Duration::from_secs(1));
        }
        self.end();
        std::process::exit(0);
    }

    /// Leaves nothing behind: no process, no directory.
    pub fn end(&self) {
        if let Some(spares) = self.spares.get() {
            spares.end();
        }
        // SAFETY: signals to groups of processes that this one started; it ignores the second itself.
        unsafe {
            if let Some(pid) = self.talk.pid() {
                libc::kill(-pid, libc::SIGKILL);
            }
            if libc::getpgrp() == libc::getpid() {
                libc::signal(libc::SIGTERM, libc::SIG_IGN);
                libc::kill(0, libc::SIGTERM);
            }
        }
        self.session.remove();
    }
}
