use super::*;

/// Lines as the real files have them (names and captions of our own).
const FLICKR8K: &str = "image,caption\n\
    1_a.jpg,A child in a pink dress is climbing up stairs .\n\
    1_a.jpg,\"A dog runs , fast , across \"\"the\"\" grass .\"\n\
    2_b.jpg,Two men play .\n";
const FLICKR30K: &str = "image_name| comment_number| comment\n\
    1.jpg| 0| Two men , one in red , talk .\n\
    1.jpg| 1| A \"quoted\" word stands here .\n\
    2199200615.jpg| 4   A dog runs across the grass .\n\
    3.jpg| 0| A girl sits .\n";

fn read(bytes: impl AsRef<[u8]>, policy: BadRows) -> Result<Captions> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("captions.txt");
    std::fs::write(&path, bytes).unwrap();
    Captions::read(&path, CaptionLayout::Auto, policy)
}

/// The line, the rule and what stood there, of the row that was refused.
fn refused(bytes: impl AsRef<[u8]>) -> (usize, String, String) {
    match read(bytes, BadRows::Refuse).unwrap_err() {
        Error::Row { line, expected, got, .. } => (line, expected, got),
        other => panic!("not a row: {other}"),
    }
}

#[test]
fn flickr8k_with_quotes_and_commas() {
    let read = read(FLICKR8K, BadRows::Refuse).unwrap();
    assert_eq!(read.image_filenames, ["1_a.jpg", "1_a.jpg", "2_b.jpg"]);
    assert_eq!(read.captions[1], "A dog runs , fast , across \"the\" grass .");
    assert_eq!(read.captions[2], "Two men play .");
    assert!(read.skipped.is_empty() && read.repaired.is_empty());
}

#[test]
fn flickr30k_with_its_broken_row() {
    let read = read(FLICKR30K, BadRows::Refuse).unwrap();
    assert_eq!(read.image_filenames, ["1.jpg", "1.jpg", "2199200615.jpg", "3.jpg"]);
    assert_eq!(read.captions[0], "Two men , one in red , talk .");
    assert_eq!(read.captions[1], "A \"quoted\" word stands here .");
    assert_eq!(read.captions[2], "A dog runs across the grass .");
    assert_eq!(read.repaired.len(), 1);
    assert_eq!(read.repaired[0].line, 4);
}

#[test]
fn windows_ends_a_mark_and_blank_lines() {
    let text = format!("\u{feff}{}\r\n\r\n", FLICKR8K.replace('\n', "\r\n"));
    let windows = read(text, BadRows::Refuse).unwrap();
    assert_eq!(windows, read(FLICKR8K, BadRows::Refuse).unwrap());
}

#[test]
fn columns_are_found_by_name() {
    let text = "style,caption,\"image\"\nnoto,A dog .,d.jpg\n";
    let read = read(text, BadRows::Refuse).unwrap();
    assert_eq!((read.image_filenames[0].as_str(), read.captions[0].as_str()), ("d.jpg", "A dog ."));
}

#[test]
fn a_missing_column_is_named_and_never_skipped() {
    for policy in [BadRows::Refuse, BadRows::Skip] {
        let message = read("image,text\na.jpg,A dog .\n", policy).unwrap_err().to_string();
        assert!(message.contains("captions.txt:1:"), "{message}");
        assert!(message.contains("`caption`") && message.contains("image, text"), "{message}");
    }
    assert_eq!(refused("").0, 1);
    let (line, expected, _) = refused("image_name| number\n1.jpg| 0\n");
    assert!(line == 1 && expected.contains("`comment`"), "{expected}");
}

#[test]
fn a_bad_row_is_named_by_line() {
    let good = "image,caption\na.jpg,\"A dog ,\nand a cat .\"\n";
    let cases: [(&[u8], usize, &str); 7] = [
        (b"b.jpg,A dog , running\n", 4, "2 fields"),
        (b"b.jpg\n", 4, "2 fields"),
        (b"b.jpg,  \n", 4, "`caption`"),
        (b",A dog .\n", 4, "`image`"),
        (b"b.jpg,caf\xe9 .\n", 4, "UTF-8"),
        (b"b.jpg,A 6\" dog .\n", 4, "doubled"),
        (b"b.jpg,\"A dog .\nc.jpg,A cat .\n", 4, "closing quote"),
    ];
    for (bad, line, rule) in cases {
        let bytes = [good.as_bytes(), bad, b"z.jpg,A house .\n"].concat();
        let (at, expected, got) = refused(&bytes);
        assert!(at == line && expected.contains(rule), "{at}: {expected}, {got}");

        let skipping = read(&bytes, BadRows::Skip).unwrap();
        assert_eq!(skipping.skipped.len(), 1, "{rule}");
        assert_eq!(skipping.skipped[0].line, line);
        assert!(skipping.skipped[0].reason.contains(rule), "{}", skipping.skipped[0].reason);
        assert_eq!(skipping.captions[0], "A dog ,\nand a cat .");
        assert_eq!(skipping.captions.last().unwrap(), "A house .");
    }
}

#[test]
fn an_open_quote_swallows_no_other_row() {
    let bytes = "image,caption\na.jpg,\"A dog .\nb.jpg,A cat .\nc.jpg,\"One , two .\"\n";
    let read = read(bytes, BadRows::Skip).unwrap();
    assert_eq!(read.captions, ["A cat .", "One , two ."]);
    assert_eq!(read.skipped[0].line, 2);
}

#[test]
fn only_the_known_defect_is_repaired() {
    let head = "image_name| comment_number| comment\n";
    for bad in ["1.jpg| A dog  runs .", "1.jpg| 4 A dog .", "1.jpg| 0| A | dog .", "1.jpg"] {
        let (line, expected, got) = refused(format!("{head}0.jpg| 0| A cat .\n{bad}\n"));
        assert!(line == 3 && expected.contains("3 fields") && got.contains(bad), "{got}");
    }
}

#[test]
fn a_frame_for_display() {
    let frame = read(FLICKR8K, BadRows::Refuse).unwrap().to_frame().unwrap();
    assert_eq!(frame.shape(), (3, 2));
    let names: Vec<_> = frame.get_column_names().iter().map(|n| n.to_string()).collect();
    assert_eq!(names, ["image", "caption"]);
}

#[test]
fn folders_of_both_layouts_are_found() {
    let root = tempfile::tempdir().unwrap();
    let missing = DataFolder::find(root.path()).unwrap_err().to_string();
    assert!(missing.contains("captions.txt") && missing.contains("cargo vl data"), "{missing}");

    let flickr8k = root.path().join("8k");
    std::fs::create_dir_all(flickr8k.join("Images")).unwrap();
    std::fs::write(flickr8k.join("captions.txt"), FLICKR8K).unwrap();
    let found = DataFolder::find(&flickr8k).unwrap();
    assert_eq!((found.layout, found.splits.clone()), (CaptionLayout::Flickr8k, None));
    assert_eq!(found.captions(BadRows::Refuse).unwrap().len(), 3);

    // Kaggle's archive has one more folder around both.
    let flickr30k = root.path().join("30k");
    std::fs::create_dir_all(flickr30k.join("flickr30k_images/flickr30k_images")).unwrap();
    std::fs::write(flickr30k.join("flickr30k_images/results.csv"), FLICKR30K).unwrap();
    let found = DataFolder::find(&flickr30k).unwrap();
    assert_eq!(found.layout, CaptionLayout::Flickr30k);
    assert!(found.images.ends_with("flickr30k_images/flickr30k_images"));
    assert_eq!(found.captions(BadRows::Refuse).unwrap().len(), 4);
}
