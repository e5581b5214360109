//! `cargo vl`, without any exercise's code of its own.

fn main() -> std::process::ExitCode {
    course::main(None)
}
