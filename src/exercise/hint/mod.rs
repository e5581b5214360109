//! Hints in three steps: a question, then the idea, then the line's shape; chosen by the misconception that the checks
//! recognised.

mod clip_dataset;
mod clip_loss;
mod dalle;
mod find_matches;
mod frozen;
mod guidance;
mod keep_best;
mod perplexity;
mod projection_head;
mod prompting;
mod texts;
mod zero_shot;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

use super::report::Report;
use super::{exercise, exercises};

/// A well-known wrong way to fill a hole, or the plain hint of an exercise (`id` is empty then).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misconception {
    /// Its id: `not_normalised`.
    pub id: &'static str,
    /// What it is, in a few words.
    pub name: &'static str,
    /// A question, the idea, the line's shape.
    pub steps: [&'static str; 3],
}

/// What the three steps are called.
pub const STEPS: [&str; 3] = ["A question", "The idea", "The line's shape"];

/// The misconceptions of an exercise; none for an unknown id.
pub fn misconceptions(id: &str) -> &'static [Misconception] {
    texts::of(id).map_or(&[], |(_, known)| known)
}

/// The hint for a misconception; the plain hint of the exercise without one, or for an unknown one.
pub fn of(id: &str, misconception: Option<&str>) -> Misconception {
    const NONE: Misconception = Misconception { id: "", name: "", steps: [""; 3] };
    let Some((plain, known)) = texts::of(id) else { return NONE };
    let found = known.iter().find(|known| Some(known.id) == misconception);
    found.copied().unwrap_or(Misconception { steps: *plain, ..NONE })
}

/// The misconception of this name, if the exercise has it.
pub(super) fn known(id: &str, name: &str) -> Option<&'static str> {
    misconceptions(id).iter().map(|known| known.id).find(|known| *known == name)
}

/// What was recognised last, and how many steps were shown of its hint.
#[derive(Default)]
struct Shown {
    misconception: Option<String>,
    steps: usize,
}

static SHOWN: Mutex<BTreeMap<String, Shown>> = Mutex::new(BTreeMap::new());

/// Keeps what a report recognised for the next [`hint`].
pub(super) fn remember(report: &Report) {
    let misconception = report.misconception().map(str::to_string);
    let mut all = SHOWN.lock().unwrap_or_else(|e| e.into_inner());
    let shown = all.entry(report.id.clone()).or_default();
    if shown.misconception != misconception {
        *shown = Shown { misconception, steps: 0 };
    }
}

/// Some steps of a hint, to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The exercise's id.
    pub id: String,
    /// Which hint it is.
    pub about: Misconception,
    /// How many of its steps are shown.
    pub steps: usize,
}

/// The next step of the hint for an exercise: `hint("clip_loss")`. Each call shows one step more.
///
/// It fits what the last check of this exercise recognised. For an unknown id the hint names the known ones.
pub fn hint(id: &str) -> Hint {
    let Some(exercise) = exercise(id) else {
        return Hint { id: id.into(), about: of(id, None), steps: 0 };
    };
    let mut all = SHOWN.lock().unwrap_or_else(|e| e.into_inner());
    let shown = all.entry(exercise.id.into()).or_default();
    shown.steps = (shown.steps + 1).min(STEPS.len());
    let about = of(exercise.id, shown.misconception.as_deref());
    Hint { id: exercise.id.into(), about, steps: shown.steps }
}

impl Hint {
    /// The steps that are shown, each with its name.
    pub fn shown(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        STEPS.into_iter().zip(self.about.steps).take(self.steps)
    }

    /// What evcxr calls on a cell's last expression.
    pub fn evcxr_display(&self) {
        let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
        let steps: String = self
            .shown()
            .map(|(name, text)| format!("<p><b>{name}.</b> {}</p>", code(&escape(text))))
            .collect();
        let rest = escape(&self.rest());
        print!(
            "EVCXR_BEGIN_CONTENT text/html\n{steps}<p style=\"color:#6e7582\">{rest}</p>\n\
             EVCXR_END_CONTENT\nEVCXR_BEGIN_CONTENT text/plain\n{self}\nEVCXR_END_CONTENT\n"
        );
    }

    fn rest(&self) -> String {
        if self.steps == 0 {
            let ids: Vec<&str> = exercises().iter().map(|e| e.id).collect();
            return format!("There is no exercise `{}`: {}.", self.id, ids.join(", "));
        }
        match STEPS.len() - self.steps.min(STEPS.len()) {
            0 => "That was the last step.".into(),
            1 => "One more step: run it again.".into(),
            n => format!("{n} more steps: run it again."),
        }
    }
}

/// What stands between backticks, as code.
fn code(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let tag = |(i, part): (usize, &str)| {
        if i % 2 == 1 { format!("<code>{part}</code>") } else { part.to_string() }
    };
    parts.map(tag).collect()
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, text) in self.shown() {
            writeln!(f, "{name}: {text}")?;
        }
        write!(f, "({})", self.rest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hint_has_three_steps_and_every_id_is_there_once() {
        for exercise in exercises() {
            let known = misconceptions(exercise.id);
            assert!(known.len() >= 6, "{} has {}", exercise.id, known.len());
            let plain = of(exercise.id, None);
            for (i, one) in known.iter().chain([&plain]).enumerate() {
                assert!(one.steps.iter().all(|s| s.len() > 8), "{} {}", exercise.id, one.id);
                assert!(one.steps[0].ends_with('?'), "{} {}: ask", exercise.id, one.id);
                assert!(known[..i.min(known.len())].iter().all(|k| k.id != one.id), "{}", one.id);
            }
        }
    }

    #[test]
    fn each_call_shows_a_step_more() {
        let first = hint("keep_best");
        assert_eq!(first.shown().count(), 1);
        assert!(first.to_string().contains("2 more steps"));
        assert_eq!(hint("keep_best").steps, 2);
        assert_eq!(hint("keep_best").steps, 3);
        assert_eq!(hint("keep_best").steps, 3);
        assert!(hint("no_such").to_string().contains("keep_best"));
    }
}
