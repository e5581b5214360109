//! What a scene shows, drawn at random: background, kinds, counts, relation. Where it stands is [`super::layout`]'s.

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::layout::{self, Zones};
use super::{Background, Kind, Relation, Scene, Split, Style, held_out, objects};

/// How often a meadow has a dog, besides the times that chance brings one: dogs on grass are what Flickr8k has most of,
/// and "a dog on the grass" is what the lecture looks for.
const DOG_ON_GRASS: f64 = 0.2;
/// The most objects that one scene shows, by its number of kinds.
const MOST: [usize; 4] = [0, 4, 6, 5];

impl Scene {
    /// A scene of the split. The same state of `rng` gives the same scene.
    pub fn sample(rng: &mut ChaCha8Rng, split: Split) -> Self {
        let style = match split {
            Split::UnseenStyle => Style::Fluent,
            _ => *Style::SEEN.choose(rng).expect("three styles"),
        };
        loop {
            let background = background(rng);
            let kinds = kinds(rng, background, split);
            if !kinds.is_empty() {
                return compose(rng, style, background, kinds);
            }
        }
    }
}

/// Places with few objects come less often, so that all objects come about equally often.
fn background(rng: &mut ChaCha8Rng) -> Background {
    let weight = |b: &Background| match b {
        Background::Sky | Background::Underwater => 0.6,
        Background::Sea => 0.5,
        _ => 1.0,
    };
    *Background::ALL.choose_weighted(rng, weight).expect("positive weights")
}

/// One to three kinds: the first at home, the others too, or one of them flying over. Empty when there is no such pair.
fn kinds(rng: &mut ChaCha8Rng, background: Background, split: Split) -> Vec<Kind> {
    let wanted = |i: &usize| held_out(*i, background) == (split == Split::UnseenPairs);
    let choose = |may: &dyn Fn(usize) -> bool| -> Vec<usize> {
        (0..objects().len()).filter(|i| may(*i)).filter(wanted).collect()
    };
    // At night there are scenes on the ground and, one in five, in the sky.
    let aloft = background == Background::Night && rng.random_bool(0.2);
    let home = choose(&|i| {
        objects()[i].at_home(background)
            && (background != Background::Night || objects()[i].flies_only() == aloft)
    });
    let over = if aloft { Vec::new() } else { choose(&|i| objects()[i].flies_over(background)) };
    let k = [1, 2, 3][[0.4, 0.8, 1.0].iter().position(|p| rng.random::<f64>() < *p).unwrap_or(2)];
    let mut picked: Vec<usize> = home.choose_multiple(rng, k).copied().collect();
    if picked.is_empty() {
        return Vec::new();
    }
    let dog = objects().iter().position(|o| o.name == "dog").expect("the index has a dog");
    if background == Background::Grass && wanted(&dog) && rng.random_bool(DOG_ON_GRASS) {
        picked.retain(|i| *i != dog);
        picked.insert(0, dog);
        picked.truncate(k);
    }
    if picked.len() >= 2 && !over.is_empty() && rng.random_bool(0.25) {
        let last = picked.len() - 1;
        picked[last] = *over.choose(rng).expect("not empty");
    }
    let mut left = MOST[picked.len()];
    let count = picked.len();
    let mut kinds = Vec::new();
    for (i, object) in picked.into_iter().enumerate() {
        let most = (left - (count - 1 - i)).min(4);
        let count = [1, 2, 3, 4].choose_weighted(rng, |n| [0.0, 0.45, 0.25, 0.18, 0.12][*n]);
        let count = (*count.expect("positive weights")).min(most);
        left -= count;
        kinds.push(Kind { object, count });
    }
    kinds
}

fn compose(rng: &mut ChaCha8Rng, style: Style, background: Background, kinds: Vec<Kind>) -> Scene {
    let horizon = rng.random_range(match background {
        Background::Grass | Background::Snow => 84.0..120.0,
        Background::Sand => 84.0..112.0,
        Background::Sea => 74.0..100.0,
        Background::Night => 112.0..140.0,
        Background::Street => 104.0..126.0,
        Background::Room => 132.0..156.0,
        Background::Table => 96.0..122.0,
        Background::Sky => 216.0..236.0,
        Background::Underwater => 196.0..214.0_f32,
    });
    let flies = |k: &Kind| objects()[k.object].flies_only();
    let free = matches!(background, Background::Sky | Background::Underwater)
        || (background == Background::Night && flies(&kinds[0]));
    let relation = (kinds.len() == 2).then(|| {
        if !free && flies(&kinds[1]) {
            Relation::Below
        } else if free && rng.random_bool(0.5) {
            *[Relation::Above, Relation::Below].choose(rng).expect("two")
        } else {
            *[Relation::LeftOf, Relation::RightOf].choose(rng).expect("two")
        }
    });
    let mut order: Vec<usize> = (0..kinds.len()).collect();
    match relation {
        Some(Relation::LeftOf | Relation::Above) => {}
        Some(Relation::RightOf | Relation::Below) => order.reverse(),
        None => order.shuffle(rng),
    }
    let zones = if free {
        Zones::free(relation, &order)
    } else {
        Zones::ground(order.iter().copied().partition(|i| flies(&kinds[*i])))
    };
    let placed = layout::place(rng, style, background, horizon, &kinds, &zones);
    Scene {
        style,
        background,
        kinds,
        relation,
        objects: placed,
        horizon,
        light: rng.random_range(0.92..1.06),
        paint: rng.random(),
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn the_lectures_query_finds_its_pictures() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let scenes: Vec<_> = (0..4000).map(|_| Scene::sample(&mut rng, Split::Valid)).collect();
        let dogs = |s: &&Scene| s.kinds.iter().any(|k| objects()[k.object].name == "dog");
        let grass = scenes.iter().filter(|s| s.background == Background::Grass);
        let (all, with) = (grass.clone().count(), grass.filter(dogs).count());
        // 460 meadows expected; a fifth and a little more of them have a dog (deviation 0.019).
        let share = with as f64 / all as f64;
        assert!((0.14..0.30).contains(&share), "{with} of {all}");
        // Nobody sees one kind twice in a scene.
        for scene in &scenes {
            let mut seen: Vec<_> = scene.kinds.iter().map(|k| k.object).collect();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), scene.kinds.len());
        }
    }
}
