//! A Frozen checkpoint keeps only what was trained: the frozen language model is not in it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Frozen, FrozenConfig, FrozenHoles, LmStart};
use crate::checkpoint::{PtFile, StateDict, drop_untracked, load_pt, save_pt};
use crate::{Error, Result};

const RECORD: &str = "vision_language.json";

#[derive(Serialize, Deserialize)]
struct Card {
    model: String,
    version: String,
    config: FrozenConfig,
}

impl Frozen {
    /// What a checkpoint keeps: parameters that train, and the running statistics beside them.
    pub fn trained(&self) -> StateDict {
        let params = self.params().all();
        let frozen = self.config().language_model == LmStart::Frozen;
        let kept = params
            .iter()
            .filter(|p| !(frozen && p.name().starts_with("text_encoder.")))
            .filter(|p| p.is_trainable() || (p.is_buffer() && self.config().base.image_trainable));
        kept.map(|p| (p.name().to_string(), p.var().as_detached_tensor())).collect()
    }

    /// Writes what was trained, with the configuration; atomic.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        self.write(path, &self.trained())
    }

    /// As [`save`](Self::save), in half precision.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn save_half(&self, path: &Path) -> Result<()> {
        let half = |(name, tensor): (String, candle_core::Tensor)| {
            Ok((name, tensor.to_dtype(candle_core::DType::F16)?))
        };
        self.write(path, &self.trained().into_iter().map(half).collect::<Result<_>>()?)
    }

    fn write(&self, path: &Path, state: &StateDict) -> Result<()> {
        let card = Card {
            model: "frozen".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            config: self.config().clone(),
        };
        save_pt(path, state, &[(RECORD, &serde_json::to_vec_pretty(&card)?)])
    }

    /// Opens a checkpoint: the configuration is inside, the language model is the preset's.
    ///
    /// # Errors
    /// When the file is missing, damaged or another model's; the first key that does not fit is named.
    pub fn load(path: &Path, holes: FrozenHoles) -> Result<Self> {
        Self::load_with(path, None, holes)
    }

    /// As [`load`](Self::load), with the preset's model files from the folder `models`, as [`Config::models`](crate::config::Config::models) says: a checkpoint
    /// does not keep where they were.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_with(path: &Path, models: Option<&Path>, holes: FrozenHoles) -> Result<Self> {
        Self::from_file(path, load_pt(path)?, |config| {
            let mut config = config.clone();
            config.base.models = models.map(Path::to_path_buf);
            Self::new(&config, holes)
        })
    }

    pub(super) fn from_file(
        path: &Path,
        file: PtFile,
        build: impl FnOnce(&FrozenConfig) -> Result<Self>,
    ) -> Result<Self> {
        let wrong = |why: String| Error::Checkpoint {
            path: path.into(),
            why,
            next: "use a file that `Frozen::save` wrote".into(),
        };
        let record = file.records.get(RECORD);
        let record = record.ok_or_else(|| wrong(format!("it has no record `{RECORD}`")))?;
        let card: Card = serde_json::from_slice(record)
            .map_err(|e| wrong(format!("its configuration cannot be read: {e}")))?;
        if card.model != "frozen" {
            return Err(wrong(format!(
                "it holds a model of the kind `{}`, not `frozen`",
                card.model
            )));
        }
        let model = build(&card.config)?;
        let mut trained = file.state;
        drop_untracked(&mut trained);
        if let Some(missing) = model.trained().keys().find(|key| !trained.contains_key(*key)) {
            return Err(wrong(format!("it lacks `{missing}`")));
        }
        let mut state = trained;
        for param in model.params().all() {
            // What was not trained stays: a copy, since a variable cannot be set to itself.
            if !state.contains_key(param.name()) {
                state.insert(param.name().to_string(), param.var().as_tensor().copy()?);
            }
        }
        model.params().load_state_dict(&state).map_err(|e| wrong(e.to_string()))?;
        Ok(model)
    }
}
