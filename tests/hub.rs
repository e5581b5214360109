//! Model files from a server that behaves like the hub: a door that tells of a file and redirects, small files behind a
//! relative redirect, and a storage service that knows nothing of repositories.

#[path = "support/server.rs"]
mod server;

use std::path::{Path, PathBuf};
use std::time::Duration;

use server::{Reply, Request, Server};
use sha2::{Digest, Sha256};
use vision_language::Error;
use vision_language::hub::{Hub, HubFile, HubModel, Patience, PresetModels, Progress};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const MODEL: HubModel = HubModel {
    repo: "someone/a-model",
    also: &["a-model"],
    revision: COMMIT,
    files: &[WEIGHTS, TOKENIZER],
};
const WEIGHTS: HubFile = HubFile { name: "model.safetensors", sha256: None, about: 300_000 };
const TOKENIZER: HubFile = HubFile { name: "tokenizer.json", sha256: None, about: 16 };

/// 300 kB that repeat nowhere, so that a byte out of place is seen.
fn weights() -> Vec<u8> {
    (0..75_000u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// The hub: what is large is elsewhere, what is small behind a redirect of its own. `announced` is the SHA-256 it tells.
fn hub(storage: &Server, announced: String) -> Server {
    let to = format!("{}/signed?secret=1", storage.url());
    Server::start(move |request, _| {
        let reply = match request.path.as_str() {
            path if path.ends_with("/model.safetensors") => Reply::new(302, b"")
                .header("Location", &to)
                .header("X-Linked-ETag", format!("\"{announced}\"")),
            path if path.ends_with("/tokenizer.json") && path.contains("/resolve/") => {
                Reply::new(307, b"").header("Location", "/api/small/tokenizer.json")
            }
            "/api/small/tokenizer.json" => {
                Reply::new(200, b"{\"a\": \"tokenizer\"}").header("ETag", "W/\"abc123\"")
            }
            _ => Reply::new(404, b"Entry not found"),
        };
        let reply = reply.header("X-Repo-Commit", COMMIT);
        if request.method == "HEAD" { reply.cut(0) } else { reply }
    })
}

fn storage() -> Server {
    Server::start(|request, _| rest(request, &weights()))
}

/// The file, or the rest that is asked for.
fn rest(request: &Request, content: &[u8]) -> Reply {
    let reply = match request.from() {
        Some(from) => Reply::new(206, &content[from..]).header(
            "Content-Range",
            format!("bytes {from}-{}/{}", content.len() - 1, content.len()),
        ),
        None => Reply::new(200, content),
    };
    reply.header("ETag", "\"a\"")
}

fn client(server: &Server, cache: &Path) -> Hub {
    let patience = Patience {
        failures: 3,
        first_wait: Duration::from_millis(5),
        longest_wait: Duration::from_secs(2),
        silence: Duration::from_secs(5),
    };
    Hub { endpoint: server.url(), cache: cache.to_path_buf(), offline: false, patience }
}

/// Why and what next.
fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> (String, String) {
    match result.unwrap_err() {
        Error::Download { why, next, .. } => (why, next),
        other => panic!("not a download's error: {other}"),
    }
}

#[test]
fn files_come_once_and_lie_as_python_lays_them() {
    let (storage, folder) = (storage(), tempfile::tempdir().unwrap());
    let sum = sha256(&weights());
    let server = hub(&storage, sum.clone());
    let client = client(&server, folder.path());
    assert!(client.find(&MODEL, &WEIGHTS).is_none());
    let mut told = Vec::new();
    let path = client.fetch(&MODEL, &WEIGHTS, &mut |p| told.push(p)).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), weights());
    let length = weights().len() as u64;
    assert_eq!(told.last(), Some(&Progress::Bytes(length, Some(length))));
    let place = folder.path().join("models--someone--a-model");
    assert_eq!(path, place.join("snapshots").join(COMMIT).join("model.safetensors"));
    let link = PathBuf::from("../../blobs").join(&sum);
    assert_eq!(std::fs::read_link(&path).unwrap(), link);
    // The pinned commit is asked for, and its name is kept from the storage service.
    assert_eq!(
        server.requests()[0].path,
        format!("/someone/a-model/resolve/{COMMIT}/model.safetensors")
    );
    assert_eq!(storage.requests().len(), 1);

    let small = client.fetch(&MODEL, &TOKENIZER, &mut |_| ()).unwrap();
    assert_eq!(std::fs::read(small).unwrap(), b"{\"a\": \"tokenizer\"}");
    let asked = server.requests().len();
    client.fetch(&MODEL, &WEIGHTS, &mut |_| ()).unwrap();
    client.fetch(&MODEL, &TOKENIZER, &mut |_| ()).unwrap();
    assert_eq!(server.requests().len(), asked, "what is in the cache is not asked for");
    let blobs = std::fs::read_dir(place.join("blobs")).unwrap().count();
    assert_eq!(blobs, 2, "nothing of the work is left");
}

#[test]
fn a_folder_of_its_own() {
    let (storage, folder) = (storage(), tempfile::tempdir().unwrap());
    let server = hub(&storage, sha256(&weights()));
    let client = client(&server, &folder.path().join("cache"));
    let out = folder.path().join("models/a-model/model.safetensors");
    client.fetch_to(&MODEL, &WEIGHTS, &out, &mut |_| ()).unwrap();
    assert_eq!(std::fs::read(&out).unwrap(), weights());
    assert!(!client.cache.exists());
    // From the cache, where it is there.
    client.fetch(&MODEL, &WEIGHTS, &mut |_| ()).unwrap();
    let asked = (server.requests().len(), storage.requests().len());
    let again = folder.path().join("again/model.safetensors");
    client.fetch_to(&MODEL, &WEIGHTS, &again, &mut |_| ()).unwrap();
    assert_eq!(std::fs::read(&again).unwrap(), weights());
    assert_eq!((server.requests().len(), storage.requests().len()), asked);
    assert_eq!(std::fs::read_dir(again.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_break_is_followed_by_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Server::start(|request, before| match before {
        0 => rest(request, &weights()).cut(100_000),
        _ => rest(request, &weights()),
    });
    let server = hub(&storage, sha256(&weights()));
    let path = client(&server, folder.path()).fetch(&MODEL, &WEIGHTS, &mut |_| ()).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), weights());
    assert_eq!(storage.requests()[1].from(), Some(100_000));
}

#[test]
fn other_bytes_are_refused() {
    let (storage, folder) = (storage(), tempfile::tempdir().unwrap());
    // What the hub announces is not what comes; then what we pinned is not.
    let pinned = HubFile { sha256: Some("00ff"), ..WEIGHTS };
    for (announced, file) in [(sha256(b"others"), WEIGHTS), (sha256(&weights()), pinned)] {
        let server = hub(&storage, announced);
        let client = client(&server, folder.path());
        let (why, next) = refusal(client.fetch(&MODEL, &file, &mut |_| ()));
        assert!(why.contains(&sha256(&weights())) && next.contains("again"), "{why}\n{next}");
        assert!(client.find(&MODEL, &file).is_none());
    }
    let blobs = folder.path().join("models--someone--a-model/blobs");
    assert_eq!(std::fs::read_dir(blobs).unwrap().count(), 0);
}

#[test]
fn offline_nothing_is_asked_for() {
    let (storage, folder) = (storage(), tempfile::tempdir().unwrap());
    let server = hub(&storage, sha256(&weights()));
    let offline = Hub { offline: true, ..client(&server, folder.path()) };
    let (why, next) = refusal(offline.fetch(&MODEL, &WEIGHTS, &mut |_| ()));
    assert!(why.contains("HF_HUB_OFFLINE") && next.contains("tiny"), "{why}\n{next}");
    assert!(server.requests().is_empty());
    client(&server, folder.path()).fetch(&MODEL, &WEIGHTS, &mut |_| ()).unwrap();
    offline.fetch(&MODEL, &WEIGHTS, &mut |_| ()).unwrap();
}

#[test]
fn a_branch_is_pinned_by_its_first_download() {
    let (storage, folder) = (storage(), tempfile::tempdir().unwrap());
    let server = hub(&storage, sha256(&weights()));
    let client = client(&server, folder.path());
    let main = HubModel { revision: "main", ..MODEL };
    let path = client.fetch(&main, &WEIGHTS, &mut |_| ()).unwrap();
    assert!(path.to_string_lossy().contains(COMMIT), "{}", path.display());
    let kept = folder.path().join("models--someone--a-model/refs/main");
    assert_eq!(std::fs::read_to_string(kept).unwrap(), COMMIT);
    // The bytes are asked for by commit, so that they cannot change between question and answer.
    assert!(server.requests()[1].path.contains(COMMIT));
    assert_eq!(client.find(&main, &WEIGHTS), Some(path));
}

#[test]
fn refusals_and_silence() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = Server::start(|_, _| Reply::new(404, b"Entry not found"));
    let (why, next) = refusal(client(&nothing, folder.path()).fetch(&MODEL, &WEIGHTS, &mut |_| ()));
    assert!(
        why.contains("404") && why.contains(COMMIT) && next.contains("--models"),
        "{why}\n{next}"
    );

    let failing = Server::start(|_, _| Reply::new(503, b""));
    let (why, next) = refusal(client(&failing, folder.path()).fetch(&MODEL, &WEIGHTS, &mut |_| ()));
    assert!(why.contains("503") && next.contains("tiny"), "{why}\n{next}");
    assert_eq!(failing.requests().len(), 3);

    let other = Server::start(|_, _| {
        Reply::new(200, b"").header("ETag", "\"a\"").header("X-Repo-Commit", "f".repeat(40))
    });
    let (why, _) = refusal(client(&other, folder.path()).fetch(&MODEL, &WEIGHTS, &mut |_| ()));
    assert!(why.contains(COMMIT), "{why}");
    // A name that leads elsewhere is not written.
    let odd = Server::start(|_, _| Reply::new(200, b"").header("ETag", "\"../../x\""));
    let (why, _) = refusal(client(&odd, folder.path()).fetch(&MODEL, &WEIGHTS, &mut |_| ()));
    assert!(why.contains("ETag"), "{why}");

    let gone = { Server::start(|_, _| Reply::new(200, b"")).url() };
    let gone = Hub { endpoint: gone, ..client(&odd, folder.path()) };
    let (why, _) = refusal(gone.fetch(&MODEL, &WEIGHTS, &mut |_| ()));
    assert!(why.contains("no answer"), "{why}");
}

#[test]
fn the_usual_variables_say_where() {
    let with = |set: &[(&str, &str)]| {
        let set: Vec<_> = set.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
        Hub::from_variables(&move |name| {
            set.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone())
        })
    };
    let plain = with(&[("HOME", "/home/a")]);
    assert_eq!(plain.cache, Path::new("/home/a/.cache/huggingface/hub"));
    assert_eq!((plain.endpoint.as_str(), plain.offline), ("https://huggingface.co", false));
    assert_eq!(with(&[("HF_HOME", "/h")]).cache, Path::new("/h/hub"));
    assert_eq!(with(&[("HF_HOME", "/h"), ("HF_HUB_CACHE", "/c")]).cache, Path::new("/c"));
    assert_eq!(with(&[("XDG_CACHE_HOME", "/x")]).cache, Path::new("/x/huggingface/hub"));
    let there = with(&[("HF_ENDPOINT", "http://127.0.0.1:1/"), ("HF_HUB_OFFLINE", "1")]);
    assert_eq!((there.endpoint.as_str(), there.offline), ("http://127.0.0.1:1", true));
    assert!(!with(&[("HF_HUB_OFFLINE", "0")]).offline);
}

#[test]
fn a_cache_under_an_older_name_is_found() {
    let (storage, folder) = (storage(), tempfile::tempdir().unwrap());
    let server = hub(&storage, sha256(&weights()));
    let client = client(&server, folder.path());
    let old = folder.path().join("models--a-model/snapshots").join(COMMIT);
    std::fs::create_dir_all(&old).unwrap();
    std::fs::write(old.join("model.safetensors"), b"x").unwrap();
    assert_eq!(client.find(&MODEL, &WEIGHTS), Some(old.join("model.safetensors")));
}

#[test]
fn a_folder_of_models_and_what_is_missing_there() {
    let folder = tempfile::tempdir().unwrap();
    let lecture = PresetModels::of("lecture").unwrap();
    let missing = lecture.weights(&lecture.image, Some(folder.path())).unwrap_err().to_string();
    for word in
        ["microsoft/resnet-50", "resnet-50", "cargo vl fetch lecture --out", "`tiny` needs none"]
    {
        assert!(missing.contains(word), "no {word} in: {missing}");
    }
    let place = folder.path().join("resnet-50");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join("resnet50-11ad3fa6.pth"), b"x").unwrap();
    let found = lecture.weights(&lecture.image, Some(folder.path())).unwrap();
    assert!(found.ends_with("resnet-50/resnet50-11ad3fa6.pth"));
    std::fs::write(place.join("other.pth"), b"x").unwrap();
    let several = lecture.weights(&lecture.image, Some(folder.path())).unwrap_err().to_string();
    assert!(
        several.contains("other.pth") && several.contains("resnet50-11ad3fa6.pth"),
        "{several}"
    );
    std::fs::write(place.join("pytorch_model.bin"), b"x").unwrap();
    let usual = lecture.weights(&lecture.image, Some(folder.path())).unwrap();
    assert!(usual.ends_with("pytorch_model.bin"));
    assert!(lecture.tokenizer(Some(folder.path())).is_err());
    assert!(PresetModels::of("tiny").is_none());
}
