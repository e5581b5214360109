//! The scenes of the notebooks: made once, found again.

use std::path::Path;

use crate::dataset::DataFolder;
use crate::dataset::scenes::{ScenesConfig, generate};
use crate::display::Progress;
use crate::{Error, Result};

/// A folder with `images` scenes to train and validate on and an eighth as many in the unseen style, as
/// `cargo vl data scenes` writes it. One that is there and complete is used as it is, whatever its size.
///
/// # Errors
/// When `folder` holds something else, or cannot be written.
pub fn scenes(folder: &Path, images: usize) -> Result<DataFolder> {
    if is_complete(folder) {
        return DataFolder::find(folder);
    }
    let unseen = images / 8;
    let config =
        ScenesConfig { images, unseen_style: unseen, unseen_pairs: 0, ..ScenesConfig::default() };
    let mut progress = Progress::new("painting scenes", images + unseen);
    generate(&config, folder, &mut |done, _| progress.update(done, ""))?;
    progress.finish(&format!("{} pictures in {}", images + unseen, folder.display()));
    DataFolder::find(folder)
}

/// Whether an earlier run wrote the whole folder.
fn is_complete(folder: &Path) -> bool {
    let mark = std::fs::read(folder.join("scenes.json")).map_err(Error::io(folder));
    let mark = mark.and_then(|json| Ok(serde_json::from_slice::<serde_json::Value>(&json)?));
    mark.is_ok_and(|mark| mark["complete"] == true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::BadRows;

    #[test]
    fn scenes_are_made_once() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join("scenes");
        assert!(!is_complete(&folder));
        let data = scenes(&folder, 8).unwrap();
        assert_eq!(data.captions(BadRows::Refuse).unwrap().len(), 9 * 5);
        let first = data.images.join("scene_000000.jpg");
        let made = std::fs::metadata(&first).unwrap().modified().unwrap();
        scenes(&folder, 20).unwrap();
        assert_eq!(std::fs::metadata(&first).unwrap().modified().unwrap(), made);
    }
}
