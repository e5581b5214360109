//! `vl hint`, `vl reveal`: help in steps, and the solution where it is.

use clap::Args;
use serde_json::json;
use vision_language::exercise::hint::{self, STEPS};

use super::check::known;
use crate::house::House;
use crate::progress::Progress;
use crate::sync::Master;
use crate::{Error, Result};

/// A hint for an exercise: each call shows one step more
#[derive(Args, Clone, Debug)]
pub struct HintArgs {
    /// Which exercise
    #[arg(value_name = "ID")]
    id: String,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// Shows the next step of the hint that fits what the last check recognised.
///
/// # Errors
/// An unknown id.
pub fn hint(args: &HintArgs) -> Result<()> {
    let exercise = known(&args.id)?;
    let mut progress = Progress::read(&House::find()?);
    let (steps, text) = next(&mut progress, exercise.id)?;
    if args.json {
        let known = hint::of(exercise.id, progress.of(exercise.id).misconception.as_deref());
        let shown: Vec<_> = STEPS.iter().zip(known.steps).take(steps).collect();
        let misconception = progress.of(exercise.id).misconception;
        println!("{}", json!({"id": exercise.id, "misconception": misconception, "steps": shown}));
    } else {
        print!("{text}");
    }
    Ok(())
}

/// One step more of an exercise's hint: how many there are now, and their text.
///
/// # Errors
/// When the count cannot be kept.
pub fn next(progress: &mut Progress, id: &str) -> Result<(usize, String)> {
    let entry = progress.of(id);
    let known = hint::of(id, entry.misconception.as_deref());
    let steps = progress.hinted(id, STEPS.len())?;
    let mut text = match known.name {
        "" => format!("{id}\n"),
        name => format!("{id}, {name}\n"),
    };
    for (name, step) in STEPS.iter().zip(known.steps).take(steps) {
        text += &format!("\n  {name}\n    {step}\n");
    }
    text += match STEPS.len() - steps {
        0 => "\nThat was the last step.\n",
        _ => "\nThe same command shows one step more.\n",
    };
    Ok((steps, text))
}

/// The solution of an exercise, where this copy of the course has it
#[derive(Args, Clone, Debug)]
pub struct RevealArgs {
    /// Which exercise
    #[arg(value_name = "ID")]
    id: String,
}

/// Prints what the master has in the hole.
///
/// # Errors
/// In a student's copy, which has no solutions.
pub fn reveal(args: &RevealArgs) -> Result<()> {
    let exercise = known(&args.id)?;
    let house = House::find()?;
    let path = house.root.join(format!("solutions/src/{}.rs", exercise.id));
    if !path.is_file() {
        return Err(Error::Failed(format!(
            "this copy of the course has no solutions.\n  next: cargo vl hint {}",
            exercise.id
        )));
    }
    for solution in Master::read(&path)?.solutions() {
        println!("{solution}\n");
    }
    eprintln!("This is one way; yours may look different and be as right.");
    Ok(())
}
