//! The hints of `perplexity`.

use super::Misconception;
use super::texts::known;

pub(super) const PLAIN: [&str; 3] = [
    "What becomes of the slide's N-th root of 1/P, when you take its logarithm?",
    "ln PP = −(ln P of the first + … + ln P of the last) / N: the mean of what you are given, with its sign turned. Then back \
     from the logarithm.",
    "`let mean = log_probabilities.….mean_all()?.to_scalar::<…>()?; Ok((…).exp())`",
];

pub(super) const KNOWN: &[Misconception] = &[
    known(
        "no_root",
        "the N-th root is missing",
        "Has a text that is twice as long, and equally easy, the same perplexity?",
        "1/P of a whole text grows with its length. The root takes it back to one token: in logarithms, divide by N.",
        "the mean of the logarithms, not their sum",
    ),
    known(
        "underflow",
        "the product underflows",
        "What is 0.001 multiplied by itself two hundred times, in a computer's numbers?",
        "Probabilities multiply to 0 long before a page is full, and 1/0 is infinite. Sums of logarithms stay small numbers.",
        "add the logarithms first, and use `exp` once, at the end",
    ),
    known(
        "sign_forgotten",
        "the sign is forgotten",
        "Can a perplexity be below 1?",
        "ln P is negative; 1/P turns the sign of its logarithm.",
        "`(-…).exp()`",
    ),
    known(
        "not_exponentiated",
        "the logarithm is given back",
        "Among how many tokens does a model waver that gives each of eight the same chance?",
        "The mean −ln P is the cross-entropy, 2.08 nats for eight tokens (3 bits); perplexity undoes the logarithm: 8.",
        "`….exp()` as the last step",
    ),
    known(
        "other_base",
        "another base than the logarithm's",
        "Which base has the logarithm that you are given?",
        "ln has the base e; 2 to the power of nats mixes bits with nats. Any base works if it is the same both times.",
        "`exp`, not `exp2` or `powf` of another base",
    ),
    known(
        "arithmetic_mean",
        "the arithmetic mean of probabilities",
        "Do the probabilities of a text's tokens add up, or multiply?",
        "They multiply. The N-th root of a product is a geometric mean: the arithmetic mean of the logarithms.",
        "the mean before `exp`, not after it",
    ),
    known(
        "off_by_one",
        "divided by one too many or too few",
        "How many log-probabilities are there, and by what do you divide?",
        "N is the number of predicted tokens, which is the number of log-probabilities that you are given.",
        "`….mean_all()?`, or the length of the list as it is",
    ),
    known(
        "first_token_dropped",
        "the first token is left out",
        "Which of the log-probabilities do you leave out?",
        "The token that nothing predicts is left out already: all that you are given counts.",
        "the whole tensor, without `narrow`",
    ),
    known(
        "square_root",
        "a square root in the N-th root's place",
        "Which root stands on the slide?",
        "The N-th, of a text of N tokens. In logarithms it divides by N.",
        "divide by N, not by 2",
    ),
    known(
        "log_of_log",
        "the logarithm is taken twice",
        "What do you get for the logarithm of a negative number?",
        "You are given ln P already; take no logarithm of it.",
        "start from the mean of `log_probabilities`",
    ),
    known(
        "not_written",
        "the question is not answered",
        "What would the curves of perplexity and of the captions' quality have to look like, for early stopping to be right?",
        "Look at the notebook's experiment: what does the frozen model know of the text already, and what does perplexity not \
         see? Some sentences, with your reasons.",
        "`\"… because …\"`, thirty words or more",
    ),
];
