//! CLIP's own tokenizer: byte-pair encoding of lower-case words, where a word's last piece says that it is the last (`dog</w>`).

use tokenizers::models::bpe::BPE;
use tokenizers::normalizers::{Lowercase, NFC, Replace, Sequence, Strip};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence as PreSequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, NormalizerWrapper, SplitDelimiterBehavior};

use super::Tokenizer;
use super::tokenizer::error;
use crate::Result;

/// A contraction, letters, one digit, or signs.
const WORDS: &str =
    r"(?i)<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+";

/// Merges of CLIP's vocabulary of 49,408 tokens.
const MERGES: usize = 49_152 - 256 - 2;

impl Tokenizer {
    /// From the text of OpenAI's `bpe_simple_vocab_16e6.txt`: a line about it, then a merge a line, of which the first 48,894
    /// count. Texts begin with `<|startoftext|>` and end with `<|endoftext|>`.
    ///
    /// OpenAI's Python also mends wrongly decoded letters and HTML's entities before; this does not.
    ///
    /// # Errors
    /// When it is not such a text.
    pub fn clip(merges: &str) -> Result<Self> {
        let pair = |line: &str| -> Result<(String, String)> {
            match line.split_once(' ') {
                Some((left, right)) => Ok((left.to_string(), right.to_string())),
                None => Err(error(format!("CLIP's merges: expected two pieces, got {line:?}"))),
            }
        };
        let lines = merges.lines().skip(1).take(MERGES).filter(|line| !line.is_empty());
        let merges = lines.map(pair).collect::<Result<Vec<_>>>()?;
        let mut tokens: Vec<String> = letters().map(String::from).collect();
        tokens.extend(letters().map(|letter| format!("{letter}</w>")));
        tokens.extend(merges.iter().map(|(left, right)| format!("{left}{right}")));
        let special = ["<|startoftext|>", "<|endoftext|>"];
        tokens.extend(special.map(String::from));
        let ids: ahash::AHashMap<String, u32> = tokens.into_iter().zip(0..).collect();
        let ends = special.map(|token| (token.to_string(), ids[token]));
        let model = BPE::builder()
            .vocab_and_merges::<ahash::AHashMap<_, _>>(ids, merges)
            .end_of_word_suffix("</w>".into())
            .unk_token(special[1].into())
            .build()
            .map_err(error)?;
        let mut inner = tokenizers::Tokenizer::new(model);
        let clean: Vec<NormalizerWrapper> = vec![
            NFC.into(),
            Replace::new(
                tokenizers::normalizers::replace::ReplacePattern::Regex(r"\s+".into()),
                " ",
            )
            .map_err(error)?
            .into(),
            Strip::new(true, true).into(),
            Lowercase.into(),
        ];
        inner.with_normalizer(Some(Sequence::new(clean))).map_err(error)?;
        let pattern = SplitPattern::Regex(WORDS.into());
        let split = Split::new(pattern, SplitDelimiterBehavior::Removed, true).map_err(error)?;
        let words: Vec<PreTokenizerWrapper> =
            vec![split.into(), ByteLevel::new(false, true, false).into()];
        inner.with_pre_tokenizer(Some(PreSequence::new(words)));
        let [start, end] = special;
        let template = TemplateProcessing::builder()
            .try_single(format!("{start} $A {end}"))
            .map_err(error)?
            .special_tokens(ends.to_vec())
            .build()
            .map_err(error)?;
        inner.with_post_processor(Some(template));
        inner.with_decoder(Some(tokenizers::decoders::bpe::BPEDecoder::new("</w>".into())));
        inner
            .add_special_tokens(special.map(|token| AddedToken::from(token, true)))
            .map_err(error)?;
        Self::of(inner)
    }
}

/// The 256 bytes as letters, in the order of CLIP's vocabulary: those that can be seen first.
fn letters() -> impl Iterator<Item = char> {
    let seen = |byte: &u32| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    let others = (0u32..256).filter(move |byte| !seen(byte)).zip(256..).map(|(_, letter)| letter);
    (0u32..256).filter(seen).chain(others).filter_map(char::from_u32)
}
