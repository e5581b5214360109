//! Sentences around a class's name.

use std::path::Path;

use crate::{Error, Result};

/// What stands for the class's name.
const PLACE: &str = "{label}";

/// The sentence of a class: every `{label}` is its name.
pub fn fill(template: &str, class_name: &str) -> String {
    template.split(PLACE).collect::<Vec<_>>().join(class_name)
}

/// The 80 templates of CLIP's ImageNet classifier, "itap" ("I took a picture") among them. `data/templates/README.md`
/// says where they are from.
pub fn imagenet_templates() -> Vec<String> {
    lines(include_str!("../../../data/templates/imagenet.txt"))
}

/// Eleven templates in the words of the scenes' captions.
pub fn scene_templates() -> Vec<String> {
    lines(include_str!("../../../data/templates/scenes.txt"))
}

/// Templates from a text file: one a line, empty lines and lines that begin with `#` left out. `{}` is read as `{label}`,
/// since published lists have either.
///
/// # Errors
/// When the file cannot be read, has none, or a line has no place for the name: which line.
pub fn read_templates(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
    for (at, line) in text.lines().enumerate().filter(|(_, line)| is_template(line)) {
        if !line.contains(PLACE) && !line.contains("{}") {
            return Err(Error::Row {
                path: path.into(),
                line: at + 1,
                expected: "a sentence with {label} in it, as `a photo of a {label}.`".into(),
                got: format!("{line:?}"),
            });
        }
    }
    let found = lines(&text);
    if found.is_empty() {
        return Err(Error::value(path.display().to_string(), "a template a line", "none"));
    }
    Ok(found)
}

fn is_template(line: &str) -> bool {
    !line.trim().is_empty() && !line.starts_with('#')
}

fn lines(text: &str) -> Vec<String> {
    text.lines().filter(|l| is_template(l)).map(|l| l.trim().replace("{}", PLACE)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_eighty_are_whole() {
        let all = imagenet_templates();
        assert_eq!(all.len(), 80);
        assert!(all.iter().all(|t| t.matches(PLACE).count() == 1 && !t.contains("{}")));
        assert_eq!(all[0], "a bad photo of a {label}.");
        assert_eq!(fill(&all[19], "dog"), "a photo of the cool dog.");
        assert_eq!(fill("a {label} like a {label}", "dog"), "a dog like a dog");
    }

    #[test]
    fn a_line_without_a_place_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("templates.txt");
        std::fs::write(&path, "# mine\na {} here\n\n a {label}\n").unwrap();
        assert_eq!(read_templates(&path).unwrap(), ["a {label} here", "a {label}"]);
        std::fs::write(&path, "a {label}\na photo\n").unwrap();
        assert!(read_templates(&path).unwrap_err().to_string().contains(":2: expected a sentence"));
        std::fs::write(&path, "\n").unwrap();
        assert!(read_templates(&path).is_err());
    }
}
