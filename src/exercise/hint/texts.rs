//! The hints' texts. They ship to students: no step is a whole solution.

use super::Misconception;

/// The plain hint and the misconceptions of an exercise.
pub(super) fn of(id: &str) -> Option<(&'static [&'static str; 3], &'static [Misconception])> {
    Some(match id {
        "clip_dataset" => (&super::clip_dataset::PLAIN, super::clip_dataset::KNOWN),
        "projection_head" => (&super::projection_head::PLAIN, super::projection_head::KNOWN),
        "clip_loss" => (&super::clip_loss::PLAIN, super::clip_loss::KNOWN),
        "keep_best" => (&super::keep_best::PLAIN, super::keep_best::KNOWN),
        "find_matches" => (&super::find_matches::PLAIN, super::find_matches::KNOWN),
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
