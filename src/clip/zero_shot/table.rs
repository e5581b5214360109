//! Texts whose embeddings are known.

use std::collections::HashMap;

use candle_core::Tensor;

use crate::clip::EncodeText;
use crate::{Error, Result};

/// Texts that go through the encoder at once.
const BATCH: usize = 256;

/// Embeddings by text. In place of a text encoder it lets many classifiers be made of sentences that were encoded once.
#[derive(Clone, Debug)]
pub struct TextTable {
    rows: HashMap<String, u32>,
    embeddings: Tensor,
}

impl TextTable {
    /// Row i of `embeddings (n, p)` belongs to text i. Of equal texts the first counts.
    ///
    /// # Errors
    /// When there are not as many rows as texts.
    pub fn new(texts: &[String], embeddings: &Tensor) -> Result<Self> {
        if embeddings.rank() != 2 || embeddings.dim(0)? != texts.len() {
            let expected = format!("({}, p), a row a text", texts.len());
            return Err(Error::shape("TextTable, embeddings", expected, embeddings.shape()));
        }
        let mut rows = HashMap::new();
        for (row, text) in texts.iter().enumerate() {
            rows.entry(text.clone()).or_insert(row as u32);
        }
        Ok(Self { rows, embeddings: embeddings.clone() })
    }

    /// Encodes every text once, in batches.
    ///
    /// # Errors
    /// When there is none, and what the encoder says.
    pub fn encoded(texts: &[String], encode_text: &EncodeText<'_>) -> Result<Self> {
        let mut different: Vec<String> = texts.to_vec();
        different.sort_unstable();
        different.dedup();
        if different.is_empty() {
            return Err(Error::value("TextTable, texts", "at least one", "none"));
        }
        let parts = different.chunks(BATCH).map(encode_text).collect::<Result<Vec<_>>>()?;
        Self::new(&different, &Tensor::cat(&parts, 0)?)
    }

    /// Texts → their embeddings `(n, p)`.
    ///
    /// # Errors
    /// For a text that is not in the table, by name.
    pub fn encode(&self, texts: &[String]) -> Result<Tensor> {
        let row = |text: &String| {
            self.rows.get(text).copied().ok_or_else(|| {
                Error::value(
                    "the text encoder",
                    "a class's name in a template",
                    format!("{text:?}"),
                )
            })
        };
        let rows = texts.iter().map(row).collect::<Result<Vec<u32>>>()?;
        if rows.is_empty() {
            return Err(Error::value("the text encoder", "at least one text", "none"));
        }
        Ok(self.embeddings.index_select(&Tensor::new(rows, self.embeddings.device())?, 0)?)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn rows_are_found_by_text_and_strangers_named() {
        let texts = ["a dog", "a cat", "a dog"].map(String::from);
        let length = |texts: &[String]| {
            let rows: Vec<f32> = texts.iter().map(|t| t.bytes().map(f32::from).sum()).collect();
            Ok(Tensor::from_vec(rows, (texts.len(), 1), &Device::Cpu)?)
        };
        let table = TextTable::encoded(&texts, &length).unwrap();
        let asked = ["a dog", "a dog", "a cat"].map(String::from);
        let rows = table.encode(&asked).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(rows, length(&asked).unwrap().to_vec2::<f32>().unwrap());
        let error = table.encode(&["dog".to_string()]).unwrap_err().to_string();
        assert!(error.contains("\"dog\""), "{error}");
        assert!(
            TextTable::new(
                &texts,
                &Tensor::zeros((2, 1), candle_core::DType::F32, &Device::Cpu).unwrap()
            )
            .is_err()
        );
    }
}
