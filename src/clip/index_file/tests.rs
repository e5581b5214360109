//! Against a plain sort in f64; additions, damage, Parquet both ways.

use rand::{Rng, SeedableRng};

use super::*;

fn rows(n: usize, p: usize, seed: u64) -> Tensor {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let values: Vec<f32> = (0..n * p).map(|_| rng.random::<f32>() - 0.4).collect();
    Tensor::from_vec(values, (n, p), &Device::Cpu).unwrap()
}

fn names(n: usize, from: usize) -> Vec<String> {
    (from..from + n).map(|i| format!("bild_ä_{i}.jpg")).collect()
}

fn index(folder: &Path, n: usize, p: usize, precision: Precision) -> (IndexFile, Tensor) {
    let mut index = IndexFile::create(folder, p, precision, "a model").unwrap();
    let all = rows(n, p, 1);
    index.append(&names(n, 0), &all).unwrap();
    (index, all)
}

/// Cosines of a query with every row, in f64.
fn cosines(rows: &Tensor, query: &Tensor) -> Vec<f64> {
    let f64s = |t: &Tensor| -> Vec<Vec<f64>> {
        t.to_dtype(candle_core::DType::F64).unwrap().to_vec2().unwrap()
    };
    let query = f64s(query).remove(0);
    let length = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
    let dot = |v: &[f64]| v.iter().zip(&query).map(|(a, b)| a * b).sum::<f64>();
    f64s(rows).iter().map(|row| dot(row) / length(row) / length(&query)).collect()
}

#[test]
fn one_query_and_many_find_what_a_whole_sort_finds() {
    // f32: sums of p products. f16: eleven bits of each of p values of about 1/√p.
    for (precision, tolerance) in [(Precision::F32, 1e-6), (Precision::F16, 5e-4)] {
        // More rows than a thread takes at once; a length that is no multiple of a vector's; fewer rows than wanted.
        for (n, p, q) in [(9000, 37, 1), (9000, 37, 6), (50, 16, 3), (5, 64, 17)] {
            let folder = tempfile::tempdir().unwrap();
            let (index, all) = index(folder.path(), n, p, precision);
            let queries = (rows(q, p, 2) * 3.).unwrap();
            let found = index.nearest(&queries, 9).unwrap();
            assert_eq!(found.len(), q);
            for (i, found) in found.iter().enumerate() {
                let cosines = cosines(&all, &queries.narrow(0, i, 1).unwrap());
                let mut sorted = cosines.clone();
                sorted.sort_by(|a, b| b.total_cmp(a));
                assert_eq!(found.len(), 9.min(n));
                for ((row, similarity), wanted) in found.iter().zip(&sorted) {
                    assert!(
                        (f64::from(*similarity) - cosines[*row]).abs() < tolerance,
                        "{precision:?}"
                    );
                    assert!((cosines[*row] - wanted).abs() < 2. * tolerance, "{precision:?}");
                }
            }
            let named = index.search(&queries, 1).unwrap();
            assert_eq!(named[0][0].image_filename, format!("bild_ä_{}.jpg", found[0][0].0));
        }
    }
}

#[test]
fn additions_are_seen_by_who_opens_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut index, _) = index(folder.path(), 10, 8, Precision::F32);
    let before = IndexFile::open(folder.path()).unwrap();
    index.append(&names(5, 10), &rows(5, 8, 7)).unwrap();
    assert_eq!((before.len(), index.len()), (10, 15));
    assert_eq!(index.name(14), Some("bild_ä_14.jpg"));
    assert_eq!((index.name(15), index.rows(14, 2).is_err()), (None, true));
    // What the first one had open goes on as it was; another writer's rows are not overwritten.
    let mut late = before;
    late.append(&names(1, 15), &rows(1, 8, 8)).unwrap();
    assert_eq!((late.len(), late.name(12)), (16, Some("bild_ä_12.jpg")));
    // Another model's, another length's: refused.
    let other = |p, model| IndexFile::create(folder.path(), p, Precision::F32, model);
    assert_eq!(other(8, "a model").unwrap().len(), 16);
    assert!(other(9, "a model").unwrap_err().to_string().contains("rows of 8"));
    assert!(other(8, "another").unwrap_err().to_string().contains("another"));
}

#[test]
fn an_addition_that_was_cut_short_leaves_what_there_was() {
    let folder = tempfile::tempdir().unwrap();
    let (mut index, all) = index(folder.path(), 10, 8, Precision::F16);
    // Rows and names were written, index.json was not.
    for name in ["embeddings.bin", "names.txt"] {
        let path = folder.path().join(name);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend(b"half of an addition");
        std::fs::write(&path, bytes).unwrap();
    }
    assert_eq!(IndexFile::open(folder.path()).unwrap().len(), 10);
    index.append(&names(2, 10), &rows(2, 8, 3)).unwrap();
    let again = IndexFile::open(folder.path()).unwrap();
    assert_eq!((again.len(), again.name(10)), (12, Some("bild_ä_10.jpg")));
    let first = again.nearest(&all.narrow(0, 0, 1).unwrap(), 1).unwrap();
    assert_eq!(first[0][0].0, 0);
}

#[test]
fn what_does_not_fit_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = IndexFile::open(folder.path()).unwrap_err().to_string();
    assert!(missing.contains("cargo vl index"), "{missing}");
    let (mut index, _) = index(folder.path(), 3, 4, Precision::F32);
    assert!(index.append(&names(2, 0), &rows(3, 4, 0)).unwrap_err().to_string().contains("(2, 4)"));
    assert!(index.append(&["a\nb".into()], &rows(1, 4, 0)).is_err());
    let zeros = rows(1, 4, 0).zeros_like().unwrap();
    assert!(index.append(&names(1, 3), &zeros).unwrap_err().to_string().contains("direction"));
    assert!(index.search(&rows(1, 5, 0), 1).unwrap_err().to_string().contains("(queries, 4)"));
    assert_eq!(IndexFile::open(folder.path()).unwrap().len(), 3);
    let rows = folder.path().join("embeddings.bin");
    let bytes = std::fs::read(&rows).unwrap();
    std::fs::write(&rows, &bytes[..47]).unwrap();
    assert!(
        IndexFile::open(folder.path()).unwrap_err().to_string().contains("expected at least 48")
    );
}

#[test]
fn parquet_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    let (index, _) = index(&folder.path().join("a"), 300, 8, Precision::F32);
    let parquet = folder.path().join("index.parquet");
    index.export(&parquet).unwrap();
    let mut again = IndexFile::create(&folder.path().join("b"), 8, Precision::F32, "").unwrap();
    assert_eq!(again.add_parquet(&parquet).unwrap(), 300);
    assert_eq!(again.name(299), index.name(299));
    let difference = (again.rows(0, 300).unwrap() - index.rows(0, 300).unwrap()).unwrap();
    // They are made unit vectors once more: a few roundings of f32.
    let most = difference.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
    assert!(most < 5e-7, "{most}");
    let mut other = IndexFile::create(&folder.path().join("c"), 9, Precision::F32, "").unwrap();
    let error = other.add_parquet(&parquet).unwrap_err().to_string();
    assert!(error.contains("9 numbers a row") && error.contains("8 in row 0"), "{error}");
}

#[test]
fn a_mixed_query_lies_between() {
    let (a, b) = (rows(1, 16, 1), (rows(1, 16, 2) * 5.).unwrap());
    let mixed = mixed_query(&[(&a, 1.), (&b, 1.)]).unwrap();
    let (to_a, to_b) = (cosines(&a, &mixed)[0], cosines(&b, &mixed)[0]);
    assert!((to_a - to_b).abs() < 1e-6 && to_a > cosines(&a, &b)[0]);
    assert!(mixed_query(&[]).is_err());
    assert!(mixed_query(&[(&a, 1.), (&rows(1, 8, 1), 1.)]).is_err());
}
