//! Makes `data/sprites`: one atlas of drawings a style, and an index that says what they are and where they come from.
//!
//! ```text
//! npm install --ignore-scripts @iconify-json/noto@1.2.9 @iconify-json/twemoji@1.2.5 \
//!     @iconify-json/openmoji@1.2.29 @iconify-json/fluent-emoji-flat@1.2.6
//! cargo run -p course-sprites -- --icons node_modules/@iconify-json --out data/sprites
//! ```
//!
//! The same packages give the same bytes.

mod colour;
mod icons;
mod objects;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, RgbaImage, imageops};
use serde_json::{Value, json};

use icons::Set;
use objects::{NO_COLOUR, OBJECTS};

/// Style and package folder, in the order of the index.
const STYLES: [(&str, &str); 4] = [
    ("noto", "noto"),
    ("twemoji", "twemoji"),
    ("openmoji", "openmoji"),
    ("fluent", "fluent-emoji-flat"),
];
/// The longer side of a drawing, pixels.
const SIDE: u32 = 128;
/// Drawings in a row of the atlas.
const COLUMNS: u32 = 16;

fn main() {
    let result = arguments().and_then(|(icons, out)| {
        make(&icons, &out)?;
        Ok(out)
    });
    match result {
        Ok(out) => {
            println!("{} objects in four styles are in {}.", OBJECTS.len(), out.display());
        }
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    }
}

fn arguments() -> Result<(PathBuf, PathBuf), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [a, icons, b, out] if a == "--icons" && b == "--out" => Ok((icons.into(), out.into())),
        _ => Err("usage: cargo run -p course-sprites -- --icons node_modules/@iconify-json --out data/sprites".into()),
    }
}

fn make(icons: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut drawings: Vec<Vec<RgbaImage>> = vec![Vec::new(); OBJECTS.len()];
    let mut provenance = Vec::new();
    let mut rects: Vec<Vec<[u32; 4]>> = vec![Vec::new(); OBJECTS.len()];
    fs::create_dir_all(out)?;
    for (style, folder) in STYLES {
        let set = Set::open(&icons.join(folder))?;
        let rows = (OBJECTS.len() as u32).div_ceil(COLUMNS);
        let mut atlas = RgbaImage::new(COLUMNS * SIDE, rows * SIDE);
        for (i, object) in OBJECTS.iter().enumerate() {
            let drawing = set.render(object.0, SIDE)?;
            let (x, y) = (i as u32 % COLUMNS * SIDE, i as u32 / COLUMNS * SIDE);
            imageops::replace(&mut atlas, &drawing, x.into(), y.into());
            rects[i].push([x, y, drawing.width(), drawing.height()]);
            drawings[i].push(drawing);
        }
        write_png(&atlas, &out.join(format!("{style}.png")))?;
        let p = &set.provenance;
        provenance.push(json!({
            "style": style, "file": format!("{style}.png"), "title": p.title, "package": p.package,
            "version": p.version, "author": p.author, "url": p.url, "license": p.license,
            "license_url": p.license_url,
        }));
    }
    let objects: Vec<Value> = OBJECTS
        .iter()
        .enumerate()
        .map(|(i, (icon, name, plural, category, size, places))| {
            let plural = if plural.is_empty() { format!("{name}s") } else { (*plural).to_string() };
            let colour = colour::common(&drawings[i]).filter(|_| !NO_COLOUR.contains(icon));
            json!({
                "name": name, "plural": plural, "article": article(name), "category": category,
                "size": size_name(size), "ground": places.contains('g'), "air": places.contains('a'),
                "water": places.contains('w'), "underwater": places.contains('u'),
                "colour": colour, "icon": icon, "rects": rects[i],
            })
        })
        .collect();
    // One object a line: a change of the list is a readable difference.
    let lines = |values: &[Value]| {
        values.iter().map(|v| format!("    {v}")).collect::<Vec<_>>().join(",\n")
    };
    let index = format!(
        "{{\n  \"styles\": [\n{}\n  ],\n  \"objects\": [\n{}\n  ]\n}}\n",
        lines(&provenance),
        lines(&objects)
    );
    fs::write(out.join("index.json"), index)?;
    Ok(())
}

fn article(name: &str) -> &'static str {
    // By sound: a unicorn, a ufo; an hour is not an object.
    let vowel = name.starts_with(['a', 'e', 'i', 'o', 'u']) && !name.starts_with("uf");
    if vowel { "an" } else { "a" }
}

fn size_name(size: &str) -> &'static str {
    match size {
        "s" => "small",
        "m" => "medium",
        _ => "large",
    }
}

fn write_png(atlas: &RgbaImage, path: &Path) -> Result<(), Box<dyn Error>> {
    let file = std::io::BufWriter::new(fs::File::create(path)?);
    PngEncoder::new_with_quality(file, CompressionType::Best, FilterType::Adaptive).write_image(
        atlas,
        atlas.width(),
        atlas.height(),
        ExtendedColorType::Rgba8,
    )?;
    Ok(())
}
