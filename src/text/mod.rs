//! Text to token ids: WordPiece, as DistilBERT's, and byte-level BPE, as GPT-2's.

mod bpe;
mod tokenizer;

pub(crate) use bpe::pad;
pub use bpe::{BpeTokenizer, Side, Vocabulary};
pub use tokenizer::{Encoded, Tokenizer};
