//! Which of many embeddings point where a query points: one pass over memory, whatever their number.

use candle_core::Tensor;
use rayon::prelude::*;

use crate::nn::ops::{dot, squares, vectorised, with_values};
use crate::{Error, Result};

/// Embeddings that a thread looks at before its best meet the others'.
const ROWS: usize = 4096;

/// Embeddings `(N, p)` and a query `(1, p)`, neither normalised → at most `n` rows and their cosine similarities, best
/// first; of equal ones the first row. A row that is no number anywhere is not found.
///
/// A row's length and its product with the query come from one reading of it: to normalise `N` rows first would read and
/// write all of them once more. Only the best `n` are kept and sorted.
///
/// # Errors
/// When the shapes do not fit.
pub fn nearest(embeddings: &Tensor, query: &Tensor, n: usize) -> Result<Vec<(usize, f32)>> {
    let (_, p) = embeddings.dims2()?;
    if query.dims() != [1, p] || p == 0 {
        return Err(Error::shape("nearest, query", format!("(1, {p})"), query.shape()));
    }
    let found = with_values(embeddings, |rows| {
        with_values(query, |query| {
            let length = squares(query).sqrt().max(1e-12);
            let query: Vec<f32> = query.iter().map(|q| q / length).collect();
            let blocks = rows.par_chunks(ROWS * p).enumerate();
            let best = blocks.map(|(block, rows)| Best::of(rows, &query, block * ROWS, n));
            Ok(best.reduce(|| Best::none(n), Best::join).found)
        })
    })?;
    Ok(found)
}

/// The best `n` so far, in order.
pub(super) struct Best {
    n: usize,
    found: Vec<(usize, f32)>,
}

impl Best {
    pub fn none(n: usize) -> Self {
        Self { n, found: Vec::new() }
    }

    pub fn found(self) -> Vec<(usize, f32)> {
        self.found
    }

    /// Of rows from `first` on.
    fn of(rows: &[f32], query: &[f32], first: usize, n: usize) -> Self {
        let mut best = Self { n, found: Vec::new() };
        vectorised(
            #[inline(always)]
            || {
                for (i, row) in rows.chunks_exact(query.len()).enumerate() {
                    let similarity = dot(row, query) / squares(row).sqrt().max(1e-12);
                    best.offer(first + i, similarity);
                }
            },
        );
        best
    }

    #[inline(always)]
    pub fn offer(&mut self, row: usize, similarity: f32) {
        let worst = if self.found.len() < self.n { None } else { self.found.last() };
        if worst.map_or(self.n > 0 && !similarity.is_nan(), |worst| similarity > worst.1) {
            self.insert(row, similarity);
        }
    }

    #[cold]
    fn insert(&mut self, row: usize, similarity: f32) {
        self.found.truncate(self.n - 1);
        let place = self.found.partition_point(|found| found.1 >= similarity);
        self.found.insert(place, (row, similarity));
    }

    /// `later` has the rows behind those of `self`.
    pub fn join(mut self, later: Self) -> Self {
        later.found.into_iter().for_each(|(row, similarity)| self.offer(row, similarity));
        self
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use rand::{Rng, SeedableRng};

    use super::*;

    fn all(rows: usize, p: usize) -> (Tensor, Tensor, Vec<(usize, f64)>) {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let mut values = |n: usize| (0..n).map(|_| rng.random::<f32>() - 0.4).collect::<Vec<_>>();
        let (mut x, q) = (values(rows * p), values(p));
        // Twice the same direction, of another length: the first row counts.
        let twice: Vec<f32> = x[..p].iter().map(|x| x * 4.).collect();
        x[(rows - 1) * p..].copy_from_slice(&twice);
        let length = |x: &[f32]| x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        let cosine = |row: &[f32]| {
            let dot: f64 = row.iter().zip(&q).map(|(x, q)| f64::from(*x) * f64::from(*q)).sum();
            dot / length(row) / length(&q)
        };
        let mut sorted: Vec<_> = x.chunks(p).map(cosine).enumerate().collect();
        sorted.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let tensor = |x: Vec<f32>, n| Tensor::from_vec(x, (n, p), &Device::Cpu).unwrap();
        (tensor(x, rows), tensor(q, 1), sorted)
    }

    #[test]
    fn the_best_as_a_whole_sort_finds_them() {
        // More rows than one thread takes at once, and a length that is no multiple of a vector's.
        for (rows, p, n) in [(10_000, 37, 9), (5, 64, 9), (300, 1, 300), (20, 16, 0)] {
            let (x, q, sorted) = all(rows, p);
            let found = nearest(&x, &q, n).unwrap();
            assert_eq!(found.len(), n.min(rows));
            for ((row, similarity), (_, wanted)) in found.iter().zip(&sorted) {
                // f32 sums of p products: 1e-6. Neighbours closer than that may change places.
                assert!((f64::from(*similarity) - wanted).abs() < 1e-6, "{similarity} {wanted}");
                let own = sorted.iter().find(|s| s.0 == *row).unwrap().1;
                assert!((own - wanted).abs() < 1e-6, "row {row}");
            }
            let mut rows: Vec<_> = found.iter().map(|f| f.0).collect();
            rows.sort_unstable();
            rows.dedup();
            assert_eq!(rows.len(), found.len(), "a row is found once");
        }
    }

    #[test]
    fn equal_rows_come_in_their_order_and_no_number_never() {
        let x = [[0f32, 0.], [2., 0.], [f32::NAN, 1.], [1., 0.], [0., 1.]];
        let x = Tensor::new(&x, &Device::Cpu).unwrap();
        let q = Tensor::new(&[[3f32, 0.]], &Device::Cpu).unwrap();
        assert_eq!(nearest(&x, &q, 2).unwrap(), [(1, 1.), (3, 1.)]);
        let rows: Vec<_> = nearest(&x, &q, 9).unwrap().iter().map(|f| f.0).collect();
        assert_eq!(rows, [1, 3, 0, 4]);
    }

    #[test]
    fn another_length_is_named() {
        let (x, q) = (all(3, 4).0, all(3, 5).1);
        assert!(nearest(&x, &q, 1).unwrap_err().to_string().contains("(1, 4)"));
    }
}
