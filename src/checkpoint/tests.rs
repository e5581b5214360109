//! Both ways against real PyTorch: fixtures that it wrote (`tests/golden/checkpoint.py`), bytes of ours that it has
//! read, and, where `VL_TORCH_PYTHON` names a Python with torch, PyTorch itself.

use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};

use super::*;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/checkpoint").join(name)
}

/// Equal in names, types, shapes and every bit.
#[track_caller]
fn assert_same(got: &StateDict, expected: &StateDict) {
    assert_eq!(got.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (key, value) in expected {
        assert_eq!(got[key].dtype(), value.dtype(), "{key}");
        assert_eq!(got[key].dims(), value.dims(), "{key}");
        assert_eq!(write::bytes(&got[key]).unwrap(), write::bytes(value).unwrap(), "{key}");
    }
}

/// The message of the error that reading `path` gives.
#[track_caller]
fn refused(path: &Path) -> String {
    match load_pt(path) {
        Err(error @ Error::Checkpoint { .. }) => error.to_string(),
        other => panic!("expected Error::Checkpoint, got {other:?}"),
    }
}

fn with_bytes(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("damaged.pt");
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn reads_what_pytorch_wrote() {
    for (file, values) in [
        ("lecture.pt", "lecture"),
        ("nested.pt", "lecture"),
        ("legacy.pt", "lecture"),
        ("types.pt", "types"),
        ("views.pt", "views"),
        ("legacy_views.pt", "views"),
    ] {
        let expected = load_safetensors(&golden(&format!("{values}.safetensors"))).unwrap();
        let read = load_pt(&golden(file)).unwrap();
        assert_same(&read.state, &expected);
        assert!(read.records.is_empty(), "{file}: {:?}", read.records.keys());
    }
}

#[test]
fn reads_parameters_and_drops_counters() {
    let mut expected = load_safetensors(&golden("lecture.safetensors")).unwrap();
    assert_eq!(expected["logit_scale"].dims(), [0usize; 0]);
    let counter = "image_encoder.model.1.num_batches_tracked";
    assert!(expected.contains_key(counter));
    drop_untracked(&mut expected);
    assert!(!expected.contains_key(counter));
    let parameters = load_pt(&golden("parameters.pt")).unwrap().state;
    expected.retain(|key, _| !key.contains("running_"));
    assert_same(&parameters, &expected);
}

fn every_type() -> StateDict {
    let t = Tensor::new(&[[1f32, -2.5, 3.], [0., 1e-3, 6e4]], &Device::Cpu).unwrap();
    let mut state = StateDict::new();
    for dtype in [
        DType::F32,
        DType::F64,
        DType::F16,
        DType::BF16,
        DType::U8,
        DType::I64,
        DType::I32,
        DType::I16,
    ] {
        state.insert(
            format!("of.{}", dtype.as_str()),
            t.abs().unwrap().clamp(0f32, 200f32).unwrap().to_dtype(dtype).unwrap(),
        );
    }
    state.insert("transposed".into(), t.t().unwrap());
    state.insert("row".into(), t.get(1).unwrap());
    state.insert("scalar".into(), Tensor::new(0.5f32, &Device::Cpu).unwrap());
    state.insert("empty".into(), Tensor::zeros((0, 3), DType::F32, &Device::Cpu).unwrap());
    state
}

#[test]
fn round_trip() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("best.pt");
    let config = br#"{"projection_dim": 256}"#;
    let state = every_type();
    save_pt(&path, &state, &[("vision_language.json", config), ("optimizer/m", b"")]).unwrap();
    let read = load_pt(&path).unwrap();
    assert_same(&read.state, &state);
    assert_eq!(read.records["vision_language.json"], config);
    assert_eq!(read.records["optimizer/m"], b"");
    assert_eq!(read.records.len(), 2);
    let first = std::fs::read(&path).unwrap();
    save_pt(&path, &state, &[("vision_language.json", config), ("optimizer/m", b"")]).unwrap();
    assert_eq!(first, std::fs::read(&path).unwrap(), "the same values give the same bytes");

    let path = folder.path().join("model.safetensors");
    save_safetensors(&path, &state).unwrap();
    assert_same(&load_safetensors(&path).unwrap(), &state);
    // And candle's reader of the format agrees.
    let candles = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    assert_same(&candles.into_iter().collect(), &state);
}

#[test]
fn u32_becomes_i64() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ids.pt");
    let ids = Tensor::new(&[1u32, u32::MAX], &Device::Cpu).unwrap();
    save_pt(&path, &StateDict::from([("ids".into(), ids)]), &[]).unwrap();
    let read = load_pt(&path).unwrap().state;
    assert_eq!(read["ids"].to_vec1::<i64>().unwrap(), [1, i64::from(u32::MAX)]);
}

#[test]
fn storages_are_aligned_and_stored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("best.pt");
    save_pt(&path, &every_type(), &[]).unwrap();
    let mut zip = zip::ZipArchive::new(std::fs::File::open(&path).unwrap()).unwrap();
    assert!(zip.len() > 4);
    for i in 0..zip.len() {
        let entry = zip.by_index(i).unwrap();
        assert!(entry.name().unwrap().starts_with("archive/"));
        assert_eq!(entry.compression(), zip::CompressionMethod::Stored);
        assert_eq!(entry.data_start().unwrap() % 64, 0);
    }
}

/// `ours.pt` was written by [`save_pt`] and read by PyTorch (`checkpoint.py --verify ours.pt lecture.pt`). When a
/// change of ours changes these bytes: write it anew with `VL_WRITE_GOLDEN=1`, and let PyTorch read it again.
#[test]
fn writes_what_pytorch_has_read() {
    let state = load_safetensors(&golden("lecture.safetensors")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ours.pt");
    save_pt(&path, &state, &[("vision_language.json", b"{}")]).unwrap();
    if std::env::var_os("VL_WRITE_GOLDEN").is_some() {
        std::fs::copy(&path, golden("ours.pt")).unwrap();
    }
    assert!(std::fs::read(&path).unwrap() == std::fs::read(golden("ours.pt")).unwrap());
}

#[test]
fn pytorch_reads_ours() {
    let Some(python) = std::env::var_os("VL_TORCH_PYTHON") else {
        eprintln!("skipped: VL_TORCH_PYTHON names no Python with torch");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for name in ["lecture", "types", "views"] {
        let ours = folder.path().join(format!("{name}.pt"));
        let theirs = golden(&format!("{name}.pt"));
        save_pt(&ours, &load_pt(&theirs).unwrap().state, &[("vision_language.json", b"{}")])
            .unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/checkpoint.py");
        let run = std::process::Command::new(&python)
            .args([&script, Path::new("--verify"), &ours, &theirs])
            .output()
            .unwrap();
        assert!(run.status.success(), "{name}: {}", String::from_utf8_lossy(&run.stderr));
    }
}

#[test]
fn a_pickle_of_strangers_is_refused_by_name() {
    // Python pickles `os.system` as `posix.system`, where it lives.
    for (file, named) in [
        ("foreign.pt", "`argparse.Namespace`"),
        ("stranger.pt", "`posix.system`"),
        ("module.pt", "`__main__.ProjectionHead`"),
        ("script.pt", "TorchScript"),
    ] {
        let message = refused(&golden(file));
        assert!(message.contains(named), "{file}: {message}");
        assert!(message.contains(file) && message.contains("state_dict()"), "{file}: {message}");
    }
}

#[test]
fn a_file_that_is_cut_off_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["types.pt", "legacy.pt", "legacy_views.pt"] {
        let whole = std::fs::read(golden(file)).unwrap();
        for len in (0..whole.len()).step_by(7) {
            let message = refused(&with_bytes(folder.path(), &whole[..len]));
            assert!(message.contains("damaged.pt"), "{message}");
        }
    }
    let whole = std::fs::read(golden("types.pt")).unwrap();
    let message = refused(&with_bytes(folder.path(), &whole[..whole.len() / 2]));
    assert!(message.contains("cut off"), "{message}");
    assert!(refused(&with_bytes(folder.path(), b"")).contains("empty"));
    let whole = std::fs::read(golden("types.safetensors")).unwrap();
    for len in 0..whole.len() {
        let path = folder.path().join("cut.safetensors");
        std::fs::write(&path, &whole[..len]).unwrap();
        let error = load_safetensors(&path).unwrap_err();
        assert!(matches!(error, Error::Checkpoint { .. }), "{error}");
    }
}

/// One wrong byte anywhere: an error or other values, never a panic; in a tensor of the zip form, always an error.
#[test]
fn a_wrong_byte_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["views.pt", "legacy_views.pt"] {
        let whole = std::fs::read(golden(file)).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= [0x01u8, 0x80, 0xff][at % 3];
            let _ = load_pt(&with_bytes(folder.path(), &bytes));
        }
    }
    let path = folder.path().join("best.pt");
    let values = Tensor::full(1.25f32, 64, &Device::Cpu).unwrap();
    save_pt(&path, &StateDict::from([("x".into(), values)]), &[]).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let inside = bytes.windows(8).position(|w| w == [0, 0, 0xa0, 0x3f, 0, 0, 0xa0, 0x3f]).unwrap();
    bytes[inside + 6] ^= 0x10;
    let message = refused(&with_bytes(folder.path(), &bytes));
    assert!(message.contains("data/0"), "{message}");
}

#[test]
fn other_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let message = refused(&with_bytes(folder.path(), b"<html>not found</html>"));
    assert!(message.contains("not a file that torch.save wrote"), "{message}");
    let path = folder.path().join("other.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    zip.start_file("captions.txt", zip::write::SimpleFileOptions::default()).unwrap();
    zip.finish().unwrap();
    assert!(refused(&path).contains("data.pkl"));
    let missing = load_pt(&folder.path().join("no.pt")).unwrap_err();
    assert!(matches!(missing, Error::Io { .. }) && missing.to_string().contains("no.pt"));
    let state = StateDict::new();
    for name in ["version", "data/0", "", "data.pkl", "/x"] {
        let error = save_pt(&folder.path().join("x.pt"), &state, &[(name, b"")]).unwrap_err();
        assert!(matches!(error, Error::Value { .. }), "{error}");
    }
}
