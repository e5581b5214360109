//! The hints of `clip_dataset`.

use super::Misconception;
use super::texts::known;

pub(super) const PLAIN: [&str; 3] = [
    "Which four things make a pair, and in which fields of `self` does each lie?",
    "Everything of item `index` comes from place `index`: the file name, the row of ids, the row of the mask, the caption. \
     Only the picture has to be read and transformed.",
    "`let path = self.image_folder.join(…); let image = self.transform.apply(&load_image(…)?)?; Ok(Item { image, \
     input_ids: self.encoded_captions.input_ids.get(…)?, … })`",
];

pub(super) const KNOWN: &[Misconception] = &[
    known(
        "not_transformed",
        "the picture is not transformed",
        "Do the values lie between 0 and 255, or around 0? Which step brings every picture to one size and scale?",
        "An encoder reads normalised squares. `self.transform` does both, resize and normalise.",
        "`let image = self.transform.apply(&picture)?;`",
    ),
    known(
        "channels_last",
        "the channels come last",
        "Where do the three channels stand in the shape that you gave?",
        "Encoders read channels first, (3, s, s). The transform gives that already: leave its shape as it is.",
        "`let image = self.transform.apply(…)?;` without a `permute` after it",
    ),
    known(
        "extra_dimension",
        "a batch of one instead of an item",
        "How many dimensions has one item, and how many has a batch of one item?",
        "An item has no batch dimension: the loader stacks items later. `get(i)` takes a row out, `narrow` keeps the dimension.",
        "`….get(index)?` instead of `….narrow(0, index, 1)?`; no `unsqueeze(0)`",
    ),
    known(
        "whole_table",
        "all captions' ids instead of one's",
        "How many captions' ids did you return?",
        "`encoded_captions` holds a table with a row for each caption; an item wants one row of it.",
        "`input_ids: self.encoded_captions.input_ids.get(…)?`",
    ),
    known(
        "not_padded",
        "the padding is cut off",
        "Have all your rows the same length, whatever the caption?",
        "A batch is one table: short captions keep their zeros, and the mask says where those are.",
        "the row as it stands in `self.encoded_captions`, not shortened",
    ),
    known(
        "other_picture",
        "the picture of another pair",
        "Which file name belongs to item `index`? Is a picture's place divided by five, or always the first, used?",
        "`image_filenames` has an entry for every pair, so the same `index` finds name, text and caption.",
        "`self.image_folder.join(&self.image_filenames[…])`",
    ),
    known(
        "bgr",
        "red and blue have changed places",
        "In which order does `load_image` give the colours?",
        "The slide's `cvtColor` repairs what OpenCV does; `load_image` gives RGB already.",
        "`self.transform.apply(&load_image(&path, index)?)?`, and no channel moved",
    ),
    known(
        "sides_swapped",
        "rows and columns have changed places",
        "Does your picture stand upright?",
        "The transform gives (3, rows, columns); a `transpose` of the last two turns the picture over.",
        "the transform's tensor as it is",
    ),
    known(
        "other_text",
        "the text of another pair",
        "Which row did you take, and which is item `index`?",
        "Ids, mask and caption all come from row `index`.",
        "`self.encoded_captions.input_ids.get(…)?`, `self.captions[…]`",
    ),
    known(
        "ids_and_mask_swapped",
        "ids and mask have changed places",
        "Which of the two tables holds only zeros and ones?",
        "The mask says where there is a token; the ids say which.",
        "`input_ids: ….input_ids…, attention_mask: ….attention_mask…`",
    ),
    known(
        "ids_for_mask",
        "the ids stand in the mask's place",
        "Should a mask hold numbers larger than 1?",
        "A mask has 1 where there is a token and 0 where there is padding: it has a table of its own.",
        "`attention_mask: self.encoded_captions.attention_mask.get(…)?`",
    ),
    known(
        "mask_of_ones",
        "the mask says that padding is text",
        "What should the mask say about the zeros at the end of a short caption?",
        "With ones everywhere the encoder would read the padding. The tokenizer has made the right mask already.",
        "`attention_mask: self.encoded_captions.attention_mask.get(…)?`",
    ),
    known(
        "decoded_caption",
        "the caption comes from its ids",
        "Does your caption still have its capital letters?",
        "Ids forget how a text was written. The text itself is in `self.captions`.",
        "`caption: self.captions[…].clone()`",
    ),
    known(
        "file_name_for_caption",
        "the file name stands in the caption's place",
        "What would you read aloud to describe the picture?",
        "`caption` is the sentence; the file name has a method of its own.",
        "`caption: self.captions[…].clone()`",
    ),
    known(
        "unwrapped",
        "a missing picture panics",
        "What happens to a night's training when one of eight thousand pictures is missing?",
        "`?` passes an error on to whoever called, with its words; `unwrap` ends everything.",
        "`load_image(&path, index)?`",
    ),
    known(
        "error_without_name",
        "the error does not name the file",
        "Which picture is missing? Would your message tell?",
        "`load_image` makes an error that names the file and the item: pass it on as it is.",
        "`load_image(&path, index)?`",
    ),
    known(
        "index_not_passed_on",
        "the error names another item",
        "What does `load_image` do with its second argument?",
        "It goes into the message when the picture is missing. Give it the index of the item.",
        "`load_image(&path, …)?` with the item's index",
    ),
];
