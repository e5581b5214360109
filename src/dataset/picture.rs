//! A picture's file to pixels. A file that was cut short is an error, not grey pixels.

use std::path::Path;

use image::{ImageFormat, RgbImage};

use crate::{Error, Result};

/// Decodes a JPEG or PNG to RGB. `index` is the item that names the file, for messages.
///
/// # Errors
/// [`Error::Image`] when the file is missing, empty, cut short, or does not decode.
pub fn load_image(path: &Path, index: usize) -> Result<RgbImage> {
    decode_image(&read_file(path, index)?, path, index)
}

pub(super) fn read_file(path: &Path, index: usize) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| {
        let why = match e.kind() {
            std::io::ErrorKind::NotFound => "the file is not there".into(),
            _ => e.to_string(),
        };
        Error::Image { path: path.to_path_buf(), index, why }
    })
}

/// [`load_image`] of a file that was read already.
pub(super) fn decode_image(bytes: &[u8], path: &Path, index: usize) -> Result<RgbImage> {
    decode(bytes).map_err(|why| Error::Image { path: path.to_path_buf(), index, why })
}

fn decode(bytes: &[u8]) -> Result<RgbImage, String> {
    if bytes.is_empty() {
        return Err("the file is empty".into());
    }
    let format = image::guess_format(bytes)
        .map_err(|_| "expected a JPEG or PNG, got neither's first bytes".to_string())?;
    // The decoder is lenient: what lies behind the cut would come out grey.
    if format == ImageFormat::Jpeg && !has_end_marker(bytes) {
        return Err("the JPEG is cut short: its end marker is missing".into());
    }
    let decoded = image::load_from_memory_with_format(bytes, format)
        .map_err(|e| format!("does not decode: {e}"))?;
    let rgb = decoded.into_rgb8();
    match rgb.dimensions() {
        (0, _) | (_, 0) => Err("the picture has no pixels".into()),
        _ => Ok(rgb),
    }
}

/// Whether the segments of a JPEG lead to its end marker. Looking for `FF D9` alone would find a thumbnail's.
fn has_end_marker(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[marker_start, marker]) = bytes.get(at..at + 2) {
        if marker_start != 0xff {
            // Inside a scan, or padding: on to the next marker byte.
            match bytes[at..].iter().position(|&b| b == 0xff) {
                Some(skip) => at += skip,
                None => return false,
            }
            continue;
        }
        at += match marker {
            0xd9 => return true,
            0xff => 1,
            // Stuffing, restarts and other markers without a length.
            0x00 | 0x01 | 0xd0..=0xd8 => 2,
            _ => match bytes.get(at + 2..at + 4) {
                Some(&[high, low]) => 2 + usize::from(u16::from_be_bytes([high, low])).max(2),
                _ => return false,
            },
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jpeg() -> Vec<u8> {
        let picture = RgbImage::from_fn(64, 48, |x, y| image::Rgb([x as u8 * 3, y as u8 * 5, 90]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_whole_jpeg_decodes_and_no_cut_one_does() {
        let whole = jpeg();
        assert_eq!(decode(&whole).unwrap().dimensions(), (64, 48));
        for cut in 0..whole.len() - 1 {
            assert!(decode(&whole[..cut]).is_err(), "{cut} of {} bytes decoded", whole.len());
        }
        assert!(decode(&[&whole[..], b"trailing bytes"].concat()).is_ok());
    }

    #[test]
    fn the_lenient_decoder_is_why_we_look_for_the_end() {
        let whole = jpeg();
        let cut = &whole[..whole.len() * 9 / 10];
        assert!(
            image::load_from_memory(cut).is_ok(),
            "the decoder got strict: has_end_marker may go"
        );
        assert!(decode(cut).unwrap_err().contains("cut short"));
    }

    #[test]
    fn a_thumbnails_end_marker_is_not_the_pictures() {
        let whole = jpeg();
        let app1 = [&[0xff, 0xe1, 0, 6, 0xff, 0xd8, 0xff, 0xd9][..]].concat();
        let with_thumbnail = [&whole[..2], &app1, &whole[2..]].concat();
        assert!(has_end_marker(&with_thumbnail));
        assert!(!has_end_marker(&with_thumbnail[..with_thumbnail.len() - 2]));
    }

    #[test]
    fn errors_name_the_file_and_the_item() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("a.jpg");
        std::fs::write(&text, "not a picture").unwrap();
        let message = load_image(&text, 7).unwrap_err().to_string();
        assert!(message.contains("a.jpg (item 7)") && message.contains("JPEG"), "{message}");
        let gone = load_image(&folder.path().join("b.jpg"), 8).unwrap_err().to_string();
        assert!(gone.contains("b.jpg (item 8)") && gone.contains("not there"), "{gone}");
        std::fs::write(&text, "").unwrap();
        assert!(load_image(&text, 7).unwrap_err().to_string().contains("empty"));
        let mut png = std::io::Cursor::new(Vec::new());
        RgbImage::new(20, 20).write_to(&mut png, ImageFormat::Png).unwrap();
        std::fs::write(&text, &png.get_ref()[..png.get_ref().len() - 20]).unwrap();
        assert!(matches!(load_image(&text, 7), Err(Error::Image { index: 7, .. })));
    }
}
