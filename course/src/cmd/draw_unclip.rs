//! What `vl draw` and `vl gallery` do with DALL-E 2.

use std::path::Path;

use clap::{Args, ValueEnum};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Map, Value, json};
use vision_language::candle_core::Tensor;
use vision_language::dataset::scenes::{Split, single};
use vision_language::measure::PictureReport;
use vision_language::prelude::Progress;
use vision_language::unclip::{
    Condition, DecoderDraw, PriorDraw, Through, Unclip, WithoutHole, cosines,
};

use crate::{Error, Result};

/// How DALL-E 2 draws.
#[derive(Clone, Debug, Args)]
pub struct UnclipArgs {
    /// DALL-E 2: the guidance scale; 1 is without guidance
    #[arg(long, default_value_t = 2., allow_negative_numbers = true)]
    scale: f64,
    /// DALL-E 2: stops on the way from noise to picture
    #[arg(long, default_value_t = 25)]
    stops: usize,
    /// DALL-E 2: where the image embedding comes from
    #[arg(long, value_enum, default_value = "diffusion")]
    prior: PriorKind,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum PriorKind {
    /// The diffusion prior, the better of two draws
    Diffusion,
    /// The autoregressive prior
    Autoregressive,
    /// None: the caption's own embedding, as if it were a picture's
    Text,
}

/// Pictures that are drawn at once.
const BATCH: usize = 60;
/// The guidance scales that a gallery compares.
const SCALES: [f64; 5] = [0., 1., 2., 4., 8.];
/// Pictures whose embeddings the priors' are compared with.
const COMPARED: usize = 500;

/// Measures pictures that were drawn to captions.
pub type Measure<'a> = &'a dyn Fn(&Tensor, &[String]) -> Result<PictureReport>;

impl UnclipArgs {
    /// The decoder's way, if the numbers make one.
    ///
    /// # Errors
    /// When they do not.
    pub fn checked(&self) -> Result<DecoderDraw> {
        if !self.scale.is_finite() || self.stops == 0 || self.stops > 1000 {
            return Err(Error::Usage(format!(
                "--scale and --stops: expected a number and 1 to 1000, got {} and {}",
                self.scale, self.stops
            )));
        }
        Ok(DecoderDraw::faithful(self.stops, self.scale))
    }

    fn through(&self) -> Through {
        match self.prior {
            PriorKind::Diffusion => Through::default(),
            PriorKind::Autoregressive => Through::Autoregressive(1.),
            PriorKind::Text => Through::Text,
        }
    }

    /// `n` drawings of each caption, values from 0 to 1.
    ///
    /// # Errors
    /// When the call is wrong.
    pub fn drawn(
        &self,
        model: &Unclip,
        captions: &[String],
        n: usize,
        seed: u64,
    ) -> Result<Tensor> {
        let (through, how) = (self.through(), self.checked()?);
        Job { model, captions, n, seed }.drawn("drawing", through, &how)
    }
}

/// The model of a file, or the one that travels with the library.
///
/// # Errors
/// When the file cannot be read.
pub fn model(checkpoint: Option<&Path>) -> Result<Unclip> {
    Ok(match checkpoint {
        Some(path) => Unclip::load(path)?,
        None => Unclip::shipped()?,
    })
}

/// What is drawn: `n` pictures of each caption.
struct Job<'a> {
    model: &'a Unclip,
    captions: &'a [String],
    n: usize,
    seed: u64,
}

impl Job<'_> {
    fn drawn(&self, name: &str, through: Through, how: &DecoderDraw) -> Result<Tensor> {
        let mut bar = Progress::new(name, self.captions.len() * self.n);
        let each = (BATCH / self.n.max(1)).max(1);
        let mut parts = Vec::new();
        for (i, some) in self.captions.chunks(each).enumerate() {
            bar.update(i * each * self.n, "pictures");
            let seed = self.seed.wrapping_add((i * each * self.n) as u64);
            // What the library has instead of the exercise serves for drawing.
            parts.push(self.model.draw(some, self.n, through, how, seed, &WithoutHole)?);
        }
        bar.finish("");
        Ok(Tensor::cat(&parts, 0).map_err(vision_language::Error::from)?)
    }
}

/// The drawings that were asked for, and what is measured of DALL-E 2: `each` drawings of held-out captions, half of them of
/// unseen pairs; by the embeddings of real pictures `held_out`; and, unless `quick`, by other priors and guidance scales.
///
/// # Errors
/// When the call is wrong or the checkpoint cannot be read.
pub fn gallery(
    args: &UnclipArgs,
    model: &Unclip,
    (captions, each, seed): (&[String], usize, u64),
    held_out: &Tensor,
    measure: Measure<'_>,
    quick: bool,
) -> Result<(Tensor, Map<String, Value>)> {
    let how = args.checked()?;
    let names: Vec<String> =
        captions.iter().flat_map(|c| std::iter::repeat_n(c.clone(), each)).collect();
    let job = Job { model, captions, n: each, seed };
    let asked = job.drawn("drawing", args.through(), &how)?;
    let half = captions.len() / 2 * each;
    let part = |from: usize, count: usize| -> Result<PictureReport> {
        let images = asked.narrow(0, from, count).map_err(vision_language::Error::from)?;
        measure(&images, &names[from..from + count])
    };
    let by = Condition::image(&model.embed(held_out)?)?;
    let noise = model.noise(names.len(), seed)?;
    let again = model.paint(&by, &noise, &how, seed, &WithoutHole)?;
    let mut report = Map::new();
    let mut put = |name: &str, of: PictureReport| report.insert(name.into(), json!(of));
    put("drawings", measure(&asked, &names)?);
    put("drawings_unseen_pairs", part(0, half)?);
    put("drawings_seen_pairs", part(half, names.len() - half)?);
    put("by_the_embeddings_of_real_pictures", measure(&again, &names)?);
    if !quick {
        let once = Through::Diffusion(PriorDraw { candidates: 1, ..PriorDraw::default() });
        for (name, through) in [
            ("by_the_captions_embeddings", Through::Text),
            ("by_the_prior", Through::default()),
            ("by_the_prior_drawn_once", once),
            ("by_the_autoregressive_prior", Through::Autoregressive(1.)),
        ] {
            put(name, measure(&job.drawn(name, through, &how)?, &names)?);
        }
        for scale in SCALES {
            let (name, how) = (format!("scale_{scale}"), DecoderDraw { scale, ..how });
            put(&name, measure(&job.drawn(&name, args.through(), &how)?, &names)?);
        }
    }
    report.insert("scale".into(), json!(args.scale));
    report.insert("stops".into(), json!(args.stops));
    report.insert("cosines".into(), near(model, seed)?);
    Ok((asked, report))
}

/// The mean cosine of drawn embeddings to those of held-out pictures that the captions belong to, and to the captions' own.
fn near(model: &Unclip, seed: u64) -> Result<Value> {
    let mean = |a: &Tensor, b: &Tensor| -> Result<f64> {
        let of = cosines(a, b)?;
        Ok(f64::from(of.iter().sum::<f32>()) / of.len() as f64)
    };
    let test = single::draw(COMPARED, Split::Valid, single::SIDE, seed ^ 0x636f_7369)?;
    let truth = model.embed(&test.images)?;
    let captions = model.captions(&test.captions)?;
    let draw = |candidates| Through::Diffusion(PriorDraw { candidates, ..PriorDraw::default() });
    let mut report = json!({"pictures": COMPARED});
    for (name, through) in [
        ("captions", Through::Text),
        ("prior", draw(1)),
        ("prior_best_of_2", draw(2)),
        ("autoregressive", Through::Autoregressive(1.)),
        ("autoregressive_likeliest", Through::Autoregressive(0.)),
    ] {
        let drawn = model.imagine(&captions, through, seed, &WithoutHole)?;
        report[name] = json!({"to_the_picture": mean(&drawn, &truth)?,
            "to_the_caption": mean(&drawn, &captions.embedding)?});
    }
    // Another picture of the same object and ground: what a perfect prior reaches.
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x6f74_6865);
    let pairs: Vec<(usize, usize)> =
        test.objects.iter().copied().zip(test.grounds.iter().copied()).collect();
    let other = model.embed(&single::draw_pairs(&pairs, single::SIDE, &mut rng)?)?;
    report["another_real_picture"] = json!({"to_the_picture": mean(&other, &truth)?,
        "to_the_caption": mean(&other, &captions.embedding)?});
    Ok(report)
}
