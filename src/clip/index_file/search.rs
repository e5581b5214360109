//! The nearest rows of many queries at once: each block of the file is read once for all of them.

use std::cell::RefCell;

use candle_core::Tensor;
use half::slice::HalfFloatSliceExt;
use rayon::prelude::*;

use super::{IndexFile, Values};
use crate::clip::Match;
use crate::clip::nearest::Best;
use crate::nn::l2_normalize;
use crate::nn::ops::{Matrix, Output, dot, product, vectorised};
use crate::{Error, Result};

/// Rows that a thread looks at before its best meet the others'.
const ROWS: usize = 4096;
/// Rows that are turned into f32 at once, and multiplied at once: they stay in the processor's own cache.
const FEW: usize = 48;
/// From this many queries on, rows are multiplied with all of them as a matrix.
const MANY: usize = 4;

impl IndexFile {
    /// Queries `(q, p)` of any length → for each at most `n` pictures, most similar first; of equal ones the first row.
    ///
    /// # Errors
    /// When the shapes differ.
    pub fn search(&self, queries: &Tensor, n: usize) -> Result<Vec<Vec<Match>>> {
        let found = self.nearest(queries, n)?;
        let named = |(row, similarity): (usize, f32)| Match {
            image_filename: self.name(row).unwrap_or_default().to_string(),
            similarity,
        };
        Ok(found.into_iter().map(|best| best.into_iter().map(named).collect()).collect())
    }

    /// As [`search`](Self::search), with rows instead of names.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn nearest(&self, queries: &Tensor, n: usize) -> Result<Vec<Vec<(usize, f32)>>> {
        let p = self.width();
        let q = match queries.dims() {
            [q, width] if *width == p => *q,
            _ => {
                let expected = format!("(queries, {p})");
                return Err(Error::shape("IndexFile::search", expected, queries.shape()));
            }
        };
        let unit = l2_normalize(&queries.detach().to_dtype(candle_core::DType::F32)?)?;
        let unit = unit.to_device(&candle_core::Device::Cpu)?.flatten_all()?.to_vec1::<f32>()?;
        let none = || (0..q).map(|_| Best::none(n)).collect::<Vec<_>>();
        let blocks = (0..self.len().div_ceil(ROWS)).into_par_iter();
        let best = blocks
            .map(|block| {
                let (first, mut best) = (block * ROWS, none());
                let rows = first..(first + ROWS).min(self.len());
                self.block(rows, &unit, &mut best);
                best
            })
            .reduce(none, |a, b| a.into_iter().zip(b).map(|(a, b)| a.join(b)).collect());
        Ok(best.into_iter().map(Best::found).collect())
    }

    /// Offers a block of rows to the best of each query.
    fn block(&self, rows: std::ops::Range<usize>, queries: &[f32], best: &mut [Best]) {
        thread_local! {
            static WORK: RefCell<(Vec<f32>, Vec<f32>)> = RefCell::default();
        }
        let p = self.width();
        let values = self.values();
        WORK.with_borrow_mut(|(single, products)| {
            for first in rows.clone().step_by(FEW) {
                let n = FEW.min(rows.end - first);
                let part = first * p..(first + n) * p;
                let few: &[f32] = match values {
                    Values::F32(values) => &values[part],
                    Values::F16(values) => {
                        single.resize(n * p, 0.);
                        values[part].convert_to_f32_slice(single);
                        single
                    }
                };
                if best.len() < MANY {
                    vectorised(
                        #[inline(always)]
                        || {
                            for (query, best) in queries.chunks_exact(p).zip(best.iter_mut()) {
                                for (i, row) in few.chunks_exact(p).enumerate() {
                                    best.offer(first + i, dot(row, query));
                                }
                            }
                        },
                    );
                    continue;
                }
                let q = best.len();
                products.resize(n * q, 0.);
                let (left, right) = (Matrix::new(few, n, p), Matrix::new(queries, q, p).t());
                product(Output::new(products, q), left, right, 1., 1);
                for (i, row) in products.chunks_exact(q).enumerate() {
                    for (best, similarity) in best.iter_mut().zip(row) {
                        best.offer(first + i, *similarity);
                    }
                }
            }
        });
    }
}

/// One query of several: the sum of `(1, p)` embeddings as unit vectors, each with its weight, as "like this picture, but at night":
/// `[(picture, 1.), (text, 1.)]`; a negative weight is "less of this".
///
/// # Errors
/// When there is none, or the shapes differ.
pub fn mixed_query(parts: &[(&Tensor, f64)]) -> Result<Tensor> {
    let mut sum: Option<Tensor> = None;
    for (embedding, weight) in parts {
        let part = (l2_normalize(&embedding.detach())? * *weight)?;
        sum = Some(match sum {
            None => part,
            Some(sum) if sum.shape() == part.shape() => (sum + part)?,
            Some(sum) => {
                let expected = format!("{:?}", sum.dims());
                return Err(Error::shape("mixed_query", expected, part.shape()));
            }
        });
    }
    let sum = sum.ok_or_else(|| Error::value("mixed_query", "at least one embedding", "none"))?;
    l2_normalize(&sum)
}
