//! Measures of a discrete VAE: how good its reconstructions are, how much of its codebook it uses.

use candle_core::Tensor;

use crate::{Error, Result};

/// The peak signal-to-noise ratio of `images` against `originals`, both `(…)` of one shape with values from 0 to 1, in
/// decibels: `10 log₁₀(1 / mean squared error)`, infinite where they are equal.
///
/// # Errors
/// When the shapes differ.
pub fn psnr(images: &Tensor, originals: &Tensor) -> Result<f64> {
    if images.shape() != originals.shape() {
        let expected = format!("{:?}", originals.dims());
        return Err(Error::shape("psnr, images", expected, images.shape()));
    }
    let error = (images.detach() - originals.detach())?.sqr()?.mean_all()?.to_scalar::<f32>()?;
    Ok(-10. * f64::from(error).log10())
}

/// How often each of `codebook` codes occurs in `codes (…)`, u32.
///
/// # Errors
/// When a code is not in the codebook.
pub fn code_counts(codes: &Tensor, codebook: usize) -> Result<Vec<usize>> {
    let mut counts = vec![0; codebook];
    for code in codes.flatten_all()?.to_vec1::<u32>()? {
        match counts.get_mut(code as usize) {
            Some(count) => *count += 1,
            None => {
                return Err(Error::value("code_counts", format!("codes below {codebook}"), code));
            }
        }
    }
    Ok(counts)
}

/// `exp(−Σ p ln p)` of counts: as many codes, used equally often, would be as hard to guess.
pub fn code_perplexity(counts: &[usize]) -> f64 {
    let total = counts.iter().sum::<usize>().max(1) as f64;
    let used = counts.iter().filter(|count| **count > 0).map(|count| *count as f64 / total);
    used.map(|p| -p * p.ln()).sum::<f64>().exp()
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn perplexity_counts_equally_used_codes() {
        assert!((code_perplexity(&[5, 5, 5, 5, 0]) - 4.).abs() < 1e-12);
        assert!((code_perplexity(&[9, 0, 0]) - 1.).abs() < 1e-12);
        // Shares 1/2, 1/4, 1/4: entropy 1.5 bits.
        assert!((code_perplexity(&[2, 1, 1]) - 2f64.powf(1.5)).abs() < 1e-12);
    }

    #[test]
    fn psnr_of_a_tenth() {
        let a = Tensor::zeros((1, 3, 2, 2), candle_core::DType::F32, &Device::Cpu).unwrap();
        let b = (&a + 0.1).unwrap();
        // A mean squared error of 0.01 is 20 decibels; f32 keeps seven digits of it.
        assert!((psnr(&a, &b).unwrap() - 20.).abs() < 1e-4);
        assert_eq!(psnr(&a, &a).unwrap(), f64::INFINITY);
        assert!(psnr(&a, &b.squeeze(0).unwrap()).is_err());
    }

    #[test]
    fn codes_are_counted_and_strangers_named() {
        let codes = Tensor::new(&[[0u32, 2], [2, 1]], &Device::Cpu).unwrap();
        assert_eq!(code_counts(&codes, 4).unwrap(), [1, 1, 2, 0]);
        assert!(code_counts(&codes, 2).is_err());
    }
}
