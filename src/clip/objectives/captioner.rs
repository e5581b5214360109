//! Predicting a picture's caption word by word: what the paper tried first, after VirTex (K. Desai, J. Johnson,
//! arXiv:2006.06666).

use candle_core::{D, DType, Tensor};
use candle_nn::ops::log_softmax;

use super::ObjectivesConfig;
use crate::config::{Config, Gpt2Config, Start};
use crate::display::shows_its_parameters;
use crate::encoder::{self, ImageEncoder};
use crate::language_model::{Gpt2, KvCache, LmInput, token_log_probabilities};
use crate::nn::{AdamW, Linear, Mode, ParamGroup, Params};
use crate::text::Tokenizer;
use crate::{Error, Result};

/// An image encoder and a causal transformer that writes about what it sees: the picture's vector stands in the place of a
/// text's first token, `[CLS]`.
///
/// Keys: `image_encoder.model.…`, `picture.{weight (d_text, d_image), bias}`, `decoder.transformer.…` as GPT-2's.
pub struct Captioner {
    config: Config,
    tokenizer: Tokenizer,
    params: Params,
    image_encoder: Box<dyn ImageEncoder>,
    picture: Linear,
    decoder: Gpt2,
}

shows_its_parameters!(Captioner);

impl Captioner {
    /// The image encoder as the configuration says, the rest from random weights.
    ///
    /// # Errors
    /// When the preset's files are missing, or the decoder's sizes do not fit.
    pub fn new(config: &ObjectivesConfig) -> Result<Self> {
        let base = &config.base;
        let model = Self::bare(base, &config.decoder, encoder::tokenizer(base)?)?;
        if base.image_start == Start::Pretrained {
            encoder::load_pretrained_image(base, &model.params.pp("image_encoder.model"))?;
        }
        Ok(model)
    }

    /// With random weights everywhere, for a tokenizer; where the decoder's `vocab_size` is 0, it is the tokenizer's.
    ///
    /// # Errors
    /// When the decoder's sizes do not fit.
    pub fn bare(config: &Config, decoder: &Gpt2Config, tokenizer: Tokenizer) -> Result<Self> {
        let params = Params::new(&config.device()?, config.seed);
        let place = params.pp("image_encoder.model");
        let image_encoder = encoder::image_encoder(&config.image_encoder, &place)?;
        let vocab_size = match decoder.vocab_size {
            0 => tokenizer.vocab_size(),
            given => given,
        };
        let sizes = Gpt2Config { vocab_size, ..decoder.clone() };
        let (d_image, d) = (image_encoder.features(), sizes.n_embd);
        // Features of size 1 then come out as long as the vector of a word: layer norm would hold on to a longer one.
        let small = 0.02 / (d_image as f32).sqrt();
        let picture = Linear::normal(d_image, d, small, &params.pp("picture"))?;
        let decoder = Gpt2::new(&sizes, &params.pp("decoder"))?;
        Ok(Self { config: config.clone(), tokenizer, params, image_encoder, picture, decoder })
    }

    /// All its parameters, by key.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Pictures `(b, 3, s, s)` → the vectors that stand for them, `(b, 1, d)`.
    fn pictures(&self, images: &Tensor, mode: Mode) -> Result<Tensor> {
        Ok(self.picture.forward(&self.image_encoder.forward(images, mode)?)?.unsqueeze(1)?)
    }

    /// Vectors of pictures `(b, 1, d)`, ids `(b, t)`, mask `(b, t)` → what the decoder reads.
    fn input(&self, pictures: &Tensor, ids: &Tensor, mask: &Tensor) -> Result<LmInput> {
        let words = self.decoder.embed(&ids.narrow(1, 1, ids.dim(1)? - 1)?.contiguous()?)?;
        LmInput::new(&Tensor::cat(&[pictures, &words], 1)?, mask)
    }

    /// The mean `−ln P` of a caption's tokens given the picture and the tokens before, nats a token: pictures `(b, 3, s,
    /// s)`, ids `(b, t)`, mask `(b, t)`. The last token, `[SEP]`, is predicted as well; `[CLS]` is not.
    ///
    /// # Errors
    /// When the shapes differ, or no caption has a token besides `[CLS]`.
    pub fn loss(&self, images: &Tensor, ids: &Tensor, mask: &Tensor, mode: Mode) -> Result<Tensor> {
        let input = self.input(&self.pictures(images, mode)?, ids, mask)?;
        let chances = token_log_probabilities(&self.decoder.forward(&input, mode)?, ids)?; // (b, t − 1)
        let counts = mask.narrow(1, 1, chances.dim(1)?)?.to_dtype(DType::F32)?;
        let tokens = f64::from(counts.sum_all()?.to_scalar::<f32>()?);
        if tokens == 0. {
            return Err(Error::value("Captioner, captions", "at least one token", "none"));
        }
        Ok(((chances * counts)?.sum_all()? / -tokens)?)
    }

    /// Pictures `(b, 3, s, s)` → `(b, c)`: for each sentence `ln P(sentence | picture)`, less what all have in common: the
    /// tokens with which all of them begin are read once.
    ///
    /// # Errors
    /// When there is no sentence.
    pub fn sentence_scores(&self, images: &Tensor, sentences: &[String]) -> Result<Tensor> {
        let rows = sentences.iter().map(|s| self.tokenizer.encode(s, self.config.max_length));
        let rows = rows.collect::<Result<Vec<_>>>()?;
        let Some(first) = rows.first() else {
            return Err(Error::value("Captioner, sentences", "at least one", "none"));
        };
        let shared = |n: usize| rows.iter().all(|row| n < row.len() && row[..n] == first[..n]);
        let common = (1..first.len()).take_while(|n| shared(*n)).last().unwrap_or(1);
        let (b, device) = (images.dim(0)?, self.params.device());
        let repeated = |ids: &[u32]| Tensor::new(ids, device)?.unsqueeze(0)?.repeat((b, 1));

        let pictures = self.pictures(images, Mode::Eval)?.detach();
        let ids = repeated(&first[..common])?;
        let input = self.input_detached(&pictures, &ids)?;
        let mut cache = KvCache::new();
        let hidden = self.decoder.hidden(&input, Mode::Eval, Some(&mut cache))?;
        let last = self.chances(&hidden.narrow(1, common - 1, 1)?)?.squeeze(1)?; // (b, v)
        let score = |row: &Vec<u32>| -> Result<Tensor> {
            let rest = &row[common..];
            let mut sum = last.narrow(1, rest[0] as usize, 1)?; // (b, 1)
            let read = rest.len() - 1;
            if read > 0 {
                let ids = repeated(&rest[..read])?;
                let places: Vec<u32> = (common..common + read).map(|p| p as u32).collect();
                let input = LmInput {
                    embeddings: self.decoder.embed(&ids)?.detach(),
                    attention_mask: Tensor::ones((b, common + read), DType::U32, device)?,
                    position_ids: repeated(&places)?,
                };
                let hidden = self.decoder.hidden(&input, Mode::Eval, Some(&mut cache.clone()))?;
                let chances = self.chances(&hidden)?; // (b, read, v)
                for (place, id) in rest[1..].iter().enumerate() {
                    let chance = chances.narrow(1, place, 1)?.narrow(2, *id as usize, 1)?;
                    sum = (sum + chance.squeeze(1)?)?;
                }
            }
            Ok(sum)
        };
        let columns = rows.iter().map(score).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::cat(&columns, 1)?)
    }

    fn input_detached(&self, pictures: &Tensor, ids: &Tensor) -> Result<LmInput> {
        if ids.dim(1)? == 1 {
            return LmInput::new(pictures, &ids.ones_like()?);
        }
        self.input(pictures, ids, &ids.ones_like()?)
    }

    /// Vectors `(b, s, d)` → `ln P` of the next token, `(b, s, v)`; no gradient passes.
    fn chances(&self, hidden: &Tensor) -> Result<Tensor> {
        let logits = self.decoder.predict(&hidden.contiguous()?.detach())?.detach();
        Ok(log_softmax(&logits, D::Minus1)?)
    }

    /// AdamW over the image encoder, the picture's layer, and the decoder.
    pub fn optimizer(&self) -> AdamW {
        let group = |name: &str, lr: f64| ParamGroup {
            name: name.into(),
            params: self.params.pp(name).trainable(),
            lr,
            weight_decay: 0.,
        };
        let config = &self.config;
        AdamW::new(vec![
            group("image_encoder", config.image_encoder_lr),
            group("picture", config.head_lr),
            group("decoder", config.text_encoder_lr),
        ])
    }
}
