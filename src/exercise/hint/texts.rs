//! The hints' texts. They ship to students: no step is a whole solution.

use super::Misconception;

/// The plain hint and the misconceptions of an exercise.
pub(super) fn of(id: &str) -> Option<(&'static [&'static str; 3], &'static [Misconception])> {
    Some(match id {
        "clip_dataset" => (&CLIP_DATASET, CLIP_DATASET_KNOWN),
        "projection_head" => (&PROJECTION_HEAD, PROJECTION_HEAD_KNOWN),
        "clip_loss" => (&CLIP_LOSS, CLIP_LOSS_KNOWN),
        "keep_best" => (&KEEP_BEST, KEEP_BEST_KNOWN),
        "find_matches" => (&FIND_MATCHES, FIND_MATCHES_KNOWN),
        "zero_shot_classifier" => (&super::zero_shot::PLAIN, super::zero_shot::KNOWN),
        "freeze_lm" => (&super::frozen::FREEZE_LM, super::frozen::FREEZE_LM_KNOWN),
        "visual_prefix" => (&super::frozen::VISUAL_PREFIX, super::frozen::VISUAL_PREFIX_KNOWN),
        "caption_loss" => (&super::frozen::CAPTION_LOSS, super::frozen::CAPTION_LOSS_KNOWN),
        "perplexity" => (&super::perplexity::PLAIN, super::perplexity::KNOWN),
        "prompt_template" => (&super::prompting::TEMPLATE, super::prompting::TEMPLATE_KNOWN),
        "few_shot_prompt" => (&super::prompting::FEW_SHOT, super::prompting::FEW_SHOT_KNOWN),
        "quantize" => (&super::dalle::QUANTIZE, super::dalle::QUANTIZE_KNOWN),
        "dalle_sequence" => (&super::dalle::SEQUENCE, super::dalle::SEQUENCE_KNOWN),
        "guidance" => (&super::guidance::PLAIN, super::guidance::KNOWN),
        _ => return None,
    })
}

pub(super) const fn known(
    id: &'static str,
    name: &'static str,
    question: &'static str,
    idea: &'static str,
    line: &'static str,
) -> Misconception {
    Misconception { id, name, steps: [question, idea, line] }
}

const CLIP_DATASET: [&str; 3] = [
    "Which four things make a pair, and in which fields of `self` does each lie?",
    "Everything of item `index` comes from place `index`: the file name, the row of ids, the row of the mask, the caption. \
     Only the picture has to be read and transformed.",
    "`let path = self.image_folder.join(…); let image = self.transform.apply(&load_image(…)?)?; Ok(Item { image, \
     input_ids: self.encoded_captions.input_ids.get(…)?, … })`",
];

const CLIP_DATASET_KNOWN: &[Misconception] = &[
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

const PROJECTION_HEAD: [&str; 3] = [
    "Which five steps stand on the slide, and what does each take from the one before?",
    "Keep what the projection gives under a name of its own: GELU, fc and dropout make a branch from it, and the skip \
     connection adds it again before the layer normalisation.",
    "`let projected = self.projection.forward(x)?;` then `gelu`, `fc`, `dropout` on a second variable, then \
     `self.layer_norm.forward(&(… + projected)?)`",
];

const PROJECTION_HEAD_KNOWN: &[Misconception] = &[
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

const CLIP_LOSS: [&str; 3] = [
    "For one picture, which of the b captions is right, and how does a cross-entropy ask for it?",
    "Four steps: rows of length 1, all similarities times eᵗ, labels 0 … b − 1, and the mean of two cross-entropies: of \
     the table and of its transpose.",
    "`let logits = ….matmul(&….t()?)?.broadcast_mul(&logit_scale.exp()?)?; let labels = Tensor::arange(…)?; \
     Ok(((cross_entropy(…)? + cross_entropy(…)?)? / 2.)?)`",
];

const CLIP_LOSS_KNOWN: &[Misconception] = &[
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

const KEEP_BEST: [&str; 3] = [
    "When is the current model better than the best so far, and what must be remembered then?",
    "Lower is better. If it is better: save, and the new loss is the best one. If not: nothing is saved, and the best \
     loss stays.",
    "`if … < … { model.save(&folder.join(…))?; return Ok(…); } Ok(…)`",
];

const KEEP_BEST_KNOWN: &[Misconception] = &[
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

const FIND_MATCHES: [&str; 3] = [
    "How do you get all similarities with one product, and how do you keep each with its file name?",
    "Normalise both, one product, then pairs of name and similarity: sort them, best first, keep each name's first \
     appearance, and cut at n.",
    "`l2_normalize(…)?.matmul(&l2_normalize(…)?.t()?)?.flatten_all()?.to_vec1::<f32>()?`, `image_filenames.iter().zip(…)`, \
     `sort_by`, `retain`, `truncate`",
];

const FIND_MATCHES_KNOWN: &[Misconception] = &[
    known(
        "n_ignored",
        "all pictures come back",
        "How many pictures were asked for?",
        "After sorting, only the first n are wanted.",
        "`….truncate(n)`",
    ),
    known(
        "not_normalised",
        "neither side is normalised",
        "Can a cosine be larger than 1?",
        "Long vectors win a plain dot product. Bring every row to length 1 first, the query too.",
        "`l2_normalize(…)?` for both",
    ),
    known(
        "images_not_normalised",
        "the pictures are not normalised",
        "Does a picture whose embedding is ten times as long fit better?",
        "Every row of the picture's table gets length 1.",
        "`l2_normalize(image_embeddings)?`",
    ),
    known(
        "text_not_normalised",
        "the query is not normalised",
        "The order is right; are the numbers cosines?",
        "The query's length stretches all similarities alike. Bring it to length 1 too.",
        "`l2_normalize(text_embedding)?`",
    ),
    known(
        "wrong_axis",
        "not the cosine",
        "Did you bring each row to length 1, over the last dimension?",
        "A row is a picture; its length is the root of the sum over its own numbers.",
        "`l2_normalize(x)?`, or `x.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?`",
    ),
    known(
        "distance_for_similarity",
        "a distance in the similarity's place",
        "Is a larger number a better match in your result?",
        "`similarity` is the cosine itself: 1 for the same direction.",
        "`Match { similarity, … }` with the dot product of the normalised rows",
    ),
    known(
        "worst_first",
        "the worst come first",
        "Which way round does your sort go?",
        "`a.total_cmp(b)` sorts the smallest first; the best match is the largest.",
        "`sort_by(|a, b| b.….total_cmp(&a.…))`",
    ),
    known(
        "worst_of_the_best_first",
        "the right ones, the wrong way round",
        "Which of your pictures has the highest similarity, and where does it stand?",
        "The slide's `[::-5]` turns the order around. Best first is meant.",
        "the sorted list from its beginning, without `rev()`",
    ),
    known(
        "not_sorted",
        "the order is the folder's",
        "In which order do your pictures stand?",
        "The first n of the folder are not the best n: sort before you cut.",
        "`matches.sort_by(…)` before `truncate`",
    ),
    known(
        "absolute_value",
        "the sign is lost",
        "Is a picture that points the other way a good match?",
        "−1 is as far from the query as can be. Sort the cosines with their signs.",
        "`total_cmp` on the similarities themselves",
    ),
    known(
        "sorted_by_name",
        "sorted by name",
        "By what are your pictures sorted?",
        "The order is that of the similarities, the largest first.",
        "`sort_by(|a, b| b.similarity.…(&a.similarity))`",
    ),
    known(
        "compared_as_text",
        "close ones change places",
        "Is 0.95 before 0.93 in your result, and −0.05 before −0.4?",
        "Compare the numbers as they are: texts and rounded numbers lose what is small, or negative.",
        "`b.similarity.total_cmp(&a.similarity)`",
    ),
    known(
        "negative_dropped",
        "negative similarities are dropped",
        "What do you give when only pictures are left that fit badly?",
        "A search gives the best n that there are; a cosine below zero is a similarity too.",
        "no condition on the similarity",
    ),
    known(
        "no_transpose",
        "the product lacks a transpose",
        "Which shapes does a product want, and which have your two tables?",
        "(N, p) times (p, 1) gives (N, 1): each picture with the query. The query must be turned.",
        "`….matmul(&….t()?)?`",
    ),
    known(
        "repeated",
        "a picture comes several times",
        "How many rows has a picture with five captions?",
        "Each caption has a row. Keep a name's first appearance in the sorted list and drop the others.",
        "`let mut seen = HashSet::new(); matches.retain(|m| seen.insert(…));`",
    ),
    known(
        "neighbours_only",
        "only neighbours are compared",
        "Do the rows of one picture stand side by side after sorting?",
        "`dedup` drops a repeated neighbour only. Remember all the names that you have seen.",
        "`seen.insert(name)` with a `HashSet`",
    ),
    known(
        "cut_before_once",
        "cut before repetitions are dropped",
        "How many pictures are left when you cut first and drop repetitions afterwards?",
        "Drop the repetitions first, then cut at n.",
        "`retain(…)` before `truncate(n)`",
    ),
    known(
        "every_fifth",
        "every fifth row",
        "Does every picture have exactly five captions, side by side after sorting?",
        "The slide's stride of five stands for \"one entry a picture\". Go by the file name instead.",
        "`retain(|m| seen.insert(m.image_filename.clone()))`",
    ),
    known(
        "not_the_best_caption",
        "a picture at another caption's place",
        "Which of a picture's rows decides its place?",
        "The best of them. In the list that is sorted best first, that is the first one.",
        "sort first, then keep each name's first appearance",
    ),
    known(
        "rows_mixed_up",
        "names and rows are mixed up",
        "Does each similarity stay with its file name while you sort?",
        "Pair name and similarity before sorting, or sort indices and look both up.",
        "`image_filenames.iter().zip(…)`",
    ),
    known(
        "past_the_end",
        "fails when there are fewer than n",
        "What do you give for n = 9 when there are five pictures?",
        "As many as there are. `truncate` and `take` do not mind; a slice `[..n]` does.",
        "`….truncate(n)` or `.take(n)`",
    ),
];
