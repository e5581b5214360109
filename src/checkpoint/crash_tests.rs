//! `best.pt` when the process is killed, or the disk is full, in the middle of saving it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use candle_core::{Device, Tensor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// A megabyte that says which version it is: every value the same.
fn version(n: u32) -> StateDict {
    let tensor = |len: usize| Tensor::full(n as f32, len, &Device::Cpu).unwrap();
    StateDict::from([("big".into(), tensor(1 << 18)), ("small".into(), tensor(3))])
}

#[track_caller]
fn whole_version(path: &Path) -> f32 {
    let state = load_pt(path).unwrap().state;
    assert_eq!(state.len(), 2);
    let big = state["big"].to_vec1::<f32>().unwrap();
    assert_eq!(big.len(), 1 << 18);
    assert!(big.iter().all(|&x| x == big[0]), "a mixture of versions");
    assert_eq!(state["small"].to_vec1::<f32>().unwrap(), [big[0]; 3]);
    big[0]
}

fn files(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = names.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// This test binary again, running only [`saves_in_a_loop`].
fn child(folder: &Path, times: u32) -> Vec<std::ffi::OsString> {
    let exe = std::env::current_exe().unwrap();
    let name = "checkpoint::crash_tests::saves_in_a_loop";
    let env = format!("VL_TEST_SAVE_TO={}", folder.join("best.pt").display());
    let times = format!("VL_TEST_SAVE_TIMES={times}");
    let args = ["env", &env, &times].map(Into::into).into_iter().chain([exe.into_os_string()]);
    args.chain(["--exact", name, "--ignored", "--nocapture"].map(Into::into)).collect()
}

#[test]
#[ignore = "the child process of the tests below"]
fn saves_in_a_loop() {
    let Some(path) = std::env::var_os("VL_TEST_SAVE_TO") else { return };
    let times: u32 = std::env::var("VL_TEST_SAVE_TIMES").unwrap().parse().unwrap();
    for n in 0..times {
        if let Err(error) = save_pt(Path::new(&path), &version(n), &[]) {
            println!("refused: {error}");
            return;
        }
    }
}

#[test]
fn killed_while_saving() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("best.pt");
    save_pt(&path, &version(7), &[]).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut interrupted = 0;
    for _ in 0..15 {
        let before = std::fs::metadata(&path).unwrap().modified().unwrap();
        let args = child(folder.path(), u32::MAX);
        let mut process =
            Command::new(&args[0]).args(&args[1..]).stdout(Stdio::null()).spawn().unwrap();
        while std::fs::metadata(&path).unwrap().modified().unwrap() == before {
            assert!(process.try_wait().unwrap().is_none(), "the child ended by itself");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(rng.random_range(0..20_000)));
        process.kill().unwrap();
        process.wait().unwrap();
        whole_version(&path);
        match files(folder.path()).as_slice() {
            [one] if one == "best.pt" => {}
            [one, two] if one == "best.pt" && two == "best.pt.tmp" => interrupted += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(interrupted >= 3, "hit the middle of saving only {interrupted} times of 15");
    save_pt(&path, &version(8), &[]).unwrap();
    assert_eq!(whole_version(&path), 8.);
    assert_eq!(files(folder.path()), ["best.pt"], "the next save takes the leftover over");
}

/// A process that may write no file above 200 blocks (100 to 200 KiB) meets what a full disk gives: a write that fails
/// in the middle.
#[test]
fn no_space_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("best.pt");
    save_pt(&path, &version(7), &[]).unwrap();
    let args = child(folder.path(), 1);
    let run = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 200; exec \"$@\"", "sh"])
        .args(&args)
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(out.contains(&format!("refused: {}: ", path.display())), "{out}{err}");
    assert!(out.to_lowercase().contains("too large"), "{out}");
    assert!(!err.contains("ZipWriter"), "{err}");
    assert_eq!(whole_version(&path), 7.);
    assert_eq!(files(folder.path()), ["best.pt"]);
}

#[test]
fn what_fails_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("best.pt");
    save_pt(&path, &version(7), &[]).unwrap();
    let failed = write_atomic(&path, |mut file| {
        use std::io::Write;
        file.write_all(b"half").map_err(Error::io(&path))?;
        Err(Error::Stopped { what: "saving".into() })
    });
    assert!(matches!(failed, Err(Error::Stopped { .. })));
    assert_eq!(whole_version(&path), 7.);
    assert_eq!(files(folder.path()), ["best.pt"]);

    let nowhere = folder.path().join("no/best.pt");
    let error = save_pt(&nowhere, &version(1), &[]).unwrap_err();
    assert!(error.to_string().starts_with(&nowhere.display().to_string()), "{error}");
    let onto_a_folder = folder.path().join("folder");
    std::fs::create_dir_all(onto_a_folder.join("full")).unwrap();
    assert!(matches!(save_pt(&onto_a_folder, &version(1), &[]), Err(Error::Io { .. })));
    assert_eq!(files(folder.path()), ["best.pt", "folder"]);
}

#[test]
fn writers_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("best.pt");
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = &path;
            scope.spawn(move || {
                (0..5).for_each(|n| save_pt(path, &version(10 * writer + n), &[]).unwrap())
            });
        }
        for _ in 0..20 {
            if path.exists() {
                whole_version(&path);
            }
        }
    });
    assert_eq!(whole_version(&path) as u32 % 10, 4, "the last of some writer");
    assert_eq!(files(folder.path()), ["best.pt"]);
}
