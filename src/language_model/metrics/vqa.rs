//! VQA accuracy (Antol et al. 2015, arXiv:1505.00468, section 4.2), as VQAv2 is scored.

/// How right an answer is, when several people answered: `min(people who said the same / 3, 1)`, the mean over all sets that
/// leave one of them out, as the official script has it. Answers are compared after [`normalize_answer`].
///
/// With one person there is nobody left: then the answer is right where it is theirs.
pub fn vqa_accuracy(answer: &str, people: &[String]) -> f64 {
    let answer = normalize_answer(answer);
    let same: Vec<bool> = people.iter().map(|p| normalize_answer(p) == answer).collect();
    let agree = same.iter().filter(|s| **s).count();
    if people.len() < 2 {
        return agree as f64;
    }
    let without = |said_so: &bool| ((agree - usize::from(*said_so)) as f64 / 3.).min(1.);
    same.iter().map(without).sum::<f64>() / people.len() as f64
}

/// Whether two answers are the same after [`normalize_answer`].
pub fn exact_match(answer: &str, right: &str) -> bool {
    normalize_answer(answer) == normalize_answer(right)
}

/// An answer as VQAv2 compares it: small letters, no punctuation, no article, numbers to ten as digits. The official script's
/// list of contractions (`dont` for `don't`) is left out.
pub fn normalize_answer(answer: &str) -> String {
    const NUMBERS: [&str; 11] =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    let small = answer.to_lowercase();
    let bare: String =
        small.chars().map(|c| if c.is_alphanumeric() || c == '\'' { c } else { ' ' }).collect();
    let digit = |word: &str| match NUMBERS.iter().position(|n| *n == word) {
        Some(number) => number.to_string(),
        None if word == "none" => "0".into(),
        None => word.to_string(),
    };
    let words = bare.split_whitespace().filter(|w| !["a", "an", "the"].contains(w));
    words.map(digit).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_of_ten_are_enough() {
        let people = |yes: usize| -> Vec<String> {
            (0..10).map(|i| if i < yes { "yes" } else { "no" }.to_string()).collect()
        };
        // By hand: with 3 of 10, seven sets of nine have all three, three have two: (7 · 1 + 3 · 2/3) / 10.
        for (yes, right) in [(0, 0.), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1.), (10, 1.)] {
            assert!((vqa_accuracy("Yes.", &people(yes)) - right).abs() < 1e-12, "{yes}");
        }
        assert_eq!(vqa_accuracy("two", &["2".into()]), 1.);
    }

    #[test]
    fn answers_are_compared_without_their_dress() {
        assert!(exact_match("on the grass.", "On grass"));
        assert!(exact_match("two dogs", "2 dogs"));
        assert!(!exact_match("two dogs", "two"));
    }
}
