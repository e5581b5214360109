//! Checkpoints of the dVAE and of the transformer: PyTorch's zip, the configuration as one more record.

use std::path::Path;

use candle_core::{DType, Tensor};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Dalle, DalleConfig, DalleHoles, Dvae, DvaeConfig, Quantize};
use crate::checkpoint::{PtFile, StateDict, load_pt, save_pt};
use crate::nn::Params;
use crate::text::Tokenizer;
use crate::{Error, Result};

const CONFIG: &str = "vision_language.json";
const TOKENIZER: &str = "tokenizer.json";

#[derive(Serialize, Deserialize)]
struct Card<C> {
    model: String,
    version: String,
    config: C,
}

fn wrong(path: &Path, why: String) -> Error {
    Error::Checkpoint {
        path: path.into(),
        why,
        next: "use a file that `cargo vl train-dalle` wrote".into(),
    }
}

fn write<C: Serialize>(
    path: &Path,
    model: &str,
    config: &C,
    params: &Params,
    half: bool,
    tokenizer: Option<String>,
) -> Result<()> {
    let stored = |(name, tensor): (String, Tensor)| {
        Ok((name, if half { tensor.to_dtype(DType::F16)? } else { tensor }))
    };
    let state: StateDict = params.state_dict().into_iter().map(stored).collect::<Result<_>>()?;
    let version = env!("CARGO_PKG_VERSION").to_string();
    let card = serde_json::to_vec_pretty(&Card { model: model.into(), version, config })?;
    let tokenizer = tokenizer.map(String::into_bytes);
    let mut records: Vec<(&str, &[u8])> = vec![(CONFIG, &card)];
    if let Some(tokenizer) = &tokenizer {
        records.push((TOKENIZER, tokenizer));
    }
    save_pt(path, &state, &records)
}

fn config<C: DeserializeOwned>(path: &Path, file: &PtFile, model: &str) -> Result<C> {
    let record = file.records.get(CONFIG);
    let record = record.ok_or_else(|| wrong(path, format!("it has no record `{CONFIG}`")))?;
    let kind: serde_json::Value = serde_json::from_slice(record)
        .map_err(|e| wrong(path, format!("its configuration cannot be read: {e}")))?;
    if kind["model"] != model {
        let why = format!("it holds a model of the kind {}, not `{model}`", kind["model"]);
        return Err(wrong(path, why));
    }
    let card: Card<C> = serde_json::from_value(kind)
        .map_err(|e| wrong(path, format!("its configuration cannot be read: {e}")))?;
    Ok(card.config)
}

impl Dvae {
    /// Writes the weights with the configuration; in half precision where `half` says so. Atomic.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path, half: bool) -> Result<()> {
        write(path, "dvae", self.config(), self.params(), half, None)
    }

    /// Opens a checkpoint.
    ///
    /// # Errors
    /// When the file is missing, damaged or another model's; the first key that does not fit is named.
    pub fn load(path: &Path, quantize: Quantize) -> Result<Self> {
        Self::from_file(path, &load_pt(path)?, quantize)
    }

    pub(super) fn from_file(path: &Path, file: &PtFile, quantize: Quantize) -> Result<Self> {
        let sizes: DvaeConfig = config(path, file, "dvae")?;
        let dvae = Self::new(&sizes, quantize)?;
        dvae.params().load_state_dict(&file.state).map_err(|e| wrong(path, e.to_string()))?;
        Ok(dvae)
    }
}

impl Dalle {
    /// Writes the transformer's weights with configuration and tokenizer, without the dVAE; in half precision where `half`
    /// says so. Atomic.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path, half: bool) -> Result<()> {
        let tokenizer = Some(self.tokenizer().to_json()?);
        write(path, "dalle", self.config(), self.params(), half, tokenizer)
    }

    /// Opens a transformer and the dVAE that it was trained with.
    ///
    /// # Errors
    /// When a file is missing, damaged or another model's; the first key that does not fit is named.
    pub fn load(dalle: &Path, dvae: &Path, holes: DalleHoles) -> Result<Self> {
        let dvae = Dvae::load(dvae, holes.quantize)?;
        Self::from_file(dalle, &load_pt(dalle)?, dvae, holes)
    }

    pub(super) fn from_file(
        path: &Path,
        file: &PtFile,
        dvae: Dvae,
        holes: DalleHoles,
    ) -> Result<Self> {
        let sizes: DalleConfig = config(path, file, "dalle")?;
        let tokenizer = file.records.get(TOKENIZER);
        let tokenizer =
            tokenizer.ok_or_else(|| wrong(path, format!("it has no record `{TOKENIZER}`")))?;
        let tokenizer = Tokenizer::from_bytes(tokenizer)?;
        let model = Self::new(&sizes, dvae, tokenizer, holes.dalle_sequence)?;
        model.params().load_state_dict(&file.state).map_err(|e| wrong(path, e.to_string()))?;
        Ok(model)
    }
}
