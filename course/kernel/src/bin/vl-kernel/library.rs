//! The course's library in the process that runs the cells: loaded beforehand, and called from outside of any cell.

use std::ffi::{CString, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use course_kernel::install::Install;

/// The functions that the library has for a kernel (`display/kernel.rs`).
#[derive(Clone, Copy, Debug)]
pub struct Library {
    flush: extern "C" fn(),
    interrupt: extern "C" fn(c_int) -> c_int,
}

impl Library {
    /// Loads it. Nothing where it is gone, or older than this program: cells still run, with plainer manners.
    pub fn load(install: &Install) -> Option<Library> {
        // The library needs the standard library, and does not know where it lies.
        for entry in std::fs::read_dir(&install.libdir).ok()?.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with("libstd-") && name.ends_with(std::env::consts::DLL_SUFFIX) {
                open(&entry.path())?;
            }
        }
        let library = open(&install.facade)?;
        let find = |name: &std::ffi::CStr| {
            // SAFETY: a handle that `dlopen` gave, and a name that ends in zero.
            let found = unsafe { libc::dlsym(library, name.as_ptr()) };
            (!found.is_null()).then_some(found)
        };
        let (flush, interrupt) =
            (find(c"vision_language_flush")?, find(c"vision_language_interrupt")?);
        // SAFETY: the library defines both with these types.
        unsafe {
            Some(Library {
                flush: std::mem::transmute::<*mut c_void, extern "C" fn()>(flush),
                interrupt: std::mem::transmute::<*mut c_void, extern "C" fn(c_int) -> c_int>(
                    interrupt,
                ),
            })
        }
    }

    /// What cells have printed without a newline goes out.
    pub fn flush(&self) {
        (self.flush)();
    }

    /// Asks the library's loops to end, or takes that back; whether one runs that looks for it.
    pub fn interrupt(&self, on: bool) -> bool {
        (self.interrupt)(c_int::from(on)) != 0
    }
}

fn open(path: &Path) -> Option<*mut c_void> {
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    // SAFETY: a path that ends in zero. The library's initialisers are Rust's, of the compiler that made this program's.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    (!handle.is_null()).then_some(handle)
}
