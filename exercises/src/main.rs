//! `cargo vl` with your exercises.

use vision_language::clip::head;
use vision_language::dalle::DalleHoles;
use vision_language::frozen::FrozenHoles;
use vision_language::prompting::PromptingHoles;

fn main() -> std::process::ExitCode {
    course::main(Some(course::Holes {
        whose: "your exercises",
        head: head::<exercises::ProjectionHead>(),
        clip_loss: exercises::clip_loss,
        keep_best: exercises::keep_best,
        find_matches: exercises::find_matches,
        zero_shot_classifier: exercises::zero_shot_classifier,
        frozen: FrozenHoles {
            freeze_lm: exercises::freeze_lm,
            visual_prefix: exercises::visual_prefix,
            caption_loss: exercises::caption_loss,
        },
        prompting: PromptingHoles {
            template: exercises::prompt_template,
            read: exercises::read_answer,
            few_shot: exercises::few_shot_prompt,
        },
        dalle: DalleHoles {
            quantize: exercises::quantize,
            dalle_sequence: exercises::dalle_sequence,
        },
        guidance: &exercises::ClassifierFree,
    }))
}
