//! Byte-level byte-pair encoding (GPT-2, section 2.2): every text is bytes, so no token is ever unknown; bytes that often
//! stand together are one token. A word's first token holds the space before it: `Ġdog`.

use std::path::Path;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use tokenizers::AddedToken;
use tokenizers::decoders::byte_level::ByteLevel as ByteLevelDecoder;
use tokenizers::models::TrainerWrapper;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;

use super::Encoded;
use crate::{Error, Result};

/// Which side of a batch is padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// For generation: every text ends in the last column, where the next token comes.
    Left,
    /// For training.
    Right,
}

/// A byte-level BPE tokenizer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct BpeTokenizer {
    inner: Arc<tokenizers::Tokenizer>,
}

/// A byte-level tokenizer in parts, as a GGUF file keeps it.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// The tokens by id, spelled as in a vocabulary: `Ġdog`.
    pub tokens: Vec<String>,
    /// Which two tokens become one, the most frequent first.
    pub merges: Vec<(String, String)>,
    /// Those of the tokens that stay whole in a text and are not decoded.
    pub special: Vec<String>,
    /// Whether every digit is a token of its own (SmolLM2), or digits merge as letters do (GPT-2).
    pub single_digits: bool,
}

fn error(e: impl std::fmt::Display) -> Error {
    Error::Tokenizer(e.to_string())
}

impl BpeTokenizer {
    /// GPT-2's only special token: it stands between documents.
    pub const END_OF_TEXT: &str = "<|endoftext|>";

    /// Reads a `tokenizer.json` of Hugging Face's format, or the `vocab.json` and `merges.txt` of GPT-2, from a folder.
    ///
    /// # Errors
    /// When neither is there, or a file is damaged.
    pub fn from_folder(folder: &Path) -> Result<Self> {
        let json = folder.join("tokenizer.json");
        if json.is_file() {
            return Self::from_file(&json);
        }
        let (vocab, merges) = (folder.join("vocab.json"), folder.join("merges.txt"));
        if vocab.is_file() && merges.is_file() {
            return Self::from_vocab_and_merges(&vocab, &merges);
        }
        Err(Error::Missing {
            what: "tokenizer.json, or vocab.json and merges.txt,".into(),
            place: folder.into(),
            next: "put the model's tokenizer files beside its weights".into(),
        })
    }

    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// When the file is missing or not such a file.
    pub fn from_file(path: &Path) -> Result<Self> {
        Self::from_bytes(&std::fs::read(path).map_err(Error::io(path))?)
    }

    /// Reads a `tokenizer.json` that is already in memory.
    ///
    /// # Errors
    /// When it is not such a file.
    pub fn from_bytes(json: &[u8]) -> Result<Self> {
        let inner = tokenizers::Tokenizer::from_bytes(json).map_err(error)?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Reads GPT-2's own two files.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn from_vocab_and_merges(vocab: &Path, merges: &Path) -> Result<Self> {
        let (vocab, merges) = (vocab.to_string_lossy(), merges.to_string_lossy());
        let model = BPE::from_file(&vocab, &merges).build().map_err(error)?;
        let mut inner = byte_level(model)?;
        inner.add_special_tokens([AddedToken::from(Self::END_OF_TEXT, true)]).map_err(error)?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Builds it from its parts.
    ///
    /// # Errors
    /// When a merge names a token that is not there.
    pub fn from_vocabulary(vocabulary: Vocabulary) -> Result<Self> {
        let Vocabulary { tokens, merges, special, single_digits } = vocabulary;
        let ids = tokens.into_iter().zip(0..).collect();
        let model = BPE::builder().vocab_and_merges::<ahash::AHashMap<_, _>>(ids, merges);
        let mut inner = byte_level(model.build().map_err(error)?)?;
        if single_digits {
            let parts: Vec<PreTokenizerWrapper> =
                vec![Digits::new(true).into(), ByteLevel::new(false, true, true).into()];
            inner.with_pre_tokenizer(Some(Sequence::new(parts)));
        }
        let special: Vec<AddedToken> =
            special.into_iter().map(|token| AddedToken::from(token, true)).collect();
        inner.add_special_tokens(special).map_err(error)?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Learns the merges from texts: at most `vocab_size` tokens, the 256 bytes and [`END_OF_TEXT`](Self::END_OF_TEXT)
    /// among them. The same texts give the same tokenizer.
    ///
    /// # Errors
    /// When the tokenizer cannot be trained.
    pub fn train(texts: &[String], vocab_size: usize) -> Result<Self> {
        let special = AddedToken::from(Self::END_OF_TEXT, true);
        let trainer = BpeTrainer::builder()
            .vocab_size(vocab_size)
            .show_progress(false)
            .special_tokens(vec![special.clone()])
            .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
            .build();
        let mut inner = byte_level(BPE::default())?;
        inner.train(&mut TrainerWrapper::from(trainer), texts.iter()).map_err(error)?;
        inner.add_special_tokens([special]).map_err(error)?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Adds special tokens that are not there yet, as an image token, and gives how many they were. The model's tables must
    /// grow with them: `resize_token_embeddings`.
    ///
    /// # Errors
    /// When the tokenizer refuses one.
    pub fn add_tokens(&mut self, tokens: &[&str]) -> Result<usize> {
        let tokens: Vec<AddedToken> = tokens.iter().map(|t| AddedToken::from(*t, true)).collect();
        Arc::make_mut(&mut self.inner).add_special_tokens(tokens).map_err(error)
    }

    /// The tokenizer as the text of a `tokenizer.json`.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
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

    /// The id of [`END_OF_TEXT`](Self::END_OF_TEXT).
    ///
    /// # Errors
    /// When the tokenizer lacks it.
    pub fn end_of_text(&self) -> Result<u32> {
        let none =
            || Error::value("the tokenizer", format!("a token {}", Self::END_OF_TEXT), "none");
        self.token_to_id(Self::END_OF_TEXT).ok_or_else(none)
    }

    /// The ids of a text.
    ///
    /// # Errors
    /// When the tokenizer refuses the text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        Ok(self.inner.encode(text, false).map_err(error)?.get_ids().to_vec())
    }

    /// Texts as one batch, each cut after `max_length` tokens, padded with 0 on a side to the longest.
    ///
    /// # Errors
    /// When the tokenizer refuses a text.
    pub fn encode_batch<S: AsRef<str>>(
        &self,
        texts: &[S],
        max_length: usize,
        side: Side,
        device: &Device,
    ) -> Result<Encoded> {
        self.batch(&texts.iter().map(S::as_ref).collect::<Vec<_>>(), max_length, side, device)
    }

    /// Apart, since a cell compiles generic functions anew with all that they call.
    #[inline(never)]
    fn batch(
        &self,
        texts: &[&str],
        max_length: usize,
        side: Side,
        device: &Device,
    ) -> Result<Encoded> {
        let rows = texts
            .iter()
            .map(|text| {
                let mut ids = self.encode(text)?;
                ids.truncate(max_length);
                Ok(ids)
            })
            .collect::<Result<Vec<_>>>()?;
        pad(&rows, side, device)
    }

    /// Token ids back to text, without special tokens.
    ///
    /// # Errors
    /// When an id is unknown.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        self.inner.decode(ids, true).map_err(error)
    }

    /// A token as it is written in the vocabulary: `Ġdog`.
    pub fn token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }
}

/// Rows of ids as one batch, padded with 0 on a side to the longest.
pub(crate) fn pad(rows: &[Vec<u32>], side: Side, device: &Device) -> Result<Encoded> {
    let longest = rows.iter().map(Vec::len).max().unwrap_or(0);
    let (mut ids, mut mask) = (Vec::new(), Vec::new());
    for row in rows {
        let padding = std::iter::repeat_n(0, longest - row.len());
        let ones = std::iter::repeat_n(1, row.len());
        match side {
            Side::Left => {
                ids.extend(padding.clone().chain(row.iter().copied()));
                mask.extend(padding.chain(ones));
            }
            Side::Right => {
                ids.extend(row.iter().copied().chain(padding.clone()));
                mask.extend(ones.chain(padding));
            }
        }
    }
    let shape = (rows.len(), longest);
    Ok(Encoded {
        input_ids: Tensor::from_vec(ids, shape, device)?,
        attention_mask: Tensor::from_vec(mask, shape, device)?,
    })
}

fn byte_level(model: BPE) -> Result<tokenizers::Tokenizer> {
    let mut inner = tokenizers::Tokenizer::new(model);
    inner.with_pre_tokenizer(Some(ByteLevel::new(false, true, true)));
    inner.with_decoder(Some(ByteLevelDecoder::default()));
    Ok(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokenizer() -> BpeTokenizer {
        let texts = ["a dog on the grass", "two dogs on the grass", "the dog"].map(String::from);
        BpeTokenizer::train(&texts, 270).unwrap()
    }

    #[test]
    fn what_often_stands_together_is_one_token() {
        let tokenizer = tokenizer();
        assert_eq!(tokenizer.vocab_size(), 270);
        let ids = tokenizer.encode("the dog, ünknown 犬").unwrap();
        let first: Vec<_> = ids[..2].iter().map(|id| tokenizer.token(*id).unwrap()).collect();
        assert_eq!(first, ["the", "Ġdog"]);
        assert_eq!(tokenizer.decode(&ids).unwrap(), "the dog, ünknown 犬");
    }

    #[test]
    fn the_same_texts_give_the_same_tokenizer_and_json_keeps_it() {
        let json = tokenizer().to_json().unwrap();
        assert_eq!(json, tokenizer().to_json().unwrap());
        let again = BpeTokenizer::from_bytes(json.as_bytes()).unwrap();
        let text = "a dog<|endoftext|>";
        assert_eq!(again.encode(text).unwrap(), tokenizer().encode(text).unwrap());
        assert_eq!(again.encode(text).unwrap().last(), Some(&again.end_of_text().unwrap()));
    }

    #[test]
    fn added_tokens_stay_whole_and_are_not_decoded() {
        let mut tokenizer = tokenizer();
        assert_eq!(tokenizer.add_tokens(&["<image>"]).unwrap(), 1);
        assert_eq!(tokenizer.add_tokens(&["<image>"]).unwrap(), 0);
        let image = tokenizer.token_to_id("<image>").unwrap();
        assert_eq!(image as usize + 1, tokenizer.vocab_size());
        let ids = tokenizer.encode("<image> a dog").unwrap();
        assert_eq!(ids[0], image);
        assert_eq!(tokenizer.decode(&ids).unwrap(), " a dog");
    }

    #[test]
    fn a_batch_is_padded_on_either_side() {
        let tokenizer = tokenizer();
        let texts = ["the dog", "the"];
        for (side, mask) in [(Side::Left, [0u32, 1]), (Side::Right, [1, 0])] {
            let batch = tokenizer.encode_batch(&texts, 9, side, &Device::Cpu).unwrap();
            assert_eq!(batch.attention_mask.to_vec2::<u32>().unwrap(), [vec![1, 1], mask.to_vec()]);
            let ids = batch.input_ids.to_vec2::<u32>().unwrap();
            let at = usize::from(side == Side::Left);
            assert_eq!((ids[1][at], ids[1][1 - at]), (ids[0][0], 0));
        }
        let cut = tokenizer.encode_batch(&texts, 1, Side::Left, &Device::Cpu).unwrap();
        assert_eq!(cut.input_ids.dims(), [2, 1]);
    }

    #[test]
    fn an_empty_folder_says_what_belongs_there() {
        let folder = tempfile::tempdir().unwrap();
        let error = BpeTokenizer::from_folder(folder.path()).unwrap_err().to_string();
        assert!(error.contains("merges.txt"), "{error}");
    }
}
