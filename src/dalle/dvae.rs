//! The discrete variational autoencoder: a picture to a grid of codes and back (sections 2.1 and A.1, in small).

use candle_core::{D, DType, Tensor};

use super::layers::{Residual, conv, pixel_shuffle};
use super::{DvaeConfig, Quantize, from_unit, logit_laplace, to_unit};
use crate::nn::{AdamW, Conv2d, Embedding, ParamGroup, Params, ops};
use crate::{Error, Result};

/// Pictures that are encoded or decoded at once.
const BATCH: usize = 128;

/// The negative evidence lower bound of a batch and its two parts.
pub struct DvaeLoss {
    /// `reconstruction + kl_weight · kl / (3 s²)`: what is differentiated. A scalar.
    pub total: Tensor,
    /// Mean −ln P of a value of a picture, nats.
    pub reconstruction: f64,
    /// The KL divergence from uniform codes, nats a picture: 0 to `h·w·ln k`.
    pub kl: f64,
    /// The logits of the codes `(b, k, h, w)`, detached.
    pub logits: Tensor,
}

struct Encoder {
    down1: Conv2d,
    res1: Residual,
    down2: Conv2d,
    res2: Residual,
    logits: Conv2d,
}

struct Decoder {
    res1: Residual,
    up1: Conv2d,
    res2: Residual,
    up2: Conv2d,
}

/// Pictures of `s²` to codes on `s/4 × s/4` places, and back.
pub struct Dvae {
    encoder: Encoder,
    codebook: Embedding,
    decoder: Decoder,
    config: DvaeConfig,
    params: Params,
    quantize: Quantize,
}

crate::display::shows_its_parameters!(Dvae);

impl Dvae {
    /// Random weights.
    ///
    /// # Errors
    /// When four does not divide the side.
    pub fn new(config: &DvaeConfig, quantize: Quantize) -> Result<Self> {
        let params = Params::new(&candle_core::Device::Cpu, config.seed);
        Self::with(config, &params, quantize)
    }

    /// As [`new`](Self::new), with parameters from `params`.
    ///
    /// # Errors
    /// When four does not divide the side, or a parameter has another shape.
    pub fn with(config: &DvaeConfig, params: &Params, quantize: Quantize) -> Result<Self> {
        if config.side == 0 || !config.side.is_multiple_of(4) {
            return Err(Error::value("DvaeConfig::side", "a multiple of 4", config.side));
        }
        let [c1, c2] = config.widths;
        let (enc, dec) = (params.pp("encoder"), params.pp("decoder"));
        Ok(Self {
            encoder: Encoder {
                down1: conv(3, c1, 4, 2, &enc.pp("down1"))?.with_padding(1),
                res1: Residual::new(c1, &enc.pp("res1"))?,
                down2: conv(c1, c2, 4, 2, &enc.pp("down2"))?.with_padding(1),
                res2: Residual::new(c2, &enc.pp("res2"))?,
                logits: conv(c2, config.codes, 1, 1, &enc.pp("logits"))?,
            },
            codebook: Embedding::normal(config.codes, c2, 1., &params.pp("codebook"))?,
            decoder: Decoder {
                res1: Residual::new(c2, &dec.pp("res1"))?,
                up1: conv(c2, 4 * c1, 3, 1, &dec.pp("up1"))?,
                res2: Residual::new(c1, &dec.pp("res2"))?,
                up2: conv(c1, 4 * 6, 3, 1, &dec.pp("up2"))?,
            },
            config: config.clone(),
            params: params.clone(),
            quantize,
        })
    }

    /// The sizes.
    pub fn config(&self) -> &DvaeConfig {
        &self.config
    }

    /// All its parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// AdamW over everything.
    pub fn optimizer(&self) -> AdamW {
        let params = self.params.trainable();
        AdamW::new(vec![ParamGroup {
            name: "dvae".into(),
            params,
            lr: self.config.lr,
            weight_decay: 0.,
        }])
    }

    /// Pictures `(b, 3, s, s)`, values from 0 to 1 → logits of the codes `(b, k, h, w)`.
    ///
    /// # Errors
    /// When the pictures have another shape.
    pub fn encode(&self, images: &Tensor) -> Result<Tensor> {
        let s = self.config.side;
        if images.rank() != 4 || images.dims()[1..] != [3, s, s] {
            return Err(Error::shape(
                "dVAE, images",
                format!("(batch, 3, {s}, {s})"),
                images.shape(),
            ));
        }
        let e = &self.encoder;
        let x = e.down1.forward(&to_unit(images)?.affine(2., -1.)?)?; // (b, c1, s/2, s/2)
        let x = e.res1.forward(&x)?;
        let x = e.down2.forward(&ops::relu(&x)?)?; // (b, c2, s/4, s/4)
        let x = e.res2.forward(&x)?;
        e.logits.forward(&ops::relu(&x)?)
    }

    /// Codes, one-hot or soft, `(b, k, h, w)` → μ and ln b of every value, each `(b, 3, s, s)`.
    ///
    /// # Errors
    /// When there are not `k` codes.
    pub fn decode(&self, codes: &Tensor) -> Result<(Tensor, Tensor)> {
        let (b, k, h, w) = codes.dims4()?;
        if k != self.config.codes {
            let expected = format!("(batch, {}, height, width)", self.config.codes);
            return Err(Error::shape("dVAE, codes", expected, codes.shape()));
        }
        let rows = codes.permute((0, 2, 3, 1))?.contiguous()?.reshape((b * h * w, k))?;
        self.decode_rows(&rows.matmul(&self.codebook.weight())?, (b, h, w))
    }

    /// Vectors of the codebook `(b·h·w, c)` → μ and ln b.
    fn decode_rows(
        &self,
        rows: &Tensor,
        (b, h, w): (usize, usize, usize),
    ) -> Result<(Tensor, Tensor)> {
        let c = rows.dim(1)?;
        let x = rows.reshape((b, h, w, c))?.permute((0, 3, 1, 2))?.contiguous()?; // (b, c2, h, w)
        let d = &self.decoder;
        let x = d.res1.forward(&x)?;
        let x = pixel_shuffle(&d.up1.forward(&ops::relu(&x)?)?)?; // (b, c1, 2h, 2w)
        let x = d.res2.forward(&x)?;
        let x = pixel_shuffle(&d.up2.forward(&ops::relu(&x)?)?)?; // (b, 6, 4h, 4w)
        Ok((x.narrow(1, 0, 3)?, x.narrow(1, 3, 3)?))
    }

    /// The loss of a batch of pictures `(b, 3, s, s)`, with Gumbel noise `(b, k, h, w)`.
    ///
    /// # Errors
    /// What the exercise `quantize` reports; when it gives another shape.
    pub fn loss(
        &self,
        images: &Tensor,
        temperature: f64,
        kl_weight: f64,
        noise: &Tensor,
    ) -> Result<DvaeLoss> {
        let logits = self.encode(images)?;
        let codes = (self.quantize)(&logits, temperature, Some(noise))?;
        if codes.shape() != logits.shape() {
            let expected = format!("codes like the logits, {:?}", logits.dims());
            return Err(Error::shape("quantize", expected, codes.shape()));
        }
        let (mu, ln_b) = self.decode(&codes)?;
        let reconstruction = logit_laplace(&to_unit(images)?, &mu, &ln_b)?.mean_all()?;
        let kl = kl_from_uniform(&logits)?;
        let values = (images.elem_count() / images.dim(0)?) as f64;
        Ok(DvaeLoss {
            total: (&reconstruction + (&kl * (kl_weight / values))?)?,
            reconstruction: f64::from(reconstruction.to_scalar::<f32>()?),
            kl: f64::from(kl.to_scalar::<f32>()?),
            logits: logits.detach(),
        })
    }

    /// Pictures `(n, 3, s, s)`, values from 0 to 1 → the numbers of their likeliest codes `(n, h·w)` u32, in reading order.
    ///
    /// # Errors
    /// When the pictures have another shape.
    pub fn codes(&self, images: &Tensor) -> Result<Tensor> {
        let mut parts = Vec::new();
        for (at, count) in batches(images.dim(0)?) {
            let logits = self.encode(&images.narrow(0, at, count)?)?.detach();
            let rows = logits.flatten_from(2)?.transpose(1, 2)?.contiguous()?; // (b, h·w, k)
            parts.push(rows.argmax(D::Minus1)?);
        }
        Ok(Tensor::cat(&parts, 0)?)
    }

    /// Numbers of codes `(n, h·w)` u32 → pictures `(n, 3, s, s)`, values from 0 to 1.
    ///
    /// # Errors
    /// When a code is not in the codebook, or there are not `h·w` of them.
    pub fn pictures(&self, codes: &Tensor) -> Result<Tensor> {
        self.first_pictures(codes, self.config.grid() * self.config.grid())
    }

    /// As [`pictures`](Self::pictures), of the first `known` codes: the others' vectors are 0.
    ///
    /// # Errors
    /// As [`pictures`](Self::pictures).
    pub fn first_pictures(&self, codes: &Tensor, known: usize) -> Result<Tensor> {
        let g = self.config.grid();
        let (n, places) = codes.dims2()?;
        if places != g * g {
            return Err(Error::shape("dVAE, codes", format!("(n, {})", g * g), codes.shape()));
        }
        let largest = codes.flatten_all()?.max(0)?.to_scalar::<u32>()? as usize;
        if largest >= self.config.codes {
            let expected = format!("codes below {}", self.config.codes);
            return Err(Error::value("dVAE, codes", expected, largest));
        }
        let there: Vec<f32> = (0..places).map(|i| f32::from(u8::from(i < known))).collect();
        let there = Tensor::new(there, codes.device())?.reshape((1, places, 1))?;
        let mut parts = Vec::new();
        for (at, count) in batches(n) {
            let vectors =
                self.codebook.forward(&codes.narrow(0, at, count)?)?.broadcast_mul(&there)?;
            let rows = vectors.reshape((count * places, ()))?;
            parts.push(from_unit(&self.decode_rows(&rows, (count, g, g))?.0)?.detach());
        }
        Ok(Tensor::cat(&parts, 0)?)
    }

    /// Pictures `(n, 3, s, s)` as they come back from their codes.
    ///
    /// # Errors
    /// When the pictures have another shape.
    pub fn reconstruct(&self, images: &Tensor) -> Result<Tensor> {
        self.pictures(&self.codes(images)?)
    }
}

fn batches(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).step_by(BATCH).map(move |at| (at, BATCH.min(n - at)))
}

/// `Σ q (ln q + ln k)` over codes and places, the mean over pictures: logits `(b, k, h, w)` → a scalar.
fn kl_from_uniform(logits: &Tensor) -> Result<Tensor> {
    let (b, k, _, _) = logits.dims4()?;
    let ln_q = candle_nn::ops::log_softmax(logits, 1)?;
    let terms = (ln_q.exp()? * (&ln_q + (k as f64).ln())?)?;
    Ok((terms.to_dtype(DType::F32)?.sum_all()? / b as f64)?)
}
