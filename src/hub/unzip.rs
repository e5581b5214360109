//! An archive to a folder, with care: nothing outside the folder, no links, no more than was announced, and the folder
//! appears when all of it is there.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Component, Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

use super::space::{beside, bytes, require_space};
use crate::{Error, Result};

/// What an archive may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of all its files together, unpacked.
    pub bytes: u64,
    /// Its entries.
    pub entries: usize,
}

/// One file of the archive: its number, its place below the folder, its size.
struct Entry {
    number: usize,
    path: PathBuf,
    size: u64,
}

/// Unpacks `archive` to `out`, which must not be there or be empty. The work is done in `out.partial`; after a break it
/// goes on with the files that are missing there. `progress` is told bytes done, and of how many. Gives the number of
/// files.
///
/// # Errors
/// [`Error::Download`] when the archive is damaged, cut short, encrypted, larger than `limits`, or has an entry that
/// is a link or leads out of the folder, in which case nothing is written; or without room on the disk.
pub fn unzip(
    archive: &Path,
    out: &Path,
    limits: Limits,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<usize> {
    let refuse = |why: String| refused(archive, why);
    if out.exists() && std::fs::read_dir(out).map_err(Error::io(out))?.next().is_some() {
        return Err(Error::value(
            format!("the folder {}", out.display()),
            "empty or absent",
            "files",
        ));
    }
    let file = File::open(archive).map_err(Error::io(archive))?;
    let length = file.metadata().map_err(Error::io(archive))?.len();
    let mut zip = ZipArchive::new(file).map_err(|e| broken(archive, e))?;
    let entries = inspect(archive, &mut zip, limits)?;
    let total: u64 = entries.iter().map(|e| e.size).sum();

    let partial = beside(out, ".partial")?;
    let of = format!("{length} bytes, {} files, {total} unpacked\n", entries.len());
    begin(&partial, &of)?;
    let present = |e: &Entry| {
        let there = std::fs::symlink_metadata(partial.join(&e.path));
        there.is_ok_and(|m| m.is_file() && m.len() == e.size)
    };
    let (there, missing): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(|e| present(e));
    let mut done: u64 = there.iter().map(|e| e.size).sum();
    require_space(&partial, total - done, &archive.display().to_string())?;
    for entry in missing {
        progress(done, total);
        let mut from = zip.by_index(entry.number).map_err(|e| broken(archive, e))?;
        let place = partial.join(&entry.path);
        let folder = place.parent().expect("below the partial folder");
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let unfinished = partial.join(".unfinished");
        let mut to = File::create(&unfinished).map_err(Error::io(&unfinished))?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            // Checks the announced size and the checksum too.
            let n = from
                .read(&mut buffer)
                .map_err(|e| refuse(format!("{} is damaged ({e})", entry.path.display())))?;
            if n == 0 {
                break;
            }
            to.write_all(&buffer[..n]).map_err(Error::io(&unfinished))?;
        }
        std::fs::rename(&unfinished, &place).map_err(Error::io(&place))?;
        done += entry.size;
    }
    progress(done, total);
    let marker = partial.join(MARKER);
    std::fs::remove_file(&marker).map_err(Error::io(&marker))?;
    if out.exists() {
        std::fs::remove_dir(out).map_err(Error::io(out))?;
    }
    std::fs::rename(&partial, out).map_err(Error::io(out))?;
    Ok(entries.len())
}

/// Says which archive a partial folder is of.
const MARKER: &str = ".archive";

/// Makes the partial folder, or keeps the one of the same archive.
fn begin(partial: &Path, of: &str) -> Result<()> {
    let marker = partial.join(MARKER);
    if partial.exists() && std::fs::read_to_string(&marker).ok().as_deref() != Some(of) {
        std::fs::remove_dir_all(partial).map_err(Error::io(partial))?;
    }
    std::fs::create_dir_all(partial).map_err(Error::io(partial))?;
    std::fs::write(&marker, of).map_err(Error::io(&marker))
}

/// Judges every entry before one byte is written.
fn inspect(archive: &Path, zip: &mut ZipArchive<File>, limits: Limits) -> Result<Vec<Entry>> {
    let refuse = |why: String| Err(refused(archive, why));
    if zip.len() > limits.entries {
        return refuse(format!("it has {} entries, more than {}", zip.len(), limits.entries));
    }
    let (mut entries, mut total) = (Vec::new(), 0u64);
    for number in 0..zip.len() {
        let entry = zip.by_index_raw(number).map_err(|e| broken(archive, e))?;
        let name = entry.name().map_err(|e| broken(archive, e))?.into_owned();
        let Some(path) = inside(&name) else {
            return refuse(format!("the entry `{}` leads out of its folder", name.escape_debug()));
        };
        if entry.is_symlink() {
            return refuse(format!("the entry `{name}` is a link"));
        }
        if entry.encrypted() {
            return refuse(format!("the entry `{name}` is encrypted"));
        }
        if entry.is_dir() {
            continue;
        }
        total = total.saturating_add(entry.size());
        if total > limits.bytes {
            let most = bytes(limits.bytes);
            return refuse(format!("it unpacks to more than {most}, which is the most expected"));
        }
        entries.push(Entry { number, path, size: entry.size() });
    }
    match entries.is_empty() {
        true => refuse("it holds no file".into()),
        false => Ok(entries),
    }
}

/// The entry's place below the folder; `None` for anything but plain names between `/`.
fn inside(name: &str) -> Option<PathBuf> {
    let odd = name.is_empty() || name.contains(['\\', '\0', ':']) || name == MARKER;
    let plain = Path::new(name).components().all(|c| matches!(c, Component::Normal(_)));
    (!odd && plain).then(|| PathBuf::from(name))
}

fn refused(archive: &Path, why: String) -> Error {
    Error::Download {
        what: archive.display().to_string(),
        why,
        next: "delete the file and download it again".into(),
    }
}

fn broken(archive: &Path, error: ZipError) -> Error {
    match error {
        ZipError::UnsupportedArchive(why) => refused(archive, format!("cannot be unpacked: {why}")),
        other => refused(archive, format!("not a whole zip archive ({other})")),
    }
}
