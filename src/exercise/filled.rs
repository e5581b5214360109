//! Is the hole filled in? Each function runs the student's item once on tiny inputs and looks at the form of what it
//! gives (a shape, a length), not at its values.

use candle_core::{DType, Device, Tensor};
use image::RgbImage;

use super::Hole;
use crate::clip::{ClipLoss, FindMatches, KeepBest, Projection, Save, ZeroShotClassifier};
use crate::dalle::{DalleSequence, Quantize, SequenceLayout};
use crate::dataset::{PairDataset, Transform};
use crate::frozen::{CaptionLoss, FreezeLm, VisualPrefix};
use crate::language_model::Perplexity;
use crate::nn::{Init, Linear, Mode, Params};
use crate::prompting::{FewShotPrompt, PromptTemplate, ReadAnswer, Shot};
use crate::text::Tokenizer;
use crate::unclip::Guidance;
use crate::{Error, Result};

/// Whether `D` reads a picture and its caption.
pub fn clip_dataset<D: PairDataset + 'static>() -> Hole {
    Hole::try_out("clip_dataset", || {
        let folder = tempfile::tempdir().map_err(Error::io("a temporary folder"))?;
        let path = folder.path().join("a.png");
        RgbImage::new(6, 4).save(&path).map_err(|e| Error::Plot(e.to_string()))?;
        let tokenizer = Tokenizer::from_words(&["a".into(), "dog".into()])?;
        let (names, captions) = (["a.png".to_string()], ["a dog".to_string()]);
        let transform = Transform::imagenet(8);
        let dataset = D::new(&names, &captions, &tokenizer, &transform, folder.path(), 8)?;
        let item = dataset.get(0)?;
        expect("the image", "(3, 8, 8)", &item.image, &[3, 8, 8])?;
        expect("input_ids", "(4): [CLS] a dog [SEP]", &item.input_ids, &[4])?;
        expect("attention_mask", "(4)", &item.attention_mask, &[4])
    })
}

/// Whether `H` is built and takes features to embeddings.
pub fn projection_head<H: Projection + 'static>() -> Hole {
    Hole::try_out("projection_head", || {
        let head = H::new(4, 3, 0., &Params::new(&Device::Cpu, 0))?;
        let x = Tensor::arange(0f32, 8., &Device::Cpu)?.reshape((2, 4))?;
        expect("the embeddings", "(2, 3)", &head.forward(&x, Mode::Eval)?, &[2, 3])
    })
}

/// Whether `loss` gives a scalar.
pub fn clip_loss(loss: ClipLoss) -> Hole {
    Hole::try_out("clip_loss", move || {
        let image = Tensor::new(&[[1f32, 0.], [0., 2.]], &Device::Cpu)?;
        let text = Tensor::new(&[[2f32, 0.], [1., 1.]], &Device::Cpu)?;
        let value = loss(&image, &text, &Tensor::new(0f32, &Device::Cpu)?)?;
        expect("the loss", "a scalar, ()", &value, &[])
    })
}

/// Whether `keep` compares two losses. (It is asked about a worse one, so that it has nothing to say.)
pub fn keep_best(keep: KeepBest) -> Hole {
    struct Nothing;
    impl Save for Nothing {
        fn save(&self, _path: &std::path::Path) -> Result<()> {
            Ok(())
        }
    }
    Hole::try_out("keep_best", move || {
        let folder = tempfile::tempdir().map_err(Error::io("a temporary folder"))?;
        let best = keep(2., 1., &Nothing, folder.path())?;
        if best.is_finite() {
            return Ok(());
        }
        Err(Error::value("keep_best", "the best loss so far, a number", best))
    })
}

/// Whether `find` gives at most as many matches as were asked for.
pub fn find_matches(find: FindMatches) -> Hole {
    Hole::try_out("find_matches", move || {
        let images = Tensor::new(&[[1f32, 0.], [0., 2.], [1., 1.]], &Device::Cpu)?;
        let text = Tensor::new(&[[0f32, 1.]], &Device::Cpu)?;
        let names = ["a.jpg", "b.jpg", "c.jpg"].map(String::from);
        let matches = find(&images, &text, &names, 2)?;
        if matches.len() == 2 {
            return Ok(());
        }
        let got = format!("{} matches", matches.len());
        Err(Error::value("find_matches of 3 pictures with n = 2", "2 matches", got))
    })
}

/// Whether `build` gives a row a class.
pub fn zero_shot_classifier(build: ZeroShotClassifier) -> Hole {
    Hole::try_out("zero_shot_classifier", move || {
        let names = ["dog", "cat"].map(String::from);
        let templates = ["a {label}", "a photo of a {label}."].map(String::from);
        let encode = |texts: &[String]| {
            let row =
                |text: &String| vec![text.len() as f32, text.find('g').unwrap_or(1) as f32, 1.];
            Ok(Tensor::new(texts.iter().map(row).collect::<Vec<_>>(), &Device::Cpu)?)
        };
        expect(
            "the classifier",
            "(2, 3), a row a class",
            &build(&names, &templates, &encode)?,
            &[2, 3],
        )
    })
}

/// Whether `freeze` runs on a few parameters.
pub fn freeze_lm(freeze: FreezeLm) -> Hole {
    Hole::try_out("freeze_lm", move || {
        let params = Params::new(&Device::Cpu, 0);
        params.get((2, 2), "weight", Init::Const(1.))?;
        freeze(&params)
    })
}

/// Whether `prefix` gives `n` vectors a picture.
pub fn visual_prefix(prefix: VisualPrefix) -> Hole {
    Hole::try_out("visual_prefix", move || {
        let projection = Linear::new(3, 8, &Params::new(&Device::Cpu, 0))?;
        let features = Tensor::arange(0f32, 6., &Device::Cpu)?.reshape((2, 3))?;
        expect("the prefix", "(2, 2, 4)", &prefix(&features, &projection, 2)?, &[2, 2, 4])
    })
}

/// Whether `loss` gives a scalar.
pub fn caption_loss(loss: CaptionLoss) -> Hole {
    Hole::try_out("caption_loss", move || {
        let logits = Tensor::arange(0f32, 16., &Device::Cpu)?.reshape((1, 4, 4))?;
        let ids = Tensor::new(&[[3u32, 1, 2, 0]], &Device::Cpu)?;
        let mask = Tensor::new(&[[1u32, 1, 1, 0]], &Device::Cpu)?;
        expect("the loss", "a scalar, ()", &loss(&logits, &ids, &mask, 3)?, &[])
    })
}

/// Whether `value` gives a number for three log-probabilities. (The written answer is not tried out.)
pub fn perplexity(value: Perplexity) -> Hole {
    Hole::try_out("perplexity", move || {
        let chances = Tensor::new(&[-1f32, -2., -1.5], &Device::Cpu)?;
        let found = value(&chances)?;
        if found.is_finite() {
            return Ok(());
        }
        Err(Error::value("perplexity", "a number", found))
    })
}

/// Whether `template` gives a text.
pub fn prompt_template(template: PromptTemplate) -> Hole {
    Hole::try_out("prompt_template", move || template("[X] it was [Z].", "a").map(|_| ()))
}

/// Whether `read` reads something. (It is the second hole of `prompt_template`.)
pub fn read_answer(read: ReadAnswer) -> Hole {
    Hole::try_out("prompt_template", move || {
        read("it was [Z].", "it was good.", &["good".to_string()]).map(|_| ())
    })
}

/// Whether `prompt` gives segments.
pub fn few_shot_prompt(prompt: FewShotPrompt) -> Hole {
    Hole::try_out("few_shot_prompt", move || {
        let segments = prompt("say", &[Shot::text("a", "b")], &Shot::query("c"))?;
        if segments.is_empty() {
            return Err(Error::value("few_shot_prompt", "segments", "none"));
        }
        Ok(())
    })
}

/// Whether `quantize` gives a code for every logit, with noise and without.
pub fn quantize(quantize: Quantize) -> Hole {
    Hole::try_out("quantize", move || {
        let logits = Tensor::arange(0f32, 12., &Device::Cpu)?.reshape((1, 3, 2, 2))?;
        for noise in [None, Some(&logits)] {
            expect("the codes", "(1, 3, 2, 2)", &quantize(&logits, 1., noise)?, &[1, 3, 2, 2])?;
        }
        Ok(())
    })
}

/// Whether `sequence` gives a row of tokens.
pub fn dalle_sequence(sequence: DalleSequence) -> Hole {
    Hole::try_out("dalle_sequence", move || {
        let layout = SequenceLayout {
            text_tokens: 2,
            text_vocabulary: 4,
            pad_id: 0,
            rows: 1,
            columns: 2,
            codes: 3,
            text_weight: 0.5,
            image_weight: 0.5,
        };
        let text = Tensor::new(&[[1u32, 0]], &Device::Cpu)?;
        let codes = Tensor::new(&[[2u32, 1]], &Device::Cpu)?;
        let found = sequence(&text, &codes, &layout)?;
        let parts = [found.ids, found.positions, found.targets, found.weights];
        parts.iter().try_for_each(|part| expect("a part of the sequence", "(1, 4)", part, &[1, 4]))
    })
}

/// Whether the three functions of `G` give tensors of the right shapes.
pub fn guidance<G: Guidance + Default + 'static>() -> Hole {
    Hole::try_out("guidance", || {
        let (guidance, x) = (G::default(), Tensor::ones((2, 3), DType::F32, &Device::Cpu)?);
        let each = Tensor::new(&[0.5f32, 1.], &Device::Cpu)?;
        expect("x_t", "(2, 3)", &guidance.noise(&x, &x, &each)?, &[2, 3])?;
        expect("the conditions", "(2, 3)", &guidance.drop_condition(&x, &each)?, &[2, 3])?;
        expect("the guided prediction", "(2, 3)", &guidance.guided(&x, &x, 2.)?, &[2, 3])
    })
}

fn expect(what: &str, words: &str, tensor: &Tensor, dims: &[usize]) -> Result<()> {
    if tensor.dims() == dims {
        return Ok(());
    }
    Err(Error::shape(what, words, tensor.shape()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Filled;
    use super::*;
    use crate::clip::{LinearHead, Match};
    use crate::dataset::FolderPairs;

    #[test]
    fn what_the_library_has_is_filled() {
        assert_eq!(projection_head::<LinearHead>().filled, Filled::Yes);
        assert_eq!(clip_dataset::<FolderPairs>().filled, Filled::Yes);
    }

    #[test]
    fn a_stub_is_not_yet() {
        assert_eq!(clip_loss(|_, _, _| todo!("clip_loss: write your code")).filled, Filled::NotYet);
        assert_eq!(keep_best(|_, _, _, _| todo!()).filled, Filled::NotYet);
        let hole = find_matches(|_, _, _, _| todo!("find_matches"));
        assert_eq!(hole.to_string(), "… find_matches is not filled in yet");
    }

    #[test]
    fn broken_code_says_what_happened() {
        let shape = clip_loss(|image, _, _| Ok(image.clone()));
        assert!(
            shape.to_string().contains("the loss: expected a scalar, (), got [2, 2]"),
            "{shape}"
        );
        let panic = clip_loss(|_, _, _| panic!("index out of bounds"));
        assert_eq!(panic.filled, Filled::Broken("panicked: index out of bounds".into()));
        fn none(_: &Tensor, _: &Tensor, _: &[String], _: usize) -> Result<Vec<Match>> {
            Ok(Vec::new())
        }
        assert!(find_matches(none).to_string().contains("expected 2 matches, got 0 matches"));
        let error = keep_best(|_, _, model, _| {
            model.save(Path::new("best.pt"))?;
            Err(Error::value("loss", "a number", "NaN"))
        });
        assert!(matches!(error.filled, Filled::Broken(_)));
    }
}
