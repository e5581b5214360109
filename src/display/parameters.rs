//! What a model is made of, as a table.

use super::Table;
use crate::nn::{Param, Params};

/// A model's parameters by part, in PyTorch's sense of `named_parameters`: how many tensors and numbers each part has, the
/// shape where it is a single tensor, and whether it trains or is frozen; the sum in the last row.
///
/// ```
/// # use vision_language::{display::parameters, nn::{Init, Params}};
/// # use candle_core::Device;
/// let params = Params::new(&Device::Cpu, 0);
/// params.pp("fc").get((3, 2), "weight", Init::Const(0.))?;
/// params.pp("fc").set_trainable(false);
/// assert_eq!(parameters(&params).rows[0], ["fc", "(3, 2)", "6", "frozen"]);
/// # Ok::<(), vision_language::Error>(())
/// ```
pub fn parameters(params: &Params) -> Table {
    table(&params.all())
}

/// Gives a model with `params()` its table of parameters, which is what a notebook shows of it.
macro_rules! shows_its_parameters {
    ($model:ty) => {
        impl $model {
            /// Its parameters by part ([`parameters`](crate::display::parameters)).
            pub fn parameters(&self) -> $crate::display::Table {
                $crate::display::parameters(self.params())
            }

            /// What a notebook shows of a model: the table of its parameters.
            pub fn evcxr_display(&self) {
                self.parameters().evcxr_display();
            }
        }
    };
}
pub(crate) use shows_its_parameters;

impl Params {
    /// The table of [`parameters`], below a notebook's cell.
    pub fn evcxr_display(&self) {
        parameters(self).evcxr_display();
    }
}

/// One part's tensors, numbers, and how many of the tensors train.
#[derive(Default)]
struct Part {
    name: String,
    tensors: usize,
    numbers: usize,
    trainable: usize,
    shape: Vec<usize>,
}

fn table(params: &[Param]) -> Table {
    let mut parts: Vec<Part> = Vec::new();
    let (mut numbers, mut trained, mut buffers) = (0, 0, 0);
    for param in params {
        let count = param.var().elem_count();
        if param.is_buffer() {
            buffers += count;
            continue;
        }
        numbers += count;
        trained += if param.is_trainable() { count } else { 0 };
        let name = part_of(param.name());
        if parts.last().is_none_or(|part| part.name != name) {
            parts.push(Part { name, ..Part::default() });
        }
        if let Some(part) = parts.last_mut() {
            part.tensors += 1;
            part.numbers += count;
            part.trainable += usize::from(param.is_trainable());
            part.shape = param.var().dims().to_vec();
        }
    }
    let mut table = Table::new(["part", "shape", "numbers", "trains"]);
    for part in parts {
        let trains = match part.trainable {
            0 => "frozen",
            n if n == part.tensors => "yes",
            _ => "in part",
        };
        let shape = match part.tensors {
            1 => shape_of(&part.shape),
            n => format!("{n} tensors"),
        };
        table = table.row([part.name, shape, spaced(part.numbers), trains.into()]);
    }
    let trains = match trained {
        0 => "frozen".to_string(),
        n if n == numbers => "yes".to_string(),
        n => format!("{} of them", spaced(n)),
    };
    table = table.row(["sum".to_string(), String::new(), spaced(numbers), trains]);
    let statistics = match buffers {
        0 => String::new(),
        n => format!("beside {} running statistics of batch norms", spaced(n)),
    };
    table.note(statistics)
}

/// `(3, 2)` as candle writes it.
fn shape_of(dims: &[usize]) -> String {
    let dims: Vec<String> = dims.iter().map(usize::to_string).collect();
    format!("({})", dims.join(", "))
}

/// The part that a parameter belongs to: up to the first number in its name (a stage, a layer), else its module.
fn part_of(name: &str) -> String {
    let modules: Vec<&str> = name.split('.').collect();
    let last = modules.len() - 1;
    let number = modules.iter().position(|m| m.bytes().all(|b| b.is_ascii_digit()));
    let depth = match number {
        Some(at) => at + 1,
        None if modules[0].ends_with("_encoder") => last.min(3),
        None => last.min(1),
    };
    modules[..depth.max(1)].join(".")
}

/// `1234567` as `1,234,567`.
fn spaced(n: usize) -> String {
    let digits = n.to_string();
    let threes: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|three| std::str::from_utf8(three).unwrap_or_default())
        .collect();
    threes.join(",")
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::nn::{Init, Params};

    #[test]
    fn parts_are_stages_layers_and_heads() {
        for (name, part) in [
            (
                "image_encoder.model.encoder.stages.2.layers.0.layer.1.convolution.weight",
                "image_encoder.model.encoder.stages.2",
            ),
            (
                "image_encoder.model.embedder.embedder.normalization.bias",
                "image_encoder.model.embedder",
            ),
            (
                "text_encoder.model.transformer.layer.1.ffn.lin1.weight",
                "text_encoder.model.transformer.layer.1",
            ),
            ("image_projection.fc.weight", "image_projection"),
            ("logit_scale", "logit_scale"),
        ] {
            assert_eq!(part_of(name), part);
        }
    }

    #[test]
    fn numbers_add_up_and_frozen_parts_say_so() {
        let params = Params::new(&Device::Cpu, 0);
        let at = |name: &str| params.pp(name);
        at("text_projection.projection").get((40, 50), "weight", Init::Const(0.)).unwrap();
        at("image_projection.projection").get((3, 2), "weight", Init::Const(0.)).unwrap();
        at("image_projection.fc").get(3, "bias", Init::Const(0.)).unwrap().set_trainable(false);
        at("image_encoder.model.norm").buffer(1, "running_mean", 0.).unwrap();
        at("text_projection").set_trainable(false);
        let table = table(&params.all());
        assert_eq!(
            table.rows,
            [
                ["image_projection", "2 tensors", "9", "in part"],
                ["text_projection", "(40, 50)", "2,000", "frozen"],
                ["sum", "", "2,009", "6 of them"]
            ]
        );
        assert_eq!(table.note, "beside 1 running statistics of batch norms");
    }
}
