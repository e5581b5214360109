//! The five sockets: what comes in is handed on, what is said goes out in the order in which it was said.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use zeromq::{RepSocket, RouterSocket, Socket, SocketRecv, SocketSend, XPubSocket, ZmqMessage};

use super::{Connection, Message};

/// Where a kernel's words go. Cheap to clone, from any thread, never waits.
#[derive(Clone, Debug)]
pub struct Out {
    iopub: UnboundedSender<Message>,
    shell: UnboundedSender<Message>,
    control: UnboundedSender<Message>,
    stdin: UnboundedSender<Message>,
}

impl Out {
    /// To everyone who listens.
    pub fn publish(&self, message: Message) {
        let _ = self.iopub.send(message);
    }

    /// To who asked on the shell channel.
    pub fn shell(&self, message: Message) {
        let _ = self.shell.send(message);
    }

    /// To who asked on the control channel.
    pub fn control(&self, message: Message) {
        let _ = self.control.send(message);
    }

    /// A question to who runs the cell.
    pub fn stdin(&self, message: Message) {
        let _ = self.stdin.send(message);
    }

    /// For tests: what is published comes out of the receiver.
    #[cfg(test)]
    pub fn for_tests() -> (Out, tokio::sync::mpsc::UnboundedReceiver<Message>) {
        let (iopub, published) = unbounded_channel();
        let (other, _) = unbounded_channel();
        (Out { iopub, shell: other.clone(), control: other.clone(), stdin: other }, published)
    }
}

/// What came in, and on which channel.
#[derive(Debug)]
pub struct Incoming {
    pub shell: std::sync::mpsc::Receiver<Message>,
    pub control: std::sync::mpsc::Receiver<Message>,
    pub stdin: std::sync::mpsc::Receiver<Message>,
}

/// Binds the sockets; they live as long as the runtime that this is called in.
pub async fn open(connection: &Connection) -> Result<(Out, Incoming)> {
    let c = connection;
    heartbeat(bound(c, c.hb_port).await?);
    let (shell, shell_in) = router(bound(c, c.shell_port).await?, &c.key);
    let (control, control_in) = router(bound(c, c.control_port).await?, &c.key);
    let (stdin, stdin_in) = router(bound(c, c.stdin_port).await?, &c.key);
    let iopub = publisher(bound(c, c.iopub_port).await?, &c.key);
    let incoming = Incoming { shell: shell_in, control: control_in, stdin: stdin_in };
    Ok((Out { iopub, shell, control, stdin }, incoming))
}

async fn bound<S: Socket>(connection: &Connection, port: u16) -> Result<S> {
    let endpoint = connection.endpoint(port);
    let mut socket = S::new();
    socket.bind(&endpoint).await.with_context(|| format!("{endpoint} cannot be listened on"))?;
    Ok(socket)
}

fn heartbeat(mut socket: RepSocket) {
    tokio::spawn(async move {
        loop {
            match socket.recv().await {
                Ok(beat) => drop(socket.send(beat).await),
                // One who has gone away; others may come.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    });
}

type Channels = (UnboundedSender<Message>, std::sync::mpsc::Receiver<Message>);

fn router(socket: RouterSocket, key: &str) -> Channels {
    let (mut send, mut recv) = socket.split();
    let (out, mut to_send) = unbounded_channel::<Message>();
    let (received, incoming) = std::sync::mpsc::channel();
    let signed = key.to_owned();
    tokio::spawn(async move {
        while let Some(message) = to_send.recv().await {
            if let Err(error) = send.send(message.frames(&signed)).await {
                eprintln!("vl-kernel: {}: {error}", message.kind());
            }
        }
    });
    let key = key.to_owned();
    tokio::spawn(async move {
        loop {
            match recv.recv().await {
                Ok(frames) => match Message::parse(frames, &key) {
                    Ok(message) => {
                        if received.send(message).is_err() {
                            return;
                        }
                    }
                    Err(error) => eprintln!("vl-kernel: {error:#}"),
                },
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    });
    (out, incoming)
}

/// A message that is published before anyone listens waits this long for a listener.
const FIRST_LISTENER: Duration = Duration::from_secs(10);

/// Publishes in order. What is said before the first listener's subscription has arrived waits for it: some front ends
/// ask before they listen, and then wait forever for the word `idle`.
fn publisher(mut socket: XPubSocket, key: &str) -> UnboundedSender<Message> {
    let (out, mut to_send) = unbounded_channel::<Message>();
    let key = key.to_owned();
    tokio::spawn(async move {
        let mut waiting: Option<VecDeque<ZmqMessage>> = Some(VecDeque::new());
        let patience = tokio::time::sleep(FIRST_LISTENER);
        tokio::pin!(patience);
        loop {
            tokio::select! {
                biased;
                event = socket.recv() => match event {
                    Ok(subscription) if subscription.get(0).is_some_and(|frame| frame.first() == Some(&1)) => {
                        for message in waiting.take().unwrap_or_default() {
                            let _ = socket.send(message).await;
                        }
                    }
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                },
                () = &mut patience, if waiting.is_some() => waiting = None,
                message = to_send.recv() => {
                    let Some(message) = message else { return };
                    match &mut waiting {
                        Some(waiting) => waiting.push_back(message.frames(&key)),
                        None => drop(socket.send(message.frames(&key)).await),
                    }
                }
            }
        }
    });
    out
}
