//! Archives that mean harm, and archives that were cut short.

use std::io::{Cursor, Write};
use std::path::PathBuf;

use tempfile::TempDir;
use vision_language::Result;
use vision_language::hub::{Limits, unzip};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const LIMITS: Limits = Limits { bytes: 1_000_000, entries: 20 };

struct Case {
    folder: TempDir,
}

impl Case {
    fn new(zip: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("work")).unwrap();
        std::fs::write(folder.path().join("work/a.zip"), zip).unwrap();
        Self { folder }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("work/out")
    }

    fn unzip(&self) -> Result<usize> {
        unzip(&self.folder.path().join("work/a.zip"), &self.out(), LIMITS, &mut |_, _| ())
    }

    /// The refusal; nothing may have been written, neither in the folder nor outside.
    fn refused(&self) -> String {
        let message = self.unzip().unwrap_err().to_string();
        assert!(message.contains("a.zip"), "{message}");
        let names = |path: PathBuf| -> Vec<String> {
            let entries = std::fs::read_dir(path).unwrap();
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
        };
        assert_eq!(names(self.folder.path().to_path_buf()), ["work"]);
        assert_eq!(names(self.folder.path().join("work")), ["a.zip"]);
        message
    }
}

fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn flickr8k() -> Vec<u8> {
    let picture: Vec<u8> = (0..20_000u32).map(|i| (i * i % 251) as u8).collect();
    archive(&[
        ("captions.txt", b"image,caption\na.jpg,A dog .\n"),
        ("Images/a.jpg", &picture),
        ("Images/b.jpg", &picture[..9_000]),
    ])
}

#[test]
fn the_layout_of_flickr8k_unpacks() {
    let case = Case::new(&flickr8k());
    let mut told = Vec::new();
    let from = case.folder.path().join("work/a.zip");
    let n = unzip(&from, &case.out(), LIMITS, &mut |done, total| told.push((done, total))).unwrap();
    assert_eq!(n, 3);
    assert_eq!(std::fs::read_to_string(case.out().join("captions.txt")).unwrap().len(), 28);
    assert_eq!(std::fs::metadata(case.out().join("Images/a.jpg")).unwrap().len(), 20_000);
    assert_eq!(std::fs::read_dir(case.out()).unwrap().count(), 2, "no marker is left");
    assert!(!case.folder.path().join("work/out.partial").exists());
    assert_eq!(told.last(), Some(&(29_028, 29_028)));
    assert!(case.unzip().unwrap_err().to_string().contains("empty or absent"));
}

#[test]
fn no_entry_leads_out_of_the_folder() {
    for name in
        ["../evil.txt", "Images/../../evil.txt", "/tmp/evil.txt", "..\\evil.txt", "C:\\evil"]
    {
        let message = Case::new(&archive(&[("a.txt", b"fine"), (name, b"evil")])).refused();
        assert!(message.contains("leads out of its folder"), "{name}: {message}");
    }
}

#[test]
fn a_link_is_refused() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("Images", "/etc", SimpleFileOptions::default()).unwrap();
    let message = Case::new(&zip.finish().unwrap().into_inner()).refused();
    assert!(message.contains("is a link"), "{message}");
}

#[test]
fn more_than_the_limits_is_refused() {
    // A thousandth of its size when packed.
    let bomb = archive(&[("zeros", &vec![0; 1_000_001])]);
    assert!(bomb.len() < 10_000);
    assert!(Case::new(&bomb).refused().contains("more than 1.0 MB"));
    let names: Vec<String> = (0..21).map(|i| i.to_string()).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), &b"a"[..])).collect();
    assert!(Case::new(&archive(&many)).refused().contains("21 entries"));
    assert!(Case::new(&archive(&[])).refused().contains("no file"));
}

#[test]
fn an_entry_that_announces_less_than_it_holds_is_stopped() {
    let mut zip = archive(&[("zeros", &vec![0; 500_000])]);
    // The uncompressed size stands 24 bytes into the entry's record in the central directory.
    let record = zip.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    zip[record + 24..record + 28].copy_from_slice(&1000u32.to_le_bytes());
    let case = Case::new(&zip);
    let message = case.unzip().unwrap_err().to_string();
    assert!(message.contains("zeros is damaged") && message.contains("declared"), "{message}");
    assert!(!case.out().exists());
}

#[test]
fn an_archive_cut_short_is_refused() {
    let whole = flickr8k();
    for cut in [whole.len() / 2, whole.len() - 10, 0] {
        let message = Case::new(&whole[..cut]).refused();
        assert!(
            message.contains("not a whole zip") && message.contains("download it again"),
            "{message}"
        );
    }
}

#[test]
fn a_damaged_file_is_refused_and_the_folder_does_not_appear() {
    let mut damaged = flickr8k();
    let at = damaged.windows(12).position(|w| w == b"Images/a.jpg").unwrap() + 100;
    damaged[at] ^= 0xff;
    let case = Case::new(&damaged);
    assert!(case.unzip().unwrap_err().to_string().contains("Images/a.jpg is damaged"));
    assert!(!case.out().exists());
}

#[test]
fn it_goes_on_where_it_was_broken_off() {
    let case = Case::new(&flickr8k());
    let from = case.folder.path().join("work/a.zip");
    let stopped = std::panic::catch_unwind(|| {
        unzip(&from, &case.out(), LIMITS, &mut |done, _| assert!(done < 20_000, "stopped"))
    });
    assert!(stopped.is_err() && !case.out().exists());
    let partial = case.folder.path().join("work/out.partial");
    assert!(partial.join("Images/a.jpg").exists());

    let mut told = Vec::new();
    unzip(&from, &case.out(), LIMITS, &mut |done, _| told.push(done)).unwrap();
    assert_eq!(told[0], 20_028, "what was there is not unpacked again");
    assert_eq!(std::fs::metadata(case.out().join("Images/b.jpg")).unwrap().len(), 9_000);
}

#[test]
fn a_partial_folder_of_another_archive_is_not_taken_over() {
    let case = Case::new(&flickr8k());
    let partial = case.folder.path().join("work/out.partial");
    std::fs::create_dir_all(&partial).unwrap();
    std::fs::write(partial.join("old.txt"), "another archive's").unwrap();
    case.unzip().unwrap();
    assert!(!case.out().join("old.txt").exists());
}
