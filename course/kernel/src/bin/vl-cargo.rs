//! The small `cargo` (and `rustup`) in front of the real ones, for a kernel's own processes.

use std::process::ExitCode;

fn main() -> ExitCode {
    course_kernel::shim::main()
}
