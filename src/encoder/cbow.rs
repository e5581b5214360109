//! A bag of words: the mean of a text's word vectors, whatever their order. CLIP's pseudocode names it beside the transformer
//! (arXiv:2103.00020, figure 3: "CBOW or Text Transformer"; arXiv:1301.3781).

use candle_core::Tensor;

use super::TextEncoder;
use super::bert::mean_of_tokens;
use crate::config::CbowConfig;
use crate::nn::{Embedding, Mode, Params};
use crate::{Error, Result};

/// Token ids to the mean of their vectors. Key: `embeddings.word_embeddings.weight (v, d)`.
pub struct Cbow {
    words: Embedding,
    config: CbowConfig,
}

impl Cbow {
    /// Takes its parameter from `params`.
    pub fn new(config: &CbowConfig, params: &Params) -> Result<Self> {
        let place = params.pp("embeddings.word_embeddings");
        let words = Embedding::new(config.vocab_size, config.width, &place)?;
        Ok(Self { words, config: config.clone() })
    }
}

impl TextEncoder for Cbow {
    fn forward(&self, input_ids: &Tensor, attention_mask: &Tensor, _mode: Mode) -> Result<Tensor> {
        if attention_mask.dims() != input_ids.dims() {
            let expected = format!("{:?} as input_ids", input_ids.dims());
            let got = attention_mask.shape();
            return Err(Error::shape("text encoder, attention_mask", expected, got));
        }
        mean_of_tokens(&self.words.forward(input_ids)?, attention_mask)
    }

    fn features(&self) -> usize {
        self.config.width
    }
}
