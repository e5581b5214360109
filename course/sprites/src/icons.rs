//! Reads an Iconify package: SVG bodies by name, and where they come from.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use image::{Rgba, RgbaImage};
use resvg::{tiny_skia, usvg};
use serde::Deserialize;

#[derive(Deserialize)]
struct Icon {
    body: String,
    left: Option<f32>,
    top: Option<f32>,
    width: Option<f32>,
    height: Option<f32>,
}

#[derive(Deserialize)]
struct Alias {
    parent: String,
}

#[derive(Deserialize)]
struct Icons {
    icons: HashMap<String, Icon>,
    #[serde(default)]
    aliases: HashMap<String, Alias>,
    width: Option<f32>,
    height: Option<f32>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: String,
}

#[derive(Deserialize)]
struct Info {
    name: String,
    author: Author,
    license: License,
}

#[derive(Deserialize)]
struct Author {
    name: String,
    url: String,
}

#[derive(Deserialize)]
struct License {
    url: String,
}

/// Where a set of drawings comes from.
pub struct Provenance {
    pub title: String,
    pub package: String,
    pub version: String,
    pub license: String,
    pub license_url: String,
    pub author: String,
    pub url: String,
}

/// One set of drawings.
pub struct Set {
    icons: Icons,
    pub provenance: Provenance,
}

impl Set {
    /// Opens the package in `folder`.
    pub fn open(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let read = |name: &str| -> Result<String, Box<dyn Error>> {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()).into())
        };
        let package: Package = serde_json::from_str(&read("package.json")?)?;
        let info: Info = serde_json::from_str(&read("info.json")?)?;
        let icons = serde_json::from_str(&read("icons.json")?)?;
        let provenance = Provenance {
            title: info.name,
            package: package.name,
            version: package.version,
            license: package.license,
            license_url: info.license.url,
            author: info.author.name,
            url: info.author.url,
        };
        Ok(Self { icons, provenance })
    }

    /// The drawing `name`, cropped to what is not transparent, `side` pixels on its longer side.
    pub fn render(&self, name: &str, side: u32) -> Result<RgbaImage, Box<dyn Error>> {
        let (tree, size) = self.tree(name)?;
        // First large, to find the drawing in its frame; then at the size wanted, from the vectors.
        let look = 512.0 / size;
        let (x0, y0, x1, y1) = bounds(&paint(&tree, look, 0.0, 0.0, 512, 512)?)
            .ok_or_else(|| format!("{}: {name} is empty", self.provenance.package))?;
        let (w, h) = ((x1 - x0) as f32, (y1 - y0) as f32);
        let zoom = side as f32 / w.max(h);
        let (width, height) = ((w * zoom).round() as u32, (h * zoom).round() as u32);
        let pixels = paint(
            &tree,
            look * zoom,
            -(x0 as f32) * zoom,
            -(y0 as f32) * zoom,
            width.max(1),
            height.max(1),
        )?;
        let mut out = RgbaImage::new(pixels.width(), pixels.height());
        for (to, from) in out.pixels_mut().zip(pixels.pixels()) {
            let c = from.demultiply();
            *to = Rgba([c.red(), c.green(), c.blue(), c.alpha()]);
        }
        Ok(out)
    }

    fn tree(&self, name: &str) -> Result<(usvg::Tree, f32), Box<dyn Error>> {
        let mut name = name;
        while let Some(alias) = self.icons.aliases.get(name) {
            name = &alias.parent;
        }
        let icon = self
            .icons
            .icons
            .get(name)
            .ok_or_else(|| format!("{}: no drawing {name}", self.provenance.package))?;
        let width = icon.width.or(self.icons.width).unwrap_or(16.0);
        let height = icon.height.or(self.icons.height).unwrap_or(16.0);
        let (left, top) = (icon.left.unwrap_or(0.0), icon.top.unwrap_or(0.0));
        let svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{width}" height="{height}" viewBox="{left} {top} {width} {height}">{}</svg>"##,
            icon.body
        );
        Ok((usvg::Tree::from_str(&svg, &usvg::Options::default())?, width.max(height)))
    }
}

fn paint(
    tree: &usvg::Tree,
    zoom: f32,
    dx: f32,
    dy: f32,
    width: u32,
    height: u32,
) -> Result<tiny_skia::Pixmap, Box<dyn Error>> {
    let mut pixels = tiny_skia::Pixmap::new(width, height).ok_or("a drawing without a size")?;
    let transform = tiny_skia::Transform::from_scale(zoom, zoom).post_translate(dx, dy);
    resvg::render(tree, transform, &mut pixels.as_mut());
    Ok(pixels)
}

/// The box around what is visible: left, top, right, bottom, the last two past the end.
fn bounds(pixels: &tiny_skia::Pixmap) -> Option<(u32, u32, u32, u32)> {
    let mut found: Option<(u32, u32, u32, u32)> = None;
    for (i, p) in pixels.pixels().iter().enumerate() {
        if p.alpha() > 16 {
            let (x, y) = (i as u32 % pixels.width(), i as u32 / pixels.width());
            let (x0, y0, x1, y1) = found.unwrap_or((x, y, x + 1, y + 1));
            found = Some((x0.min(x), y0.min(y), x1.max(x + 1), y1.max(y + 1)));
        }
    }
    found
}
