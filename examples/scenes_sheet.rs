//! Draws a contact sheet of scenes and prints their fullest captions, for looking at them:
//! `cargo run --example scenes_sheet -- sheet.png [--size 64x64] [--columns 6] [--rows 5] [--seed 0] [--split train]`.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use vision_language::dataset::scenes::{Scene, Split, contact_sheet};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str, default: &str| {
        let at = arguments.iter().position(|a| a == name);
        at.and_then(|i| arguments.get(i + 1)).map_or_else(|| default.to_string(), String::clone)
    };
    let out = arguments.first().ok_or("name the picture to write, as sheet.png")?;
    let size = option("--size", "320x240");
    let (width, height) = size.split_once('x').ok_or("a size is WIDTHxHEIGHT")?;
    let (width, height): (u32, u32) = (width.parse()?, height.parse()?);
    let (columns, rows): (usize, usize) =
        (option("--columns", "6").parse()?, option("--rows", "5").parse()?);
    let name = option("--split", "train");
    let split = Split::ALL.into_iter().find(|s| s.name() == name).ok_or("no such split")?;
    let mut rng = ChaCha8Rng::seed_from_u64(option("--seed", "0").parse()?);
    let scenes: Vec<Scene> = (0..columns * rows).map(|_| Scene::sample(&mut rng, split)).collect();
    for (i, scene) in scenes.iter().enumerate() {
        println!(
            "{}.{}: {}",
            i / columns + 1,
            i % columns + 1,
            scene.captions(&mut rng).join(" | ")
        );
    }
    let start = std::time::Instant::now();
    let sheet = contact_sheet(&scenes, columns, width, height);
    println!("{} pictures of {size} in {:?}", scenes.len(), start.elapsed());
    sheet.save(out)?;
    Ok(())
}
