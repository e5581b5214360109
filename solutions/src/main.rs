//! `cargo vl` with the masters of the exercises.

use vision_language::clip::head;
use vision_language::dalle::DalleHoles;
use vision_language::frozen::FrozenHoles;
use vision_language::prompting::PromptingHoles;

mod hidden;

fn main() -> std::process::ExitCode {
    course::grade::hidden(hidden::HIDDEN);
    course::grade::again(hidden::again::AGAIN);
    course::main(Some(course::Holes {
        whose: "the masters",
        head: head::<solutions::ProjectionHead>(),
        clip_loss: solutions::clip_loss,
        keep_best: solutions::keep_best,
        find_matches: solutions::find_matches,
        zero_shot_classifier: solutions::zero_shot_classifier,
        frozen: FrozenHoles {
            freeze_lm: solutions::freeze_lm,
            visual_prefix: solutions::visual_prefix,
            caption_loss: solutions::caption_loss,
        },
        prompting: PromptingHoles {
            template: solutions::prompt_template,
            read: solutions::read_answer,
            few_shot: solutions::few_shot_prompt,
        },
        dalle: DalleHoles {
            quantize: solutions::quantize,
            dalle_sequence: solutions::dalle_sequence,
        },
        guidance: &solutions::ClassifierFree,
    }))
}
