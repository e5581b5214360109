//! Captions as the language model reads them: behind image tokens, alone or several in a row.

use candle_core::Tensor;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Frozen;
use crate::Result;
use crate::text::{Side, pad};

impl Frozen {
    /// Captions of a batch behind their image tokens, as ids `(b, t)` and mask `(b, t)`: `<image>a dog on the grass.`, a new
    /// line, the end of the text.
    ///
    /// # Errors
    /// When the tokenizer refuses a caption.
    pub fn caption_ids(&self, captions: &[String]) -> Result<(Tensor, Tensor)> {
        let rows = captions.iter().map(|c| self.caption_row(c)).collect::<Result<Vec<_>>>()?;
        let batch = pad(&rows, Side::Right, self.params().device())?;
        Ok((batch.input_ids, batch.attention_mask))
    }

    /// As [`caption_ids`](Self::caption_ids), with one up to `pictures_per_text` captions in a row, drawn by the seed: each
    /// next one comes in half of the cases, so that most texts are short and some are long. The captions keep their order:
    /// picture `i` still is the `i`-th in reading order.
    pub(super) fn training_ids(&self, captions: &[String], seed: u64) -> Result<(Tensor, Tensor)> {
        let most = self.config().pictures_per_text;
        if most <= 1 {
            return self.caption_ids(captions);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let room = self.language_model().longest();
        let mut rows: Vec<Vec<u32>> = Vec::new();
        let mut left = 0;
        for caption in captions {
            let ids = self.caption_row(caption)?;
            match rows.last_mut() {
                Some(row) if left > 0 && row.len() + ids.len() <= room => {
                    row.extend(ids);
                    left -= 1;
                }
                _ => {
                    rows.push(ids);
                    left = (1..most).take_while(|_| rng.random_bool(0.5)).count();
                }
            }
        }
        let batch = pad(&rows, Side::Right, self.params().device())?;
        Ok((batch.input_ids, batch.attention_mask))
    }

    fn caption_row(&self, caption: &str) -> Result<Vec<u32>> {
        let caption = caption.trim().trim_end_matches('.').trim_end();
        let mut ids = self.encode(&format!("{}{caption}.\n", Self::IMAGE))?;
        ids.push(self.tokenizer().end_of_text()?);
        ids.truncate(self.config().max_length + self.config().num_visual_prefix);
        Ok(ids)
    }
}
