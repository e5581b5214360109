//! Text to token ids: WordPiece, as DistilBERT's; byte-level BPE, as GPT-2's; and CLIP's own.

mod bpe;
mod clip;
mod tokenizer;

pub(crate) use bpe::pad;
pub use bpe::{BpeTokenizer, Side, Vocabulary};
pub use tokenizer::{Encoded, Tokenizer};
