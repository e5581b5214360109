//! The hints of `projection_head`.

use super::Misconception;
use super::texts::known;

pub(super) const PLAIN: [&str; 3] = [
    "Which five steps stand on the slide, and what does each take from the one before?",
    "Keep what the projection gives under a name of its own: GELU, fc and dropout make a branch from it, and the skip \
     connection adds it again before the layer normalisation.",
    "`let projected = self.projection.forward(x)?;` then `gelu`, `fc`, `dropout` on a second variable, then \
     `self.layer_norm.forward(&(… + projected)?)`",
];

pub(super) const KNOWN: &[Misconception] = &[
    known(
        "swapped_sizes",
        "in and out have changed places",
        "From how many numbers, to how many, does the projection lead?",
        "It leads from the encoder's features (`embedding_dim`) into the common space (`projection_dim`).",
        "`Linear::new(from, to, …)` with the encoder's size first",
    ),
    known(
        "wrong_sizes",
        "the projection has other sizes",
        "What goes into the projection, and what must come out of it?",
        "Only the projection changes the length; `fc` keeps it.",
        "`Linear::new(embedding_dim, …, &params.pp(\"projection\"))?`",
    ),
    known(
        "no_bias",
        "the projection has no bias",
        "Does the slide's `nn.Linear(embedding_dim, projection_dim)` have a bias?",
        "`nn.Linear` has one unless it is told otherwise, and `Linear::new` is its twin.",
        "`Linear::new(…)`, not `Linear::no_bias(…)`",
    ),
    known(
        "other_name",
        "the parameters lie under another name",
        "Under which name will the checkpoint look for this layer?",
        "Names are keys in `best.pt`: each layer takes a place of its own, with the name of its field.",
        "`&params.pp(\"projection\")`",
    ),
    known(
        "no_skip",
        "the skip connection is forgotten",
        "What does the sum before the normalisation add to the branch?",
        "The skip connection lets what the projection found pass by the branch unchanged.",
        "`let x = (x + …)?;` before the layer norm",
    ),
    known(
        "skip_after_gelu",
        "the skip connection starts after GELU",
        "Which of your variables does the skip connection add: the projection's result, or GELU's?",
        "It adds `u`, what the projection gave before GELU: a variable that is overwritten cannot be added later.",
        "`let projected = …; let x = gelu(&projected)?; … (x + projected)?`",
    ),
    known(
        "skip_subtracted",
        "the skip connection is subtracted",
        "What stands between the branch and the skip connection on the slide?",
        "It is a sum.",
        "`(x + …)?`",
    ),
    known(
        "features_added",
        "the features themselves are added",
        "How long is a row of `x`, and how long one of what the branch gives?",
        "The skip connection starts after the projection: what it gave has the right length.",
        "`let projected = …` first, and `projected` in the sum",
    ),
    known(
        "no_gelu",
        "GELU is missing",
        "What stands between the projection and fc?",
        "Without a bend between them, two linear layers are no more than one.",
        "`let x = gelu(&…)?;` between the two",
    ),
    known(
        "relu_for_gelu",
        "ReLU in GELU's place",
        "What happens to values a little below zero on the slide's way?",
        "GELU lets a little of them through; ReLU cuts them off.",
        "`gelu(&…)?`",
    ),
    known(
        "gelu_after_fc",
        "GELU after fc",
        "In which order do GELU and fc stand on the slide?",
        "The branch is projection → GELU → fc → dropout.",
        "`let x = gelu(…)?;` first, and `self.fc.forward(…)` on its result",
    ),
    known(
        "gelu_at_the_end",
        "GELU after the normalisation",
        "Can an embedding's direction still point anywhere, after a GELU at the end?",
        "GELU leaves hardly anything below zero. It belongs to the branch; the normalisation is last.",
        "`self.layer_norm.forward(&…)` as the last line",
    ),
    known(
        "no_fc",
        "fc is missing",
        "Which of the head's layers does your forward not use?",
        "A layer that is not used learns nothing, and the optimiser says so.",
        "`let x = self.fc.forward(&x)?;` after GELU",
    ),
    known(
        "no_layer_norm",
        "the layer normalisation is missing",
        "What are the mean and the deviation of each row that you return?",
        "The layer normalisation comes last, after the sum.",
        "`self.layer_norm.forward(&…)` as the last line",
    ),
    known(
        "norm_before_skip",
        "normalised before the sum",
        "Is the sum normalised, or only the branch?",
        "First the sum, then the normalisation: else the skip connection's scale comes through.",
        "`self.layer_norm.forward(&(… + …)?)`",
    ),
    known(
        "no_dropout",
        "dropout does nothing",
        "Does your head know whether it is being trained?",
        "`mode` says so, and dropout wants to know it: pass it on.",
        "`self.dropout.forward(&x, mode)?`",
    ),
    known(
        "dropout_always",
        "dropout in use as well",
        "Should a search give other pictures each time it is run?",
        "Dropout is for training. In `Mode::Eval` it passes everything, if it is told the mode.",
        "`self.dropout.forward(&x, mode)?`, with the `mode` that came",
    ),
    known(
        "dropout_before_fc",
        "dropout before fc",
        "Whose results does the slide's dropout drop?",
        "Dropout follows fc: it drops some of what the branch adds.",
        "`let x = self.fc.forward(&x)?; let x = self.dropout.forward(…)?;`",
    ),
    known(
        "dropout_on_the_sum",
        "dropout on the skip connection",
        "Does your dropout stand before the sum or after it?",
        "Only the branch is dropped; the skip connection always carries everything.",
        "`let x = self.dropout.forward(…)?; let x = (x + projected)?;`",
    ),
    known(
        "detached",
        "the gradient does not arrive",
        "Where do the tensors leave the graph: `detach`, `to_vec`, `Tensor::new`?",
        "A gradient follows tensor operations only. Whoever takes the numbers out and makes a new tensor loses it.",
        "tensor operations from `x` to the result, and the course's own layers",
    ),
];
