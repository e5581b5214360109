//! One file for the decoder and both priors; CLIP is the shipped one.

use std::path::Path;

use candle_core::{DType, Device};
use serde::{Deserialize, Serialize};

use super::{ArPrior, ArPriorConfig, Decoder, DecoderConfig, Prior, PriorConfig, Unclip};
use crate::checkpoint::{PtFile, StateDict, load_pt, load_pt_bytes, save_pt};
use crate::clip::ClipModel;
use crate::nn::Params;
use crate::{Error, Result};

const RECORD: &str = "vision_language.json";

#[derive(Serialize, Deserialize)]
struct Card {
    model: String,
    version: String,
    decoder: DecoderConfig,
    prior: PriorConfig,
    ar_prior: ArPriorConfig,
}

impl Unclip {
    fn state(&self) -> Result<StateDict> {
        let mut state = StateDict::new();
        let parts = [self.decoder.params(), self.prior.params(), self.ar_prior.params()];
        for params in parts {
            state.extend(params.state_dict());
        }
        let tables = self.ar_prior.tables()?;
        state.extend(tables.into_iter().map(|(name, table)| (format!("codes.{name}"), table)));
        Ok(state)
    }

    /// Writes decoder and priors with their sizes; atomic. `half`: in half precision.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path, half: bool) -> Result<()> {
        let mut state = self.state()?;
        if half {
            for tensor in state.values_mut() {
                *tensor = tensor.to_dtype(DType::F16)?;
            }
        }
        let card = Card {
            model: "unclip".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            decoder: self.decoder.config().clone(),
            prior: self.prior.config().clone(),
            ar_prior: self.ar_prior.config().clone(),
        };
        save_pt(path, &state, &[(RECORD, &serde_json::to_vec_pretty(&card)?)])
    }

    /// Opens a checkpoint.
    ///
    /// # Errors
    /// When the file is missing, damaged or another model's; the first key that does not fit is named.
    pub fn load(path: &Path) -> Result<Self> {
        Self::from_file(path, load_pt(path)?)
    }

    fn from_file(path: &Path, file: PtFile) -> Result<Self> {
        let wrong = |why: String| Error::Checkpoint {
            path: path.into(),
            why,
            next: "use a file that `cargo vl train-unclip` wrote".into(),
        };
        let record = file.records.get(RECORD);
        let record = record.ok_or_else(|| wrong(format!("it has no record `{RECORD}`")))?;
        let card: Card = serde_json::from_slice(record)
            .map_err(|e| wrong(format!("its configuration cannot be read: {e}")))?;
        if card.model != "unclip" {
            return Err(wrong(format!("it holds a model of the kind `{}`", card.model)));
        }
        let below = |prefix: &str| -> StateDict {
            let part = file.state.iter().filter_map(|(name, tensor)| {
                Some((name.strip_prefix(prefix)?.strip_prefix('.')?.to_string(), tensor.clone()))
            });
            part.collect()
        };
        let build = || -> Result<Self> {
            let clip = ClipModel::shipped()?;
            let params = Params::new(&Device::Cpu, 0);
            let decoder = Decoder::new(&card.decoder, &params.pp("decoder"))?;
            let prior = Prior::new(&card.prior, &params.pp("prior"))?;
            let ar_params = params.pp("ar_prior");
            let ar_prior = ArPrior::from_tables(&card.ar_prior, &below("codes"), &ar_params)?;
            for name in ["decoder", "prior", "ar_prior"] {
                params.pp(name).load_below(&below(name))?;
            }
            Ok(Self { clip, prior, ar_prior, decoder })
        };
        build().map_err(|e| wrong(e.to_string()))
    }

    /// From bytes in memory, for what travels with the library.
    pub(super) fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self> {
        Self::from_file(path, load_pt_bytes(path, bytes)?)
    }
}
