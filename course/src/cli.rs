//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::cmd::{
    caption, check, classify, data, doctor, draw, eval, export, fetch, frozen, grade, hint, index,
    kernel, lab, matching, matrix, objectives, pretrain, probe, progress, prompting, release, run,
    site, sync, train, train_dalle, train_unclip, watch,
};
use crate::holes::{self, Holes};
use crate::house::House;
use crate::{Error, Result};

/// The course "Vision and Language": notebooks, data, training, search.
#[derive(Debug, Parser)]
#[command(name = "cargo vl", bin_name = "cargo vl", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Data(data::DataArgs),
    Fetch(fetch::FetchArgs),
    Lab(lab::LabArgs),
    Run(run::RunArgs),
    Kernel(kernel::KernelArgs),
    Doctor(doctor::DoctorArgs),
    Train(train::TrainArgs),
    Match(matching::MatchArgs),
    Index(index::IndexArgs),
    Eval(eval::EvalArgs),
    Probe(probe::ProbeArgs),
    Objectives(objectives::ObjectivesArgs),
    Classify(classify::ClassifyArgs),
    Frozen(Box<frozen::FrozenArgs>),
    Prompting(prompting::PromptingArgs),
    Caption(caption::CaptionArgs),
    Ask(caption::AskArgs),
    TrainDalle(train_dalle::TrainDalleArgs),
    TrainUnclip(train_unclip::TrainUnclipArgs),
    Draw(draw::DrawArgs),
    Gallery(draw::GalleryArgs),
    Pretrain(pretrain::PretrainArgs),
    Check(check::CheckArgs),
    Watch(watch::WatchArgs),
    Hint(hint::HintArgs),
    Reveal(hint::RevealArgs),
    Progress(progress::ProgressArgs),
    Reset(progress::ResetArgs),
    Matrix(matrix::MatrixArgs),
    Grade(grade::GradeArgs),
    Export(export::ExportArgs),
    Release(release::ReleaseArgs),
    Site(site::SiteArgs),
    /// Make stubs and notebooks from the masters (for who writes the course)
    Sync(sync::SyncArgs),
}

/// Runs the command of this process. Exit codes: 0 fine, 1 the work failed, 2 the call was wrong.
///
/// `holes` is the exercises' code where the program has it; without it a command that needs some starts again from the
/// crate that does.
pub fn main(holes: Option<Holes>) -> ExitCode {
    crate::cage::enter_if_asked();
    let cli = Cli::parse();
    match dispatch(&cli.command, holes) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn dispatch(command: &Command, holes: Option<Holes>) -> Result<ExitCode> {
    match (command, holes) {
        (Command::Data(args), _) => data::data(args)?,
        (Command::Fetch(args), _) => fetch::fetch(args)?,
        (Command::Lab(args), _) => lab::lab(args)?,
        (Command::Run(args), _) => run::run(args)?,
        (Command::Kernel(args), _) => kernel::kernel(args)?,
        (Command::Doctor(args), _) => doctor::doctor(args)?,
        (Command::Pretrain(args), _) => pretrain::pretrain(args)?,
        (Command::Check(args), _) => return check::check(args),
        (Command::Watch(args), _) => watch::watch(args)?,
        (Command::Hint(args), _) => hint::hint(args)?,
        (Command::Reveal(args), _) => hint::reveal(args)?,
        (Command::Progress(args), _) => progress::progress(args)?,
        (Command::Reset(args), _) => progress::reset(args)?,
        (Command::Matrix(args), _) => matrix::matrix(args)?,
        (Command::Export(args), _) => export::export(args)?,
        // The hidden checks come from the crate that has the masters.
        (Command::Grade(_), None) => return holes::delegate(),
        (Command::Grade(args), Some(_)) => grade::grade(args)?,
        (Command::Release(args), _) => release::release(args)?,
        (Command::Site(args), _) => site::site(args)?,
        (Command::Sync(args), _) => sync::run(args, &House::find()?.root)?,
        (Command::Draw(args), _) => draw::draw(args)?,
        (Command::Gallery(args), _) => draw::gallery(args)?,
        (Command::Caption(args), holes) if holes.is_some() || args.model.checkpoint.is_none() => {
            caption::caption(args, holes.as_ref())?;
        }
        (Command::Ask(args), holes) if holes.is_some() || args.model.checkpoint.is_none() => {
            caption::ask(args, holes.as_ref())?;
        }
        (Command::Classify(args), holes) if holes.is_some() || !args.wants_holes() => {
            classify::classify(args, holes.as_ref())?;
        }
        (Command::Caption(_) | Command::Ask(_) | Command::Classify(_), _)
        | (
            Command::Train(_)
            | Command::Match(_)
            | Command::Index(_)
            | Command::Eval(_)
            | Command::Frozen(_)
            | Command::Prompting(_)
            | Command::TrainUnclip(_)
            | Command::TrainDalle(_)
            | Command::Probe(_)
            | Command::Objectives(_),
            None,
        ) => {
            return holes::delegate();
        }
        (Command::Train(args), Some(holes)) => train::train(args, &holes)?,
        (Command::TrainUnclip(args), Some(holes)) => train_unclip::train_unclip(args, &holes)?,
        (Command::TrainDalle(args), Some(holes)) => train_dalle::train_dalle(args, &holes)?,
        (Command::Frozen(args), Some(holes)) => frozen::frozen(args, &holes)?,
        (Command::Prompting(args), Some(holes)) => prompting::prompting(args, &holes)?,
        (Command::Match(args), Some(holes)) => matching::matching(args, &holes)?,
        (Command::Index(args), Some(holes)) => index::index(args, &holes)?,
        (Command::Probe(args), Some(holes)) => probe::probe(args, &holes)?,
        (Command::Objectives(args), Some(holes)) => objectives::objectives(args, &holes)?,
        (Command::Eval(args), Some(holes)) => eval::eval(args, &holes)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The exit code of a library error: a missing file is the call's fault as little as the work's, so all are 1.
impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Error::Failed(format!("json: {error}"))
    }
}
