//! A WordPiece tokenizer with `[CLS]` and `[SEP]`, from a `tokenizer.json` or a list of words.

use std::path::Path;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use tokenizers::decoders::wordpiece::WordPiece as WordPieceDecoder;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::template::TemplateProcessing;

use crate::{Error, Result};

/// A batch of captions as token ids, padded to the longest.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// `(b, t)`, u32.
    pub input_ids: Tensor,
    /// `(b, t)`, u32: 1 where there is a token.
    pub attention_mask: Tensor,
}

/// Text to token ids and back. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    inner: Arc<tokenizers::Tokenizer>,
}

pub(super) fn error(e: impl std::fmt::Display) -> Error {
    Error::Tokenizer(e.to_string())
}

impl Tokenizer {
    /// The special tokens of BERT, in the order of their ids here: padding is 0.
    pub const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

    /// Reads a `tokenizer.json` of Hugging Face's format.
    ///
    /// # Errors
    /// When the file is missing or not such a file.
    pub fn from_file(path: &Path) -> Result<Self> {
        let json = std::fs::read(path).map_err(Error::io(path))?;
        Self::from_bytes(&json)
    }

    /// Reads a `tokenizer.json` that is already in memory. A length to cut or to pad to that stands in it is not taken
    /// over: batches are cut and padded as the call says.
    pub fn from_bytes(json: &[u8]) -> Result<Self> {
        Self::of(tokenizers::Tokenizer::from_bytes(json).map_err(error)?)
    }

    pub(super) fn of(mut inner: tokenizers::Tokenizer) -> Result<Self> {
        inner.with_padding(None);
        inner.with_truncation(None).map_err(error)?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// A WordPiece tokenizer that knows `words` whole and spells every other lower-case word by its letters.
    pub fn from_words(words: &[String]) -> Result<Self> {
        let letters = ('a'..='z').chain('0'..='9');
        let pieces = letters.flat_map(|l| [l.to_string(), format!("##{l}")]);
        let marks = [".", ",", "'", "-", "!", "?", "&"].map(String::from);
        let all = Self::SPECIAL.iter().map(|s| s.to_string()).chain(marks).chain(pieces);
        let mut vocab = ahash::AHashMap::new();
        for token in all.chain(words.iter().cloned()) {
            let next = vocab.len() as u32;
            vocab.entry(token).or_insert(next);
        }
        let id = |token: &str| (token.to_string(), vocab[token]);
        let special = vec![id("[CLS]"), id("[SEP]")];
        let model =
            WordPiece::builder().vocab(vocab).unk_token("[UNK]".into()).build().map_err(error)?;
        let mut tokenizer = tokenizers::Tokenizer::new(model);
        tokenizer.with_normalizer(Some(BertNormalizer::default())).map_err(error)?;
        tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
        tokenizer.with_decoder(Some(WordPieceDecoder::default()));
        tokenizer.with_post_processor(Some(
            TemplateProcessing::builder()
                .try_single("[CLS] $A [SEP]")
                .map_err(error)?
                .special_tokens(special)
                .build()
                .map_err(error)?,
        ));
        Ok(Self { inner: Arc::new(tokenizer) })
    }

    /// The tokenizer as the text of a `tokenizer.json`.
    pub fn to_json(&self) -> Result<String> {
        self.inner.to_string(false).map_err(error)
    }

    /// How many tokens there are.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// The id of a token.
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// The ids of one text with `[CLS]` and `[SEP]`, at most `max_length` of them (the end is cut, `[SEP]` stays).
    pub fn encode(&self, text: &str, max_length: usize) -> Result<Vec<u32>> {
        let encoding = self.inner.encode(text, true).map_err(error)?;
        let mut ids = encoding.get_ids().to_vec();
        if ids.len() > max_length && max_length > 1 {
            let last = *ids.last().expect("longer than max_length");
            ids.truncate(max_length - 1);
            ids.push(last);
        }
        Ok(ids)
    }

    /// Texts as one batch, padded with 0 to the longest: the slide's `tokenizer(captions, padding=True,
    /// truncation=True, max_length=…)`.
    pub fn encode_batch<S: AsRef<str>>(
        &self,
        texts: &[S],
        max_length: usize,
        device: &Device,
    ) -> Result<Encoded> {
        self.batch(&texts.iter().map(S::as_ref).collect::<Vec<_>>(), max_length, device)
    }

    /// Apart, since a cell compiles generic functions anew with all that they call.
    #[inline(never)]
    fn batch(&self, texts: &[&str], max_length: usize, device: &Device) -> Result<Encoded> {
        let rows =
            texts.iter().map(|text| self.encode(text, max_length)).collect::<Result<Vec<_>>>()?;
        let longest = rows.iter().map(Vec::len).max().unwrap_or(0);
        let padded = |row: &Vec<u32>, one: bool| -> Vec<u32> {
            let kept = row.iter().map(move |&id| if one { 1 } else { id });
            kept.chain(std::iter::repeat(0)).take(longest).collect()
        };
        let shape = (rows.len(), longest);
        let ids: Vec<u32> = rows.iter().flat_map(|r| padded(r, false)).collect();
        let mask: Vec<u32> = rows.iter().flat_map(|r| padded(r, true)).collect();
        Ok(Encoded {
            input_ids: Tensor::from_vec(ids, shape, device)?,
            attention_mask: Tensor::from_vec(mask, shape, device)?,
        })
    }

    /// Token ids back to text, without the special tokens.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        self.inner.decode(ids, true).map_err(error)
    }
}
