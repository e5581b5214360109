//! The hints of `find_matches`.

use super::Misconception;
use super::texts::known;

pub(super) const PLAIN: [&str; 3] = [
    "How do you get all similarities with one product, and how do you keep each with its file name?",
    "Normalise both, one product, then pairs of name and similarity: sort them, best first, keep each name's first \
     appearance, and cut at n.",
    "`l2_normalize(…)?.matmul(&l2_normalize(…)?.t()?)?.flatten_all()?.to_vec1::<f32>()?`, `image_filenames.iter().zip(…)`, \
     `sort_by`, `retain`, `truncate`",
];

pub(super) const KNOWN: &[Misconception] = &[
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
