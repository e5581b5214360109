//! Requests in their order: the shell channel.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use evcxr::CommandContext;
use serde_json::{Value, json};

use super::past::Past;
use super::start::Start;
use super::{Kernel, analysis, info};
use crate::wire::Message;

/// Takes requests one after another.
pub struct Shell {
    pub kernel: Arc<Kernel>,
    pub context: Context,
    pub stdin: Receiver<Message>,
    /// The number of the last cell.
    pub count: u32,
    /// What earlier cells were and did.
    pub past: Past,
    /// An error ended the last cell, and what waits behind it is not to run.
    pub aborting: bool,
}

/// How long a list of names may take while the kernel starts.
const FIRST_MOMENTS: Duration = Duration::from_secs(30);

/// evcxr, or the wait for it.
pub enum Context {
    Coming(Receiver<Start>),
    Here(Box<CommandContext>),
    Broken(String),
}

impl Context {
    /// Takes what has come, and waits for it so long. The words that come meanwhile are nobody's.
    fn look(&mut self, wait: Duration) {
        let until = Instant::now() + wait;
        while let Context::Coming(coming) = self {
            match coming.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Start::Note(_)) => {}
                Ok(Start::Ready(context)) => *self = Context::Here(context),
                Ok(Start::Failed(why)) => *self = Context::Broken(why),
                Err(RecvTimeoutError::Timeout) => return,
                Err(RecvTimeoutError::Disconnected) => *self = Context::Broken("it ended".into()),
            }
        }
    }

    /// Waits; `note` gets the words that come meanwhile.
    pub fn wait(&mut self, mut note: impl FnMut(&str)) -> Result<&mut CommandContext, String> {
        while let Context::Coming(coming) = self {
            match coming.recv() {
                Ok(Start::Note(text)) => note(&text),
                Ok(Start::Ready(context)) => *self = Context::Here(context),
                Ok(Start::Failed(why)) => *self = Context::Broken(why),
                Err(_) => *self = Context::Broken("it ended".into()),
            }
        }
        match self {
            Context::Here(context) => Ok(context),
            Context::Broken(why) => Err(why.clone()),
            Context::Coming(_) => Err("it is still coming".into()),
        }
    }
}

impl Shell {
    pub fn new(kernel: Arc<Kernel>, coming: Receiver<Start>, stdin: Receiver<Message>) -> Shell {
        let context = Context::Coming(coming);
        Shell { kernel, context, stdin, count: 0, past: Past::default(), aborting: false }
    }

    /// Serves until the channel ends.
    pub fn serve(&mut self, incoming: &Receiver<Message>) {
        let mut queue = VecDeque::new();
        while let Some(request) = queue.pop_front().or_else(|| incoming.recv().ok()) {
            self.serve_one(&request);
            if std::mem::take(&mut self.aborting) {
                // What was asked before the error was known.
                std::thread::sleep(std::time::Duration::from_millis(20));
                queue.extend(incoming.try_iter());
                self.abort(&mut queue);
            }
        }
    }

    fn serve_one(&mut self, request: &Message) {
        let kernel = self.kernel.clone();
        kernel.status(request, "busy");
        let answer = match request.kind() {
            "execute_request" => Some(self.execute(request)),
            "kernel_info_request" => Some(request.reply(info::kernel_info())),
            "is_complete_request" => Some(request.reply(analysis::is_complete(request.code()))),
            "complete_request" => {
                Some(request.reply(self.analyse(|context| analysis::complete(context, request))))
            }
            "inspect_request" => {
                Some(request.reply(self.analyse(|context| analysis::inspect(context, request))))
            }
            "history_request" => Some(request.reply(json!({"status": "ok", "history": []}))),
            "comm_info_request" => Some(request.reply(json!({"status": "ok", "comms": {}}))),
            "comm_open" => {
                // There is no one here for a widget.
                let id = json!({"comm_id": request.content["comm_id"], "data": {}});
                kernel.out.publish(request.child("comm_close", id));
                None
            }
            _ => None,
        };
        if let Some(answer) = answer {
            kernel.out.shell(answer);
        }
        kernel.status(request, "idle");
    }

    /// With evcxr. In a kernel's first moments it is waited for; a library that must be compiled first is not.
    fn analyse(&mut self, ask: impl FnOnce(Option<&mut CommandContext>) -> Value) -> Value {
        self.context.look(FIRST_MOMENTS);
        match &mut self.context {
            Context::Here(context) => ask(Some(context)),
            _ => ask(None),
        }
    }

    /// Cells behind one that failed do not run.
    fn abort(&mut self, queue: &mut VecDeque<Message>) {
        queue.retain(|request| {
            let is_cell = request.kind() == "execute_request";
            if is_cell {
                self.kernel.status(request, "busy");
                self.kernel.out.shell(request.reply(json!({"status": "aborted"})));
                self.kernel.status(request, "idle");
            }
            !is_cell
        });
    }
}
