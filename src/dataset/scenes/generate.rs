//! Writes a folder of scenes in exactly Flickr8k's layout, with the ground truth beside it.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use polars::prelude::ParquetWriter;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{HEIGHT, Scene, Split, WIDTH, provenance, truth};
use crate::dataset::{SPLIT_SEED, VALID_FRACTION, split_by_image};
use crate::display::Interruptible;
use crate::{Error, Result};

/// What marks a folder as one of ours.
const MARK: &str = "scenes.json";
/// Pictures between two reports of progress.
const CHUNK: usize = 64;

/// How many scenes to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenesConfig {
    /// Pictures to train on and to validate on together: 80 % and 20 %.
    pub images: usize,
    /// Pictures in the style that is never trained on, besides.
    pub unseen_style: usize,
    /// Pictures of pairs of object and background that are never trained on, besides.
    pub unseen_pairs: usize,
    /// The same seed gives the same bytes.
    pub seed: u64,
    /// The JPEG's quality, 1 to 100.
    pub quality: u8,
}

impl Default for ScenesConfig {
    fn default() -> Self {
        Self { images: 8000, unseen_style: 1000, unseen_pairs: 1000, seed: 0, quality: 90 }
    }
}

/// What [`generate`] wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenesSummary {
    /// Pictures to train on.
    pub train: usize,
    /// Pictures to validate on.
    pub valid: usize,
    /// Pictures in the unseen style.
    pub unseen_style: usize,
    /// Pictures of unseen pairs.
    pub unseen_pairs: usize,
    /// Rows of `captions.txt`, without its header.
    pub captions: usize,
    /// Bytes of all files.
    pub bytes: u64,
}

#[derive(Serialize, Deserialize)]
struct Mark {
    made_by: String,
    config: ScenesConfig,
    /// False until everything is written: a run that was interrupted.
    complete: bool,
}

/// Writes `out/Images/*.jpg` (320 × 240), `out/captions.txt` (`image,caption`, five rows an image, the fullest first),
/// `out/splits.csv` (`image,split`), `out/truth.parquet` (one row an object), `out/LICENSES.md` and `out/scenes.json`.
/// An earlier folder of scenes at `out` is replaced. `progress` hears how many pictures of how many are written.
///
/// # Errors
/// [`Error::Stopped`] by a notebook's stop button; when `out` holds something else, when the config asks for nothing or a
/// quality that JPEG does not have, and when the system refuses to write, by file.
pub fn generate(
    config: &ScenesConfig,
    out: &Path,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<ScenesSummary> {
    let total = config.images + config.unseen_style + config.unseen_pairs;
    if total == 0 {
        return Err(Error::value("images", "at least one picture", 0));
    }
    if !(1..=100).contains(&config.quality) {
        return Err(Error::value("quality", "1 to 100", config.quality));
    }
    clear(out)?;
    let images = out.join("Images");
    fs::create_dir_all(&images).map_err(Error::io(&images))?;
    let mark = |complete| {
        let made_by = "vision-language".to_string();
        let mark = Mark { made_by, config: config.clone(), complete };
        save(out, MARK, (serde_json::to_string_pretty(&mark)? + "\n").as_bytes())
    };
    mark(false)?;
    let jobs = jobs(config);
    let mut scenes = Vec::with_capacity(total);
    let mut captions = String::from("image,caption\n");
    let mut splits = String::from("image,split\n");
    let mut bytes = 0;
    progress(0, total);
    let stop = Interruptible::new("the painting of scenes");
    for chunk in jobs.chunks(CHUNK) {
        stop.check(|| {
            format!("{} of {total} are painted; the next call begins anew", scenes.len())
        })?;
        let done: Vec<_> =
            chunk.par_iter().map(|job| job.write(config, &images)).collect::<Result<_>>()?;
        for (job, (scene, five, size)) in chunk.iter().zip(done) {
            for caption in five {
                captions.push_str(&format!("{},{}\n", job.image, quoted(&caption)));
            }
            splits.push_str(&format!("{},{}\n", job.image, job.split.name()));
            scenes.push((job.image.clone(), job.split, scene));
            bytes += size;
        }
        progress(scenes.len(), total);
    }
    let mut parquet = Vec::new();
    ParquetWriter::new(&mut parquet).finish(&mut truth::table(&scenes)?)?;
    bytes += save(out, "captions.txt", captions.as_bytes())?;
    bytes += save(out, "splits.csv", splits.as_bytes())?;
    bytes += save(out, "truth.parquet", &parquet)?;
    bytes += save(out, "LICENSES.md", licenses().as_bytes())?;
    bytes += mark(true)?;
    let count = |split| jobs.iter().filter(|j| j.split == split).count();
    Ok(ScenesSummary {
        train: count(Split::Train),
        valid: count(Split::Valid),
        unseen_style: count(Split::UnseenStyle),
        unseen_pairs: count(Split::UnseenPairs),
        captions: 5 * total,
        bytes,
    })
}

/// One picture to write.
struct Job {
    image: String,
    split: Split,
    stream: u64,
}

impl Job {
    fn new(prefix: &str, kind: u64, index: usize, split: Split) -> Self {
        let image = format!("{prefix}_{index:06}.jpg");
        Self { image, split, stream: kind << 40 | index as u64 }
    }

    /// The generator of this picture alone: threads and order do not matter. Its seed is no `seed_from_u64` that
    /// somebody draws training scenes with.
    fn rng(&self, seed: u64) -> ChaCha8Rng {
        let mut key = *b"vision-language: folder of scene";
        key[24..].copy_from_slice(&seed.to_le_bytes());
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(self.stream);
        rng
    }

    fn write(&self, config: &ScenesConfig, folder: &Path) -> Result<(Scene, [String; 5], u64)> {
        let mut rng = self.rng(config.seed);
        let scene = Scene::sample(&mut rng, self.split);
        let captions = scene.captions(&mut rng);
        let mut jpeg = Cursor::new(Vec::new());
        JpegEncoder::new_with_quality(&mut jpeg, config.quality)
            .encode_image(&scene.render(WIDTH, HEIGHT))
            .map_err(|e| Error::Image {
                path: folder.join(&self.image),
                index: (self.stream & 0xff_ffff_ffff) as usize,
                why: e.to_string(),
            })?;
        let size = save(folder, &self.image, jpeg.get_ref())?;
        Ok((scene, captions, size))
    }
}

/// All pictures: those of train and valid first, drawn apart by picture with seed 42.
fn jobs(config: &ScenesConfig) -> Vec<Job> {
    let mut seen: Vec<_> =
        (0..config.images).map(|i| Job::new("scene", 0, i, Split::Train)).collect();
    let names: Vec<String> = seen.iter().map(|job| job.image.clone()).collect();
    for i in split_by_image(&names, VALID_FRACTION, SPLIT_SEED).1 {
        seen[i].split = Split::Valid;
    }
    let style =
        (0..config.unseen_style).map(|i| Job::new("unseen_style", 1, i, Split::UnseenStyle));
    let pairs =
        (0..config.unseen_pairs).map(|i| Job::new("unseen_pairs", 2, i, Split::UnseenPairs));
    seen.into_iter().chain(style).chain(pairs).collect()
}

/// Removes an earlier folder of scenes; anything else stays, and is an error.
fn clear(out: &Path) -> Result<()> {
    let mut entries = match fs::read_dir(out) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(Error::io(out)(e)),
    };
    if entries.next().is_none() {
        return Ok(());
    }
    let mark = fs::read(out.join(MARK)).ok();
    if mark.and_then(|m| serde_json::from_slice::<Mark>(&m).ok()).is_none() {
        return Err(Error::value(
            out.display().to_string(),
            "an empty folder, or one that scenes were written to before",
            "a folder with other files, which would be lost among the pictures; name another folder",
        ));
    }
    let images = out.join("Images");
    for entry in fs::read_dir(&images).into_iter().flatten() {
        let path = entry.map_err(Error::io(&images))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ours = ["scene_", "unseen_style_", "unseen_pairs_"].iter().any(|p| name.starts_with(p));
        if ours && name.ends_with(".jpg") {
            fs::remove_file(&path).map_err(Error::io(&path))?;
        }
    }
    for name in ["captions.txt", "splits.csv", "truth.parquet"] {
        let path = out.join(name);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(&path)(e)),
            _ => {}
        }
    }
    Ok(())
}

fn save(folder: &Path, name: &str, bytes: &[u8]) -> Result<u64> {
    let path = folder.join(name);
    fs::write(&path, bytes).map_err(Error::io(&path))?;
    Ok(bytes.len() as u64)
}

/// A CSV field.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_string()
    }
}

fn licenses() -> String {
    let mut text = String::from(
        "# Licences of these pictures\n\n\
         Each picture shows drawings of one set on a painted background; `truth.parquet` names the set in its column\n\
         `style`. The drawings were resized, turned, mirrored and tinted. The backgrounds and captions are made by\n\
         vision-language (MIT OR Apache-2.0). A picture may be passed on under its drawings' licence:\n\n\
         | style | drawings | by | licence |\n|---|---|---|---|\n",
    );
    for p in provenance() {
        text += &format!(
            "| {} | [{}]({}) ({} {}) | {} | [{}]({}) |\n",
            p.style, p.title, p.url, p.package, p.version, p.author, p.license, p.license_url
        );
    }
    text
}

#[cfg(test)]
mod tests;
