//! The file tree of a cage: the named folders at their own places, read-only, and nothing else.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::inside::done;
use super::{Cage, Phase};

/// Where the new tree is built: a folder that every system has, and that nothing is needed from any more.
const PLACE: &str = "/proc";

/// The system's libraries; a worker needs no more of it.
const LIBRARIES: [&str; 5] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"];

/// The linker and what it is made of.
const PROGRAMS: [&str; 4] = ["/bin", "/usr/bin", "/usr/libexec", "/etc/alternatives"];

/// What of the system is there: paths that exist.
pub(super) fn system(phase: Phase) -> Vec<PathBuf> {
    let programs = if phase == Phase::Compile { &PROGRAMS[..] } else { &[] };
    let all = LIBRARIES.iter().chain(programs).map(PathBuf::from);
    all.filter(|path| path.symlink_metadata().is_ok()).collect()
}

/// Changes to a tree with the cage's folders and the system's libraries in it.
pub(super) fn enter(cage: &Cage) -> io::Result<()> {
    let root = Path::new(PLACE);
    // What is mounted from here on is seen by nobody outside.
    mount(None, Path::new("/"), None, libc::MS_REC | libc::MS_PRIVATE, "")?;
    let options = "size=1m,mode=755";
    mount(None, root, Some("tmpfs"), libc::MS_NOSUID | libc::MS_NODEV, options)?;
    let mut read = system(cage.phase);
    read.extend(cage.read.iter().cloned());
    let mut all: Vec<(PathBuf, bool)> = read.into_iter().map(|path| (path, false)).collect();
    all.extend(cage.write.iter().map(|path| (path.clone(), true)));
    // A folder comes before what lies in it.
    all.sort_by_key(|(path, _)| path.components().count());
    for (path, writable) in all {
        place(root, &path, writable)?;
    }
    place(root, Path::new("/dev/null"), true)?;
    if let Some(exe) = &cage.exe {
        fs::create_dir_all(root.join("proc/self"))?;
        std::os::unix::fs::symlink(exe, root.join("proc/self/exe"))?;
    }
    let old = root.join(".old");
    fs::create_dir(&old)?;
    let (new, old) = (c_path(root)?, c_path(&old)?);
    // Safety: both are paths that end with a zero.
    unsafe {
        done("pivot_root", libc::syscall(libc::SYS_pivot_root, new.as_ptr(), old.as_ptr()) as i32)?;
        done("chdir", libc::chdir(c"/".as_ptr()))?;
        done("umount", libc::umount2(c"/.old".as_ptr(), libc::MNT_DETACH))?;
    }
    fs::remove_dir("/.old")?;
    let flags = libc::MS_REMOUNT | libc::MS_RDONLY | libc::MS_NOSUID | libc::MS_NODEV;
    mount(None, Path::new("/"), None, flags | libc::MS_BIND, "")
}

/// Puts a file, folder or link of the old tree to its place in the new one.
fn place(root: &Path, path: &Path, writable: bool) -> io::Result<()> {
    let to = root.join(path.strip_prefix("/").unwrap_or(path));
    if to.symlink_metadata().is_ok() && path.is_symlink() {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    if path.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(path)?, &to);
    }
    if path.is_dir() {
        fs::create_dir_all(&to)?;
    } else if !to.exists() {
        fs::write(&to, "")?;
    }
    mount(Some(path), &to, None, libc::MS_BIND, "")?;
    // A user namespace may not take away what the mount forbids already.
    let kept = kept(&to)?;
    let device = path.starts_with("/dev");
    let mut flags = libc::MS_REMOUNT | libc::MS_BIND | libc::MS_NOSUID | kept;
    flags |= if writable { 0 } else { libc::MS_RDONLY };
    flags |= if device { 0 } else { libc::MS_NODEV };
    mount(None, &to, None, flags, "")
}

/// What a mount forbids, as flags for mounting it again.
fn kept(path: &Path) -> io::Result<libc::c_ulong> {
    let path = c_path(path)?;
    // Safety: the path ends with a zero, and the answer has room.
    let flags = unsafe {
        let mut told: libc::statvfs = std::mem::zeroed();
        done("statvfs", libc::statvfs(path.as_ptr(), &mut told))?;
        told.f_flag
    };
    let pairs = [
        (libc::ST_NODEV, libc::MS_NODEV),
        (libc::ST_NOEXEC, libc::MS_NOEXEC),
        (libc::ST_NOATIME, libc::MS_NOATIME),
        (libc::ST_NODIRATIME, libc::MS_NODIRATIME),
        (libc::ST_RELATIME, libc::MS_RELATIME),
    ];
    Ok(pairs.iter().filter(|(told, _)| flags & told != 0).fold(0, |all, (_, flag)| all | flag))
}

fn mount(
    from: Option<&Path>,
    to: &Path,
    kind: Option<&str>,
    flags: libc::c_ulong,
    options: &str,
) -> io::Result<()> {
    let from = from.map(c_path).transpose()?;
    let kind = kind.map(CString::new).transpose()?;
    let (target, options) = (c_path(to)?, CString::new(options)?);
    let pointer = |text: &Option<CString>| text.as_ref().map_or(std::ptr::null(), |t| t.as_ptr());
    let what = format!("mount {}", to.display());
    // Safety: all texts live until after the call.
    let code = unsafe {
        let options = options.as_ptr().cast();
        libc::mount(pointer(&from), target.as_ptr(), pointer(&kind), flags, options)
    };
    done(&what, code).map(drop)
}

fn c_path(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}
