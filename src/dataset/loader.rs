//! Batches in a seeded order, made ahead on threads.
//!
//! Two captions of one picture in a batch would be each other's wrong answers in the plain contrastive loss, so a
//! training loader never puts a picture into a batch twice.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::order::{Order, Plan};
use super::{Batch, PairDataset};
use crate::{Error, Result};

/// Batches that each thread may have ready before it waits.
const AHEAD: usize = 2;

/// Makes the batches of any epoch of a dataset. Cheap to clone.
#[derive(Clone)]
pub struct Loader {
    source: Source,
    order: Arc<Order>,
    workers: usize,
}

/// Where batches come from: what a thread needs.
#[derive(Clone)]
struct Source {
    dataset: Arc<dyn PairDataset>,
    skip_bad_pictures: bool,
    bad_pictures: Arc<Mutex<BTreeMap<usize, String>>>,
}

impl std::fmt::Debug for Loader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (pairs, batch_size) = (self.source.dataset.len(), self.order.batch_size);
        write!(f, "Loader({pairs} pairs, batches of {batch_size}, {} workers)", self.workers)
    }
}

impl Loader {
    /// Batches of `batch_size` pairs, in the dataset's order or shuffled anew each epoch from a seed, made on `workers`
    /// threads (0: on the caller's).
    ///
    /// With `unique_images` (training) no batch holds two captions of a picture, every batch is full, and what is left
    /// at the end of an epoch is dropped: [`Batches::dropped`]. Without it every pair comes, the last batch may be short.
    ///
    /// # Errors
    /// When `batch_size` is 0, the dataset is empty, or, with `unique_images`, has fewer pictures than a batch.
    pub fn new(
        dataset: Arc<dyn PairDataset>,
        batch_size: usize,
        shuffle: Option<u64>,
        workers: usize,
        unique_images: bool,
    ) -> Result<Self> {
        crate::nn::keep_freed_memory();
        let names = (0..dataset.len()).map(|i| dataset.image_filename(i));
        let picture_of = Order::pictures(names);
        let pictures = picture_of.iter().max().map_or(0, |last| last + 1);
        let most = if unique_images { pictures } else { usize::MAX };
        if pictures == 0 {
            return Err(Error::value("Loader::new, dataset", "at least one pair", "none"));
        }
        if batch_size == 0 || batch_size > most {
            let expected = if unique_images {
                format!("1 to {pictures}, the dataset's pictures")
            } else {
                "at least 1".to_string()
            };
            return Err(Error::value("Loader::new, batch_size", expected, batch_size));
        }
        let order = Order { picture_of, batch_size, shuffle, unique_images, one_caption: false };
        let source = Source { dataset, skip_bad_pictures: false, bad_pictures: Arc::default() };
        Ok(Self { source, order: Arc::new(order), workers })
    }

    /// An epoch is every picture once, with one of its captions drawn anew each epoch.
    pub fn one_caption_per_image(mut self) -> Self {
        Arc::make_mut(&mut self.order).one_caption = true;
        self
    }

    /// Leaves pairs out whose picture is bad, and lists them in [`bad_pictures`](Self::bad_pictures), instead of
    /// ending with the error. A batch is then shorter by them.
    pub fn skip_bad_pictures(mut self) -> Self {
        self.source.skip_bad_pictures = true;
        self
    }

    /// The pairs that were left out so far: index and what is wrong.
    pub fn bad_pictures(&self) -> Vec<(usize, String)> {
        let bad = self.source.bad_pictures.lock().unwrap_or_else(|e| e.into_inner());
        bad.iter().map(|(&index, why)| (index, why.clone())).collect()
    }

    /// The dataset that the batches are from.
    pub fn dataset(&self) -> &Arc<dyn PairDataset> {
        &self.source.dataset
    }

    /// How many batches the first epoch has; with `unique_images` another epoch's shuffle may give one or two more or
    /// fewer.
    pub fn steps_per_epoch(&self) -> usize {
        self.order.plan(0).batches.len()
    }

    /// Starts the threads and gives the batches of one epoch. The order depends on the seed and `epoch` alone.
    pub fn epoch(&self, epoch: usize) -> Batches {
        let Plan { batches, dropped } = self.order.plan(epoch as u64);
        let batches = Arc::new(batches);
        let threads = self.workers.min(batches.len());
        let (receivers, handles) = (0..threads)
            .map(|first| {
                let (sender, receiver) = sync_channel(AHEAD);
                let (source, batches) = (self.source.clone(), batches.clone());
                let work = move || {
                    for indices in batches.iter().skip(first).step_by(threads) {
                        // No receiver: the iterator was dropped.
                        if sender.send(source.batch(indices)).is_err() {
                            return;
                        }
                    }
                };
                (receiver, Some(std::thread::spawn(work)))
            })
            .unzip();
        Batches { source: self.source.clone(), batches, dropped, at: 0, receivers, handles }
    }
}

impl Source {
    /// The batch, or `None` where all its pairs were left out.
    fn batch(&self, indices: &[usize]) -> Result<Option<Batch>> {
        let mut left = indices.to_vec();
        while !left.is_empty() {
            match self.dataset.batch(&left) {
                Err(Error::Image { path, index, why })
                    if self.skip_bad_pictures && left.contains(&index) =>
                {
                    left.retain(|&i| i != index);
                    let mut bad = self.bad_pictures.lock().unwrap_or_else(|e| e.into_inner());
                    bad.insert(index, format!("{}: {why}", path.display()));
                }
                other => return other.map(Some),
            }
        }
        Ok(None)
    }
}

/// The batches of one epoch, in order. Dropping it stops its threads.
pub struct Batches {
    source: Source,
    batches: Arc<Vec<Vec<usize>>>,
    dropped: usize,
    at: usize,
    /// Thread `w` of `n` makes batches `w`, `w + n`, …, so that their order is the plan's.
    receivers: Vec<Receiver<Result<Option<Batch>>>>,
    handles: Vec<Option<JoinHandle<()>>>,
}

impl Batches {
    /// How many batches the epoch has.
    pub fn steps(&self) -> usize {
        self.batches.len()
    }

    /// How many pairs are in no batch of this epoch.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    fn receive(&mut self, worker: usize) -> Result<Option<Batch>> {
        self.receivers[worker].recv().unwrap_or_else(|_| {
            self.at = self.batches.len();
            let panic = self.handles[worker].take().and_then(|handle| handle.join().err());
            let text = panic.as_ref().and_then(|p| {
                p.downcast_ref::<String>()
                    .cloned()
                    .or_else(|| p.downcast_ref::<&str>().map(|s| s.to_string()))
            });
            let got = format!("a panic: {}", text.unwrap_or_else(|| "no message".into()));
            Err(Error::value("the dataset in a loader's thread", "a batch or an error", got))
        })
    }
}

impl Iterator for Batches {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let at = self.at;
            let batches = self.batches.clone();
            let indices = batches.get(at)?;
            self.at += 1;
            let batch = match self.receivers.len() {
                0 => self.source.batch(indices),
                threads => self.receive(at % threads),
            };
            // `None`: every picture of the batch was bad, and left out.
            if let Some(batch) = batch.transpose() {
                return Some(batch);
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.batches.len() - self.at))
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        self.receivers.clear();
        for handle in self.handles.iter_mut().filter_map(Option::take) {
            // A panic was reported where its batch should have been.
            let _ = handle.join();
        }
    }
}

#[cfg(test)]
#[path = "loader_tests.rs"]
mod tests;
