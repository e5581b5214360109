//! The outline of a crate: its sources without the bodies of its functions, and the standard library's without its words and
//! without what its attributes say to the compiler alone.
//!
//! rust-analyzer reads a crate to say what type a variable has. For that it needs every signature and no body, and it reads
//! all of `core`, four times as large with all that, before a kernel's first cell has run. So a kernel's
//! folder holds outlines, and rust-analyzer is pointed there. What a function that returns `impl Trait` hides is not in an
//! outline; no variable can be declared with it either.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// Attributes of the standard library that say nothing about types.
const SILENT: &[&str] = &[
    "allow",
    "cold",
    "diagnostic",
    "expect",
    "inline",
    "miri",
    "must_use",
    "no_mangle",
    "optimize",
    "rustc_allow_const_fn_unstable",
    "rustc_allowed_through_unstable_modules",
    "rustc_as_ptr",
    "rustc_confusables",
    "rustc_const_stable",
    "rustc_const_stable_indirect",
    "rustc_const_unstable",
    "rustc_diagnostic_item",
    "rustc_inherit_overflow_checks",
    "rustc_insignificant_dtor",
    "rustc_intrinsic_const_stable_indirect",
    "rustc_never_returns_null_ptr",
    "rustc_no_implicit_autorefs",
    "rustc_nounwind",
    "rustc_on_unimplemented",
    "rustc_promotable",
    "stable",
    "track_caller",
    "unstable",
    "warn",
];

/// What an item begins with.
const ITEM: &[&str] = &[
    "async",
    "const",
    "enum",
    "extern",
    "fn",
    "impl",
    "macro_rules",
    "mod",
    "pub",
    "static",
    "struct",
    "trait",
    "type",
    "unsafe",
    "use",
];

/// Whether documentation stays, and attributes for the compiler with it: for what a student asks about, a library; not for
/// `std`, half of which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// Stays.
    Kept,
    /// Goes.
    Dropped,
}

/// Makes `to` the outline of the folder `from`: every `.rs` file under it cut, `Cargo.toml` as it is, nothing else. What is
/// right already stays as it is, and a file changes whole or not at all: a kernel may be starting from it.
///
/// # Errors
/// A file that cannot be read or written, with its path.
pub fn write(from: &Path, to: &Path, words: Words) -> Result<()> {
    let mut wanted = BTreeSet::new();
    write_folder(from, to, words, &mut wanted)?;
    remove_others(to, &wanted)
}

fn write_folder(
    from: &Path,
    to: &Path,
    words: Words,
    wanted: &mut BTreeSet<PathBuf>,
) -> Result<()> {
    let at = |path: &Path| path.display().to_string();
    if to.is_symlink() {
        // Through it the sources themselves would be written.
        fs::remove_file(to).with_context(|| at(to))?;
    }
    fs::create_dir_all(to).with_context(|| at(to))?;
    wanted.insert(to.to_path_buf());
    for entry in fs::read_dir(from).with_context(|| at(from))? {
        let entry = entry.with_context(|| at(from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            let name = entry.file_name();
            if name != "tests" && name != "benches" {
                write_folder(&source, &target, words, wanted)?;
            }
            continue;
        }
        let text = match source.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => {
                let text = fs::read_to_string(&source).with_context(|| at(&source))?;
                // What is not Rust as this compiler's parser knows it stays as it is.
                outline(&text, words).unwrap_or(text)
            }
            Some("toml") => fs::read_to_string(&source).with_context(|| at(&source))?,
            _ => continue,
        };
        if fs::read_to_string(&target).ok().as_deref() != Some(&*text) {
            let new = target.with_extension(format!("new-{}", std::process::id()));
            fs::write(&new, &text)
                .and_then(|()| fs::rename(&new, &target))
                .with_context(|| at(&target))?;
        }
        wanted.insert(target);
    }
    Ok(())
}

/// Removes what is under `folder` and not wanted; links and their targets apart.
fn remove_others(folder: &Path, wanted: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let is_folder = path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        let removed = match (wanted.contains(&path), is_folder) {
            (true, true) => {
                remove_others(&path, wanted)?;
                Ok(())
            }
            (true, false) => Ok(()),
            (false, true) => fs::remove_dir_all(&path),
            (false, false) => fs::remove_file(&path),
        };
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| path.display().to_string());
            }
            _ => {}
        }
    }
    Ok(())
}

/// The outline of a source file, or nothing where it cannot be read as tokens.
pub fn outline(text: &str, words: Words) -> Option<String> {
    let tokens: TokenStream = text.parse().ok()?;
    Some(Cut { words, repeated: false, inside: Inside::Items }.cut(tokens).to_string())
}

#[derive(Clone, Copy)]
struct Cut {
    words: Words,
    /// Inside `$(…)*` of a macro: what is in a body there may be what the repetition counts by.
    repeated: bool,
    inside: Inside,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Items,
    /// What a macro's rules match, and what they make of it.
    Rules,
    /// The arguments of a macro, which may be anything.
    Call,
}

impl Cut {
    /// Whether the attribute, the first `length` tokens, is left out. Inside of macros only in front of an item: rules tell
    /// their cases apart by attributes, too.
    fn drops(self, tokens: &[TokenTree], length: usize) -> bool {
        let TokenTree::Group(group) = &tokens[length - 1] else { return false };
        let mut inner = group.stream().into_iter();
        let Some(TokenTree::Ident(name)) = inner.next() else { return false };
        if self.words == Words::Kept {
            return false;
        }
        if name == "doc" {
            // `#[doc(hidden)]` is no documentation.
            return is(inner.next().as_ref(), '=');
        }
        let mut next = length;
        while let Some(more) = attribute(&tokens[next..]) {
            next += more;
        }
        let is_item = || matches!(tokens.get(next), Some(TokenTree::Ident(word)) if ITEM.contains(&&*word.to_string()));
        SILENT.contains(&&*name.to_string())
            && match self.inside {
                Inside::Items => true,
                Inside::Rules => is_item(),
                Inside::Call => false,
            }
    }

    fn cut(self, tokens: TokenStream) -> TokenStream {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut kept = Vec::with_capacity(tokens.len());
        // Between a function's name and its body.
        let mut signature = false;
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let next = tokens.get(at + 1);
            if let Some(length) = attribute(&tokens[at..]) {
                if !self.drops(&tokens[at..], length) {
                    kept.extend(tokens[at..at + length].iter().cloned());
                }
                at += length;
                continue;
            }
            match token {
                TokenTree::Ident(name) if name == "fn" => {
                    signature = matches!(next, Some(TokenTree::Ident(_))) || is(next, '$');
                }
                TokenTree::Punct(punct) if punct.as_char() == ';' => signature = false,
                TokenTree::Group(group) => {
                    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
                    // A block behind `<` is a constant: `[(); { N }]`'s kin.
                    let is_body =
                        signature && group.delimiter() == Delimiter::Brace && !is(before, '<');
                    signature &= !is_body;
                    let inner = if is_body && self.inside != Inside::Call {
                        if self.repeated { group.stream() } else { TokenStream::new() }
                    } else {
                        let repeated =
                            is(before, '$') && group.delimiter() == Delimiter::Parenthesis;
                        let inside = match () {
                            () if is(before, '!') => Inside::Call,
                            () if is_rules(&tokens[..at]) => Inside::Rules,
                            () => self.inside,
                        };
                        Cut { repeated: self.repeated || repeated, inside, ..self }
                            .cut(group.stream())
                    };
                    kept.push(TokenTree::Group(Group::new(group.delimiter(), inner)));
                    at += 1;
                    continue;
                }
                _ => {}
            }
            kept.push(token.clone());
            at += 1;
        }
        kept.into_iter().collect()
    }
}

/// How many tokens the attribute has that begins here.
fn attribute(tokens: &[TokenTree]) -> Option<usize> {
    let at = 1 + usize::from(is(tokens.get(1), '!'));
    let is_group = matches!(tokens.get(at), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket);
    (is(tokens.first(), '#') && is_group).then_some(at + 1)
}

/// Whether these tokens end in `macro_rules! name`.
fn is_rules(tokens: &[TokenTree]) -> bool {
    let [.., TokenTree::Ident(word), bang, TokenTree::Ident(_)] = tokens else { return false };
    word == "macro_rules" && is(Some(bang), '!')
}

fn is(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropped(text: &str) -> String {
        outline(text, Words::Dropped).unwrap()
    }

    fn same(outlined: &str, expected: &str) {
        assert_eq!(outlined, expected.parse::<TokenStream>().unwrap().to_string());
    }

    #[test]
    fn bodies_and_words_go_and_signatures_stay() {
        let text = "//! A crate.\n/// Adds.\n#[inline]\npub const fn add<'a, const N: usize>(x: &'a [u8; N]) -> [u8; { N }]\n\
                    where u8: Copy { let y = || { 1 }; fn inner() {} *x }\n\
                    trait T { fn a(&self); fn b(&self) -> u8 { 1 } const C: u8 = { 2 }; }\n\
                    impl T for fn(u8) -> u8 { fn a(&self) { loop {} } }\n#[doc(hidden)] pub static S: u8 = { 3 };";
        same(
            &dropped(text),
            "pub const fn add<'a, const N: usize>(x: &'a [u8; N]) -> [u8; { N }] where u8: Copy {}\n\
             trait T { fn a(&self); fn b(&self) -> u8 {} const C: u8 = { 2 }; }\n\
             impl T for fn(u8) -> u8 { fn a(&self) {} }\n#[doc(hidden)] pub static S: u8 = { 3 };",
        );
        let kept = outline("/// Adds.\nfn add() { 1 }", Words::Kept).unwrap();
        same(&kept, "/// Adds.\nfn add() {}");
    }

    #[test]
    fn macros_keep_what_they_match_by() {
        let text = "macro_rules! m { (#[inline] $($x:ident)*) => { $(fn $x() { $x })* #[inline] #[cfg(a)] fn y() { 1 } m!(#[inline] a) } }\n\
                    m! { #[inline] fn a() { 2 } }\n#[inline] #[must_use = \"b\"] fn z() { m!(1) }";
        same(
            &dropped(text),
            "macro_rules! m { (#[inline] $($x:ident)*) => { $(fn $x() { $x })* #[cfg(a)] fn y() {} m!(#[inline] a) } }\n\
             m! { #[inline] fn a() { 2 } }\nfn z() {}",
        );
    }

    #[test]
    fn a_link_is_replaced_and_not_followed() {
        let place = tempfile::tempdir().unwrap();
        let (from, to) = (place.path().join("from"), place.path().join("to"));
        fs::create_dir(&from).unwrap();
        fs::write(from.join("lib.rs"), "fn a() { 1 }").unwrap();
        std::os::unix::fs::symlink(&from, &to).unwrap();
        write(&from, &to, Words::Kept).unwrap();
        assert_eq!(fs::read_to_string(from.join("lib.rs")).unwrap(), "fn a() { 1 }");
        assert_eq!(fs::read_to_string(to.join("lib.rs")).unwrap(), "fn a () { }");
    }

    #[test]
    fn a_folder_is_followed_and_what_is_right_is_not_written_again() {
        let place = tempfile::tempdir().unwrap();
        let (from, to) = (place.path().join("from"), place.path().join("to"));
        fs::create_dir_all(from.join("src/tests")).unwrap();
        fs::write(from.join("src/lib.rs"), "fn a() { 1 }").unwrap();
        fs::write(from.join("src/odd.rs"), "fn a( {").unwrap();
        fs::write(from.join("src/table.bin"), [255]).unwrap();
        fs::write(from.join("src/tests/mod.rs"), "").unwrap();
        fs::write(from.join("Cargo.toml"), "[package]").unwrap();
        write(&from, &to, Words::Dropped).unwrap();
        let read = |name: &str| fs::read_to_string(to.join(name)).ok();
        assert_eq!(read("src/lib.rs").as_deref(), Some("fn a () { }"));
        assert_eq!(read("src/odd.rs").as_deref(), Some("fn a( {"));
        assert_eq!(read("Cargo.toml").as_deref(), Some("[package]"));
        assert!(!to.join("src/table.bin").exists() && !to.join("src/tests").exists());

        let time = |name: &str| fs::metadata(to.join(name)).unwrap().modified().unwrap();
        let before = time("src/lib.rs");
        fs::remove_file(from.join("src/odd.rs")).unwrap();
        fs::write(to.join("src/stray.rs"), "").unwrap();
        write(&from, &to, Words::Dropped).unwrap();
        assert_eq!(time("src/lib.rs"), before);
        assert!(read("src/odd.rs").is_none() && read("src/stray.rs").is_none());
    }
}
