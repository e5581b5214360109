//! The Kaggle client against a server that behaves like the real one: a door that checks the key and redirects, and a
//! storage service behind it.

#[path = "support/server.rs"]
mod server;

use std::path::{Path, PathBuf};
use std::time::Duration;

use server::{Reply, Request, Server};
use vision_language::dataset::{BadRows, DataFolder};
use vision_language::hub::{Credentials, Kaggle, KaggleDataset, Limits, Patience, Progress, unzip};
use vision_language::{Error, Result};

const KEY: &str = "0123456789abcdef";
/// `student:0123456789abcdef` in base64.
const BASIC: &str = "Basic c3R1ZGVudDowMTIzNDU2Nzg5YWJjZGVm";

fn credentials() -> Credentials {
    let variable = |name: &str| match name {
        "KAGGLE_USERNAME" => Some("student".to_string()),
        "KAGGLE_KEY" => Some(KEY.to_string()),
        _ => None,
    };
    Credentials::find_with(&variable).unwrap()
}

fn patience() -> Patience {
    Patience {
        failures: 3,
        first_wait: Duration::from_millis(5),
        longest_wait: Duration::from_secs(2),
        silence: Duration::from_secs(5),
    }
}

/// 300 kB that repeat nowhere, so that a byte out of place is seen.
fn content() -> Vec<u8> {
    (0..75_000u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

/// The whole file, or the rest that is asked for where it is still the same file.
fn storage(request: &Request, content: &[u8], etag: &str) -> Reply {
    let same = request.header("if-range").is_none_or(|tag| tag == etag);
    let reply = match request.from() {
        Some(from) if same && from < content.len() => Reply::new(206, &content[from..]).header(
            "Content-Range",
            format!("bytes {from}-{}/{}", content.len() - 1, content.len()),
        ),
        _ => Reply::new(200, content),
    };
    reply.header("ETag", etag)
}

/// Kaggle's door in front of a storage service.
fn door(storage: &Server) -> Server {
    let to = format!("{}/signed?secret=1", storage.url());
    Server::start(move |_, _| Reply::new(302, b"").header("Location", &to))
}

struct Client {
    folder: tempfile::TempDir,
    told: Vec<Progress>,
}

impl Client {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), told: Vec::new() }
    }

    fn archive(&self) -> PathBuf {
        self.folder.path().join("flickr8k.zip")
    }

    fn part(&self) -> PathBuf {
        self.folder.path().join("flickr8k.zip.part")
    }

    fn fetch(&mut self, server: &Server) -> Result<Vec<u8>> {
        let kaggle = Kaggle { url: server.url(), credentials: credentials(), patience: patience() };
        let archive = self.archive();
        let told = &mut self.told;
        kaggle.download(KaggleDataset::Flickr8k, &archive, &mut |p| told.push(p))?;
        Ok(std::fs::read(&archive).unwrap())
    }

    /// Nothing of the work is left but the archive.
    fn is_clean(&self) -> bool {
        std::fs::read_dir(self.folder.path()).unwrap().count() == 1
    }

    fn waits(&self) -> Vec<Duration> {
        let wait = |p: &Progress| match p {
            Progress::Waiting(wait, _) => Some(*wait),
            Progress::Bytes(..) => None,
        };
        self.told.iter().filter_map(wait).collect()
    }
}

/// Why and what next.
fn refusal(error: Error) -> (String, String) {
    let message = error.to_string();
    assert!(!message.contains(KEY) && !message.contains("c3R1ZGVud"), "the key is in: {message}");
    assert!(!message.contains("secret"), "the signed address is in: {message}");
    match error {
        Error::Download { why, next, .. } => (why, next),
        other => panic!("not a download's error: {other}"),
    }
}

#[test]
fn the_key_goes_to_kaggle_and_not_where_it_redirects_to() {
    let behind = Server::start(|r, _| storage(r, &content(), "\"a\""));
    let kaggle = door(&behind);
    let mut client = Client::new();
    assert_eq!(client.fetch(&kaggle).unwrap(), content());
    assert!(client.is_clean());

    let (asked, stored) = (kaggle.requests(), behind.requests());
    assert_eq!(asked[0].path, "/datasets/download/adityajn105/flickr8k");
    assert_eq!(asked[0].header("authorization"), Some(BASIC));
    assert_eq!((asked.len(), stored.len()), (1, 1));
    assert_eq!(stored[0].path, "/signed?secret=1");
    assert_eq!(stored[0].header("authorization"), None);
    assert_eq!(stored[0].header("accept-encoding"), Some("identity"));
    let length = content().len() as u64;
    assert_eq!(client.told.last(), Some(&Progress::Bytes(length, Some(length))));
}

#[test]
fn refusals_say_what_to_do_and_are_not_repeated() {
    for (status, why, next) in [
        (401, "`student`", "Create New API Token"),
        (403, "refuses", "accept"),
        (404, "no such dataset", "adityajn105/flickr8k"),
        (418, "status 418", "later"),
    ] {
        let kaggle = Server::start(move |_, _| Reply::new(status, b"no"));
        let mut client = Client::new();
        let (got_why, got_next) = refusal(client.fetch(&kaggle).unwrap_err());
        assert!(got_why.contains(why) && got_next.contains(next), "{got_why}\n{got_next}");
        assert_eq!(kaggle.requests().len(), 1);
        assert!(!client.archive().exists());
    }
}

#[test]
fn too_many_requests_wait_as_long_as_asked() {
    let kaggle = Server::start(|r, before| match before {
        0 => Reply::new(429, b"").header("Retry-After", 1),
        1 => Reply::new(503, b""),
        _ => storage(r, &content(), "\"a\""),
    });
    let mut client = Client::new();
    let start = std::time::Instant::now();
    assert_eq!(client.fetch(&kaggle).unwrap(), content());
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(client.waits(), [Duration::from_secs(1), Duration::from_millis(10)]);
}

#[test]
fn too_long_a_wait_and_too_many_failures_end_with_a_sentence() {
    let kaggle = Server::start(|_, _| Reply::new(429, b"").header("Retry-After", 3600));
    let (why, next) = refusal(Client::new().fetch(&kaggle).unwrap_err());
    assert!(why.contains("429") && next.contains("wait 3600 s"), "{why}\n{next}");
    assert_eq!(kaggle.requests().len(), 1);

    let kaggle = Server::start(|_, _| Reply::new(500, b""));
    let (why, next) = refusal(Client::new().fetch(&kaggle).unwrap_err());
    assert!(why.contains("500") && next.contains("again"), "{why}\n{next}");
    assert_eq!(kaggle.requests().len(), 3);
}

#[test]
fn no_server_is_an_error_too() {
    let gone = Server::start(|_, _| Reply::new(200, b""));
    let listener_of_nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener_of_nobody.local_addr().unwrap());
    drop((gone, listener_of_nobody));
    let kaggle = Kaggle { url, credentials: credentials(), patience: patience() };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a.zip");
    let (why, _) =
        refusal(kaggle.download(KaggleDataset::Flickr8k, &out, &mut |_| ()).unwrap_err());
    assert!(why.contains("no answer"), "{why}");
}

#[test]
fn a_break_in_the_middle_is_followed_by_the_rest() {
    let behind = Server::start(|r, before| {
        let reply = storage(r, &content(), "\"a\"");
        if before < 4 { reply.cut(50_000) } else { reply }
    });
    let kaggle = door(&behind);
    let mut client = Client::new();
    // Four breaks, more than the three failures that are borne with: each brought bytes.
    assert_eq!(client.fetch(&kaggle).unwrap(), content());
    assert!(client.is_clean());
    let stored = behind.requests();
    let from: Vec<_> = stored.iter().map(Request::from).collect();
    assert_eq!(from, [None, Some(50_000), Some(100_000), Some(150_000), Some(200_000)]);
    assert!(stored[1..].iter().all(|r| r.header("if-range") == Some("\"a\"")));
    assert!(stored.iter().all(|r| r.header("authorization").is_none()));
    assert!(kaggle.requests().iter().all(|r| r.header("authorization") == Some(BASIC)));
}

#[test]
fn a_body_that_stays_short_fails_and_a_later_run_goes_on() {
    let mut repaired = false;
    let kaggle = Server::start(move |r, before| {
        repaired |= before == 4;
        match (repaired, r.from()) {
            (true, _) => storage(r, &content(), "\"a\""),
            // Announces everything, sends 120,000 bytes, then nothing more ever.
            (false, Some(_)) => storage(r, &content(), "\"a\"").cut(0),
            (false, None) => storage(r, &content(), "\"a\"").cut(120_000),
        }
    });
    let mut client = Client::new();
    let (why, next) = refusal(client.fetch(&kaggle).unwrap_err());
    assert!(why.contains("120.0 kB"), "{why}");
    assert!(next.contains("same command again") && next.contains("flickr8k.zip.part"), "{next}");
    assert!(!client.archive().exists());
    assert_eq!(std::fs::metadata(client.part()).unwrap().len(), 120_000);
    let before = kaggle.requests().len();

    assert_eq!(client.fetch(&kaggle).unwrap(), content());
    assert!(client.is_clean());
    assert_eq!(kaggle.requests()[before].from(), Some(120_000));
}

#[test]
fn a_server_that_ignores_ranges_makes_it_start_again() {
    let kaggle = Server::start(|_, before| {
        let reply = Reply::new(200, &content());
        if before == 0 { reply.cut(100_000) } else { reply }
    });
    let mut client = Client::new();
    assert_eq!(client.fetch(&kaggle).unwrap(), content());
    assert_eq!(kaggle.requests()[1].from(), Some(100_000));
}

#[test]
fn a_file_that_changed_in_between_is_not_glued_together() {
    let other: Vec<u8> = content().iter().map(|b| !b).collect();
    // The honest server sees by If-Range that its file is another; the careless one sends the rest of the other.
    for careless in [false, true] {
        let other = other.clone();
        let after = other.clone();
        let kaggle = Server::start(move |r, before| match (before, r.from()) {
            (0, _) => storage(r, &content(), "\"a\"").cut(100_000),
            (_, Some(from)) if careless => Reply::new(206, &other[from..])
                .header(
                    "Content-Range",
                    format!("bytes {from}-{}/{}", other.len() - 1, other.len()),
                )
                .header("ETag", "\"b\""),
            _ => storage(r, &other, "\"b\""),
        });
        assert_eq!(Client::new().fetch(&kaggle).unwrap(), after, "careless: {careless}");
    }
}

#[test]
fn a_part_of_unknown_origin_is_not_trusted() {
    let kaggle = Server::start(|r, _| storage(r, &content(), "\"a\""));
    let mut client = Client::new();
    std::fs::write(client.part(), b"from somewhere").unwrap();
    assert_eq!(client.fetch(&kaggle).unwrap(), content());
    assert_eq!(kaggle.requests()[0].from(), None);
}

#[test]
fn room_on_the_disk_is_checked_before_the_first_byte() {
    let kaggle =
        Server::start(|_, _| Reply::new(200, b"a").header("Content-Length", 1u64 << 60).cut(1));
    let (why, next) = refusal(Client::new().fetch(&kaggle).unwrap_err());
    assert!(why.contains("PB") && why.contains("free") && next.contains("room"), "{why}\n{next}");
    assert_eq!(kaggle.requests().len(), 1);
}

#[test]
fn a_page_instead_of_an_archive_does_not_unpack() {
    let kaggle = Server::start(|_, _| Reply::new(200, b"<html>sign in</html>"));
    let mut client = Client::new();
    client.fetch(&kaggle).unwrap();
    let out = client.folder.path().join("flickr8k");
    let limits = Limits { bytes: 1 << 20, entries: 10 };
    let (why, next) = refusal(unzip(&client.archive(), &out, limits, &mut |_, _| ()).unwrap_err());
    assert!(why.contains("not a whole zip") && next.contains("again"), "{why}\n{next}");
    assert!(!out.exists());
}

/// Kaggle's archive of a dataset: its folders and its captions file, pictures of a few bytes.
fn archive_of(dataset: KaggleDataset) -> Vec<u8> {
    use std::io::Write;
    let entries: &[(&str, &str)] = match dataset {
        KaggleDataset::Flickr8k => &[
            ("Images/1_a.jpg", "jpeg"),
            ("captions.txt", "image,caption\n1_a.jpg,\"A dog , running .\"\n1_a.jpg,A dog .\n"),
        ],
        KaggleDataset::Flickr30k => &[
            ("flickr30k_images/flickr30k_images/2199200615.jpg", "jpeg"),
            (
                "flickr30k_images/results.csv",
                "image_name| comment_number| comment\n2199200615.jpg| 3| A dog , running .\n\
                 2199200615.jpg| 4   A dog runs across the grass .\n",
            ),
        ],
    };
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in entries {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn both_datasets_from_the_door_to_their_captions() {
    for dataset in [KaggleDataset::Flickr8k, KaggleDataset::Flickr30k] {
        let content = archive_of(dataset);
        let behind = Server::start(move |r, _| storage(r, &content, "\"a\""));
        let folder = tempfile::tempdir().unwrap();
        let (archive, out) = (folder.path().join("a.zip"), folder.path().join("data"));
        let door = door(&behind);
        let kaggle = Kaggle { url: door.url(), credentials: credentials(), patience: patience() };
        kaggle.download(dataset, &archive, &mut |_| ()).unwrap();
        unzip(&archive, &out, dataset.limits(), &mut |_, _| ()).unwrap();
        let found = DataFolder::find(&out).unwrap();
        let captions = found.captions(BadRows::Refuse).unwrap();
        assert_eq!((captions.len(), captions.captions[0].as_str()), (2, "A dog , running ."));
        assert!(found.images.join(&captions.image_filenames[0]).is_file());
        assert_eq!(captions.repaired.len(), usize::from(dataset == KaggleDataset::Flickr30k));
    }
}

fn find(values: &[(&str, &str)]) -> Result<Credentials> {
    let values: Vec<_> = values.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
    Credentials::find_with(&move |name| {
        values.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone())
    })
}

fn write_token(folder: &Path, json: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join("kaggle.json");
    std::fs::write(&path, json).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn credentials_from_variables_the_config_folder_and_home() {
    let root = tempfile::tempdir().unwrap();
    let home = root.path().to_str().unwrap();
    write_token(&root.path().join(".kaggle"), r#"{"username": "at-home", "key": "k1"}"#, 0o600);
    let found = find(&[("HOME", home)]).unwrap();
    assert_eq!((found.username.as_str(), found.warning.clone()), ("at-home", None));
    assert!(!format!("{found:?}").contains("k1"));

    let config = root.path().join("config");
    write_token(&config, r#"{"username": "configured", "key": "k2"}"#, 0o644);
    let config = ("KAGGLE_CONFIG_DIR", config.to_str().unwrap());
    let found = find(&[("HOME", home), config]).unwrap();
    assert_eq!(found.username, "configured");
    assert!(found.warning.unwrap().contains("chmod 600"));

    let variables = [("KAGGLE_USERNAME", "u"), ("KAGGLE_KEY", "k"), ("HOME", home), config];
    assert_eq!(find(&variables).unwrap().username, "u");
}

#[test]
fn missing_or_malformed_credentials_say_how_to_get_them() {
    let root = tempfile::tempdir().unwrap();
    let home = ("HOME", root.path().to_str().unwrap());
    let explained = |values: &[(&str, &str)], why: &str| {
        let (got, next) = refusal(find(values).unwrap_err());
        assert!(got.contains(why), "expected {why}, got {got}");
        assert!(next.contains("Create New API Token") && next.contains("KAGGLE_KEY"), "{next}");
    };
    explained(&[home], "kaggle.json");
    explained(&[], "no home folder");
    explained(&[home, ("KAGGLE_USERNAME", "u")], "KAGGLE_KEY is not");
    explained(&[home, ("KAGGLE_KEY", "k"), ("KAGGLE_USERNAME", " ")], "KAGGLE_USERNAME is not");
    explained(&[("KAGGLE_USERNAME", "u"), ("KAGGLE_KEY", "k\nx")], "odd characters");
    for json in [format!(r#"{{"username": "u", "key": {KEY}"#), r#"{"username": "u"}"#.into()] {
        write_token(&root.path().join(".kaggle"), &json, 0o600);
        explained(&[home], "kaggle.json:1:");
    }
}
