//! What grading a class costs: `N` submissions with every exercise, right ones, wrong ones, stubs, and ones that do not compile.
//!
//! `cargo bench --profile dev -p solutions --bench class -- N [alike]`: without `alike` every file has its student's name in a
//! comment, so that no verdict is used twice; with it students share texts as they share the stub. Prints submissions a
//! minute, core-seconds a submission, where they went, and the most memory of one process; fails if a grade is not the one
//! that the kill matrix gives.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use course::bank::{Verdict, entries, rows};
use course::house::House;
use course::worker::Library;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use vision_language::exercise::exercises;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let n: usize = args.first().map_or(Ok(200), |n| n.parse())?;
    let alike = args.get(1).is_some_and(|word| word == "alike");
    let house = House::find()?;
    let library = Library::ready(&house)?;
    let place = tempfile::tempdir()?;
    let class = place.path().join("class");
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(0);
    let mut banks = Vec::new();
    for exercise in exercises() {
        let rows = rows(&library, &house.root, exercise.id)?;
        let points: BTreeMap<String, u64> =
            rows.into_iter().map(|r| (r.name, u64::from(r.report.points()))).collect();
        banks.push((exercise.id, entries(&house.root, exercise.id)?, points));
    }
    let mut expected = BTreeMap::new();
    for student in 0..n {
        let name = format!("student{student:04}");
        let folder = class.join(&name).join("exercises");
        fs::create_dir_all(&folder)?;
        for (id, bank, points) in &banks {
            let kind = random.random_range(0..100);
            let of = |kind: fn(&Verdict) -> bool| -> Vec<_> {
                bank.iter().filter(|entry| kind(&entry.verdict)).collect()
            };
            let from = match kind {
                0..50 => of(|v| matches!(v, Verdict::Right)),
                50..82 => of(|v| matches!(v, Verdict::KilledBy { .. })),
                82..92 => of(|v| matches!(v, Verdict::Stub)),
                _ => of(|v| !matches!(v, Verdict::Stub)),
            };
            let entry = from[random.random_range(0..from.len())];
            let broken = kind >= 92;
            let mark = if alike { String::new() } else { format!("// {name}\n") };
            let end = if broken { "fn half( {\n" } else { "" };
            fs::write(folder.join(format!("{id}.rs")), format!("{}{mark}{end}", entry.code))?;
            expected.insert((name.clone(), *id), if broken { 0 } else { points[&entry.name] });
        }
    }
    let out = place.path().join("out");
    let (begun, before) = (Instant::now(), children()?);
    let done = Command::new(env!("CARGO_BIN_EXE_solutions"))
        .arg("grade")
        .arg(&class)
        .arg("--out")
        .arg(&out)
        .args(["--jobs", "2"])
        .stderr(Stdio::null())
        .status()?;
    let seconds = begun.elapsed().as_secs_f64();
    assert!(done.success());
    let all = children()? - before;
    let (mut compiling, mut caged, mut memory, mut wrong) = (0., 0., 0, 0);
    for entry in fs::read_dir(out.join("submissions"))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let read = |file: &str| -> Result<Value, Box<dyn std::error::Error>> {
            Ok(serde_json::from_slice(&fs::read(entry.path().join(file))?)?)
        };
        let grade = read("grade.json")?;
        compiling += grade["compiling"]["cpu"].as_f64().unwrap_or_default();
        caged += grade["used"]["cpu"].as_f64().unwrap_or_default();
        memory = memory.max(grade["used"]["memory"].as_u64().unwrap_or_default());
        let results = read("results.json")?;
        let tests = results["tests"].as_array().cloned().unwrap_or_default();
        for (id, ..) in &banks {
            let of = tests.iter().filter(|t| t["tags"][0] == *id && t["visibility"] == "visible");
            let came: u64 = of.filter_map(|t| t["score"].as_u64()).sum();
            if came != expected[&(name.clone(), *id)] {
                wrong += 1;
                println!("{name} {id}: {came}, expected {}", expected[&(name.clone(), *id)]);
            }
        }
    }
    let n = n as f64;
    println!(
        "{n} submissions of {} exercises in {seconds:.1} s: {:.1} a minute, {:.2} core-seconds each ({:.2} compiling, {:.2} \
         running, {:.2} grading); most memory of a process {} MB; {wrong} grades are wrong",
        banks.len(),
        n / seconds * 60.,
        all / n,
        compiling / n,
        (caged - compiling) / n,
        (all - caged) / n,
        memory >> 20
    );
    assert_eq!(wrong, 0);
    Ok(())
}

/// Processor seconds of all processes that this one has started and waited for.
fn children() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // Behind the name, which may hold anything: fields 16 and 17, in hundredths.
    let (_, fields) = stat.rsplit_once(')').ok_or("no /proc/self/stat")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    Ok((fields[13].parse::<f64>()? + fields[14].parse::<f64>()?) / 100.)
}
