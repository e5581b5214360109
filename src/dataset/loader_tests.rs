use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use candle_core::{DType, Device, Tensor};
use image::RgbImage;

use super::*;
use crate::dataset::{FolderPairs, Item, Transform};
use crate::text::Tokenizer;

const PICTURES: usize = 12;

/// Twelve pictures with three captions each, of one to three words.
fn pairs(folder: &Path) -> FolderPairs {
    let (mut names, mut captions) = (Vec::new(), Vec::new());
    for i in 0..PICTURES {
        let picture = RgbImage::from_pixel(10, 10 + i as u32, image::Rgb([i as u8 * 20, 7, 9]));
        picture.save(folder.join(format!("{i}.png"))).unwrap();
        for caption in ["dog", "dog grass", "dog grass red"] {
            names.push(format!("{i}.png"));
            captions.push(caption.to_string());
        }
    }
    let tokenizer = Tokenizer::from_words(&["dog", "grass", "red"].map(String::from)).unwrap();
    FolderPairs::new(&names, &captions, &tokenizer, &Transform::imagenet(8), folder, 32).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn an_item_and_a_batch_have_the_contracts_shapes() {
    let folder = tempfile::tempdir().unwrap();
    let pairs = pairs(folder.path());
    let item = pairs.get(1).unwrap();
    assert_eq!(item.image.dims(), [3, 8, 8]);
    assert_eq!((item.input_ids.dims(), item.input_ids.dtype()), (&[5][..], DType::U32));
    assert_eq!(item.attention_mask.to_vec1::<u32>().unwrap(), [1, 1, 1, 1, 0]);
    assert_eq!(item.caption, "dog grass");
    assert!(pairs.get(36).unwrap_err().to_string().contains("36"));
    assert_eq!(pairs.len(), 36);

    let batch = pairs.batch(&[0, 4]).unwrap();
    assert_eq!(batch.images.dims(), [2, 3, 8, 8]);
    assert_eq!(batch.input_ids.dims(), [2, 4], "padding beyond the batch's longest is cut");
    assert_eq!(batch.attention_mask.to_vec2::<u32>().unwrap(), [[1, 1, 1, 0], [1, 1, 1, 1]]);
    assert_eq!(batch.image_filenames, ["0.png", "1.png"]);
}

#[test]
fn the_fast_batch_is_the_stacked_one() {
    let folder = tempfile::tempdir().unwrap();
    let pairs = pairs(folder.path()).cached();
    let indices = [3, 35, 0, 16];
    let items = indices.iter().map(|&i| pairs.get(i).unwrap()).collect();
    let names = indices.iter().map(|&i| pairs.image_filename(i).to_string()).collect();
    let stacked = Batch::stack(items, names, indices.to_vec()).unwrap();
    let fast = pairs.batch(&indices).unwrap();
    assert_eq!(values(&fast.images), values(&stacked.images));
    assert_eq!(values(&fast.input_ids), values(&stacked.input_ids));
    assert_eq!(values(&fast.attention_mask), values(&stacked.attention_mask));
    assert_eq!(fast.input_ids.dims(), stacked.input_ids.dims());
    assert_eq!((fast.captions, fast.image_filenames), (stacked.captions, stacked.image_filenames));
    assert_eq!(pairs.cached_pictures(), 4);
}

#[test]
fn mismatched_lengths_and_empty_captions_are_refused() {
    let tokenizer = Tokenizer::from_words(&[]).unwrap();
    let make = |names: &[&str], captions: &[&str]| {
        let owned = |v: &[&str]| v.iter().map(|s| s.to_string()).collect::<Vec<_>>();
        let (names, captions) = (owned(names), owned(captions));
        let transform = Transform::imagenet(8);
        FolderPairs::new(&names, &captions, &tokenizer, &transform, Path::new("."), 32)
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    let lengths = make(&["a.jpg", "b.jpg"], &["a dog"]);
    assert!(lengths.contains("expected 2") && lengths.contains("got 1"), "{lengths}");
    let empty = make(&["a.jpg", "b.jpg"], &["a dog", " "]);
    assert!(empty.contains("caption 1 (b.jpg)"), "{empty}");
}

#[test]
fn the_order_does_not_depend_on_the_threads() {
    let folder = tempfile::tempdir().unwrap();
    let dataset: Arc<dyn PairDataset> = Arc::new(pairs(folder.path()));
    let epoch = |workers: usize, number: usize| -> Vec<(Vec<usize>, Vec<f32>)> {
        let loader = Loader::new(dataset.clone(), 5, Some(1), workers, true).unwrap();
        let batches = loader.epoch(number).map(Result::unwrap);
        batches.map(|b| (b.indices.clone(), values(&b.images))).collect()
    };
    let alone = epoch(0, 3);
    assert!(alone.len() >= 6, "{}", alone.len());
    for workers in [1, 2, 3, 16] {
        assert!(epoch(workers, 3) == alone, "{workers} threads gave another epoch");
    }
    assert!(epoch(2, 4) != alone);
}

#[test]
fn a_training_batch_has_no_picture_twice_and_drops_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = Arc::new(pairs(folder.path()));
    let loader = Loader::new(dataset, 8, Some(5), 2, true).unwrap();
    for number in 0..5 {
        let epoch = loader.epoch(number);
        let (steps, dropped) = (epoch.steps(), epoch.dropped());
        let batches: Vec<Batch> = epoch.map(Result::unwrap).collect();
        assert_eq!((batches.len(), steps * 8 + dropped), (steps, 36));
        for batch in batches {
            let names: std::collections::BTreeSet<_> = batch.image_filenames.iter().collect();
            assert_eq!(names.len(), 8);
        }
    }
}

#[test]
fn a_batch_larger_than_the_pictures_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = Arc::new(pairs(folder.path()));
    let message = Loader::new(dataset.clone(), 13, Some(5), 2, true).unwrap_err().to_string();
    assert!(message.contains("1 to 12") && message.contains("got 13"), "{message}");
    assert!(Loader::new(dataset.clone(), 0, None, 2, false).is_err());
    assert_eq!(Loader::new(dataset, 13, None, 2, false).unwrap().steps_per_epoch(), 3);
}

#[test]
fn one_caption_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = Arc::new(pairs(folder.path()));
    let loader = Loader::new(dataset, 4, Some(5), 2, true).unwrap().one_caption_per_image();
    assert_eq!(loader.steps_per_epoch(), 3);
    let captions = |epoch: usize| -> Vec<usize> {
        let mut all: Vec<_> = loader.epoch(epoch).flat_map(|b| b.unwrap().indices).collect();
        all.sort_unstable();
        all
    };
    let pictures: Vec<_> = captions(0).iter().map(|i| i / 3).collect();
    assert_eq!(pictures, (0..PICTURES).collect::<Vec<_>>());
    assert_ne!(captions(0), captions(1));
}

#[test]
fn a_bad_picture_is_an_error_at_its_place_or_left_out_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = Arc::new(pairs(folder.path()));
    std::fs::write(folder.path().join("5.png"), "damaged").unwrap();
    for workers in [0, 2] {
        let loader = Loader::new(dataset.clone(), 3, None, workers, false).unwrap();
        let batches: Vec<Result<Batch>> = loader.epoch(0).collect();
        assert_eq!(batches.len(), 12);
        for (at, batch) in batches.iter().enumerate() {
            assert_eq!(batch.is_err(), at == 5, "batch {at}");
        }
        let message = batches[5].as_ref().unwrap_err().to_string();
        assert!(message.contains("5.png (item 15)"), "{message}");
        assert!(loader.bad_pictures().is_empty());

        // Batches of 4 hold one or two of its three pairs; one of 3 holds nothing else, and does not come.
        let skipping = Loader::new(dataset.clone(), 4, None, workers, false).unwrap();
        let skipping = skipping.skip_bad_pictures();
        let left: Vec<usize> = skipping.epoch(0).map(|b| b.unwrap().len()).collect();
        assert_eq!(left, [4, 4, 4, 3, 2, 4, 4, 4, 4]);
        let bad = skipping.bad_pictures();
        assert_eq!(bad.iter().map(|(i, _)| *i).collect::<Vec<_>>(), [15, 16, 17]);
        assert!(bad[0].1.contains("5.png"), "{}", bad[0].1);
        let three = Loader::new(dataset.clone(), 3, None, workers, false).unwrap();
        assert_eq!(three.skip_bad_pictures().epoch(0).count(), 11);
    }
}

/// Counts its batches, and panics at one pair if told to.
struct Counting {
    made: Arc<AtomicUsize>,
    panics_at: usize,
}

impl PairDataset for Counting {
    fn new(
        _: &[String],
        _: &[String],
        _: &Tokenizer,
        _: &Transform,
        _: &Path,
        _: usize,
    ) -> Result<Self> {
        unreachable!("made by hand")
    }

    fn len(&self) -> usize {
        1000
    }

    fn get(&self, index: usize) -> Result<Item> {
        assert!(index != self.panics_at, "the student's mistake");
        self.made.fetch_add(1, Ordering::SeqCst);
        let row = Tensor::ones(2, DType::U32, &Device::Cpu)?;
        let image = Tensor::zeros((3, 2, 2), DType::F32, &Device::Cpu)?;
        let caption = index.to_string();
        Ok(Item { image, input_ids: row.clone(), attention_mask: row, caption })
    }

    fn image_filename(&self, _: usize) -> &str {
        "same.jpg"
    }
}

#[test]
fn dropping_the_iterator_stops_the_threads() {
    let made = Arc::new(AtomicUsize::new(0));
    let dataset = Arc::new(Counting { made: made.clone(), panics_at: usize::MAX });
    let loader = Loader::new(dataset, 1, None, 2, false).unwrap();
    let mut epoch = loader.epoch(0);
    assert_eq!(epoch.next().unwrap().unwrap().captions, ["0"]);
    drop(epoch);
    // Two threads, each with AHEAD in its queue, one taken, one in hand when the queue closed, and one begun.
    let after = made.load(Ordering::SeqCst);
    assert!(after <= 2 * (AHEAD + 2) + 1, "{after} batches were made for one");
    assert_eq!(Arc::strong_count(&loader.source.dataset), 1, "a thread still holds the dataset");
}

#[test]
fn a_panic_in_a_thread_is_an_error_with_its_text() {
    let dataset = Arc::new(Counting { made: Arc::default(), panics_at: 6 });
    let loader = Loader::new(dataset, 2, None, 2, false).unwrap();
    let batches: Vec<Result<Batch>> = loader.epoch(0).collect();
    assert_eq!(batches.len(), 4, "it ends there");
    let message = batches[3].as_ref().unwrap_err().to_string();
    assert!(message.contains("the student's mistake"), "{message}");
}

#[test]
fn items_of_different_shapes_do_not_stack() {
    let row = Tensor::ones(2, DType::U32, &Device::Cpu).unwrap();
    let item = |s: usize| Item {
        image: Tensor::zeros((3, s, s), DType::F32, &Device::Cpu).unwrap(),
        input_ids: row.clone(),
        attention_mask: row.clone(),
        caption: String::new(),
    };
    let names = vec!["a".to_string(), "b".to_string()];
    let message =
        Batch::stack(vec![item(2), item(4)], names, vec![10, 11]).unwrap_err().to_string();
    assert!(message.contains("item 11") && message.contains("[3, 4, 4]"), "{message}");
}
