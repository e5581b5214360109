use vision_language::candle_core;
use vision_language::prelude::*;
use vision_language::dataset::scenes::{Scene, Split};
use vision_language::encoder::{ResNet, DistilBert};
use vision_language::config::Stem;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
fn cpu() -> f64 { let s = std::fs::read_to_string("/proc/self/stat").unwrap(); let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect(); (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100. }
fn time(name: &str, n: usize, mut f: impl FnMut()) { f(); let s = cpu(); let w = std::time::Instant::now(); for _ in 0..n { f() } println!("{name:40} cpu {:.4} wall {:.4}", (cpu() - s) / n as f64, w.elapsed().as_secs_f64() / n as f64); }
fn main() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    time("sample 64", 5, || { for _ in 0..64 { Scene::sample(&mut rng, Split::Train); } });
    let scenes: Vec<Scene> = (0..64).map(|_| Scene::sample(&mut rng, Split::Train)).collect();
    time("render 64 at 64", 5, || { for s in &scenes { s.render(64, 64); } });
    let d = Device::Cpu;
    for (stem, w) in [(Stem::Small, 32), (Stem::Large, 32)] {
        let p = Params::new(&d, 0);
        let c = ResNetConfig { stem, embedding_size: w, hidden_sizes: vec![w, 2 * w, 4 * w, 8 * w], ..ResNetConfig::tiny() };
        let e = ResNet::new(&c, &p).unwrap();
        let x = Tensor::randn(0f32, 1., (64, 3, 64, 64), &d).unwrap();
        time(&format!("{stem:?} forward"), 5, || { e.forward(&x, Mode::Train).unwrap(); });
        time(&format!("{stem:?} fwd+bwd"), 5, || { e.forward(&x, Mode::Train).unwrap().sum_all().unwrap().backward().unwrap(); });
        for (name, i, o, s, k, st) in [("stem3", 3, 32, 64, 3, 2), ("32->32 32²", 32, 32, 32, 3, 1), ("64->64 16²", 64, 64, 16, 3, 1), ("128 8²", 128, 128, 8, 3, 1), ("256 4²", 256, 256, 4, 3, 1), ("stem7", 3, 32, 64, 7, 2)] {
            let v = candle_core::Var::from_tensor(&Tensor::randn(0f32, 1., (o, i, k, k), &d).unwrap()).unwrap();
            let x = candle_core::Var::from_tensor(&Tensor::randn(0f32, 1., (64, i, s, s), &d).unwrap()).unwrap();
            time(&format!("  conv {name} fwd"), 5, || { vision_language::nn::ops::conv2d(&x, &v, st, k / 2).unwrap(); });
            time(&format!("  conv {name} fwd+bwd"), 5, || { vision_language::nn::ops::conv2d(&x, &v, st, k / 2).unwrap().sum_all().unwrap().backward().unwrap(); });
        }
    }
    let p = Params::new(&d, 0);
    let e = DistilBert::new(&DistilBertConfig { vocab_size: 600, ..DistilBertConfig::tiny() }, &p).unwrap();
    let ids = Tensor::zeros((64, 24), DType::U32, &d).unwrap();
    let m = ids.ones_like().unwrap();
    time("text fwd", 5, || { e.forward(&ids, &m, Mode::Train).unwrap(); });
    time("text fwd+bwd", 5, || { e.forward(&ids, &m, Mode::Train).unwrap().sum_all().unwrap().backward().unwrap(); });
}
