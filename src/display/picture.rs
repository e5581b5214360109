//! A finished picture: PNG bytes and the words for who cannot see it.

use std::fmt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ExtendedColorType, ImageEncoder, RgbImage};

use super::kernel::{Way, show};
use crate::{Error, Result};

/// A picture as a PNG file's bytes.
///
/// As the last expression of a notebook cell it is shown below the cell; [`show`](Picture::show) does the same from
/// anywhere in the cell.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// The bytes of a PNG file.
    pub png: Vec<u8>,
    /// What is on it, in a sentence: what a terminal prints.
    pub alt: String,
}

impl Picture {
    /// Encodes pixels as PNG.
    ///
    /// # Errors
    /// [`Error::Plot`] when the encoder refuses, as for a picture without pixels.
    pub fn from_image(image: &RgbImage, alt: impl Into<String>) -> Result<Self> {
        Self::encode(image, alt.into())
    }

    /// Apart, since a cell compiles generic functions anew with all that they call.
    #[inline(never)]
    fn encode(image: &RgbImage, alt: String) -> Result<Self> {
        let mut png = Vec::new();
        image::codecs::png::PngEncoder::new(&mut png)
            .write_image(image, image.width(), image.height(), ExtendedColorType::Rgb8)
            .map_err(|e| Error::Plot(format!("the picture cannot be encoded: {e}")))?;
        Ok(Self { png, alt })
    }

    /// Writes the PNG file.
    ///
    /// # Errors
    /// [`Error::Io`] with the path.
    pub fn save(&self, path: &Path) -> Result<()> {
        std::fs::write(path, &self.png).map_err(Error::io(path))
    }

    /// Shows it below the notebook cell; anywhere else prints what is on it.
    pub fn show(&self) {
        if in_notebook() { self.display(Way::Below) } else { println!("[picture] {}", self.alt) }
    }

    /// What evcxr calls on a cell's last expression.
    pub fn evcxr_display(&self) {
        self.display(Way::Value);
    }

    fn display(&self, way: Way) {
        // Of two blocks a stock kernel would show the words beside the picture.
        let base64 = self.base64();
        match super::kernel::records() {
            true => show(way, &[("image/png", &base64), ("text/plain", &self.alt)]),
            false => show(way, &[("image/png", &base64)]),
        }
    }

    /// The PNG as notebooks hold it.
    pub(super) fn base64(&self) -> String {
        STANDARD.encode(&self.png)
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({}, {} bytes of PNG)", self.alt, self.png.len())
    }
}

/// Whether the code runs in a notebook cell (evcxr sets `EVCXR_IS_RUNTIME` for the process that runs cells).
pub fn in_notebook() -> bool {
    std::env::var_os("EVCXR_IS_RUNTIME").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_png_holds_the_pixels() {
        let image = RgbImage::from_fn(5, 3, |x, y| image::Rgb([x as u8, y as u8, 7]));
        let picture = Picture::from_image(&image, "five by three").unwrap();
        let back = image::load_from_memory(&picture.png).unwrap().to_rgb8();
        assert_eq!(back, image);
    }
}
