//! What a model is made of, as a table.

use super::ClipModel;
use crate::display::Table;
use crate::nn::Param;

impl ClipModel {
    /// The model's parameters by part: how many tensors and numbers each has, and whether it trains.
    pub fn parameters(&self) -> Table {
        table(&self.params().all())
    }

    /// The table of [`parameters`](Self::parameters), below a notebook's cell.
    pub fn evcxr_display(&self) {
        self.parameters().evcxr_display();
    }
}

/// One part's tensors, numbers, and how many of the tensors train.
#[derive(Default)]
struct Part {
    name: String,
    tensors: usize,
    numbers: usize,
    trainable: usize,
}

fn table(params: &[Param]) -> Table {
    let mut parts: Vec<Part> = Vec::new();
    let (mut numbers, mut buffers) = (0, 0);
    for param in params {
        let count = param.var().elem_count();
        if param.is_buffer() {
            buffers += count;
            continue;
        }
        numbers += count;
        let name = part_of(param.name());
        if parts.last().is_none_or(|part| part.name != name) {
            parts.push(Part { name, ..Part::default() });
        }
        if let Some(part) = parts.last_mut() {
            part.tensors += 1;
            part.numbers += count;
            part.trainable += usize::from(param.is_trainable());
        }
    }
    let mut table = Table::new(["part", "tensors", "numbers", "trains"]);
    for part in parts {
        let trains = match part.trainable {
            0 => "frozen",
            n if n == part.tensors => "yes",
            _ => "in part",
        };
        let cells = [part.name, part.tensors.to_string(), spaced(part.numbers), trains.into()];
        table = table.row(cells);
    }
    let statistics = match buffers {
        0 => String::new(),
        n => format!(", and {} running statistics of batch norms", spaced(n)),
    };
    table.note(format!("{} numbers to learn or keep{statistics}", spaced(numbers)))
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
                ["image_projection", "2", "9", "in part"],
                ["text_projection", "1", "2,000", "frozen"]
            ]
        );
        assert_eq!(
            table.note,
            "2,009 numbers to learn or keep, and 1 running statistics of batch norms"
        );
    }
}
