//! Which part knows which: the emitters and the model know neither the parser nor case conversion, nor each other.

use std::path::Path;

/// Every source file below `folder` with its text.
fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            sources(&path, found);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            found.push((path.display().to_string(), text));
        }
    }
}

/// Lines of code below `folder` that name one of `words`.
fn naming(folder: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder), &mut found);
    assert!(!found.is_empty(), "`{folder}` has no sources");
    let lines = found.iter().flat_map(|(path, text)| text.lines().map(move |line| format!("{path}: {}", line.trim())));
    lines
        .filter(|line| !line.contains(": //"))
        .filter(|line| {
            let mut paths = line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
            paths.any(|path| words.iter().any(|word| path.starts_with(&format!("{word}::"))))
        })
        .collect()
}

#[test]
fn the_model_and_the_emitters_know_neither_the_parser_nor_case_conversion() {
    for folder in ["model", "guest", "emit"] {
        assert_eq!(naming(folder, &["wit_parser", "heck", "names"]), Vec::<String>::new());
    }
}

#[test]
fn only_the_names_module_converts_case() {
    assert_eq!(naming("resolve", &["heck"]), Vec::<String>::new());
}
