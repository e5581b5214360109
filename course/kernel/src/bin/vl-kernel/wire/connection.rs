//! The connection file by which Jupyter says where a kernel shall listen.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// What the file says.
#[derive(Clone, Debug, Deserialize)]
pub struct Connection {
    pub transport: String,
    pub ip: String,
    pub shell_port: u16,
    pub control_port: u16,
    pub stdin_port: u16,
    pub iopub_port: u16,
    pub hb_port: u16,
    pub key: String,
    #[serde(default = "sha256")]
    pub signature_scheme: String,
}

fn sha256() -> String {
    "hmac-sha256".to_owned()
}

impl Connection {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Connection> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let connection: Connection = serde_json::from_str(&text)
            .with_context(|| format!("{}: no connection file", path.display()))?;
        if connection.signature_scheme != sha256() {
            bail!("{}: signatures by {}", path.display(), connection.signature_scheme);
        }
        Ok(connection)
    }

    /// Where a socket listens.
    pub fn endpoint(&self, port: u16) -> String {
        format!("{}://{}:{port}", self.transport, self.ip)
    }
}
