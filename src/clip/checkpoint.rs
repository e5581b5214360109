//! `best.pt` and `last.pt`: a model with its configuration and tokenizer, so that it opens without being told what it is.

use std::path::Path;

use candle_core::{DType, Tensor};
use serde::{Deserialize, Serialize};

use super::{ClipLoss, ClipModel, HeadBuilder, LinearHead, Save, head};
use crate::checkpoint::{PtFile, StateDict, drop_untracked, load_pt, load_pt_bytes, save_pt};
use crate::config::Config;
use crate::text::Tokenizer;
use crate::{Error, Result};

/// The record of the zip that holds the configuration.
pub(crate) const CONFIG_RECORD: &str = "vision_language.json";
const TOKENIZER_RECORD: &str = "tokenizer.json";

const SHIPPED: &[u8] = include_bytes!("../../data/tiny/clip.pt");

/// What the configuration's record says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Card {
    /// What kind of model it is: `clip`.
    pub model: String,
    /// The library's version that wrote it.
    pub version: String,
    pub config: Config,
}

impl Card {
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            model: "clip".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            config: config.clone(),
        }
    }
}

impl ClipModel {
    /// The records that every checkpoint of the model carries.
    pub(crate) fn records(&self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let card = serde_json::to_vec_pretty(&Card::of(self.config()))?;
        Ok(vec![
            (CONFIG_RECORD, card),
            (TOKENIZER_RECORD, self.tokenizer().to_json()?.into_bytes()),
        ])
    }

    /// Opens a checkpoint: the configuration and the tokenizer are inside. The head is the one it was trained with; a
    /// checkpoint with the library's own `LinearHead` opens with that, whatever `head` is.
    ///
    /// # Errors
    /// When the file is missing, damaged or another model's; the first key that does not fit is named.
    pub fn load(path: &Path, head: HeadBuilder, loss: ClipLoss) -> Result<Self> {
        Self::from_file(path, load_pt(path)?, head, loss)
    }

    /// The trained model that travels with the library: `tiny` with a `LinearHead`. It searches; it does not train, since
    /// the library holds no `clip_loss`. `data/tiny/README.md` says how it was made.
    ///
    /// # Errors
    /// Never, unless the library was built from a damaged checkout.
    pub fn shipped() -> Result<Self> {
        let file = load_pt_bytes(Path::new("data/tiny/clip.pt"), SHIPPED)?;
        let no_loss: ClipLoss = |_, _, _| Err(Error::NotYet { id: "clip_loss".into() });
        Self::from_file(Path::new("data/tiny/clip.pt"), file, head::<LinearHead>(), no_loss)
    }

    /// Writes the model with its numbers in half precision: half the bytes, embeddings within a thousandth.
    ///
    /// # Errors
    /// As [`Save::save`].
    pub fn save_half(&self, path: &Path) -> Result<()> {
        let half = |(name, tensor): (String, Tensor)| Ok((name, tensor.to_dtype(DType::F16)?));
        let state: StateDict =
            self.params().state_dict().into_iter().map(half).collect::<Result<_>>()?;
        let own = self.records()?;
        let records: Vec<(&str, &[u8])> =
            own.iter().map(|(n, bytes)| (*n, bytes.as_slice())).collect();
        save_pt(path, &state, &records)
    }

    pub(crate) fn from_file(
        path: &Path,
        file: PtFile,
        builder: HeadBuilder,
        loss: ClipLoss,
    ) -> Result<Self> {
        let wrong = |why: String, next: &str| Error::Checkpoint {
            path: path.into(),
            why,
            next: next.into(),
        };
        let record = |name: &str| {
            file.records.get(name).ok_or_else(|| {
                wrong(
                    format!("it has no record `{name}`"),
                    "use a file that this library saved: its `best.pt` or `last.pt`",
                )
            })
        };
        let card: Card = serde_json::from_slice(record(CONFIG_RECORD)?).map_err(|e| {
            wrong(
                format!("its configuration cannot be read: {e}"),
                "train again, or use the version that wrote it",
            )
        })?;
        if card.model != "clip" {
            return Err(wrong(
                format!("it holds a model of the kind `{}`, not `clip`", card.model),
                "use a CLIP checkpoint",
            ));
        }
        let tokenizer = Tokenizer::from_bytes(record(TOKENIZER_RECORD)?)?;
        let mut state: StateDict = file.state;
        drop_untracked(&mut state);
        let linear = !state.contains_key("image_projection.projection.bias");
        let builder = if linear { head::<LinearHead>() } else { builder };
        let model = Self::build(&card.config, tokenizer, builder, loss, [true; 2])?;
        if !state.contains_key("logit_scale")
            && let Some(scale) = model.params().state_dict().remove("logit_scale")
        {
            // A tutorial's checkpoint has no temperature: it gets the configuration's.
            state.insert("logit_scale".into(), scale);
        }
        model.params().load_state_dict(&state).map_err(|e| {
            wrong(e.to_string(), "use the projection head that it was trained with: its keys are named in CONTRACTS.md")
        })?;
        Ok(model)
    }

    /// Writes the model with more tensors and records beside its own.
    pub(crate) fn save_with(
        &self,
        path: &Path,
        more: StateDict,
        records: &[(&str, Vec<u8>)],
    ) -> Result<()> {
        let mut state = self.params().state_dict();
        state.extend(more);
        let own = self.records()?;
        let all: Vec<(&str, &[u8])> =
            own.iter().chain(records).map(|(name, bytes)| (*name, bytes.as_slice())).collect();
        save_pt(path, &state, &all)
    }
}

impl Save for ClipModel {
    fn save(&self, path: &Path) -> Result<()> {
        self.save_with(path, StateDict::new(), &[])
    }
}
