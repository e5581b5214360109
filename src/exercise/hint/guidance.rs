//! The hints of `guidance`.

use super::Misconception;
use super::texts::known;

pub(super) const PLAIN: [&str; 3] = [
    "Which of the three functions is not right yet, and what does its formula say for a single number?",
    "Mix by two roots; multiply by 1 or 0; walk from one prediction towards the other. Where there is one number a picture, \
     give it as many dimensions as the picture has: (b, 1, 1, 1) beside (b, 3, s, s).",
    "`let mut shape = vec![1; x0.rank()]; shape[0] = …;` then `….reshape(shape)?` and `x0.broadcast_mul(…)?`",
];

pub(super) const KNOWN: &[Misconception] = &[
    known(
        "no_root",
        "a root is missing",
        "What is the variance of a x₀ + b ε, and when does it stay 1?",
        "ᾱ and 1 − ᾱ are shares of the variance. Lengths are their roots.",
        "`….sqrt()?` on both",
    ),
    known(
        "swapped",
        "picture and noise have changed places",
        "What should be left where ᾱ is 1?",
        "ᾱ is what is left of the picture; its root belongs to x₀.",
        "`√ᾱ · x0 + √(1 − ᾱ) · noise`",
    ),
    known(
        "one_minus_the_root",
        "1 minus the root is not the root of 1 minus",
        "What is 0.8² + 0.6², and what is 0.8² + 0.2²?",
        "The squares of the two factors add up to 1.",
        "`(1. - …)?.sqrt()?`",
    ),
    known(
        "noise_added",
        "the noise is not scaled",
        "How large is what comes out, when much noise is to come?",
        "Both parts are scaled, so that the whole keeps its variance.",
        "`noise.broadcast_mul(&…)?`",
    ),
    known(
        "noise_subtracted",
        "the noise is taken away",
        "Does the network learn to say ε or −ε?",
        "Noise is symmetric, but the network predicts the ε that was added.",
        "`… + …`",
    ),
    known(
        "noise_forgotten",
        "there is no noise",
        "What is to be predicted, if nothing was added?",
        "x_t has two parts.",
        "`x0.broadcast_mul(…)? + noise.broadcast_mul(…)?`",
    ),
    known(
        "not_broadcast",
        "ᾱ does not fit to every shape",
        "How many dimensions have a picture's batch, an embedding's batch, and ᾱ?",
        "Give ᾱ the rank of x₀: b first, then ones.",
        "`let mut shape = vec![1; ….rank()]; shape[0] = ….dim(0)?;`",
    ),
    known(
        "one_for_all",
        "pictures share an ᾱ",
        "Does each row of the batch get its own number, or does each column?",
        "ᾱ (b) belongs to the first dimension. Broadcasting lays a plain (b) along the last one.",
        "`alpha_bar.reshape(…)?` to (b, 1, …)",
    ),
    known(
        "keep_not_broadcast",
        "keep does not fit to every shape",
        "How many dimensions have the conditions, and how many has keep?",
        "Conditions are (b, p) or (b, t, d): give keep as many dimensions.",
        "`let mut shape = vec![1; ….rank()]; shape[0] = ….dim(0)?;`",
    ),
    known(
        "rows_removed",
        "conditions are taken out of the batch",
        "Is there still one condition a picture afterwards?",
        "A dropped condition becomes zeros; its picture stays in the batch and is learned without it.",
        "`condition.broadcast_mul(…)?`",
    ),
    known(
        "kept_and_dropped",
        "kept and dropped are not told apart",
        "What does keep = 1 say?",
        "1 keeps, 0 drops: multiply.",
        "`condition.broadcast_mul(…)?`, without `1 −`",
    ),
    known(
        "scaled",
        "what is kept is scaled",
        "Is this dropout?",
        "Dropout scales what is left, since single values fall out of a sum. Here a whole condition is there or not, and when \
         you draw it is there as it is.",
        "`condition.broadcast_mul(…)?` and nothing more",
    ),
    known(
        "columns_dropped",
        "parts of conditions are dropped",
        "Is a condition zero as a whole, or is a column zero in all of them?",
        "keep (b) belongs to the first dimension.",
        "`keep.reshape(…)?` to (b, 1, …)",
    ),
    known(
        "detached",
        "gradients stop at the condition",
        "Through which of your lines does the prior's caption learn?",
        "The condition comes from layers that train. Stay with tensor operations: no `detach`, no lists of numbers.",
        "`condition.broadcast_mul(…)?`",
    ),
    known(
        "counted_from_the_conditional",
        "the walk begins at the conditional prediction",
        "What is to come out for the scale 1?",
        "The paper of classifier-free guidance writes (1 + w) ε(c) − w ε(∅); here s = 1 + w, as in GLIDE and DALL-E 2: the scale \
         1 is the plain conditional prediction.",
        "`unconditional + … * scale`",
    ),
    known(
        "swapped_predictions",
        "the two predictions have changed places",
        "Which of the two is to come out for the scale 0?",
        "Start at the unconditional prediction.",
        "`unconditional + (conditional − …) * scale`",
    ),
    known(
        "unconditional_forgotten",
        "the start of the walk is missing",
        "What comes out for the scale 0?",
        "The difference is a direction; it needs a place to start from.",
        "`unconditional + …`",
    ),
    known(
        "difference_forgotten",
        "the whole conditional prediction is added",
        "How far is it from ε(∅) to ε(c)?",
        "Only the difference is multiplied.",
        "`(conditional - unconditional)? * scale`",
    ),
    known(
        "sign",
        "the walk goes away from the condition",
        "In which direction does a larger scale go?",
        "Towards ε(c): ε(c) − ε(∅), not the other way round.",
        "`conditional - …`",
    ),
    known(
        "scale_ignored",
        "the scale changes nothing, or not everywhere the same",
        "What changes between the scales 1 and 2?",
        "Every value is moved by the scale times the difference.",
        "`(…? * scale)?`",
    ),
    known(
        "halved",
        "the walk is too short",
        "Where does the scale 1 lead?",
        "To the conditional prediction: all of the difference, once.",
        "`(…? * scale)?` and no further factor",
    ),
];
