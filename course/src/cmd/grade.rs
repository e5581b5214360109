//! `vl grade`: points for what students hand in.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use vision_language::exercise::exercises;

use super::check::known;
use crate::cage::Layer;
use crate::grade::{self, Plan, Submission, collect, submissions, write_class};
use crate::house::House;
use crate::{Error, Result};

/// Grade submissions: notebooks, folders of notebooks and exercises, zips of these
#[derive(Args, Clone, Debug)]
pub struct GradeArgs {
    /// Submissions, or folders of submissions; with --merge, folders of results
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Where results go; what is there and unchanged is not graded again
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How many submissions at a time (by default one a core)
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Where the inputs of hidden checks are drawn from: the same seed, the same grades
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Only this exercise
    #[arg(long, value_name = "ID")]
    exercise: Option<String>,
    /// The path is one submission, whatever is in it
    #[arg(long, conflicts_with = "shard")]
    one: bool,
    /// Only every n-th submission, from the i-th on: 0/8, 1/8, … 7/8 together are all
    #[arg(long, value_name = "I/N")]
    shard: Option<String>,
    /// Put the results of shards together
    #[arg(long, conflicts_with_all = ["shard", "exercise"])]
    merge: bool,
    /// A layer of the sandbox that may be missing
    #[arg(long, value_name = "LAYER")]
    without: Vec<Layer>,
    /// Print the table as JSON
    #[arg(long)]
    json: bool,
}

/// Grades.
///
/// # Errors
/// A wrong call; a sandbox that is not whole. What submissions do is no error.
pub fn grade(args: &GradeArgs) -> Result<()> {
    if args.merge {
        let mut grades = collect(&args.paths, &args.out)?;
        write_class(&args.out, &mut grades)?;
        eprintln!("{} grades are in {}", grades.len(), args.out.join("grades.csv").display());
        return Ok(());
    }
    let house = House::find()?;
    let ids = match &args.exercise {
        Some(id) => vec![known(id)?.id],
        None => exercises().iter().map(|e| e.id).collect(),
    };
    let mut all = match args.one {
        true => args.paths.iter().map(|path| Submission::at(path)).collect(),
        false => submissions(&args.paths)?,
    };
    if let Some(shard) = &args.shard {
        let (i, n) = part(shard)?;
        all = all.into_iter().enumerate().filter(|(k, _)| k % n == i).map(|(_, s)| s).collect();
    } else if all.is_empty() {
        return Err(Error::Usage("there is no submission at these paths".into()));
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let plan = Plan {
        submissions: all,
        out: args.out.clone(),
        jobs: args.jobs.unwrap_or(cores).clamp(1, 64),
        seed: args.seed,
        ids,
        allowed: args.without.clone(),
        loud: !args.json,
    };
    let mut done = grade::grade(&house, &plan)?;
    if args.shard.is_none() {
        write_class(&args.out, &mut done.grades)?;
    }
    if args.json {
        let rows: Vec<_> = done.grades.iter().map(|g| json!({"name": g.name, "points": g.points(), "of": g.of(), "exercises": g.exercises.iter().map(|e| json!({"id": e.id, "points": e.points(), "seen": e.seen(), "of": e.of()})).collect::<Vec<_>>(), "core_seconds": g.used.cpu, "seconds": g.seconds})).collect();
        println!("{}", json!({"submissions": rows, "kept": done.kept, "seconds": done.seconds}));
        return Ok(());
    }
    let new = done.grades.len() - done.kept;
    let (cpu, memory) = done
        .grades
        .iter()
        .fold((0., 0), |(cpu, m): (f64, u64), g| (cpu + g.used.cpu, m.max(g.used.memory)));
    let each = if done.grades.is_empty() { 0. } else { cpu / done.grades.len() as f64 };
    eprintln!(
        "{new} graded, {} unchanged, in {:.0} s; {each:.1} core-seconds each, {} MB at most. {}",
        done.kept,
        done.seconds,
        memory >> 20,
        args.out.join(if args.shard.is_some() { "submissions" } else { "report.html" }).display()
    );
    Ok(())
}

/// `2/8` as 2 and 8.
fn part(text: &str) -> Result<(usize, usize)> {
    let numbers = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    match numbers {
        Some((i, n)) if i < n => Ok((i, n)),
        _ => Err(Error::Usage(format!("--shard: expected 0/8 to 7/8 or the like, got {text:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_one_of_n() {
        assert_eq!(part("2/8").unwrap(), (2, 8));
        for wrong in ["8/8", "1", "0/0", "-1/3", "a/b"] {
            assert_eq!(part(wrong).unwrap_err().exit_code(), 2, "{wrong}");
        }
    }
}
