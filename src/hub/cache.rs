//! Model files from the hub, in the cache that Python's `huggingface_hub` keeps, by its rules.
//!
//! `HUB/models--OWNER--NAME/blobs/ETAG` are the bytes, `snapshots/COMMIT/FILE` links to them, `refs/BRANCH` holds the commit
//! of a branch. What Python fetched is found here, and the other way round.

use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::download::agent;
use super::models::{HubFile, HubModel};
use super::{Download, Patience, Progress};
use crate::{Error, Result};

/// The model hub, and its cache on this machine.
#[derive(Clone, Debug)]
pub struct Hub {
    /// Its address.
    pub endpoint: String,
    /// The cache's folder.
    pub cache: PathBuf,
    /// Nothing is asked for over the network.
    pub offline: bool,
    /// How long to bear with it.
    pub patience: Patience,
}

/// What the hub says of a file before it sends it.
struct Told {
    commit: String,
    /// The name of the blob: for large files their SHA-256.
    etag: String,
}

impl Hub {
    /// By the usual variables: `HF_ENDPOINT`; `HF_HUB_CACHE`, else `HF_HOME/hub`, else the user's cache folder;
    /// `HF_HUB_OFFLINE`.
    pub fn from_env() -> Self {
        Self::from_variables(&|name| std::env::var(name).ok())
    }

    /// As [`from_env`](Self::from_env), from these variables (`HOME` and `XDG_CACHE_HOME` are two).
    pub fn from_variables(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| {
            variable(name).map(|v| v.trim().to_string()).filter(|value| !value.is_empty())
        };
        let folder = |name: &str| set(name).map(PathBuf::from);
        let caches = || {
            let home = folder("HOME").unwrap_or_else(|| PathBuf::from("."));
            folder("XDG_CACHE_HOME").unwrap_or_else(|| home.join(".cache"))
        };
        let home = || folder("HF_HOME").unwrap_or_else(|| caches().join("huggingface"));
        let offline = set("HF_HUB_OFFLINE")
            .is_some_and(|v| ["1", "on", "yes", "true"].contains(&v.to_lowercase().as_str()));
        let endpoint = set("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".into());
        Self {
            endpoint: endpoint.trim_end_matches('/').to_string(),
            cache: folder("HF_HUB_CACHE").unwrap_or_else(|| home().join("hub")),
            offline,
            patience: Patience::default(),
        }
    }

    /// The folders of the cache in which the model's files may lie, the likeliest first.
    pub fn snapshots(&self, model: &HubModel) -> Vec<PathBuf> {
        let repos = std::iter::once(&model.repo).chain(model.also);
        let snapshot = |repo: &&str| {
            let place = self.place(repo);
            let commit = std::fs::read_to_string(place.join("refs").join(model.revision));
            let commit = commit.map_or(model.revision.to_string(), |c| c.trim().to_string());
            place.join("snapshots").join(commit)
        };
        repos.map(snapshot).collect()
    }

    fn place(&self, repo: &str) -> PathBuf {
        self.cache.join(format!("models--{}", repo.replace('/', "--")))
    }

    /// The file in the cache, where it is.
    pub fn find(&self, model: &HubModel, file: &HubFile) -> Option<PathBuf> {
        self.snapshots(model).iter().map(|s| s.join(file.name)).find(|path| path.is_file())
    }

    /// The file in the cache, fetched where it is not there. A download goes on where a break left it; what came is
    /// compared with the file's SHA-256.
    ///
    /// # Errors
    /// [`Error::Download`], also when nothing may be asked for ([`offline`](Self::offline)); [`Error::Io`].
    pub fn fetch(
        &self,
        model: &HubModel,
        file: &HubFile,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<PathBuf> {
        if let Some(path) = self.find(model, file) {
            return Ok(path);
        }
        let told = self.ask(model, file)?;
        let place = self.place(model.repo);
        let blob = place.join("blobs").join(&told.etag);
        if !blob.is_file() {
            self.download(model, file, &told, &blob, progress)?;
        }
        let path = place.join("snapshots").join(&told.commit).join(file.name);
        link(&blob, &told.etag, &path)?;
        if told.commit != model.revision {
            let reference = place.join("refs").join(model.revision);
            make_parent(&reference)?;
            std::fs::write(&reference, &told.commit).map_err(Error::io(&reference))?;
        }
        Ok(path)
    }

    /// The file at `out`: copied from the cache, or fetched right there.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn fetch_to(
        &self,
        model: &HubModel,
        file: &HubFile,
        out: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<()> {
        if out.is_file() {
            return Ok(());
        }
        let Some(cached) = self.find(model, file) else {
            return self.download(model, file, &self.ask(model, file)?, out, progress);
        };
        make_parent(out)?;
        let unproven = super::beside(out, ".incomplete")?;
        std::fs::copy(&cached, &unproven).map_err(Error::io(&unproven))?;
        std::fs::rename(&unproven, out).map_err(Error::io(out))
    }

    fn what(model: &HubModel, file: &HubFile) -> String {
        format!("{} of {} from the model hub", file.name, model.repo)
    }

    fn url(&self, model: &HubModel, file: &HubFile, revision: &str) -> String {
        format!("{}/{}/resolve/{revision}/{}", self.endpoint, model.repo, file.name)
    }

    /// Asks for the file's headers. The hub answers large files with a redirect to their storage, whose own headers say
    /// nothing of the repository: so redirects are followed only as long as they stay on the hub.
    fn ask(&self, model: &HubModel, file: &HubFile) -> Result<Told> {
        let fail = |why: String, next: &str| Error::Download {
            what: Self::what(model, file),
            why,
            next: next.into(),
        };
        if self.offline {
            let next = "unset HF_HUB_OFFLINE, or take the preset `tiny`, which needs no download";
            return Err(fail("HF_HUB_OFFLINE forbids to ask for it".into(), next));
        }
        let agent = agent(&self.endpoint, self.patience.silence, 0);
        let mut url = self.url(model, file, model.revision);
        let mut failures = 0;
        for _ in 0..20 {
            let response = match agent.head(&url).call() {
                Ok(response) if response.status().as_u16() < 500 => response,
                other => {
                    failures += 1;
                    if failures >= self.patience.failures {
                        let why = match other {
                            Ok(response) => format!("the hub failed ({})", response.status()),
                            Err(e) => format!("no answer from {} ({e})", self.endpoint),
                        };
                        let next = "look at the connection, then run the same command again; or take the preset \
                                    `tiny`, which needs no download";
                        return Err(fail(why, next));
                    }
                    std::thread::sleep(self.patience.first_wait * 2u32.pow(failures - 1));
                    continue;
                }
            };
            let header =
                |name: &str| response.headers().get(name)?.to_str().ok().map(str::to_string);
            let status = response.status().as_u16();
            let location = header("location").filter(|to| to.starts_with('/'));
            if let (300..=399, Some(location)) = (status, location) {
                url = format!("{}{location}", self.endpoint);
                continue;
            }
            if !(200..=399).contains(&status) {
                let (why, next) = explain(status, model, file);
                return Err(fail(why, &next));
            }
            let etag = header("x-linked-etag").or_else(|| header("etag")).unwrap_or_default();
            let etag = etag.trim_start_matches("W/").trim_matches('"').to_string();
            let commit = header("x-repo-commit").unwrap_or_else(|| model.revision.into());
            let is_name = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric());
            if !is_name(&etag) || !is_name(&commit) {
                let why = "the answer has no usable `ETag` and `X-Repo-Commit`".to_string();
                return Err(fail(why, "see whether HF_ENDPOINT is a model hub"));
            }
            if is_commit(model.revision) && commit != model.revision {
                let why = format!("expected commit {}, got {commit}", model.revision);
                return Err(fail(why, "see whether HF_ENDPOINT is a model hub"));
            }
            return Ok(Told { commit, etag });
        }
        Err(fail("the hub redirects in a circle".into(), "see whether HF_ENDPOINT is a model hub"))
    }

    fn download(
        &self,
        model: &HubModel,
        file: &HubFile,
        told: &Told,
        out: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<()> {
        // Under another name until it is known to be the right one.
        let unproven = super::beside(out, ".incomplete")?;
        let download = Download {
            what: Self::what(model, file),
            url: self.url(model, file, &told.commit),
            authorization: None,
            explain: &|status| Some(explain(status, model, file)),
            patience: self.patience.clone(),
        };
        download.fetch(&unproven, progress)?;
        let announced = Some(told.etag.as_str()).filter(|etag| etag.len() == 64);
        if let Some(expected) = file.sha256.or(announced) {
            let got = sha256(&unproven)?;
            if got != expected {
                std::fs::remove_file(&unproven).map_err(Error::io(&unproven))?;
                return Err(Error::Download {
                    what: Self::what(model, file),
                    why: format!("other bytes came: expected SHA-256 {expected}, got {got}"),
                    next: "run the same command again; if it stays, the server does not hold the file that this \
                           version of the library was made for"
                        .into(),
                });
            }
        }
        std::fs::rename(&unproven, out).map_err(Error::io(out))
    }
}

/// Whether a revision names a commit, which never changes, and not a branch.
fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|b| b.is_ascii_hexdigit())
}

fn explain(status: u16, model: &HubModel, file: &HubFile) -> (String, String) {
    let why = match status {
        401 | 403 => {
            format!("the hub gives {} to nobody without an account ({status})", model.repo)
        }
        404 => {
            format!("the hub has no {} at {} of {} (404)", file.name, model.revision, model.repo)
        }
        _ => format!("the hub answered with status {status}"),
    };
    let next = "see whether HF_ENDPOINT is right; with the files in a folder, `cargo vl train --models FOLDER` needs no hub";
    (why, next.into())
}

/// The SHA-256 of a file, in hexadecimal.
fn sha256(path: &Path) -> Result<String> {
    let mut file = std::fs::File::open(path).map_err(Error::io(path))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = file.read(&mut buffer).map_err(Error::io(path))?;
        if n == 0 {
            return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hash.update(&buffer[..n]);
    }
}

fn make_parent(path: &Path) -> Result<()> {
    match path.parent() {
        Some(folder) => std::fs::create_dir_all(folder).map_err(Error::io(folder)),
        None => Ok(()),
    }
}

/// `path` becomes a link to `../../blobs/ETAG`, or a copy where there are no links.
fn link(blob: &Path, etag: &str, path: &Path) -> Result<()> {
    make_parent(path)?;
    // A link that leads nowhere is in the way.
    let _ = std::fs::remove_file(path);
    #[cfg(unix)]
    {
        let _ = blob;
        let to = Path::new("../../blobs").join(etag);
        std::os::unix::fs::symlink(to, path).map_err(Error::io(path))
    }
    #[cfg(not(unix))]
    {
        let _ = etag;
        std::fs::copy(blob, path).map(drop).map_err(Error::io(path))
    }
}
