//! The hints of `freeze_lm`, `visual_prefix` and `caption_loss`.

use super::Misconception;
use super::texts::known;

pub(super) const FREEZE_LM: [&str; 3] = [
    "What does the slide set to False, and for which of the model's parameters?",
    "Every parameter has a switch, PyTorch's `requires_grad`. Off means: no gradient for it, and no change by an optimiser. \
     What flows through the layer goes on flowing.",
    "for every parameter in `language_model.all()`: `….set_trainable(…)`",
];

pub(super) const FREEZE_LM_KNOWN: &[Misconception] = &[
    known(
        "nothing_frozen",
        "nothing is frozen",
        "How many parameters does `language_model.trainable()` list after your call?",
        "The switch must stand at false, for the parameters below the place that you were given.",
        "`….set_trainable(false)`",
    ),
    known(
        "values_changed",
        "the values are changed",
        "Does a model that stays as it is still know what it has learned when its numbers are others?",
        "Freezing touches no value. It only says that nobody else may change them.",
        "no `set` on the variables, only the switch `set_trainable`",
    ),
    known(
        "norms_left",
        "the norms still train",
        "Does the slide make an exception for layer norms?",
        "The slide's remark says that LayerNorm behaves alike in training and validation, unlike batch norm. Its weight and bias \
         are parameters like all others.",
        "no condition on the parameter's name",
    ),
    known(
        "embeddings_left",
        "the embeddings still train",
        "Which tables does the model look its words and places up in?",
        "The tables of words and positions are parameters too; the first is also the model's last layer.",
        "all of `language_model`, not only its layers `h.…`",
    ),
    known(
        "biases_left",
        "the biases still train",
        "Is a bias a parameter?",
        "Whatever is below the language model's place is frozen: weights and biases.",
        "no condition on the parameter's name",
    ),
    known(
        "some_left",
        "some parameters still train",
        "Which parameters are missing from those that you froze?",
        "The place that you are given knows all its parameters: you need not list them.",
        "`language_model.all()`, every one of them",
    ),
    known(
        "toggled",
        "the switch is turned, not set",
        "What happens to a parameter that is frozen already?",
        "Set the switch to false, whatever it was before.",
        "`set_trainable(false)`, not `set_trainable(!…)`",
    ),
];

pub(super) const VISUAL_PREFIX: [&str; 3] = [
    "How many numbers does `vision_proj_m` give for a picture, and how are they to stand?",
    "One linear layer gives n · d numbers a picture; cut them into n rows of d.",
    "`let visual_prefix = projection.….forward(…)?;` then `reshape((b, …, …))`",
];

pub(super) const VISUAL_PREFIX_KNOWN: &[Misconception] = &[
    known(
        "not_reshaped",
        "the numbers are not cut into vectors",
        "How many dimensions has a sentence of word embeddings, with its batch?",
        "The language model reads (b, t, d): a row a word. n · d numbers are n words.",
        "`….reshape((b, n, …))?`",
    ),
    known(
        "pictures_not_apart",
        "the pictures are not kept apart",
        "Where in your shape can one see which picture a vector belongs to?",
        "The batch stays the first dimension.",
        "`….reshape((b, n, …))?` with three sizes",
    ),
    known(
        "turned",
        "vectors and values have changed places",
        "Which numbers of the layer's row belong to the first vector?",
        "The slide reshapes to (b, num_visual_prefix, proj_dim): the first d numbers are the first vector. A reshape to (b, d, n) \
         deals them out like cards.",
        "`….reshape((b, n, d))?` without a transpose",
    ),
    known(
        "sizes_written_down",
        "sizes are written down as numbers",
        "Does your code work for five pictures, and for three vectors?",
        "Take b from the features, n from the argument, and d from what the layer gives.",
        "`let (b, wide) = ….dims2()?;`",
    ),
    known(
        "back_to_front",
        "the last vector comes first",
        "Which vector stands first in the prefix?",
        "They stand in the order in which the layer gives them.",
        "`….reshape(…)?` and nothing turned around",
    ),
    known(
        "repeated",
        "one vector is repeated",
        "Are your n vectors different from each other?",
        "The layer gives n times as many numbers as a vector has, so that each vector can say something else.",
        "all of the layer's numbers, none of them twice",
    ),
    known(
        "pictures_mixed",
        "the pictures are mixed up",
        "Whose numbers stand in the first picture's second vector?",
        "Each picture's n · d numbers become its own n vectors: the batch is the outermost dimension before and after.",
        "`….reshape((b, n, …))?`, not `(n, b, …)`",
    ),
    known(
        "not_linear",
        "something else changes the prefix",
        "What stands on the slide between the features and the prefix?",
        "One linear layer and a reshape: no activation, no normalisation, no scaling.",
        "`projection.forward(features)?` as it comes",
    ),
    known(
        "detached",
        "gradients stop on the way",
        "Who is to learn, when the language model does not?",
        "The loss reaches the vision encoder only through this prefix: nothing on the way may cut the graph.",
        "no `detach`, no way through a `Vec`",
    ),
];

pub(super) const CAPTION_LOSS: [&str; 3] = [
    "Which place's logits say what comes at place i, and at which places does a word come?",
    "Logits of all places but the last belong to ids of all places but the first. Of these pairs, only those count whose id is a \
     word: not an image token, not padding.",
    "`let logits = ….narrow(1, 0, t - 1)?`, `let targets = ….narrow(1, 1, t - 1)?`, a list of the places that count, then \
     `cross_entropy` of those rows",
];

pub(super) const CAPTION_LOSS_KNOWN: &[Misconception] = &[
    known(
        "not_averaged",
        "the loss is not one number",
        "How many numbers did you return?",
        "A loss is the mean over all words of the batch.",
        "`cross_entropy(…)` over a list of rows, or `.mean_all()?`",
    ),
    known(
        "not_shifted",
        "nothing is shifted",
        "What is easier: to say which word stands here, or which comes next?",
        "The model reads the word at place i before it gives logits there. It must be asked for the next one.",
        "targets begin one place later than logits",
    ),
    known(
        "shifted_back",
        "shifted the wrong way",
        "Does the logit of place i speak of i + 1, or of i − 1?",
        "Of i + 1: drop the last logits and the first ids.",
        "`logits.narrow(1, 0, …)`, `input_ids.narrow(1, 1, …)`",
    ),
    known(
        "padding_counted",
        "padding is predicted",
        "Must the model be able to say what stands behind the end of a caption?",
        "A target counts where the mask says that it is a token: look at the mask at the target's place.",
        "`attention_mask.narrow(1, 1, …)`",
    ),
    known(
        "last_word_lost",
        "the last word is not predicted",
        "Which places does your mask leave out?",
        "The mask belongs to the targets, places 1 to t − 1. One place more or less cuts a caption's end off.",
        "`attention_mask.narrow(1, 1, t - 1)?`",
    ),
    known(
        "images_counted",
        "image tokens are predicted",
        "Does the language model choose where a picture stands?",
        "At image tokens there is no word to predict: the picture was put there. Leave these targets out.",
        "targets that are not `image_token_id`",
    ),
    known(
        "first_word_lost",
        "the word after the picture is lost",
        "Which place predicts the first word of a caption?",
        "The last image token's. Whether a pair counts is decided by its target, not by the place that predicts it.",
        "compare the *target* with `image_token_id`",
    ),
    known(
        "summed",
        "the sum in the mean's place",
        "Does your loss grow with the number of words?",
        "Cross-entropy is averaged over the words that count.",
        "divide by the number of words that count",
    ),
    known(
        "divided_by_all",
        "divided by all places",
        "By how many do you divide, when some places do not count?",
        "Only by those that do: padding must not make a loss smaller.",
        "divide by the sum of what counts, or choose the rows before `cross_entropy`",
    ),
    known(
        "texts_averaged",
        "every text weighs the same",
        "Does a word of a short caption weigh more than one of a long caption?",
        "PyTorch's cross-entropy averages over all words of the batch at once.",
        "one mean over all words, not a mean of means",
    ),
    known(
        "softmax_twice",
        "softmax is taken twice",
        "What does `cross_entropy` do first?",
        "It takes logits, and makes probabilities of them itself.",
        "`cross_entropy(&logits, …)` with the logits as they are",
    ),
    known(
        "sign",
        "the sign is turned",
        "Can a loss be negative, when probabilities are below 1?",
        "The loss is −ln P.",
        "a minus before the mean of the log-probabilities",
    ),
    known(
        "detached",
        "gradients stop on the way",
        "Can the vision encoder learn from a number that knows not where it came from?",
        "`detach` and the way through a `Vec` cut the graph: the logits themselves must go into the loss.",
        "`logits.index_select(…)` or a product with the mask",
    ),
];
