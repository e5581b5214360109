//! The hints of `zero_shot_classifier`.

use super::Misconception;
use super::texts::known;

pub(super) const PLAIN: [&str; 3] = [
    "How many sentences has a class, and what must become of them so that one row is left?",
    "For each class: put its name into every template, encode the sentences, make every embedding one long, and take the \
     mean over the sentences. The means, one under the other, are made one long again.",
    "`for name in class_names { let sentences = templates.iter().map(|t| t.replace(…)).collect(); let e = \
     l2_normalize(&encode_text(…)?)?; rows.push(e.mean(…)?); }` and at the end `l2_normalize(&Tensor::stack(…)?)`",
];

pub(super) const KNOWN: &[Misconception] = &[
    known(
        "bare_label",
        "the label alone is encoded",
        "Has the text encoder read single words in its training, or captions?",
        "A caption is a sentence. The templates make one of each name: the sentence is what you encode, not the name.",
        "`template.replace(\"{label}\", name)`",
    ),
    known(
        "template_not_filled",
        "the template is encoded as it is",
        "Which class does the sentence \"a photo of a {label}.\" speak of?",
        "`{label}` is a place: the class's name must stand there before the sentence is encoded. (Rust's `format!` fills only \
         what it knows when it compiles; a template that comes at run time needs `replace`.)",
        "`template.replace(\"{label}\", name)`",
    ),
    known(
        "filled_once",
        "only the first place is filled",
        "What if a template names the class twice?",
        "Every `{label}` is a place for the name.",
        "`replace`, which replaces all of them, rather than `replacen`",
    ),
    known(
        "braces_left",
        "the name stands between braces",
        "Is a brace left in your sentence?",
        "The place is `{label}`, with both its braces.",
        "`template.replace(\"{label}\", name)`",
    ),
    known(
        "text_changed",
        "the sentence was changed",
        "Is what you encode, letter for letter, the template with the name in it?",
        "What is to be done about capitals, spaces and full stops is the tokenizer's business, which was trained with its own rules.",
        "the template as it is, with `{label}` replaced and nothing else",
    ),
    known(
        "columns",
        "a column a class",
        "Which of the two dimensions counts classes, and which numbers of an embedding?",
        "CLIP's own notebook stacks classes as columns, for `features @ weights`. Here every class is a row: (c, p).",
        "`Tensor::stack(&rows, 0)`, without a transpose",
    ),
    known(
        "not_averaged",
        "the sentences are not averaged",
        "How many rows has the classifier of three classes with two templates?",
        "An ensemble is one row a class: the mean over its sentences.",
        "`embeddings.mean(0)?` for the sentences of one class",
    ),
    known(
        "classes_averaged",
        "all classes became one",
        "Over what do you take the mean: over a class's sentences, or over everything?",
        "Only sentences of the same class belong together. Their mean is that class's row.",
        "encode one class's sentences at a time, and collect a row each",
    ),
    known(
        "not_normalised_first",
        "long embeddings count more",
        "If one sentence's embedding is twelve times as long as another's, which of them decides where the mean points?",
        "Only directions carry meaning: the loss has normalised every embedding. Make each sentence one long before you take the mean.",
        "`l2_normalize(&encode_text(…)?)?` and then the mean",
    ),
    known(
        "not_unit_length",
        "the mean has not length 1",
        "How long is the mean of two unit vectors that point to different sides?",
        "It is shorter than 1, and the shorter, the less the sentences agree. Cosines want length 1: normalise again after the mean.",
        "`l2_normalize(&…)` around the stacked means",
    ),
    known(
        "not_normalised",
        "nothing is normalised",
        "What does a dot product with a vector of length 6 say about the angle?",
        "Directions are compared, so lengths must go: before the mean, so that each sentence counts the same, and after it.",
        "`l2_normalize` twice",
    ),
    known(
        "one_template",
        "one template decides",
        "What has become of the other templates?",
        "The ensemble is the mean over all of them.",
        "`templates.iter().map(…)`, then `mean(0)`",
    ),
    known(
        "classes_mixed_up",
        "the mean runs over classes instead of templates",
        "After `reshape`, which dimension counts classes and which templates? In which order did you write the sentences?",
        "If the sentences stand class by class, it is (c, t, p), and the mean runs over the second dimension. If they stand \
         template by template, it is (t, c, p).",
        "`….reshape((c, t, p))?.mean(1)?` for sentences class by class",
    ),
    known(
        "wrong_axis",
        "the length is taken along the wrong dimension",
        "Which numbers belong to one embedding: those of a row, or those of a column?",
        "An embedding is a row. Its length is the root of the sum over its own p numbers, the last dimension.",
        "`l2_normalize(&x)?` for `x (n, p)`, whose rows it makes one long",
    ),
    known(
        "largest",
        "the largest instead of the mean",
        "Is the largest of each number still a point between the sentences?",
        "The largest values of several embeddings, put together, are no caption's embedding. The mean lies between them all.",
        "`mean(0)?`, not `max(0)?`",
    ),
    known(
        "rows_mixed_up",
        "the rows stand in another order",
        "Which class is row 0?",
        "Whoever uses the classifier looks the name up by the row's number: row i must be class i, in the order in which they came.",
        "one loop over `class_names` as they are, without sorting",
    ),
];
