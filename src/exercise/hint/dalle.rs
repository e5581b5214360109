//! The hints of `quantize` and `dalle_sequence`.

use super::Misconception;
use super::texts::known;

pub(super) const QUANTIZE: [&str; 3] = [
    "What does a code look like when it is chosen, and what does it look like while the encoder still learns?",
    "With noise: add it to the logits, divide by the temperature, and make probabilities over the codes of each place. Without: a 1 \
     at the largest logit.",
    "`match noise { Some(noise) => Ok(softmax(&…, 1)?), None => … argmax … }`",
];

pub(super) const QUANTIZE_KNOWN: &[Misconception] = &[
    known(
        "soft_at_inference",
        "the code is soft at inference",
        "What is to be stored of a picture: probabilities, or numbers of codes?",
        "Without noise nothing is drawn and nothing learns: the largest logit's code is 1, all others are 0.",
        "`….argmax_keepdim(1)?` and a comparison with 0 … k − 1",
    ),
    known(
        "smallest",
        "the smallest logit wins",
        "Which code does the encoder mean, the one with the largest logit or the one with the smallest?",
        "Logits are unnormalised log-probabilities: the largest is the likeliest.",
        "`argmax`, not `argmin`",
    ),
    known(
        "wrong_axis",
        "the wrong dimension",
        "Of which numbers is one to be chosen: of the codes, or of the places?",
        "Logits are (b, k, h, w): each place has k of them, along dimension 1.",
        "`softmax(…, 1)`, `argmax…(1)`",
    ),
    known(
        "noise_forgotten",
        "the noise is not used",
        "Would your code choose another code if you drew other noise?",
        "The noise makes the choice random: each code is largest as often as the softmax of the logits says.",
        "`logits + noise` before anything else",
    ),
    known(
        "noise_subtracted",
        "the noise is subtracted",
        "Is −ln(−ln u) the noise itself, or its opposite?",
        "It comes in as Gumbel noise: it is added.",
        "`logits + noise`",
    ),
    known(
        "noise_not_divided",
        "the temperature divides the logits alone",
        "At τ → 0 in your formula, does the noise still have a say?",
        "The sum of both is divided: τ makes the choice sharper, and does not change who wins.",
        "`((logits + noise)? / temperature)?`",
    ),
    known(
        "noise_afterwards",
        "the noise comes after the softmax",
        "Do your codes still sum to 1?",
        "Noise belongs to the logits. The softmax comes last.",
        "`softmax(&…(logits + noise)…)`",
    ),
    known(
        "temperature_multiplies",
        "the temperature multiplies",
        "Which gives sharper choices in your formula, a high temperature or a low one?",
        "A low temperature is cold: differences grow, the code becomes one-hot.",
        "divide by `temperature`",
    ),
    known(
        "temperature_ignored",
        "the temperature is not used",
        "What changes in your code between temperature 1 and 1/16?",
        "It divides the sum of logits and noise.",
        "`(… / temperature)?`",
    ),
    known(
        "log_softmax",
        "logarithms in the place of probabilities",
        "Can a part of a code be negative?",
        "A soft code mixes vectors of the codebook: its parts are probabilities, not their logarithms.",
        "`softmax`",
    ),
    known(
        "hard_in_training",
        "the code is hard in training",
        "Where does the gradient go through an argmax?",
        "Nowhere. In training the code stays soft; the falling temperature makes it hard little by little.",
        "only without noise `argmax`; with noise `softmax(…, 1)`",
    ),
    known(
        "detached",
        "gradients stop on the way",
        "Can the encoder learn from a code that knows not where it came from?",
        "`detach`, `softmax_last_dim` and the way through a `Vec` cut the graph.",
        "`softmax(…, 1)` of the logits themselves",
    ),
];

pub(super) const SEQUENCE: [&str; 3] = [
    "Which of the four tables can be made from another one of them, moved by a place?",
    "Make the ids of a row first. The targets are the ids from the second on, and a 0. Positions and weights are the same in every row.",
    "for each row: `text.chain(codes…)` with their own ids, then `row[1..]… .chain([0])`; at the end `Tensor::from_vec(…, (b, t + n), …)`",
];

pub(super) const SEQUENCE_KNOWN: &[Misconception] = &[
    known(
        "codes_not_moved",
        "codes and words share ids",
        "How can the model tell code 4 from word 4?",
        "The vocabularies stand one behind the other: code 0 has the id `layout.first_code()`.",
        "`first_code + code`",
    ),
    known(
        "padding_not_own",
        "padding has no token of its own",
        "Which id does padding at text place 2 get, and which at place 5?",
        "Each text place has a padding token of its own, behind the vocabulary: vocabulary + place.",
        "`if id == layout.pad_id { layout.text_vocabulary + … }`",
    ),
    known(
        "padding_tokens_forgotten",
        "the padding tokens are not counted",
        "How many ids stand before code 0: the words alone?",
        "Words, then one padding token for each text place, then the codes.",
        "`layout.first_code()`",
    ),
    known(
        "image_first",
        "the picture stands before the text",
        "What is to be drawn from what: a picture from a text, or a text from a picture?",
        "A place sees only what stands before it. The codes must be able to see the words.",
        "text, then `.chain(codes)`",
    ),
    known(
        "positions_run_on",
        "positions run on",
        "In which row of the picture is the first code?",
        "Image places count from 0 again: rows and columns of the picture have tables of their own.",
        "`(0..t).chain(0..n)`",
    ),
    known(
        "not_shifted",
        "nothing is shifted",
        "What is easier: to say which token stands here, or which comes next?",
        "The model reads the token at a place before it predicts there. It must be asked for the next one.",
        "`row[1..]`",
    ),
    known(
        "shifted_back",
        "shifted the wrong way",
        "Does place i predict token i + 1, or token i − 1?",
        "Token i + 1: the targets begin with the second id.",
        "`row[1..]…` and a 0 at the end",
    ),
    known(
        "something_after_the_end",
        "the last place has a target",
        "What comes after the last code?",
        "Nothing: there stands 0, and it weighs 0.",
        "`….chain([0])`",
    ),
    known(
        "weights_swapped",
        "the weights are swapped",
        "Which matters more to a model that draws: words or codes?",
        "The paper gives text an eighth and pictures seven eighths.",
        "`layout.text_weight` for text targets, `layout.image_weight` for codes",
    ),
    known(
        "not_divided",
        "every target weighs as much as its whole sort",
        "What is the sum of all your weights?",
        "All text targets of the batch weigh ⅛ together, all image targets ⅞ together: divide by how many there are.",
        "`layout.text_weight / …` targets",
    ),
    known(
        "each_text_by_itself",
        "the batch is not counted",
        "Does your loss double when the batch doubles?",
        "The mean is over all rows of the batch.",
        "divide by b times the targets of a row",
    ),
    known(
        "last_place_counts",
        "the last place counts",
        "What does the last place predict?",
        "Nothing comes after the last code: its weight is 0, and it is not counted among the others.",
        "`….chain([0.])`",
    ),
    known(
        "all_the_same",
        "words and codes weigh the same",
        "Where do the paper's ⅛ and ⅞ come in?",
        "Each sort has a weight of its own in the layout.",
        "two numbers: one for text targets, one for codes",
    ),
    known(
        "padding_left_out",
        "padding weighs nothing",
        "What does the paper say of text places without a word?",
        "Their padding tokens are tokens like others: predicted and counted.",
        "the same weight for every text target",
    ),
    known(
        "by_place_not_by_target",
        "the sort of the place decides, not that of the target",
        "What is predicted at the last text place?",
        "The first code. It is an image target and weighs as one.",
        "t − 1 text targets, then n image targets, then 0",
    ),
    known(
        "divided_by_text_places",
        "divided by text places",
        "How many text tokens of a row are predicted?",
        "The first one is only read: t − 1 text targets a row.",
        "`… / (b * (t - 1))`",
    ),
    known(
        "layout_written_down",
        "numbers of the example are written down",
        "Which of your numbers come from the example, and which from the arguments?",
        "Another layout has another vocabulary, another padding id and other weights: each number is a field of `layout`, or a size \
         of a tensor.",
        "`layout.pad_id`, `layout.text_vocabulary`, `layout.first_code()`, `layout.text_weight`, `layout.image_weight`",
    ),
];
