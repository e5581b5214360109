//! The slide's class: a vision encoder, one linear layer, and a language model that stays as it is.

use candle_core::{DType, Tensor};

use super::{FrozenConfig, FrozenHoles, LmStart};
use crate::config::{Gpt2Config, LanguageModelConfig, LlamaConfig, Start};
use crate::display::shows_its_parameters;
use crate::encoder::{self, ImageEncoder};
use crate::language_model::{self, CausalLm, LmInput};
use crate::nn::{AdamW, Linear, Mode, ParamGroup, Params};
use crate::text::BpeTokenizer;
use crate::{Error, Result};

/// A language model that sees. Keys are those of the slide's Python: `text_encoder.`, `vision_encoder.`, `vision_proj_m.`.
pub struct Frozen {
    config: FrozenConfig,
    tokenizer: BpeTokenizer,
    image_token_id: u32,
    params: Params,
    text_encoder: Box<dyn CausalLm>,
    vision_encoder: Box<dyn ImageEncoder>,
    vision_proj_m: Linear,
    holes: FrozenHoles,
}

shows_its_parameters!(Frozen);

impl Frozen {
    /// The token that stands in a text where a picture is: one in a text, `num_visual_prefix` in its ids.
    pub const IMAGE: &str = "<image>";

    /// A model as `config` says.
    ///
    /// # Errors
    /// When the preset's files are missing, or `freeze_lm` leaves a parameter of the language model to train.
    pub fn new(config: &FrozenConfig, holes: FrozenHoles) -> Result<Self> {
        let model = Self::unfrozen(config, holes)?;
        if config.language_model == LmStart::Frozen {
            let lm_params = model.params().pp("text_encoder");
            (holes.freeze_lm)(&lm_params)?;
            if let Some(param) = lm_params.trainable().first() {
                let got = format!("`{}` still trains", param.name());
                return Err(Error::value("freeze_lm", "a language model without any", got));
            }
        }
        Ok(model)
    }

    /// As [`new`](Self::new), before the language model is frozen: not to be trained.
    pub(super) fn unfrozen(config: &FrozenConfig, holes: FrozenHoles) -> Result<Self> {
        let params = Params::new(&config.base.device()?, config.base.seed);
        let lm_params = params.pp("text_encoder");
        let (text_encoder, tokenizer) = match config.language_model {
            LmStart::Scratch => {
                let tokenizer = language_model::pretrained_tokenizer(&config.base)?;
                let vocab_size = tokenizer.vocab_size();
                let sizes = match &config.base.language_model {
                    LanguageModelConfig::Gpt2(c) => Gpt2Config { vocab_size, ..c.clone() }.into(),
                    LanguageModelConfig::Llama(c) => LlamaConfig { vocab_size, ..c.clone() }.into(),
                };
                (language_model::language_model(&sizes, &lm_params)?, tokenizer)
            }
            LmStart::Frozen | LmStart::FineTuned => {
                language_model::pretrained(&config.base, &lm_params)?
            }
        };
        let model = Self::with(config, &params, text_encoder, tokenizer, holes)?;
        if config.base.image_start == Start::Pretrained {
            encoder::load_pretrained_image(&config.base, &params.pp("vision_encoder"))?;
        }
        Ok(model)
    }

    /// A model around a language model that lies below `params.pp("text_encoder")`, with random weights elsewhere.
    ///
    /// # Errors
    /// When the sizes do not fit.
    pub fn with(
        config: &FrozenConfig,
        params: &Params,
        mut text_encoder: Box<dyn CausalLm>,
        mut tokenizer: BpeTokenizer,
        holes: FrozenHoles,
    ) -> Result<Self> {
        tokenizer.add_tokens(&[Self::IMAGE])?;
        text_encoder.resize_token_embeddings(tokenizer.vocab_size())?;
        let image_token_id = tokenizer
            .token_to_id(Self::IMAGE)
            .ok_or_else(|| Error::value("the tokenizer", Self::IMAGE, "no such token"))?;
        let place = params.pp("vision_encoder");
        let vision_encoder = encoder::image_encoder(&config.base.image_encoder, &place)?;
        place.set_trainable(config.base.image_trainable);
        let wide = config.num_visual_prefix * text_encoder.width();
        let vision_proj_m =
            Linear::new(vision_encoder.features(), wide, &params.pp("vision_proj_m"))?;
        as_long_as_words(&params.pp("vision_proj_m"), &*text_encoder)?;
        Ok(Self {
            config: config.clone(),
            tokenizer,
            image_token_id,
            params: params.clone(),
            text_encoder,
            vision_encoder,
            vision_proj_m,
            holes,
        })
    }

    /// The choices that it was built with.
    pub fn config(&self) -> &FrozenConfig {
        &self.config
    }

    /// All its parameters, by checkpoint key.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The tokenizer, with the image token.
    pub fn tokenizer(&self) -> &BpeTokenizer {
        &self.tokenizer
    }

    /// The id of [`IMAGE`](Self::IMAGE).
    pub fn image_token_id(&self) -> u32 {
        self.image_token_id
    }

    /// The language model.
    pub fn language_model(&self) -> &dyn CausalLm {
        &*self.text_encoder
    }

    /// The ids of a text; every `<image>` in it becomes `num_visual_prefix` image tokens.
    ///
    /// # Errors
    /// When the tokenizer refuses the text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let ids = self.tokenizer.encode(text)?;
        let times =
            |id: u32| if id == self.image_token_id { self.config.num_visual_prefix } else { 1 };
        Ok(ids.into_iter().flat_map(|id| std::iter::repeat_n(id, times(id))).collect())
    }

    /// Pictures `(m, 3, s, s)` → what the vision encoder makes of them, `(m, d_image)`.
    ///
    /// # Errors
    /// When the pictures have another shape.
    pub fn features(&self, pixel_values: &Tensor, mode: Mode) -> Result<Tensor> {
        let mode = if self.config.base.image_trainable { mode } else { Mode::Eval };
        let pixel_values = pixel_values.to_device(self.params.device())?;
        let pictures = if self.config.blind { pixel_values.zeros_like()? } else { pixel_values };
        self.vision_encoder.forward(&pictures, mode)
    }

    /// Pictures `(m, 3, s, s)` → the prefix `(m, n, d)`: the slide's `get_visual_prefix`.
    ///
    /// # Errors
    /// When the prefix has another shape.
    pub fn visual_prefix(&self, pixel_values: &Tensor, mode: Mode) -> Result<Tensor> {
        self.prefix_of(&self.features(pixel_values, mode)?)
    }

    /// Features `(m, d_image)` → the prefix `(m, n, d)`.
    ///
    /// # Errors
    /// When the prefix has another shape.
    pub fn prefix_of(&self, features: &Tensor) -> Result<Tensor> {
        let n = self.config.num_visual_prefix;
        let prefix = (self.holes.visual_prefix)(features, &self.vision_proj_m, n)?;
        let d = self.text_encoder.width();
        if prefix.dims() != [features.dim(0)?, n, d] {
            let expected = format!("({}, {n}, {d})", features.dim(0)?);
            return Err(Error::shape("visual_prefix, the prefix", expected, prefix.shape()));
        }
        Ok(prefix)
    }

    /// Texts with pictures in the place of their image tokens, in reading order: ids `(b, t)`, mask `(b, t)`, prefix
    /// `(m, n, d)` → what the language model reads.
    ///
    /// # Errors
    /// When there are not `m · n` image tokens.
    pub fn in_place(&self, input_ids: &Tensor, mask: &Tensor, prefix: &Tensor) -> Result<LmInput> {
        let (b, t) = input_ids.dims2()?;
        let (m, n, d) = prefix.dims3()?;
        let words = self.text_encoder.embed(input_ids)?.reshape((b * t, d))?;
        let ids = input_ids.flatten_all()?.to_vec1::<u32>()?;
        let mut next = (b * t) as u32;
        let rows: Vec<u32> = ids
            .iter()
            .enumerate()
            .map(|(place, id)| {
                if *id != self.image_token_id {
                    return place as u32;
                }
                next += 1;
                next - 1
            })
            .collect();
        let found = next as usize - b * t;
        if found != m * n {
            let expected = format!("{} image tokens, {n} for each of {m} pictures", m * n);
            return Err(Error::value("Frozen, input_ids", expected, found));
        }
        let all = Tensor::cat(&[&words, &prefix.reshape((m * n, d))?], 0)?;
        let rows = Tensor::from_vec(rows, b * t, input_ids.device())?;
        LmInput::new(&all.index_select(&rows, 0)?.reshape((b, t, d))?, mask)
    }

    /// Texts without image tokens, each behind the prefix of its picture: ids `(b, t)`, mask `(b, t)`, prefix `(b, n, d)` →
    /// what the language model reads, `n` places longer. Logits then stand `n` places further than ids: the slide's
    /// `num_logits_shift`.
    ///
    /// # Errors
    /// When the shapes differ.
    pub fn in_front(&self, input_ids: &Tensor, mask: &Tensor, prefix: &Tensor) -> Result<LmInput> {
        let words = self.text_encoder.embed(input_ids)?;
        let (b, n, _) = prefix.dims3()?;
        let ones = Tensor::ones((b, n), DType::U32, mask.device())?;
        let mask = Tensor::cat(&[&ones, &mask.to_dtype(DType::U32)?], 1)?;
        LmInput::new(&Tensor::cat(&[prefix, &words], 1)?, &mask)
    }

    /// ids `(b, t)`, mask `(b, t)`, pictures `(m, 3, s, s)` → logits `(b, t, v)`.
    ///
    /// # Errors
    /// As [`visual_prefix`](Self::visual_prefix) and [`in_place`](Self::in_place).
    pub fn forward(
        &self,
        input_ids: &Tensor,
        mask: &Tensor,
        pixel_values: &Tensor,
        mode: Mode,
    ) -> Result<Tensor> {
        let prefix = self.visual_prefix(pixel_values, mode)?;
        self.text_encoder.forward(&self.in_place(input_ids, mask, &prefix)?, mode)
    }

    /// The captions' loss: ids `(b, t)` with image tokens, mask `(b, t)`, pictures → a scalar.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and what `caption_loss` reports.
    pub fn loss(
        &self,
        input_ids: &Tensor,
        mask: &Tensor,
        pixel_values: &Tensor,
        mode: Mode,
    ) -> Result<Tensor> {
        let prefix = self.visual_prefix(pixel_values, mode)?;
        self.loss_of_prefix(input_ids, mask, &prefix, mode)
    }

    /// As [`loss`](Self::loss), of a prefix `(m, n, d)` in the place of pictures.
    pub(super) fn loss_of_prefix(
        &self,
        input_ids: &Tensor,
        mask: &Tensor,
        prefix: &Tensor,
        mode: Mode,
    ) -> Result<Tensor> {
        let logits = self.text_encoder.forward(&self.in_place(input_ids, mask, prefix)?, mode)?;
        (self.holes.caption_loss)(&logits, input_ids, mask, self.image_token_id)
    }

    /// AdamW over what trains: the vision encoder, `vision_proj_m`, and the language model where it is not frozen.
    pub fn optimizer(&self) -> AdamW {
        let group = |name: &str, lr: f64| ParamGroup {
            name: name.into(),
            params: self.params.pp(name).trainable(),
            lr,
            weight_decay: 0.,
        };
        let groups = vec![
            group("vision_encoder", self.config.base.image_encoder_lr),
            group("vision_proj_m", self.config.projection_lr),
            group("text_encoder", self.config.lm_lr),
        ];
        AdamW::new(groups.into_iter().filter(|g| !g.params.is_empty()).collect())
    }
}

/// Scales a layer that starts as PyTorch's, so that what it makes of features of size 1 is as long as the vector of a word. A
/// longer prefix learns slowly: layer norm takes its length away, and a step turns it less.
fn as_long_as_words(layer: &Params, language_model: &dyn CausalLm) -> Result<()> {
    let ids = Tensor::arange(0u32, language_model.vocab_size() as u32, layer.device())?;
    let words = language_model.embed(&ids)?.detach();
    let size = words.sqr()?.mean_all()?.sqrt()?.to_scalar::<f32>()?;
    // Uniform in ±1/√in: features of size 1 come out with a size of 1/√3.
    for param in layer.all() {
        param.var().set(&(param.var().as_detached_tensor() * f64::from(3f32.sqrt() * size))?)?;
    }
    Ok(())
}
