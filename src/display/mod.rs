//! Pictures, tables and progress, for a notebook and for files.
//!
//! A notebook shows what its cell's last expression gives: a [`Picture`] or a [`Table`] knows evcxr's line protocol
//! (`evcxr_display`). On the course's kernel pictures come at once, every one, and some are drawn anew ([`Live`]); of
//! several pictures in one cell a stock kernel keeps the last, and shows it at the end.
//! Everything is drawn in memory with plotters and an embedded font; [`Picture::save`] writes the PNG.

mod canvas;
mod colour;
mod difference;
mod grid;
mod guesses;
mod heat;
mod kernel;
mod label;
mod live;
mod parameters;
mod picture;
mod plot;
mod progress;
mod scatter;
mod spread;
mod table;
mod value;

pub use difference::difference_bars;
pub use grid::{GridItem, image_grid};
pub use guesses::{Guess, GuessCard, guess_cards};
pub use heat::{heatmap, similarity_heatmap};
pub use kernel::{Interruptible, interrupted};
pub use label::written_on;
pub use live::Live;
pub use parameters::parameters;
pub(crate) use parameters::shows_its_parameters;
pub use picture::{Picture, in_notebook};
pub use plot::{Curve, bars, line_plot, loss_curves};
pub use progress::Progress;
pub use scatter::scatter_plot;
pub use spread::{Spread, spread_plot};
pub use table::Table;
pub use value::Show;
