//! The lecture's datasets from Kaggle: Flickr8k and Flickr30k.
//!
//! `GET https://www.kaggle.com/api/v1/datasets/download/OWNER/NAME` with basic authentication redirects to a signed
//! address in a storage service, which must not see the key.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

use super::{Download, Limits, Patience, Progress};
use crate::{Error, Result};

/// Kaggle's address.
pub const API: &str = "https://www.kaggle.com/api/v1";

/// A dataset that the course reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KaggleDataset {
    /// 8,091 pictures with five captions each, about 1 GB.
    Flickr8k,
    /// 31,783 pictures with five captions each, about 9 GB unpacked.
    Flickr30k,
}

impl KaggleDataset {
    /// `OWNER/NAME` on Kaggle.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Flickr8k => "adityajn105/flickr8k",
            Self::Flickr30k => "hsankesara/flickr-image-dataset",
        }
    }

    /// What its archive may unpack to: several times what it does.
    pub fn limits(self) -> Limits {
        match self {
            Self::Flickr8k => Limits { bytes: 5_000_000_000, entries: 50_000 },
            Self::Flickr30k => Limits { bytes: 40_000_000_000, entries: 250_000 },
        }
    }
}

/// A user's name and key.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user's name.
    pub username: String,
    key: String,
    /// What the user should know about where they came from: a file that others can read.
    pub warning: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({}, key hidden)", self.username)
    }
}

const HOW: &str = "on kaggle.com, signed in: your picture → Settings → Account → API → Create New API Token (the kind \
    that saves a kaggle.json); move that file to ~/.kaggle/kaggle.json and run chmod 600 on it, or set \
    KAGGLE_USERNAME and KAGGLE_KEY to the two values in it";

/// The file's content.
#[derive(Deserialize)]
struct Token {
    username: String,
    key: String,
}

impl Credentials {
    /// From `KAGGLE_USERNAME` and `KAGGLE_KEY`, else from `kaggle.json` in `KAGGLE_CONFIG_DIR` or `~/.kaggle`.
    ///
    /// # Errors
    /// [`Error::Download`] when there are none or they are malformed, with the way to get them.
    pub fn find() -> Result<Self> {
        Self::find_with(&|name| std::env::var(name).ok())
    }

    /// As [`find`](Self::find), from these variables (`HOME` is one).
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub fn find_with(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let set =
            |name: &str| variable(name).map(|v| v.trim().to_string()).filter(|v| !v.is_empty());
        match (set("KAGGLE_USERNAME"), set("KAGGLE_KEY")) {
            (Some(username), Some(key)) => return Self::checked(username, key, "KAGGLE_KEY"),
            (Some(_), None) => {
                return Err(lacking("KAGGLE_USERNAME is set, KAGGLE_KEY is not".into()));
            }
            (None, Some(_)) => {
                return Err(lacking("KAGGLE_KEY is set, KAGGLE_USERNAME is not".into()));
            }
            (None, None) => {}
        }
        let folder = set("KAGGLE_CONFIG_DIR").map(PathBuf::from);
        let folder = folder.or_else(|| Some(Path::new(&set("HOME")?).join(".kaggle")));
        let Some(path) = folder.map(|f| f.join("kaggle.json")) else {
            return Err(lacking("no KAGGLE_USERNAME and KAGGLE_KEY, and no home folder".into()));
        };
        Self::read(&path)
    }

    fn read(path: &Path) -> Result<Self> {
        let json = std::fs::read(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                lacking(format!("no KAGGLE_USERNAME and KAGGLE_KEY, and no {}", path.display()))
            }
            _ => lacking(format!("{}: {e}", path.display())),
        })?;
        // serde's message could quote the key.
        let token: Token = serde_json::from_slice(&json).map_err(|e| {
            let (line, column) = (e.line(), e.column());
            let expected = r#"expected {"username": "…", "key": "…"}"#;
            lacking(format!("{}:{line}:{column}: {expected}", path.display()))
        })?;
        let mut found = Self::checked(token.username, token.key, &path.display().to_string())?;
        found.warning = readable_by_others(path).then(|| {
            let path = path.display();
            format!(
                "{path} holds your key and others on this machine can read it: run chmod 600 {path}"
            )
        });
        Ok(found)
    }

    fn checked(username: String, key: String, place: &str) -> Result<Self> {
        let (username, key) = (username.trim().to_string(), key.trim().to_string());
        let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
        if !plain(&username) || !plain(&key) || username.contains(':') {
            return Err(lacking(format!(
                "{place}: the name or the key is empty or has odd characters"
            )));
        }
        Ok(Self { username, key, warning: None })
    }

    fn header(&self) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", self.username, self.key)))
    }
}

#[cfg(unix)]
fn readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|m| m.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn readable_by_others(_: &Path) -> bool {
    false
}

fn lacking(why: String) -> Error {
    Error::Download { what: "Kaggle's credentials".into(), why, next: HOW.into() }
}

/// Kaggle, as one user.
#[derive(Clone, Debug)]
pub struct Kaggle {
    /// Where it is: [`API`], but in tests.
    pub url: String,
    /// Who asks.
    pub credentials: Credentials,
    /// How long to bear with it.
    pub patience: Patience,
}

impl Kaggle {
    /// Kaggle itself.
    pub fn new(credentials: Credentials) -> Self {
        Self { url: API.into(), credentials, patience: Patience::default() }
    }

    /// Fetches the dataset's archive, going on where a break left it.
    ///
    /// # Errors
    /// As [`Download::fetch`]; refusals say what to do on kaggle.com.
    pub fn download(
        &self,
        dataset: KaggleDataset,
        archive: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<()> {
        let slug = dataset.slug();
        let download = Download {
            what: format!("{slug} from Kaggle"),
            url: format!("{}/datasets/download/{slug}", self.url.trim_end_matches('/')),
            authorization: Some(self.credentials.header()),
            explain: &|status| explain(status, slug, &self.credentials.username),
            patience: self.patience.clone(),
        };
        download.fetch(archive, progress)
    }
}

fn explain(status: u16, slug: &str, username: &str) -> Option<(String, String)> {
    let (why, next) = match status {
        401 => (
            format!("Kaggle does not know the name `{username}` with this key (401)"),
            format!("the key may be expired or mistyped; make a new one: {HOW}"),
        ),
        403 => (
            "Kaggle refuses this account the dataset (403)".into(),
            format!(
                "open https://www.kaggle.com/datasets/{slug} signed in as {username}, press Download once and accept \
                 what it asks: the dataset's rules, or verifying your phone"
            ),
        ),
        404 => (
            "Kaggle has no such dataset (404)".into(),
            format!(
                "see whether https://www.kaggle.com/datasets/{slug} still opens; it may have moved"
            ),
        ),
        _ => return None,
    };
    Some((why, next))
}
