//! The hints of `keep_best`.

use super::Misconception;
use super::texts::known;

pub(super) const PLAIN: [&str; 3] = [
    "When is the current model better than the best so far, and what must be remembered then?",
    "Lower is better. If it is better: save, and the new loss is the best one. If not: nothing is saved, and the best \
     loss stays.",
    "`if … < … { model.save(&folder.join(…))?; return Ok(…); } Ok(…)`",
];

pub(super) const KNOWN: &[Misconception] = &[
    known(
        "turned_around",
        "the worse model is kept",
        "Is a model better when its loss is higher?",
        "A loss measures mistakes: the lower, the better.",
        "`if valid_loss < …`",
    ),
    known(
        "always_saved",
        "every model is saved",
        "Which epoch's model does best.pt hold at the end, in your version?",
        "Without a condition the last model overwrites the best.",
        "`if … { model.save(…)?; … }`",
    ),
    known(
        "best_forgotten",
        "the last loss is taken for the best",
        "What does your function give when the model was not better?",
        "The best so far stays the best: the next epoch is compared with it, not with the last one.",
        "`Ok(best_loss)` at the end",
    ),
    known(
        "best_not_updated",
        "the best loss never changes",
        "What does your function give when the model was better?",
        "The next epoch must be compared with the new best loss.",
        "`return Ok(…)` with the loss that is now the best",
    ),
    known(
        "compared_with_the_first",
        "only the first model is saved",
        "After a better loss, which one is the next compared with?",
        "The best loss moves down with every better model.",
        "`return Ok(valid_loss)` after saving",
    ),
    known(
        "rounded",
        "compared without the decimals",
        "Is 1.2 lower than 1.5 in your comparison?",
        "Losses differ in their decimals: compare them as they are.",
        "`valid_loss < best_loss`, and no `as`",
    ),
    known(
        "other_file_name",
        "another file name",
        "What does the lecture call the file?",
        "Notebook 04 and the command line look for best.pt.",
        "`folder.join(\"best.pt\")`",
    ),
    known(
        "folder_ignored",
        "saved somewhere else",
        "Where does a path without a folder lead?",
        "The model belongs into `folder`; `join` puts the name behind it.",
        "`folder.join(…)`",
    ),
    known(
        "equal_is_better",
        "an equal loss is taken for better",
        "Is a model with the same loss better?",
        "Better means lower. Writing a file again for nothing costs seconds at every epoch.",
        "`<`, not `<=`",
    ),
    known(
        "nan_wins",
        "a loss of NaN replaces the best model",
        "What is `NaN >= 1.0`, and what is `NaN < 1.0`?",
        "Both are false: a training that has broken down must not get past your comparison, so ask \"is it lower?\", not \"is \
         it not higher?\".",
        "`if valid_loss < best_loss { … }`",
    ),
    known(
        "error_swallowed",
        "a failed save is passed over",
        "How would you learn that the disk was full?",
        "`save` gives a `Result`. With `?` its error reaches the one who trains; `let _ =`, `.ok()` and `unwrap` lose it.",
        "`model.save(…)?;`",
    ),
];
