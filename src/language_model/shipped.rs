//! The language model that travels with the library; `data/tiny/README.md` says how it was made.

use candle_core::Device;

use super::Gpt2;
use crate::Result;
use crate::checkpoint::StateDict;
use crate::config::Gpt2Config;
use crate::nn::Params;
use crate::text::BpeTokenizer;

const TOKENIZER: &[u8] = include_bytes!("../../data/tiny/lm_tokenizer.json");
const WEIGHTS: &[u8] = include_bytes!("../../data/tiny/lm.safetensors");

impl Gpt2 {
    /// The small GPT-2 of the preset `tiny`, on the CPU, with its tokenizer: it has read captions of scenes, questions with
    /// answers, and a few words about movies.
    ///
    /// # Errors
    /// Never, unless the library was built from a damaged checkout.
    pub fn tiny() -> Result<(Self, BpeTokenizer)> {
        Self::tiny_in(&Params::new(&Device::Cpu, 0))
    }

    /// As [`tiny`](Self::tiny), with its parameters below `params`.
    ///
    /// # Errors
    /// As [`tiny`](Self::tiny).
    pub fn tiny_in(params: &Params) -> Result<(Self, BpeTokenizer)> {
        let tokenizer = Self::tiny_tokenizer()?;
        let config = Gpt2Config { vocab_size: tokenizer.vocab_size(), ..Gpt2Config::tiny() };
        let model = params.to_be_loaded(|| Self::new(&config, params))?;
        let state = candle_core::safetensors::load_buffer(WEIGHTS, params.device())?;
        params.load_below(&state.into_iter().collect::<StateDict>())?;
        Ok((model, tokenizer))
    }

    /// The tokenizer of [`tiny`](Self::tiny).
    ///
    /// # Errors
    /// As [`tiny`](Self::tiny).
    pub fn tiny_tokenizer() -> Result<BpeTokenizer> {
        BpeTokenizer::from_bytes(TOKENIZER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language_model::{GenerateConfig, generate, score};
    use crate::text::Side;

    #[test]
    fn it_knows_scenes_from_nonsense() {
        let (model, tokenizer) = Gpt2::tiny().unwrap();
        let nats = |text: &str| score(&model, &tokenizer, text).unwrap().nats_per_token();
        assert!(nats("two dogs on the grass.\n") < 3.);
        assert!(nats("grass the on dogs two.\n") > 2. * nats("two dogs on the grass.\n"));
    }

    #[test]
    fn it_answers_from_a_caption() {
        let (model, tokenizer) = Gpt2::tiny().unwrap();
        let text = "two dogs on the grass.\nquestion: how many dogs are there? answer:";
        let batch = tokenizer.encode_batch(&[text], 99, Side::Left, &Device::Cpu).unwrap();
        let input = model.input(&batch.input_ids, &batch.attention_mask).unwrap();
        let new = generate(&model, &input, &GenerateConfig::greedy(2, &[])).unwrap();
        assert_eq!(tokenizer.decode(&new[0]).unwrap(), " two.");
    }
}
