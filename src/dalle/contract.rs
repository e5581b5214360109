//! The contracts of `quantize` and `dalle_sequence`.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Logits `(b, k, h, w)`, the temperature, standard Gumbel noise of the same shape in training → soft codes
/// `(b, k, h, w)` that sum to 1 over `k`; without noise, one-hot at the largest logit.
pub type Quantize = fn(&Tensor, f64, Option<&Tensor>) -> Result<Tensor>;

/// Text ids `(b, t)` u32, codes of pictures `(b, h·w)` u32 in reading order, the layout → the sequence.
pub type DalleSequence = fn(&Tensor, &Tensor, &SequenceLayout) -> Result<Sequence>;

/// The sizes of a sequence of text and image tokens, and what each sort weighs in the loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SequenceLayout {
    /// Text tokens, `t`; shorter captions are padded with `pad_id`.
    pub text_tokens: usize,
    /// Ids of the text's vocabulary: 0 … `text_vocabulary − 1`.
    pub text_vocabulary: usize,
    /// The id that pads a text.
    pub pad_id: u32,
    /// Rows of codes, `h`.
    pub rows: usize,
    /// Columns of codes, `w`.
    pub columns: usize,
    /// Codes of the codebook, `k`: 0 … `codes − 1`.
    pub codes: usize,
    /// What all text targets weigh together: the paper's 1/8.
    pub text_weight: f64,
    /// What all image targets weigh together: the paper's 7/8.
    pub image_weight: f64,
}

impl SequenceLayout {
    /// Places of image tokens, `h·w`.
    pub fn image_tokens(&self) -> usize {
        self.rows * self.columns
    }

    /// Places in all, `t + h·w`.
    pub fn len(&self) -> usize {
        self.text_tokens + self.image_tokens()
    }

    /// Whether there is no place.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id of the first code in the sequence: behind the text's vocabulary and a padding token for each text place.
    pub fn first_code(&self) -> usize {
        self.text_vocabulary + self.text_tokens
    }
}

/// Text and image tokens in one row. In `ids` and `targets` the vocabularies stand one behind the other: text, then one
/// padding token for each text place, then the codes.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// `(b, t + h·w)` u32: what is read.
    pub ids: Tensor,
    /// `(b, t + h·w)` u32: text places count from 0; image places again from 0, in reading order.
    pub positions: Tensor,
    /// `(b, t + h·w)` u32: the id that comes next; 0 at the last place, where nothing does.
    pub targets: Tensor,
    /// `(b, t + h·w)`: what each target's cross-entropy weighs; all of them together 1, the last place's 0.
    pub weights: Tensor,
}

/// The two parts of DALL-E that are exercises.
#[derive(Clone, Copy)]
pub struct DalleHoles {
    /// Logits to codes.
    pub quantize: Quantize,
    /// Tokens to a sequence.
    pub dalle_sequence: DalleSequence,
}

impl DalleHoles {
    /// Neither is filled in: enough to draw, not to train.
    pub const NOT_YET: Self = Self {
        quantize: |_, _, _| Err(Error::NotYet { id: String::from("quantize") }),
        dalle_sequence: |_, _, _| Err(Error::NotYet { id: String::from("dalle_sequence") }),
    };
}
