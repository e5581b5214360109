//! Pictures, tables and progress, for a notebook and for files.
//!
//! A notebook shows what its cell's last expression gives: a [`Picture`] or a [`Table`] knows evcxr's line protocol
//! (`evcxr_display`). Of several pictures in one cell the stock kernel keeps the last, so a cell shows one.
//! Everything is drawn in memory with plotters and an embedded font; [`Picture::save`] writes the PNG.

mod canvas;
mod colour;
mod grid;
mod heat;
mod picture;
mod plot;
mod progress;
mod table;

pub use grid::{GridItem, image_grid};
pub use heat::{heatmap, similarity_heatmap};
pub use picture::{Picture, in_notebook};
pub use plot::{Curve, bars, line_plot, loss_curves};
pub use progress::Progress;
pub use table::Table;
