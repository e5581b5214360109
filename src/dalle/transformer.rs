//! Stage 2: one transformer over text and codes (section 2.2).

use candle_core::{D, DType, Device, Tensor};

use super::{DalleConfig, DalleSequence, Dvae, Sequence, SequenceLayout};
use crate::config::Gpt2Config;
use crate::language_model::{Block, KvCache};
use crate::nn::{AdamW, Embedding, LayerNorm, Linear, Mode, ParamGroup, Params};
use crate::text::Tokenizer;
use crate::{Error, Result};

/// The loss of a batch of sequences and its two parts.
pub struct DalleLoss {
    /// `Σ weight · cross-entropy`: what is differentiated. A scalar.
    pub total: Tensor,
    /// The mean cross-entropy of the text targets that weigh something, nats.
    pub text: f64,
    /// The mean cross-entropy of the image targets that weigh something, nats.
    pub image: f64,
}

/// The transformer, with the dVAE that its codes belong to.
pub struct Dalle {
    pub(super) dvae: Dvae,
    pub(super) tokenizer: Tokenizer,
    text: Embedding,
    padding: Embedding,
    image: Embedding,
    text_position: Embedding,
    row_position: Embedding,
    column_position: Embedding,
    blocks: Vec<Block>,
    ln_f: LayerNorm,
    text_head: Linear,
    image_head: Linear,
    config: DalleConfig,
    params: Params,
    sequence: DalleSequence,
}

crate::display::shows_its_parameters!(Dalle);

impl Dalle {
    /// A transformer with random weights over the codes of `dvae` and the tokens of `tokenizer`.
    ///
    /// # Errors
    /// When the layout does not fit the dVAE's grid and codebook or the tokenizer's vocabulary.
    pub fn new(
        config: &DalleConfig,
        dvae: Dvae,
        tokenizer: Tokenizer,
        sequence: DalleSequence,
    ) -> Result<Self> {
        let params = Params::new(&Device::Cpu, config.seed);
        Self::with(config, &params, dvae, tokenizer, sequence)
    }

    /// As [`new`](Self::new), with parameters from `params`.
    ///
    /// # Errors
    /// As [`new`](Self::new), or when a parameter has another shape.
    pub fn with(
        config: &DalleConfig,
        params: &Params,
        dvae: Dvae,
        tokenizer: Tokenizer,
        sequence: DalleSequence,
    ) -> Result<Self> {
        let l = &config.layout;
        let grid = dvae.config().grid();
        if [l.rows, l.columns, l.codes] != [grid, grid, dvae.config().codes] {
            let expected = format!("{grid} × {grid} codes of {}", dvae.config().codes);
            let got = format!("{} × {} codes of {}", l.rows, l.columns, l.codes);
            return Err(Error::value("DalleConfig::layout", expected, got));
        }
        if tokenizer.vocab_size() > l.text_vocabulary || l.text_tokens == 0 {
            let expected = format!("at least 1 text token, of {} words", tokenizer.vocab_size());
            let got = format!("{} tokens of {}", l.text_tokens, l.text_vocabulary);
            return Err(Error::value("DalleConfig::layout", expected, got));
        }
        let d = config.width;
        let sizes = Gpt2Config {
            vocab_size: l.codes,
            n_positions: l.len(),
            n_embd: d,
            n_layer: config.layers,
            n_head: config.heads,
            layer_norm_epsilon: 1e-5,
            dropout: config.dropout,
        };
        let block = |i: usize| Block::new(&sizes, &params.pp(format!("h.{i}")));
        let table = |rows: usize, name: &str| Embedding::new(rows, d, &params.pp(name));
        Ok(Self {
            text: table(l.text_vocabulary, "text")?,
            padding: table(l.text_tokens, "padding")?,
            image: table(l.codes, "image")?,
            text_position: table(l.text_tokens, "text_position")?,
            row_position: table(l.rows, "row_position")?,
            column_position: table(l.columns, "column_position")?,
            blocks: (0..config.layers).map(block).collect::<Result<_>>()?,
            ln_f: LayerNorm::new(d, 1e-5, &params.pp("ln_f"))?,
            text_head: Linear::bert(d, l.first_code(), &params.pp("text_head"))?,
            image_head: Linear::bert(d, l.codes, &params.pp("image_head"))?,
            config: config.clone(),
            params: params.clone(),
            dvae,
            tokenizer,
            sequence,
        })
    }

    /// The sizes.
    pub fn config(&self) -> &DalleConfig {
        &self.config
    }

    /// The sequence's layout.
    pub fn layout(&self) -> &SequenceLayout {
        &self.config.layout
    }

    /// The transformer's parameters; the dVAE's are [`dvae`](Self::dvae)'s.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The dVAE.
    pub fn dvae(&self) -> &Dvae {
        &self.dvae
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// AdamW: weight decay on matrices, none on tables, biases and norms.
    pub fn optimizer(&self) -> AdamW {
        let (matrices, rest) = self
            .params
            .trainable()
            .into_iter()
            .partition(|p| p.var().rank() > 1 && p.name().contains("h."));
        let group = |name: &str, params, weight_decay| ParamGroup {
            name: name.into(),
            params,
            lr: self.config.lr,
            weight_decay,
        };
        AdamW::new(vec![group("matrices", matrices, 0.05), group("rest", rest, 0.)])
    }

    /// Captions → ids `(b, t)` u32, cut or padded to the layout's text tokens.
    ///
    /// # Errors
    /// When the tokenizer refuses a caption.
    pub fn text_ids<S: AsRef<str>>(&self, captions: &[S]) -> Result<Tensor> {
        let t = self.layout().text_tokens;
        let mut ids = Vec::new();
        for caption in captions {
            let mut row = self.tokenizer.encode(caption.as_ref(), t)?;
            row.resize(t, self.layout().pad_id);
            ids.extend(row);
        }
        Ok(Tensor::from_vec(ids, (captions.len(), t), &Device::Cpu)?)
    }

    /// Text ids `(b, t)` u32 and codes `(b, h·w)` u32 as one sequence: what the exercise `dalle_sequence` makes of them.
    ///
    /// # Errors
    /// What the exercise reports; shapes or ids that the layout does not have.
    pub fn sequence(&self, text_ids: &Tensor, codes: &Tensor) -> Result<Sequence> {
        let sequence = (self.sequence)(text_ids, codes, self.layout())?;
        self.check(&sequence, text_ids.dim(0)?)?;
        Ok(sequence)
    }

    fn check(&self, s: &Sequence, b: usize) -> Result<()> {
        let l = self.layout();
        let shape = [b, l.len()];
        let parts = [
            ("ids", &s.ids, l.first_code() + l.codes),
            ("positions", &s.positions, l.len()),
            ("targets", &s.targets, l.first_code() + l.codes),
        ];
        for (name, tensor, below) in parts {
            if tensor.dims() != shape || tensor.dtype() != DType::U32 {
                let expected = format!("({b}, {}) u32", l.len());
                let got = format!("{:?} {:?}", tensor.dims(), tensor.dtype());
                return Err(Error::value(format!("dalle_sequence, {name}"), expected, got));
            }
            let largest = tensor.flatten_all()?.max(0)?.to_scalar::<u32>()? as usize;
            if largest >= below {
                let expected = format!("values below {below}");
                return Err(Error::value(format!("dalle_sequence, {name}"), expected, largest));
            }
        }
        if s.weights.dims() != shape {
            let expected = format!("({b}, {})", l.len());
            return Err(Error::shape("dalle_sequence, weights", expected, s.weights.shape()));
        }
        Ok(())
    }

    /// The embeddings of a sequence `(b, t + h·w, d)`: of tokens, and of places (a text place, or a row and a column).
    fn embed(&self, s: &Sequence) -> Result<Tensor> {
        let l = self.layout();
        let (b, n) = s.ids.dims2()?;
        let table =
            Tensor::cat(&[self.text.weight(), self.padding.weight(), self.image.weight()], 0)?;
        let tokens = table.index_select(&s.ids.flatten_all()?, 0)?.reshape((b, n, ()))?;
        let text = s.positions.narrow(1, 0, l.text_tokens)?.contiguous()?;
        let image = s.positions.narrow(1, l.text_tokens, l.image_tokens())?.contiguous()?;
        let large = [(&text, l.text_tokens), (&image, l.image_tokens())];
        for (positions, below) in large {
            let largest = positions.flatten_all()?.max(0)?.to_scalar::<u32>()? as usize;
            if largest >= below {
                let expected = format!("text places and image places from 0, below {below}");
                return Err(Error::value("dalle_sequence, positions", expected, largest));
            }
        }
        let places =
            Tensor::cat(&[self.text_position.forward(&text)?, self.image_places(&image)?], 1)?;
        Ok((tokens + places)?)
    }

    /// Image places `(…)` in reading order → the sum of a row's and a column's embedding `(…, d)`.
    fn image_places(&self, places: &Tensor) -> Result<Tensor> {
        let columns = self.layout().columns as u32;
        let part = |f: &dyn Fn(u32) -> u32| -> Result<Tensor> {
            let values = places.flatten_all()?.to_vec1::<u32>()?;
            let values: Vec<u32> = values.into_iter().map(f).collect();
            Ok(Tensor::from_vec(values, places.shape(), places.device())?)
        };
        let rows = self.row_position.forward(&part(&|p| p / columns)?)?;
        Ok((rows + self.column_position.forward(&part(&|p| p % columns)?)?)?)
    }

    /// Embeddings `(b, s, d)` of the places behind those in `cache` → the last layer's vectors `(b, s, d)`.
    fn hidden(
        &self,
        embeddings: &Tensor,
        mode: Mode,
        mut cache: Option<&mut KvCache>,
    ) -> Result<Tensor> {
        let (b, s, _) = embeddings.dims3()?;
        let t = s + cache.as_ref().map_or(0, |cache| cache.len());
        let mask = Tensor::ones((b, t), DType::U32, embeddings.device())?;
        let mut x = embeddings.clone();
        for (layer, block) in self.blocks.iter().enumerate() {
            let cache = cache.as_deref_mut().map(|cache| (cache, layer));
            x = block.forward(&x, &mask, mode, cache)?;
        }
        self.ln_f.forward(&x)
    }

    /// The loss of a batch of sequences.
    ///
    /// # Errors
    /// When a text place has a code for its target, or an image place a word.
    pub fn loss(&self, sequence: &Sequence, mode: Mode) -> Result<DalleLoss> {
        let l = self.layout();
        let hidden = self.hidden(&self.embed(sequence)?, mode, None)?;
        // The last text place predicts the first code, the last image place nothing.
        let (words, codes) = (l.text_tokens - 1, l.image_tokens());
        let text = self.text_head.forward(&hidden.narrow(1, 0, words)?.contiguous()?)?;
        let image = self.image_head.forward(&hidden.narrow(1, words, codes)?.contiguous()?)?;
        let (text_sum, text) = part(&text, sequence, 0, 0, "text place")?;
        let (image_sum, image) = part(&image, sequence, words, l.first_code(), "image place")?;
        Ok(DalleLoss { total: (text_sum + image_sum)?, text, image })
    }

    /// Reads text ids `(b, t)` u32 into an empty cache; gives the logits of the first code `(b, k)`.
    pub(super) fn read_text(&self, text_ids: &Tensor, cache: &mut KvCache) -> Result<Tensor> {
        let (b, t) = text_ids.dims2()?;
        // A padded place has a vector of its own.
        let is_pad = text_ids.eq(self.layout().pad_id)?.to_dtype(DType::F32)?.unsqueeze(2)?;
        let words = self.text.forward(text_ids)?.detach();
        let pads = self.padding.weight().detach().unsqueeze(0)?.broadcast_sub(&words)?;
        let tokens = (&words + pads.broadcast_mul(&is_pad)?)?;
        let places = Tensor::arange(0u32, t as u32, text_ids.device())?.unsqueeze(0)?;
        let places = self.text_position.forward(&places.broadcast_as((b, t))?.contiguous()?)?;
        self.next(&(tokens + places)?, cache)
    }

    /// Reads a code of each row `(b)` at image place `place`; gives the logits of the next one `(b, k)`.
    pub(super) fn read_code(
        &self,
        codes: &[u32],
        place: usize,
        cache: &mut KvCache,
    ) -> Result<Tensor> {
        let b = codes.len();
        let tokens = self.image.forward(&Tensor::new(codes, &Device::Cpu)?.reshape((b, 1))?)?;
        let place = Tensor::full(place as u32, (b, 1), &Device::Cpu)?;
        self.next(&(tokens + self.image_places(&place)?)?, cache)
    }

    fn next(&self, embeddings: &Tensor, cache: &mut KvCache) -> Result<Tensor> {
        let hidden = self.hidden(&embeddings.detach(), Mode::Eval, Some(cache))?.detach();
        let last = hidden.narrow(1, hidden.dim(1)? - 1, 1)?.squeeze(1)?;
        Ok(self.image_head.forward(&last.contiguous()?)?.detach())
    }
}

/// The weighted sum of cross-entropies of the places from `first` on, whose logits `(b, s, v)` are of the ids from `offset`
/// on; and their mean where something is weighed.
fn part(
    logits: &Tensor,
    sequence: &Sequence,
    first: usize,
    offset: usize,
    what: &str,
) -> Result<(Tensor, f64)> {
    let (b, s, v) = logits.dims3()?;
    if s == 0 {
        return Ok((Tensor::new(0f32, logits.device())?, 0.));
    }
    let targets = sequence.targets.narrow(1, first, s)?.contiguous()?.flatten_all()?;
    let weights = sequence.weights.narrow(1, first, s)?.contiguous()?.flatten_all()?;
    let weights = weights.to_dtype(DType::F32)?.detach();
    let mut own = targets.to_vec1::<u32>()?;
    for (i, (target, weight)) in own.iter_mut().zip(weights.to_vec1::<f32>()?).enumerate() {
        match (*target as usize).checked_sub(offset).filter(|id| *id < v) {
            Some(id) => *target = id as u32,
            None if weight == 0. => *target = 0,
            None => {
                let at = format!("dalle_sequence, target of {what} {}", first + i % s);
                let expected = format!("ids {offset} to {}", offset + v - 1);
                return Err(Error::value(at, expected, *target));
            }
        }
    }
    let ln_p = candle_nn::ops::log_softmax(&logits.reshape((b * s, v))?, D::Minus1)?;
    let own = Tensor::from_vec(own, (b * s, 1), logits.device())?;
    let nats = ln_p.gather(&own, 1)?.squeeze(1)?.neg()?; // (b·s)
    let counted = weights.ne(0f32)?.to_dtype(DType::F32)?;
    let count = counted.sum_all()?.to_scalar::<f32>()?.max(1.);
    let mean = (nats.detach() * counted)?.sum_all()?.to_scalar::<f32>()? / count;
    Ok(((nats * weights)?.sum_all()?, f64::from(mean)))
}
