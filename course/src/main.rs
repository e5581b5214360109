//! temporary: the three commands of the notebooks.
use std::process::ExitCode;

use clap::Parser;
use course::cmd::{kernel, lab, run};

#[derive(Parser)]
enum Cli {
    Lab(lab::LabArgs),
    Run(run::RunArgs),
    Kernel(kernel::KernelArgs),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse() {
        Cli::Lab(args) => lab::lab(&args),
        Cli::Run(args) => run::run(&args),
        Cli::Kernel(args) => kernel::kernel(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(error.exit_code())
        }
    }
}
