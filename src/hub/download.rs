//! One file over HTTP, kept beside its place as `.part` until it is whole.
//!
//! A break is followed by a request for the rest (`Range`, RFC 9110, section 14). The rest is only taken where the
//! server's file is still the same by length and `ETag`; a server that ignores `Range` makes the download start again.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use ureq::http::Response;
use ureq::{Agent, Body};

use super::space::{beside, bytes, require_space};
use crate::{Error, Result};

/// What a download tells while it runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// Bytes on the disk, and of how many where the server says so.
    Bytes(u64, Option<u64>),
    /// It failed and will try again.
    Waiting(Duration, String),
}

/// How long to bear with a server.
#[derive(Clone, Debug)]
pub struct Patience {
    /// Failures in a row, without a byte gained, before it ends with an error.
    pub failures: u32,
    /// The wait after the first failure; it doubles with each. A server's `Retry-After` goes before it.
    pub first_wait: Duration,
    /// A server that asks for a longer wait than this is an error with its sentence.
    pub longest_wait: Duration,
    /// Without a byte for this long, the connection is given up.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            failures: 5,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(120),
            silence: Duration::from_secs(60),
        }
    }
}

/// A file to fetch.
pub struct Download<'a> {
    /// Its name in messages. The address is not in them: behind a redirect it may carry a signature.
    pub what: String,
    /// Where it is.
    pub url: String,
    /// The `Authorization` header. It goes to the first server only, never where that redirects to.
    pub authorization: Option<String>,
    /// Why a status other than 200, and what to do: for 401, 403, 404.
    pub explain: &'a dyn Fn(u16) -> Option<(String, String)>,
    /// How long to bear with the server.
    pub patience: Patience,
}

/// What is known of the file in `.part`: its address, its length, its `ETag` or date.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Known {
    url: String,
    length: Option<u64>,
    validator: Option<String>,
}

/// How an attempt ended that did not bring the whole file.
enum Ended {
    /// It may go better next time: why, and how long the server wants to be left alone.
    TryAgain(String, Option<Duration>),
    /// It will not.
    Failed(Error),
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Download<'_> {
    /// Fetches the file to `out`, going on from `out.part` where one was left. `out` appears when it is whole.
    ///
    /// # Errors
    /// [`Error::Download`] after too many failures, for a refusal (401, 403, 404), without room on the disk;
    /// [`Error::Io`] when the disk refuses. `.part` stays.
    pub fn fetch(&self, out: &Path, progress: &mut dyn FnMut(Progress)) -> Result<()> {
        let folder = folder_of(out);
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let mut part = Part::open(out, &self.url)?;
        let agent = agent(&self.url, self.patience.silence, 10);
        let (mut failures, mut most) = (0, part.len);
        loop {
            let (why, asked) = match self.attempt(&agent, &mut part, progress) {
                Ok(()) => return part.finish(out),
                Err(Ended::Failed(error)) => return Err(error),
                Err(Ended::TryAgain(why, asked)) => (why, asked),
            };
            failures = if part.len > most { 1 } else { failures + 1 };
            most = most.max(part.len);
            let doubled = self.patience.first_wait * 2u32.saturating_pow(failures - 1);
            let wait = asked.unwrap_or(doubled.min(self.patience.longest_wait));
            if failures >= self.patience.failures || wait > self.patience.longest_wait {
                return Err(self.give_up(&part, why, asked));
            }
            progress(Progress::Waiting(wait, why));
            std::thread::sleep(wait);
        }
    }

    /// One request, and as many bytes as it brings.
    fn attempt(
        &self,
        agent: &Agent,
        part: &mut Part,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), Ended> {
        if part.len > 0 && part.known.length == Some(part.len) {
            return Ok(());
        }
        let mut request = agent.get(&self.url);
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        if part.len > 0 {
            request = request.header("Range", format!("bytes={}-", part.len));
            if let Some(validator) = &part.known.validator {
                request = request.header("If-Range", validator);
            }
        }
        let response = request
            .call()
            .map_err(|e| Ended::TryAgain(format!("no answer from the server ({e})"), None))?;
        self.receive(response, part, progress)
    }

    fn receive(
        &self,
        response: Response<Body>,
        part: &mut Part,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), Ended> {
        let header = |name: &str| response.headers().get(name)?.to_str().ok().map(str::to_string);
        match response.status().as_u16() {
            200 => {
                let length = header("content-length").and_then(|v| v.trim().parse().ok());
                part.restart(Known {
                    url: self.url.clone(),
                    length,
                    validator: validator(&header),
                })?;
            }
            206 => {
                let range = header("content-range").as_deref().and_then(content_range);
                let same = match (validator(&header), &part.known.validator) {
                    (Some(now), Some(then)) => now == *then,
                    _ => true,
                };
                let fits = matches!(range, Some((from, total))
                    if from == part.len && part.known.length.is_none_or(|l| l == total));
                if !(same && fits) {
                    part.restart(Known::default())?;
                    let why = "the file on the server has changed: starting again";
                    return Err(Ended::TryAgain(why.into(), Some(Duration::ZERO)));
                }
                part.known.length = range.map(|(_, total)| total);
            }
            416 => {
                part.restart(Known::default())?;
                let why = "the server has no such rest of the file: starting again";
                return Err(Ended::TryAgain(why.into(), Some(Duration::ZERO)));
            }
            429 => {
                let asked = header("retry-after").and_then(|v| v.trim().parse().ok());
                let why = "the server says that there were too many requests (429)";
                return Err(Ended::TryAgain(why.into(), asked.map(Duration::from_secs)));
            }
            status @ (408 | 500..=599) => {
                return Err(Ended::TryAgain(format!("the server failed ({status})"), None));
            }
            status => {
                let unknown = || {
                    let why = format!("the server answered with status {status}");
                    (why, "try again later; if it stays, say so in an issue".to_string())
                };
                let (why, next) = (self.explain)(status).unwrap_or_else(unknown);
                let what = self.what.clone();
                return Err(Ended::Failed(Error::Download { what, why, next }));
            }
        }
        if let Some(length) = part.known.length {
            require_space(folder_of(&part.path), length.saturating_sub(part.len), &self.what)?;
        }
        part.write_all(response.into_body(), progress)
    }

    fn give_up(&self, part: &Part, why: String, asked: Option<Duration>) -> Error {
        let when = match asked {
            Some(wait) if !wait.is_zero() => format!("wait {} s, then ", wait.as_secs()),
            _ => String::new(),
        };
        let kept = match part.len {
            0 => String::new(),
            n => format!("; it goes on after the {} in {}", bytes(n), part.path.display()),
        };
        let next = format!("{when}run the same command again{kept}");
        Error::Download { what: self.what.clone(), why, next }
    }
}

/// A client for `url` that follows so many redirects and gives up after `silence`.
pub(super) fn agent(url: &str, silence: Duration, redirects: u32) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .https_only(url.starts_with("https://"))
        .redirect_auth_headers(ureq::config::RedirectAuthHeaders::Never)
        .max_redirects(redirects)
        .max_redirects_will_error(redirects > 0)
        .accept_encoding("identity")
        .user_agent(concat!("vision-language/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(silence))
        .timeout_recv_response(Some(silence))
        .timeout_per_read(Some(silence));
    let local = url.starts_with("http://127.0.0.1");
    let config = if local { config.proxy(None) } else { config };
    config.build().into()
}

/// The folder that a file lies in, `.` for a bare name.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What tells that two answers are of the same file: a strong `ETag`, else the date.
fn validator(header: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    header("etag").filter(|tag| !tag.starts_with("W/")).or_else(|| header("last-modified"))
}

/// `bytes 100-999/1000` → 100 and 1000.
fn content_range(value: &str) -> Option<(u64, u64)> {
    let (range, total) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (from, _) = range.split_once('-')?;
    Some((from.trim().parse().ok()?, total.trim().parse().ok()?))
}

/// The unfinished file, and beside it what is known of it.
struct Part {
    path: PathBuf,
    notes: PathBuf,
    file: File,
    len: u64,
    known: Known,
}

impl Part {
    fn open(out: &Path, url: &str) -> Result<Self> {
        let (path, notes) = (beside(out, ".part")?, beside(out, ".part.json")?);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(Error::io(&path))?;
        let len = file.seek(SeekFrom::End(0)).map_err(Error::io(&path))?;
        let read =
            std::fs::read(&notes).ok().and_then(|b| serde_json::from_slice::<Known>(&b).ok());
        let known = read.filter(|k| k.url == url && k.length.is_none_or(|total| len <= total));
        let mut part = Self { path, notes, file, len, known: known.clone().unwrap_or_default() };
        if known.is_none() && len > 0 {
            part.restart(Known::default())?;
        }
        Ok(part)
    }

    /// Empties the file; what comes now is of `known`.
    fn restart(&mut self, known: Known) -> Result<()> {
        self.file.set_len(0).map_err(Error::io(&self.path))?;
        self.file.seek(SeekFrom::Start(0)).map_err(Error::io(&self.path))?;
        std::fs::write(&self.notes, serde_json::to_vec(&known)?).map_err(Error::io(&self.notes))?;
        (self.len, self.known) = (0, known);
        Ok(())
    }

    /// Appends the body.
    fn write_all(&mut self, body: Body, progress: &mut dyn FnMut(Progress)) -> Result<(), Ended> {
        let mut reader = body.into_with_config().limit(u64::MAX).reader();
        let mut buffer = vec![0; 1 << 16];
        loop {
            progress(Progress::Bytes(self.len, self.known.length));
            let broke = |why: String| {
                let why = format!("the connection broke after {} ({why})", bytes(self.len));
                Ended::TryAgain(why, None)
            };
            let n = match reader.read(&mut buffer) {
                Ok(n) => n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(broke(e.to_string())),
            };
            if n == 0 {
                let total = self.known.length.unwrap_or(self.len);
                return if self.len == total {
                    Ok(())
                } else {
                    Err(broke(format!("{} were announced", bytes(total))))
                };
            }
            self.file.write_all(&buffer[..n]).map_err(Error::io(&self.path))?;
            self.len += n as u64;
            if self.known.length.is_some_and(|total| self.len > total) {
                self.restart(Known::default())?;
                return Err(Ended::TryAgain("more bytes came than were announced".into(), None));
            }
        }
    }

    /// The whole file takes its place.
    fn finish(self, out: &Path) -> Result<()> {
        self.file.sync_all().map_err(Error::io(&self.path))?;
        std::fs::rename(&self.path, out).map_err(Error::io(out))?;
        std::fs::remove_file(&self.notes).map_err(Error::io(&self.notes))
    }
}
