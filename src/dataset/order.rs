//! Which pairs stand in which batch of an epoch.

use std::collections::{HashMap, HashSet};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::split::{below, shuffle};

/// What an epoch is made of. Pictures are numbers here: `picture_of[index]`.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub picture_of: Vec<usize>,
    pub batch_size: usize,
    pub shuffle: Option<u64>,
    pub unique_images: bool,
    pub one_caption: bool,
}

/// The batches of an epoch, and how many pairs found no place in a full one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub batches: Vec<Vec<usize>>,
    pub dropped: usize,
}

impl Order {
    /// Numbers the pictures by name.
    pub fn pictures<'a>(names: impl Iterator<Item = &'a str>) -> Vec<usize> {
        let mut number = HashMap::new();
        names
            .map(|name| {
                let next = number.len();
                *number.entry(name.to_string()).or_insert(next)
            })
            .collect()
    }

    /// The same epoch of the same order is always the same plan.
    pub fn plan(&self, epoch: u64) -> Plan {
        let mut rng = ChaCha8Rng::seed_from_u64(self.shuffle.unwrap_or(0));
        rng.set_stream(epoch);
        let mut indices: Vec<usize> = if self.one_caption {
            self.one_each(&mut rng)
        } else {
            (0..self.picture_of.len()).collect()
        };
        if self.shuffle.is_some() {
            shuffle(&mut indices, &mut rng);
        }
        if self.unique_images {
            self.without_repeats(&indices)
        } else {
            let batches = indices.chunks(self.batch_size).map(<[usize]>::to_vec).collect();
            Plan { batches, dropped: 0 }
        }
    }

    /// One caption a picture, drawn anew each time; in the order of the pictures.
    fn one_each(&self, rng: &mut ChaCha8Rng) -> Vec<usize> {
        let pictures = self.picture_of.iter().max().map_or(0, |last| last + 1);
        let mut captions = vec![Vec::new(); pictures];
        for (index, &picture) in self.picture_of.iter().enumerate() {
            captions[picture].push(index);
        }
        captions.iter().map(|of_one| of_one[below(of_one.len(), rng)]).collect()
    }

    /// Full batches without two captions of a picture. A pair that would be the second waits for a later batch, in
    /// front of those that come after it; at the end what makes no full batch is dropped.
    fn without_repeats(&self, indices: &[usize]) -> Plan {
        let mut coming = indices.iter().copied();
        let mut waiting: Vec<usize> = Vec::new();
        let mut batches = Vec::new();
        loop {
            let mut batch = Vec::with_capacity(self.batch_size);
            let mut pictures = HashSet::new();
            let mut still = Vec::new();
            let mut place = |index: usize, batch: &mut Vec<usize>| {
                let fits = batch.len() < self.batch_size && pictures.insert(self.picture_of[index]);
                match fits {
                    true => batch.push(index),
                    false => still.push(index),
                }
            };
            for index in waiting.drain(..) {
                place(index, &mut batch);
            }
            while batch.len() < self.batch_size {
                let Some(index) = coming.next() else { break };
                place(index, &mut batch);
            }
            if batch.len() < self.batch_size {
                return Plan { batches, dropped: batch.len() + still.len() };
            }
            waiting = still;
            batches.push(batch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(pictures: usize, captions: usize, batch_size: usize) -> Order {
        let picture_of = (0..pictures * captions).map(|i| i / captions).collect();
        Order { picture_of, batch_size, shuffle: Some(7), unique_images: true, one_caption: false }
    }

    fn visited(plan: &Plan) -> Vec<usize> {
        let mut all: Vec<usize> = plan.batches.concat();
        all.sort_unstable();
        all
    }

    #[test]
    fn no_picture_twice_in_a_batch_and_no_caption_twice_in_an_epoch() {
        let order = order(20, 5, 16);
        for epoch in 0..50 {
            let plan = order.plan(epoch);
            for batch in &plan.batches {
                let pictures: HashSet<_> = batch.iter().map(|&i| order.picture_of[i]).collect();
                assert_eq!((batch.len(), pictures.len()), (16, 16));
            }
            let all = visited(&plan);
            assert!(all.windows(2).all(|w| w[0] < w[1]), "a caption came twice");
            assert_eq!(all.len() + plan.dropped, 100);
        }
    }

    #[test]
    fn with_many_pictures_only_the_rest_of_a_batch_is_dropped() {
        let plan = order(1000, 5, 64).plan(0);
        assert_eq!((plan.batches.len(), plan.dropped), (78, 5000 - 78 * 64));
    }

    #[test]
    fn epochs_differ_and_repeat() {
        let order = order(100, 2, 10);
        assert_eq!(order.plan(3), order.plan(3));
        assert_ne!(order.plan(3), order.plan(4));
        let other = Order { shuffle: Some(8), ..order.clone() };
        assert_ne!(order.plan(3), other.plan(3));
    }

    #[test]
    fn in_order_nothing_is_lost() {
        let order = Order { shuffle: None, unique_images: false, ..order(7, 3, 4) };
        let plan = order.plan(0);
        assert_eq!(plan.batches.concat(), (0..21).collect::<Vec<_>>());
        assert_eq!((plan.batches.len(), plan.batches[5].len(), plan.dropped), (6, 1, 0));
    }

    #[test]
    fn one_caption_each_visits_every_picture_with_another_caption_each_epoch() {
        let order = Order { one_caption: true, unique_images: false, ..order(50, 5, 8) };
        let pictures = |plan: &Plan| -> Vec<usize> {
            visited(plan).iter().map(|&i| order.picture_of[i]).collect()
        };
        let (first, second) = (order.plan(0), order.plan(1));
        assert_eq!(pictures(&first), (0..50).collect::<Vec<_>>());
        assert_eq!(pictures(&second), pictures(&first));
        assert_ne!(visited(&first), visited(&second));
    }

    #[test]
    fn one_picture_alone_makes_no_batch_of_two() {
        assert_eq!(order(1, 9, 2).plan(0), Plan { batches: vec![], dropped: 9 });
    }
}
