//! The hints of `clip_loss`.

use super::Misconception;
use super::texts::known;

pub(super) const PLAIN: [&str; 3] = [
    "For one picture, which of the b captions is right, and how does a cross-entropy ask for it?",
    "Four steps: rows of length 1, all similarities times eᵗ, labels 0 … b − 1, and the mean of two cross-entropies: of \
     the table and of its transpose.",
    "`let logits = ….matmul(&….t()?)?.broadcast_mul(&logit_scale.exp()?)?; let labels = Tensor::arange(…)?; \
     Ok(((cross_entropy(…)? + cross_entropy(…)?)? / 2.)?)`",
];

pub(super) const KNOWN: &[Misconception] = &[
    known(
        "not_normalised",
        "the embeddings are not normalised",
        "What happens to a dot product when a vector grows three times as long?",
        "The similarity is a cosine: every row is brought to length 1 before the product.",
        "`let image_embeddings = l2_normalize(…)?;`, and the texts likewise",
    ),
    known(
        "one_side_not_normalised",
        "only one side is normalised",
        "Did you normalise both, the pictures and the captions?",
        "A cosine wants two vectors of length 1.",
        "`l2_normalize` once for each of the two",
    ),
    known(
        "wrong_axis",
        "normalised over the batch",
        "Did you normalise over the last dimension, or over the batch?",
        "Each embedding is a row, and each row gets length 1: the sum runs over the last dimension.",
        "`l2_normalize(x)?`, or `x.broadcast_div(&x.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?)?`",
    ),
    known(
        "temperature_ignored",
        "the temperature is not used",
        "What does your loss do with `logit_scale`?",
        "Cosines lie between −1 and 1; without a factor the cross-entropy can never be sure.",
        "`.broadcast_mul(&…)?` on the similarities",
    ),
    known(
        "temperature_not_exponent",
        "t itself multiplies",
        "What is the factor at t = 0: zero, or one?",
        "The pseudocode has `np.exp(t)`: so the factor is positive, whatever t learns.",
        "`logit_scale.exp()?`",
    ),
    known(
        "temperature_divides",
        "the similarities are divided",
        "Does a larger t make the model surer or less sure in your loss?",
        "`logit_scale` multiplies; a temperature would divide. The pseudocode multiplies by exp(t).",
        "`.broadcast_mul(&logit_scale.exp()?)?`",
    ),
    known(
        "one_sided",
        "only one direction is asked",
        "Who is asked in your loss: pictures, captions, or both?",
        "Rows ask for captions, columns for pictures: the second cross-entropy is that of the transposed table.",
        "`cross_entropy(&logits, …)?` and `cross_entropy(&logits.t()?, …)?`",
    ),
    known(
        "one_modality",
        "pictures are compared with pictures",
        "Which two tensors does your table of similarities come from?",
        "A row stands for a picture, a column for a caption: the product needs both sides.",
        "`image_embeddings` in front, `text_embeddings` transposed behind: `….matmul(&….t()?)?`",
    ),
    known(
        "not_halved",
        "the sum, not the average",
        "What should the loss be for a model that guesses among b captions?",
        "The loss is the average of the two cross-entropies.",
        "`(image_loss + text_loss)? / 2.`",
    ),
    known(
        "not_averaged",
        "one loss a pair, not one number",
        "Which shape has what you return, and which shape can be minimised?",
        "A loss is one number: `cross_entropy` averages over the rows; whoever writes it out must do so too.",
        "`.mean_all()?`, or `cross_entropy(…)`",
    ),
    known(
        "wrong_labels",
        "the labels are not the diagonal",
        "Which caption belongs to picture 0, to picture 1, to picture 2?",
        "Pair i stands in row i of both: the labels are 0, 1, …, b − 1.",
        "`Tensor::arange(0u32, …, …)?`",
    ),
    known(
        "softmax_twice",
        "a softmax before the cross-entropy",
        "What does `cross_entropy` do with its rows first?",
        "It takes the logits and makes them probabilities itself. A softmax before it flattens them twice.",
        "`cross_entropy(&logits, &labels)?` with the scaled similarities themselves",
    ),
    known(
        "log_softmax_sign",
        "the sign is turned around",
        "Is your loss smaller when the model is right?",
        "The cross-entropy is minus the logarithm of the right probability.",
        "`….neg()?`",
    ),
    known(
        "far_for_near",
        "the similarities are turned around",
        "Is your number large when a picture and its caption point the same way?",
        "The cross-entropy wants a large logit where the right answer is: the cosine itself, not one minus it.",
        "the product of the normalised rows as it is",
    ),
    known(
        "no_transpose",
        "the product lacks a transpose",
        "Which shapes does a product want, and which have your two tables?",
        "(b, p) times (p, b) gives (b, b): every picture with every caption. The second one must be turned.",
        "`….matmul(&….t()?)?`",
    ),
    known(
        "tables_averaged",
        "the two tables are averaged, not the two losses",
        "What is averaged at the end of the pseudocode?",
        "Each direction has a cross-entropy of its own; their mean is the loss. The mean of the logits is another thing.",
        "two calls of `cross_entropy`, then `/ 2.`",
    ),
    known(
        "other_length",
        "another length than the Euclidean",
        "Which length has the vector (3, 4)?",
        "A cosine wants the root of the sum of the squares: 5, not 7.",
        "`l2_normalize(…)?`",
    ),
    known(
        "batch_of_three",
        "made for one batch size",
        "Where does the number of pairs in your code come from?",
        "The last batch of an epoch may be smaller: ask the tensor for its size.",
        "`logits.dim(0)?`",
    ),
    known(
        "detached",
        "the gradient does not arrive",
        "Where do the tensors leave the graph: `detach`, `to_scalar`, `to_vec`, `softmax_last_dim`?",
        "A gradient follows differentiable tensor operations only. Some of candle's fast ones stop it silently.",
        "tensor operations from the embeddings to the loss; `l2_normalize` and `cross_entropy` are safe",
    ),
];
