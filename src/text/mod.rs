//! Captions to token ids: WordPiece, as DistilBERT's.

mod tokenizer;

pub use tokenizer::{Encoded, Tokenizer};
