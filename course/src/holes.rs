//! The exercises' code that a command needs, from the crate that has it.
//!
//! `course` depends on neither `exercises` nor `solutions`, so that a syntax error in one stub does not stop the other
//! commands. A command that needs holes starts itself again from the crate that can hand them over: `solutions` where
//! that is, else the student's `exercises`.

use std::process::ExitCode;

use vision_language::clip::{ClipLoss, FindMatches, HeadBuilder, KeepBest, ZeroShotClassifier};
use vision_language::dalle::DalleHoles;
use vision_language::frozen::FrozenHoles;
use vision_language::prompting::PromptingHoles;
use vision_language::unclip::Guidance;

use crate::house::{House, cargo_here};
use crate::{Error, Result};

/// The code of the exercises that the practice runs on.
#[derive(Clone, Copy)]
pub struct Holes {
    /// Whose they are: `the masters` or `your exercises`.
    pub whose: &'static str,
    /// `projection_head`
    pub head: HeadBuilder,
    /// `clip_loss`
    pub clip_loss: ClipLoss,
    /// `keep_best`
    pub keep_best: KeepBest,
    /// `find_matches`
    pub find_matches: FindMatches,
    /// `zero_shot_classifier`
    pub zero_shot_classifier: ZeroShotClassifier,
    /// `freeze_lm`, `visual_prefix`, `caption_loss`
    pub frozen: FrozenHoles,
    /// `quantize`, `dalle_sequence`
    pub dalle: DalleHoles,
    /// `prompt_template` with its `read_answer`, `few_shot_prompt`
    pub prompting: PromptingHoles,
    /// `guidance`
    pub guidance: &'static dyn Guidance,
}

/// Runs this same call again in the crate that has the holes.
pub(crate) fn delegate() -> Result<ExitCode> {
    let house = House::find()?;
    let package =
        if house.root.join("solutions/Cargo.toml").is_file() { "solutions" } else { "exercises" };
    let mut command = cargo_here();
    command.args(["run", "--quiet", "--manifest-path"]).arg(house.root.join("Cargo.toml"));
    command.args(["--package", package, "--"]).args(std::env::args_os().skip(1));
    let status = command.status().map_err(Error::io("cargo"))?;
    match status.code() {
        Some(code @ 0..=255) => Ok(ExitCode::from(code as u8)),
        _ => Err(Error::Program {
            command: format!("cargo run --package {package}"),
            why: format!("ended with {status}"),
        }),
    }
}
