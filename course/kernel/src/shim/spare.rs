//! Compilers that wait for a cell with the library read already.
//!
//! Of the time that rustc takes for a small cell, most goes by before it looks at the cell: it loads itself and the metadata of
//! the library's 250 packages. So the kernel keeps a few compilers started ([`crate::shim::spare::command`]). Each is given a
//! root of three lines: permission for what cells leave unused, the library, and `include!("src/lib.rs")`. That file is a named
//! pipe. rustc reads the library when it meets the second line, and then waits at the pipe until the kernel writes the cell into
//! it. The file's name and its lines are those of a cell that is compiled without a spare, and so are the messages.
//!
//! The small `cargo` asks for one by a socket in the session's folder:
//!
//! ```text
//! → the optimisation, a newline, the cell
//! ← `none` where no compiler waits; else the compiler's messages, a line each, and last `made FILE` or `failed`
//! ```

use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::install::Install;
use crate::shim::build;

/// The socket's name in the session's folder.
pub const SOCKET: &str = "compilers";

/// The first line of every cell that evcxr writes. It must stand in the root.
const FIRST_LINE: &str = "#![allow(unused_imports, unused_mut, dead_code)]";

/// The file that a spare compiler is started on.
pub const ROOT: &str = "root.rs";

/// What stands in it.
pub fn root() -> String {
    format!("{FIRST_LINE}\nextern crate vision_language as _;\ninclude!(\"src/lib.rs\");\n")
}

/// The cell as it is included: its first line is in the root, a line of its own stays for it. None where the cell has other
/// attributes of a crate, which an included file cannot have.
pub fn included(source: &str) -> Option<&str> {
    let rest = source.strip_prefix(FIRST_LINE)?;
    let other = rest.lines().any(|line| line.trim_start().starts_with("#!"));
    (!other).then_some(rest)
}

/// The compiler, to be started in `folder`.
pub fn command(install: &Install, kernel: &Path, folder: &Path, optimisation: &str) -> Command {
    build::rustc(install, kernel, folder, Path::new(ROOT), Path::new("out"), true, optimisation)
}

/// Has a cell compiled by a spare. None where there is none, or where it came to no end that can be trusted.
pub fn compile(
    session: &Path,
    source: &str,
    optimisation: &str,
    out: &Path,
) -> Option<(Vec<String>, bool)> {
    let source = included(source)?;
    let begun = Instant::now();
    let mut kernel = UnixStream::connect(session.join(SOCKET)).ok()?;
    kernel.write_all(format!("{optimisation}\n{source}").as_bytes()).ok()?;
    kernel.shutdown(Shutdown::Write).ok()?;
    let mut said = Vec::new();
    for line in BufReader::new(&kernel).lines() {
        let line = line.ok()?;
        if let Some(made) = line.strip_prefix("made ") {
            std::fs::rename(PathBuf::from(made), out.join(build::library_name())).ok()?;
            build::record(begun.elapsed());
            return Some((said, true));
        }
        match line.as_str() {
            "none" => return None,
            "failed" => {
                // Names that an included file brings are weaker than those of a macro's surroundings: rare, and then compiled
                // the other way.
                let is_error = |line: &String| line.contains("\"level\":\"error\"");
                let trusted =
                    said.iter().any(is_error) && !said.iter().any(|l| l.contains("E0659"));
                build::record(begun.elapsed());
                return trusted.then_some((said, false));
            }
            _ if line.starts_with('{') => said.push(line),
            _ => eprintln!("{line}"),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_keeps_its_lines() {
        let cell = format!("{FIRST_LINE}\nuse std::fmt;\nfn f() {{}}\n");
        let included = included(&cell).unwrap();
        assert_eq!(included.lines().count(), cell.lines().count());
        assert_eq!(included.lines().nth(1), Some("use std::fmt;"));
    }

    #[test]
    fn a_cell_with_attributes_of_its_own_is_compiled_the_other_way() {
        assert_eq!(included(&format!("{FIRST_LINE}\n#![allow(unused)]\n")), None);
        assert_eq!(included("fn f() {}"), None);
    }
}
