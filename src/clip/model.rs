//! The CLIP model of the slides' pseudocode: two encoders, two projection heads, one temperature.

use candle_core::Tensor;

use crate::clip::{ClipLoss, HeadBuilder, Projection};
use crate::config::{Config, Start, Temperature};
use crate::display::shows_its_parameters;
use crate::encoder::{self, ImageEncoder, TextEncoder};
use crate::nn::{AdamW, Init, Linear, Mode, Param, ParamGroup, Params, l2_normalize};
use crate::text::Tokenizer;
use crate::{Error, Result};

/// The largest logit scale is 100: its logarithm (arXiv:2103.00020, section 2.5).
const MAX_LOG_SCALE: f64 = 4.605_170_185_988_092;

/// CLIP: pictures and captions in one space.
///
/// The projection heads and the loss come from outside ([`HeadBuilder`], [`ClipLoss`]): they are exercises.
pub struct ClipModel {
    config: Config,
    tokenizer: Tokenizer,
    params: Params,
    image_encoder: Box<dyn ImageEncoder>,
    text_encoder: Box<dyn TextEncoder>,
    image_projection: Box<dyn Projection>,
    text_projection: Box<dyn Projection>,
    logit_scale: LogitScale,
    loss: ClipLoss,
}

enum LogitScale {
    Learned(Param),
    Fixed(Tensor),
}

shows_its_parameters!(ClipModel);

impl ClipModel {
    /// A model as `config` says: encoders pretrained or from scratch, heads from scratch.
    ///
    /// # Errors
    /// When the preset's files are missing, or the configuration does not fit.
    pub fn new(config: &Config, head: HeadBuilder, loss: ClipLoss) -> Result<Self> {
        let tokenizer = encoder::tokenizer(config)?;
        let loaded =
            [config.image_start, config.text_start].map(|start| start == Start::Pretrained);
        let model = Self::build(config, tokenizer, head, loss, loaded)?;
        if config.image_start == Start::Pretrained {
            encoder::load_pretrained_image(config, &model.params.pp("image_encoder.model"))?;
        }
        if config.text_start == Start::Pretrained {
            encoder::load_pretrained_text(config, &model.params.pp("text_encoder.model"))?;
        }
        Ok(model)
    }

    /// A model with random weights everywhere, for a tokenizer.
    pub fn bare(
        config: &Config,
        tokenizer: Tokenizer,
        head: HeadBuilder,
        loss: ClipLoss,
    ) -> Result<Self> {
        Self::build(config, tokenizer, head, loss, [false; 2])
    }

    /// As [`bare`](Self::bare); the encoders (image, text) whose weights a file is about to fill have none yet.
    pub(super) fn build(
        config: &Config,
        tokenizer: Tokenizer,
        head: HeadBuilder,
        loss: ClipLoss,
        [image_loaded, text_loaded]: [bool; 2],
    ) -> Result<Self> {
        let mut config = config.clone();
        if config.text_encoder.vocab_size() == 0 {
            config.text_encoder = config.text_encoder.with_vocab_size(tokenizer.vocab_size());
        }
        let most = config.text_encoder.max_position_embeddings();
        if config.max_length > most {
            return Err(Error::value(
                "config.max_length",
                format!("at most {most}"),
                config.max_length,
            ));
        }
        let params = Params::new(&config.device()?, config.seed);
        let image_params = params.pp("image_encoder.model");
        let text_params = params.pp("text_encoder.model");
        let image = || encoder::image_encoder(&config.image_encoder, &image_params);
        let image_encoder = if image_loaded { params.to_be_loaded(image) } else { image() }?;
        let text = || encoder::text_encoder(&config.text_encoder, &text_params);
        let text_encoder = if text_loaded { params.to_be_loaded(text) } else { text() }?;
        let (p, dropout) = (config.projection_dim, config.dropout);
        let image_projection =
            head(image_encoder.features(), p, dropout, &params.pp("image_projection"))?;
        let text_projection =
            head(text_encoder.features(), p, dropout, &params.pp("text_projection"))?;
        let logit_scale = match config.temperature {
            Temperature::Learned(start) => {
                let init = Init::Const((1. / start).ln() as f32);
                LogitScale::Learned(params.get((), "logit_scale", init)?)
            }
            Temperature::Fixed(value) => {
                LogitScale::Fixed(Tensor::new((1. / value).ln() as f32, params.device())?)
            }
        };
        image_params.set_trainable(config.image_trainable);
        text_params.set_trainable(config.text_trainable);
        Ok(Self {
            config,
            tokenizer,
            params,
            image_encoder,
            text_encoder,
            image_projection,
            text_projection,
            logit_scale,
            loss,
        })
    }

    /// The configuration that the model was built with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The tokenizer of its captions.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// All its parameters, by checkpoint key.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Pictures `(b, 3, s, s)` → features `(b, d)`. A frozen encoder is used as it is, in evaluation mode: its statistics
    /// stay.
    pub fn image_features(&self, images: &Tensor, mode: Mode) -> Result<Tensor> {
        let mode = if self.config.image_trainable { mode } else { Mode::Eval };
        self.image_encoder.forward(images, mode)
    }

    /// Captions as ids `(b, t)` and mask `(b, t)` → features `(b, d)`. A frozen encoder is used in evaluation mode,
    /// without dropout.
    pub fn text_features(
        &self,
        input_ids: &Tensor,
        attention_mask: &Tensor,
        mode: Mode,
    ) -> Result<Tensor> {
        let mode = if self.config.text_trainable { mode } else { Mode::Eval };
        self.text_encoder.forward(input_ids, attention_mask, mode)
    }

    /// Pictures `(b, 3, s, s)` → embeddings `(b, p)`, as they leave the head.
    pub fn encode_image(&self, images: &Tensor, mode: Mode) -> Result<Tensor> {
        self.image_projection.forward(&self.image_features(images, mode)?, mode)
    }

    /// Features of pictures `(b, d)` → embeddings `(b, p)`, as they leave the head.
    pub fn project_image(&self, features: &Tensor) -> Result<Tensor> {
        self.image_projection.forward(features, Mode::Eval)
    }

    /// Captions as ids `(b, t)` and mask `(b, t)` → embeddings `(b, p)`, as they leave the head.
    pub fn encode_text(
        &self,
        input_ids: &Tensor,
        attention_mask: &Tensor,
        mode: Mode,
    ) -> Result<Tensor> {
        self.text_projection.forward(&self.text_features(input_ids, attention_mask, mode)?, mode)
    }

    /// Texts → embeddings `(n, p)`, as they leave the head: a query of `find_matches`.
    pub fn encode_texts<S: AsRef<str>>(&self, texts: &[S]) -> Result<Tensor> {
        let encoded =
            self.tokenizer.encode_batch(texts, self.config.max_length, self.params.device())?;
        Ok(self.encode_text(&encoded.input_ids, &encoded.attention_mask, Mode::Eval)?.detach())
    }

    /// The slide's `t`: the logarithm of what the similarities are multiplied with.
    pub fn logit_scale(&self) -> Tensor {
        match &self.logit_scale {
            LogitScale::Learned(param) => param.tensor(),
            LogitScale::Fixed(value) => value.clone(),
        }
    }

    /// The contrastive loss of a batch: pictures `(b, 3, s, s)`, ids `(b, t)`, mask `(b, t)` → a scalar.
    pub fn loss(
        &self,
        images: &Tensor,
        input_ids: &Tensor,
        attention_mask: &Tensor,
        mode: Mode,
    ) -> Result<Tensor> {
        let image = self.image_features(images, mode)?;
        let text = self.text_features(input_ids, attention_mask, mode)?;
        self.loss_of_features(&image, &text, mode)
    }

    /// The contrastive loss of a batch's features, `(b, d_i)` and `(b, d_t)`, → a scalar.
    pub(super) fn loss_of_features(
        &self,
        image: &Tensor,
        text: &Tensor,
        mode: Mode,
    ) -> Result<Tensor> {
        let image_embeddings = self.image_projection.forward(image, mode)?;
        let text_embeddings = self.text_projection.forward(text, mode)?;
        (self.loss)(&image_embeddings, &text_embeddings, &self.logit_scale())
    }

    /// Cosine similarities of every picture with every caption of a batch: `(b, b)`, pictures down, captions across.
    pub fn similarities(
        &self,
        images: &Tensor,
        input_ids: &Tensor,
        attention_mask: &Tensor,
    ) -> Result<Tensor> {
        let image = l2_normalize(&self.encode_image(images, Mode::Eval)?.detach())?;
        let text =
            l2_normalize(&self.encode_text(input_ids, attention_mask, Mode::Eval)?.detach())?;
        Ok(image.matmul(&text.t()?)?)
    }

    /// Keeps the learned temperature in the paper's range; call it after every step.
    pub fn clamp_logit_scale(&self) -> Result<()> {
        if let LogitScale::Learned(param) = &self.logit_scale {
            let value = param.var().to_scalar::<f32>()?;
            if f64::from(value) > MAX_LOG_SCALE {
                param.var().set(&Tensor::new(MAX_LOG_SCALE as f32, param.var().device())?)?;
            }
        }
        Ok(())
    }

    /// AdamW over the lecture's three groups: image encoder, text encoder, heads with the temperature.
    pub fn optimizer(&self) -> AdamW {
        let config = &self.config;
        let group = |name: &str, lr: f64, weight_decay: f64, params: Vec<Param>| ParamGroup {
            name: name.into(),
            params,
            lr,
            weight_decay,
        };
        let mut heads = self.params.pp("image_projection").trainable();
        heads.extend(self.params.pp("text_projection").trainable());
        let mut groups = vec![
            group(
                "image_encoder",
                config.image_encoder_lr,
                0.,
                self.params.pp("image_encoder").trainable(),
            ),
            group(
                "text_encoder",
                config.text_encoder_lr,
                0.,
                self.params.pp("text_encoder").trainable(),
            ),
            group("heads", config.head_lr, config.weight_decay, heads),
        ];
        if let LogitScale::Learned(param) = &self.logit_scale {
            groups.push(group("logit_scale", config.head_lr, 0., vec![param.clone()]));
        }
        AdamW::new(groups)
    }
}

/// The library's own head, the slide's `W_i` and `W_t`: one matrix, no bias. Key: `projection.weight (p, d)`.
pub struct LinearHead {
    projection: Linear,
}

impl Projection for LinearHead {
    fn new(
        embedding_dim: usize,
        projection_dim: usize,
        _dropout: f64,
        params: &Params,
    ) -> Result<Self> {
        Ok(Self {
            projection: Linear::no_bias(embedding_dim, projection_dim, &params.pp("projection"))?,
        })
    }

    fn forward(&self, x: &Tensor, _mode: Mode) -> Result<Tensor> {
        self.projection.forward(x)
    }
}
