//! An embedding as a sequence of codes (arXiv:2204.06125, section 2.2): principal components, the largest first, each in
//! one of a few bins.

use candle_core::{Device, Tensor};

use crate::checkpoint::StateDict;
use crate::measure::eigen;
use crate::{Error, Result};

/// How embeddings become codes and come back.
#[derive(Clone, Debug)]
pub struct Codes {
    mean: Vec<f64>,
    /// `(k, p)`, rows of unit length, in the order of their variance.
    axes: Vec<Vec<f64>>,
    /// `(k, bins)`: what each code stands for, the mean of the values that it was made from.
    centres: Vec<Vec<f64>>,
    /// `(k, bins − 1)`: where one bin ends and the next begins.
    edges: Vec<Vec<f64>>,
    /// The share of the variance that the components keep.
    kept: f64,
}

impl Codes {
    /// Learns `k` components and `bins` equally full bins of each from embeddings `(n, p)`.
    ///
    /// # Errors
    /// When there are fewer embeddings than bins or fewer dimensions than components.
    pub fn fit(embeddings: &Tensor, k: usize, bins: usize) -> Result<Self> {
        let rows = embeddings.to_vec2::<f32>()?;
        let (n, p) = embeddings.dims2()?;
        if k == 0 || k > p || bins < 2 || n < bins {
            let expected = format!("1 to {p} components, and 2 to {n} bins");
            return Err(Error::value("Codes::fit", expected, format!("{k} and {bins}")));
        }
        let mean: Vec<f64> =
            (0..p).map(|j| rows.iter().map(|r| f64::from(r[j])).sum::<f64>() / n as f64).collect();
        let mut covariance = vec![0.; p * p];
        for row in &rows {
            let centred: Vec<f64> = row.iter().zip(&mean).map(|(x, m)| f64::from(*x) - m).collect();
            for (i, x) in centred.iter().enumerate() {
                let line = &mut covariance[i * p..(i + 1) * p];
                line.iter_mut().zip(&centred).for_each(|(c, y)| *c += x * y / n as f64);
            }
        }
        let (values, vectors) = eigen(covariance, p);
        let total: f64 = values.iter().sum();
        let column = |i: usize| (0..p).map(|j| vectors[j * p + i]).collect::<Vec<f64>>();
        let mut found: Vec<(f64, Vec<f64>)> =
            values.iter().enumerate().map(|(i, value)| (*value, column(i))).collect();
        found.sort_by(|x, y| y.0.total_cmp(&x.0));
        let kept = found.iter().take(k).map(|(value, _)| value).sum::<f64>() / total;
        let axes: Vec<Vec<f64>> =
            found.into_iter().take(k).map(|(_, axis)| pointed(axis)).collect();
        let mut codes = Self { mean, axes, centres: Vec::new(), edges: Vec::new(), kept };
        for i in 0..k {
            let mut values: Vec<f64> = rows.iter().map(|row| codes.along(i, row)).collect();
            values.sort_by(f64::total_cmp);
            let cut = |bin: usize| bin * n / bins;
            let centre = |bin: usize| {
                let part = &values[cut(bin)..cut(bin + 1)];
                part.iter().sum::<f64>() / part.len() as f64
            };
            codes.centres.push((0..bins).map(centre).collect());
            let edge = |bin: usize| (values[cut(bin) - 1] + values[cut(bin)]) / 2.;
            codes.edges.push((1..bins).map(edge).collect());
        }
        Ok(codes)
    }

    /// The share of the variance that the components keep, 0 to 1.
    pub fn kept(&self) -> f64 {
        self.kept
    }

    /// The coordinate of an embedding along component `i`.
    fn along(&self, i: usize, row: &[f32]) -> f64 {
        let centred = row.iter().zip(&self.mean).map(|(x, m)| f64::from(*x) - m);
        centred.zip(&self.axes[i]).map(|(x, a)| x * a).sum()
    }

    /// Embeddings `(b, p)` → codes `(b, k)`, u32.
    ///
    /// # Errors
    /// When the length of an embedding is not that of [`fit`](Self::fit).
    pub fn encode(&self, embeddings: &Tensor) -> Result<Tensor> {
        let (b, p) = embeddings.dims2()?;
        if p != self.mean.len() {
            let expected = format!("(b, {})", self.mean.len());
            return Err(Error::shape("Codes::encode", expected, embeddings.shape()));
        }
        let mut codes = Vec::new();
        for row in embeddings.to_vec2::<f32>()? {
            for (i, edges) in self.edges.iter().enumerate() {
                let value = self.along(i, &row);
                codes.push(edges.partition_point(|edge| *edge <= value) as u32);
            }
        }
        Ok(Tensor::from_vec(codes, (b, self.axes.len()), &Device::Cpu)?)
    }

    /// Codes `(b, k)`, u32 → embeddings `(b, p)`: what is nearest to all that have these codes.
    ///
    /// # Errors
    /// When there are not k codes a row, or one is no bin's.
    pub fn decode(&self, codes: &Tensor) -> Result<Tensor> {
        let (b, k) = codes.dims2()?;
        if k != self.axes.len() {
            let expected = format!("(b, {})", self.axes.len());
            return Err(Error::shape("Codes::decode", expected, codes.shape()));
        }
        let mut values = Vec::with_capacity(b * self.mean.len());
        for row in codes.to_vec2::<u32>()? {
            let mut embedding = self.mean.clone();
            for (i, &code) in row.iter().enumerate() {
                let Some(centre) = self.centres[i].get(code as usize) else {
                    let expected = format!("below {}", self.centres[i].len());
                    return Err(Error::value("Codes::decode, code", expected, code));
                };
                embedding.iter_mut().zip(&self.axes[i]).for_each(|(x, a)| *x += centre * a);
            }
            values.extend(embedding.into_iter().map(|x| x as f32));
        }
        Ok(Tensor::from_vec(values, (b, self.mean.len()), &Device::Cpu)?)
    }

    /// As tensors, for a checkpoint.
    ///
    /// # Errors
    /// When a tensor cannot be made.
    pub(super) fn state_dict(&self) -> Result<StateDict> {
        let table = |rows: &[Vec<f64>]| {
            let wide = rows.first().map_or(0, Vec::len);
            let values: Vec<f32> = rows.iter().flatten().map(|x| *x as f32).collect();
            Tensor::from_vec(values, (rows.len(), wide), &Device::Cpu)
        };
        Ok(StateDict::from([
            ("mean".into(), table(std::slice::from_ref(&self.mean))?),
            ("axes".into(), table(&self.axes)?),
            ("centres".into(), table(&self.centres)?),
            ("edges".into(), table(&self.edges)?),
            ("kept".into(), Tensor::new(self.kept as f32, &Device::Cpu)?),
        ]))
    }

    /// What [`state_dict`](Self::state_dict) wrote.
    pub(super) fn from_state(state: &StateDict) -> Result<Self> {
        let tensor = |name: &str| {
            let found = state.get(name).ok_or_else(|| {
                Error::value("codes", format!("the key `{name}`"), "no such key (missing)")
            })?;
            Ok::<_, Error>(found.to_dtype(candle_core::DType::F64)?)
        };
        let table = |name: &str| Ok::<_, Error>(tensor(name)?.to_vec2::<f64>()?);
        Ok(Self {
            mean: table("mean")?.concat(),
            axes: table("axes")?,
            centres: table("centres")?,
            edges: table("edges")?,
            kept: tensor("kept")?.to_scalar()?,
        })
    }
}

/// An axis has no direction; this one goes where its largest coordinate is positive.
fn pointed(axis: Vec<f64>) -> Vec<f64> {
    let largest = axis.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
    let sign = if largest.unwrap_or(0.) < 0. { -1. } else { 1. };
    axis.into_iter().map(|x| x * sign).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn codes_come_back_near_and_survive_a_checkpoint() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        // Rank 3 in 8 dimensions: three components keep everything but the bins' width.
        let x = crate::unclip::gaussian(&mut rng, &[600, 3]).unwrap();
        let w = crate::unclip::gaussian(&mut rng, &[3, 8]).unwrap();
        let x = x.matmul(&w).unwrap();
        let codes = Codes::fit(&x, 3, 32).unwrap();
        assert!(codes.kept() > 0.999);
        let ids = codes.encode(&x).unwrap();
        let back = codes.decode(&ids).unwrap();
        let error = (&back - &x).unwrap().sqr().unwrap().mean_all().unwrap();
        let size = x.sqr().unwrap().mean_all().unwrap();
        let share = error.to_scalar::<f32>().unwrap() / size.to_scalar::<f32>().unwrap();
        // 32 equally full bins of a normal distribution leave about 0.6 % of its variance, most of it in the outer two.
        assert!(share < 0.02, "{share}");
        let again = Codes::from_state(&codes.state_dict().unwrap()).unwrap();
        assert_eq!(
            again.encode(&x).unwrap().to_vec2::<u32>().unwrap(),
            ids.to_vec2::<u32>().unwrap()
        );
        // Every bin is equally full: a code at random is as likely as the next.
        let first: Vec<u32> = ids.to_vec2::<u32>().unwrap().iter().map(|row| row[0]).collect();
        for bin in 0..32 {
            let full = first.iter().filter(|c| **c == bin).count();
            assert!((17..=20).contains(&full), "{full} of 600 in bin {bin}");
        }
    }
}
