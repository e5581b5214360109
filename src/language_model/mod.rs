//! A causal language model: the chance of a text, token by token, each from those before it.
//!
//! `ln P(w₁ … w_t) = Σ ln P(wᵢ | w₁ … wᵢ₋₁)`
//!
//! [`CausalLm`] is what each of them can do: [`Gpt2`] and [`Llama`] give logits at every place, from token ids or from embeddings
//! that came from elsewhere (Frozen's visual prefix); [`generate`] writes on; [`score`] says how likely a text is, as likelihood
//! and perplexity. [`open`] reads one from a folder or a GGUF file.

mod cache;
mod causal;
mod contract;
mod decoding;
mod generate;
mod gguf;
mod gpt2;
mod input;
mod llama;
mod load;
pub mod metrics;
mod pretrained;
mod score;
mod shipped;

pub use cache::KvCache;
pub use causal::CausalLm;
pub use contract::{EarlyStopping, Perplexity};
pub use decoding::Decoding;
pub use generate::{GenerateConfig, generate};
pub(crate) use gpt2::Block;
pub use gpt2::Gpt2;
pub use input::LmInput;
pub use llama::Llama;
pub use load::{from_transformers, open};
pub(crate) use pretrained::tokenizer as pretrained_tokenizer;
pub use pretrained::{language_model, pretrained};
pub use score::{Likelihood, likelihood, score, score_long, token_log_probabilities};
pub(crate) use score::{log_probabilities_at, of_input as likelihood_of};
