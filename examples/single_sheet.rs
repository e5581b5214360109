//! Small pictures of one object to look at: `cargo run --example single_sheet -- sheet.png`.

use image::{Rgb, RgbImage, imageops};
use vision_language::Result;
use vision_language::dataset::scenes::{Split, single};

fn main() -> Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "single.png".into());
    let (columns, rows) = (16u32, 8u32);
    let drawn = single::draw((columns * rows) as usize, Split::Train, single::SIDE, 0)?;
    let side = 3 * single::SIDE as u32;
    let mut sheet = RgbImage::from_pixel(columns * (side + 4), rows * (side + 4), Rgb([255; 3]));
    for (i, picture) in (0u32..).zip(single::to_pictures(&drawn.images)?) {
        let large = imageops::resize(&picture, side, side, imageops::FilterType::Nearest);
        let (x, y) = (i % columns * (side + 4), i / columns * (side + 4));
        imageops::replace(&mut sheet, &large, x.into(), y.into());
    }
    sheet.save(&path).map_err(|e| vision_language::Error::value("single_sheet", "a PNG", e))?;
    for (i, caption) in drawn.captions.iter().take(16).enumerate() {
        println!("{i}: {caption}");
    }
    Ok(())
}
