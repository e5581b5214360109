use std::collections::{BTreeMap, HashMap};

use polars::prelude::*;

use super::super::{Background, Style, held_out, objects};
use super::*;

fn small() -> ScenesConfig {
    ScenesConfig { images: 40, unseen_style: 10, unseen_pairs: 10, ..ScenesConfig::default() }
}

/// Every file of a folder by its name below it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            out.extend(files(&path).into_iter().map(|(k, v)| (format!("{name}/{k}"), v)));
        } else {
            out.insert(name, fs::read(&path).unwrap());
        }
    }
    out
}

fn made(config: &ScenesConfig, threads: usize) -> (tempfile::TempDir, ScenesSummary) {
    let folder = tempfile::tempdir().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let summary = pool.install(|| generate(config, folder.path(), &mut |_, _| {})).unwrap();
    (folder, summary)
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (one, _) = made(&small(), 1);
    let (three, _) = made(&small(), 3);
    assert!(files(one.path()) == files(three.path()), "threads changed the bytes");
    let (other, _) = made(&ScenesConfig { seed: 1, ..small() }, 2);
    assert!(files(one.path()) != files(other.path()), "the seed changed nothing");
    // Fewer pictures are the first of more.
    let (fewer, _) = made(&ScenesConfig { images: 12, ..small() }, 2);
    let (all, few) = (files(one.path()), files(fewer.path()));
    assert!(all["Images/scene_000003.jpg"] == few["Images/scene_000003.jpg"]);
}

#[test]
fn the_layout_is_flickr8ks() {
    let mut heard = Vec::new();
    let folder = tempfile::tempdir().unwrap();
    let summary = generate(&small(), folder.path(), &mut |n, of| heard.push((n, of))).unwrap();
    assert_eq!((summary.train, summary.valid), (32, 8));
    assert_eq!((summary.unseen_style, summary.unseen_pairs), (10, 10));
    assert_eq!(heard.first(), Some(&(0, 60)));
    assert_eq!(heard.last(), Some(&(60, 60)));
    let files = files(folder.path());
    assert_eq!(summary.bytes, files.values().map(|f| f.len() as u64).sum::<u64>());
    let captions = String::from_utf8(files["captions.txt"].clone()).unwrap();
    let mut lines = captions.lines();
    assert_eq!(lines.next(), Some("image,caption"));
    let mut rows: HashMap<&str, Vec<&str>> = HashMap::new();
    for line in lines {
        let (image, caption) = line.split_once(',').unwrap();
        // A caption with a comma is one quoted field.
        assert_eq!(caption.contains(','), caption.starts_with('"'), "{caption}");
        rows.entry(image).or_default().push(caption);
    }
    assert_eq!(rows.len(), 60);
    for (image, captions) in rows {
        assert_eq!(captions.len(), 5, "{image}");
        let jpeg = image::load_from_memory(&files[&format!("Images/{image}")]).unwrap();
        assert_eq!((jpeg.width(), jpeg.height()), (WIDTH, HEIGHT));
    }
}

#[test]
fn the_truth_reads_back() {
    let (folder, _) = made(&small(), 2);
    let file = fs::File::open(folder.path().join("truth.parquet")).unwrap();
    let table = ParquetReader::new(file).finish().unwrap();
    let text = |name: &str| table.column(name).unwrap().str().unwrap().clone();
    let (image, split, style) = (text("image"), text("split"), text("style"));
    let (background, object) = (text("background"), text("object"));
    let number = |name: &str| table.column(name).unwrap().f32().unwrap().clone();
    let (x, y, w, h) = (number("x"), number("y"), number("w"), number("h"));
    let count = table.column("count").unwrap().u32().unwrap().clone();
    let mut seen: HashMap<(String, String), u32> = HashMap::new();
    for i in 0..table.height() {
        let key = (image.get(i).unwrap().to_string(), object.get(i).unwrap().to_string());
        *seen.entry(key).or_default() += 1;
        assert_eq!(style.get(i) == Some("fluent"), split.get(i) == Some("unseen_style"));
        let index = objects().iter().position(|o| Some(o.name.as_str()) == object.get(i)).unwrap();
        let ground = Background::ALL.into_iter().find(|b| Some(b.name()) == background.get(i));
        assert_eq!(held_out(index, ground.unwrap()), split.get(i) == Some("unseen_pairs"));
        let (x, y) = (x.get(i).unwrap(), y.get(i).unwrap());
        assert!(x >= 0.0 && x + w.get(i).unwrap() <= WIDTH as f32);
        assert!(y >= 0.0 && y + h.get(i).unwrap() <= HEIGHT as f32);
    }
    for i in 0..table.height() {
        let key = (image.get(i).unwrap().to_string(), object.get(i).unwrap().to_string());
        assert_eq!(count.get(i), Some(seen[&key]), "{key:?}");
    }
}

#[test]
fn other_folders_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "precious").unwrap();
    let error = generate(&small(), folder.path(), &mut |_, _| {}).unwrap_err().to_string();
    assert!(error.contains("another folder"), "{error}");
    assert_eq!(files(folder.path()).len(), 1);
    // A folder of scenes is replaced, and nothing of it stays.
    let (folder, _) = made(&small(), 2);
    let fewer = ScenesConfig { images: 5, unseen_style: 0, unseen_pairs: 0, ..small() };
    generate(&fewer, folder.path(), &mut |_, _| {}).unwrap();
    let (fresh, _) = made(&fewer, 2);
    assert!(files(folder.path()) == files(fresh.path()));
}

#[test]
fn a_refused_write_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = generate(&small(), &file.join("out"), &mut |_, _| {}).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if path.starts_with(&file)), "{error}");
    let none = ScenesConfig { images: 0, unseen_style: 0, unseen_pairs: 0, ..small() };
    assert!(generate(&none, &folder.path().join("none"), &mut |_, _| {}).is_err());
}

#[test]
fn splits_keep_their_styles_pairs_and_counts() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for split in Split::ALL {
        let mut shown = vec![0_usize; objects().len()];
        for _ in 0..3000 {
            let scene = Scene::sample(&mut rng, split);
            assert_eq!(scene.style == Style::Fluent, split == Split::UnseenStyle);
            assert!((1..=3).contains(&scene.kinds.len()));
            assert_eq!(scene.relation.is_some(), scene.kinds.len() == 2);
            for kind in &scene.kinds {
                let unseen = split == Split::UnseenPairs;
                assert_eq!(held_out(kind.object, scene.background), unseen);
                assert!((1..=4).contains(&kind.count));
                let placed = scene.objects.iter().filter(|p| p.object == kind.object).count();
                assert_eq!(placed, kind.count);
                shown[kind.object] += 1;
            }
        }
        if split != Split::UnseenPairs {
            // 3,000 scenes of about 1.8 kinds: 35 a kind if all came equally often.
            let rare = shown.iter().enumerate().min_by_key(|(_, n)| **n).unwrap();
            assert!(*rare.1 >= 5, "{} came {} times", objects()[rare.0].name, rare.1);
        }
    }
}

#[test]
fn objects_stand_where_the_relation_says_and_are_large_enough() {
    use super::super::Relation;
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for i in 0..4000 {
        let scene = Scene::sample(&mut rng, Split::ALL[i % 4]);
        for p in &scene.objects {
            assert!(p.w.max(p.h) >= 47.9, "{scene:?}");
            let (sin, cos) = p.tilt.to_radians().sin_cos();
            let half_w = 0.5 * (p.w * cos + p.h * sin.abs());
            let half_h = 0.5 * (p.w * sin.abs() + p.h * cos);
            let (cx, cy) = (p.x + 0.5 * p.w, p.y + 0.5 * p.h);
            assert!(cx - half_w >= 0.0 && cx + half_w <= WIDTH as f32, "{scene:?}");
            assert!(cy - half_h >= 0.0 && cy + half_h <= HEIGHT as f32, "{scene:?}");
        }
        let Some(relation) = scene.relation else { continue };
        let centres = |k: usize| {
            let object = scene.kinds[k].object;
            let of = scene.objects.iter().filter(move |p| p.object == object);
            of.map(|p| (p.x + 0.5 * p.w, p.y + 0.5 * p.h)).collect::<Vec<_>>()
        };
        for a in centres(0) {
            for b in centres(1) {
                let holds = match relation {
                    Relation::LeftOf => a.0 < b.0,
                    Relation::RightOf => a.0 > b.0,
                    Relation::Above => a.1 < b.1,
                    Relation::Below => a.1 > b.1,
                };
                assert!(holds, "{scene:?}");
            }
        }
    }
}

#[test]
fn a_small_picture_is_the_large_one_squeezed() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut total = 0.0;
    for _ in 0..60 {
        let scene = Scene::sample(&mut rng, Split::Train);
        let large = scene.render(WIDTH, HEIGHT);
        let squeezed =
            image::imageops::resize(&large, 64, 64, image::imageops::FilterType::Triangle);
        let small = scene.render(64, 64);
        let differ: f64 = small
            .as_raw()
            .iter()
            .zip(squeezed.as_raw())
            .map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs())
            .sum();
        let mean = differ / small.as_raw().len() as f64;
        assert!(mean < 12.0, "{mean} of 255: {scene:?}");
        total += mean / 60.0;
    }
    assert!(total < 8.0, "{total} of 255 on average");
}
