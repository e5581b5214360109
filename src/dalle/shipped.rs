//! The trained models that travel with the library; `data/tiny/README.md` says how they were made.

use std::path::Path;

use super::{Dalle, DalleHoles, Dvae};
use crate::Result;
use crate::checkpoint::load_pt_bytes;

const DVAE: &[u8] = include_bytes!("../../data/tiny/dvae.pt");
const DALLE: &[u8] = include_bytes!("../../data/tiny/dalle.pt");

impl Dvae {
    /// The trained dVAE of `tiny`. It encodes and decodes; it does not train, since the library holds no `quantize`.
    ///
    /// # Errors
    /// Never, unless the library was built from a damaged checkout.
    pub fn shipped() -> Result<Self> {
        let path = Path::new("data/tiny/dvae.pt");
        Self::from_file(path, &load_pt_bytes(path, DVAE)?, DalleHoles::NOT_YET.quantize)
    }
}

impl Dalle {
    /// The trained transformer of `tiny` with its dVAE. It draws; it does not train, since the library holds neither exercise.
    ///
    /// # Errors
    /// Never, unless the library was built from a damaged checkout.
    pub fn shipped() -> Result<Self> {
        let path = Path::new("data/tiny/dalle.pt");
        Self::from_file(path, &load_pt_bytes(path, DALLE)?, Dvae::shipped()?, DalleHoles::NOT_YET)
    }
}
