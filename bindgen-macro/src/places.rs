//! Where files are, and how messages and bindings name them: never by a path of this machine if it can be helped.

use crate::text::Text;
use std::path::{Component, Path, PathBuf};
use wasp_bindgen_core::{Diagnostic, Place};

/// What paths are relative to.
pub(crate) struct Places {
    /// The folder of `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Where rustc runs: its messages are relative to this.
    current: PathBuf,
    /// Whether cargo has said what the root is.
    pub(crate) by_cargo: bool,
}

impl Places {
    pub(crate) fn of_this_crate() -> Places {
        let current = std::env::current_dir().unwrap_or_default();
        let root = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        Places { by_cargo: root.is_some(), root: root.unwrap_or_else(|| current.clone()), current }
    }

    /// A path in the form that rustc's messages have.
    fn shown(&self, path: &str) -> String {
        let tidy = tidy(Path::new(path));
        match tidy.strip_prefix(&self.current) {
            Ok(relative) if !relative.as_os_str().is_empty() => relative.display().to_string(),
            _ => tidy.display().to_string(),
        }
    }

    /// A path as it stands in the options.
    pub(crate) fn as_written(&self, path: &str) -> String {
        let relative = Path::new(path).strip_prefix(&self.root);
        relative.map_or_else(|_| path.to_string(), |path| path.display().to_string())
    }

    /// Whether a file is `path` of the options, or in it.
    pub(crate) fn is_in(&self, file: &str, path: &str) -> bool {
        tidy(Path::new(file)).starts_with(tidy(&self.root.join(path)))
    }

    /// A diagnostic as the text of a compiler error.
    pub(crate) fn message(&self, diagnostic: &Diagnostic, inline: Option<&Text>) -> String {
        let mut diagnostic = diagnostic.clone();
        if let Some(place) = &mut diagnostic.place {
            match inline.filter(|_| place.file == "<inline>") {
                Some(text) => in_source(place, text),
                None => place.file = self.shown(&place.file),
            }
        }
        let text = diagnostic.to_string();
        let root = format!("{}/", self.root.display());
        text.strip_prefix("error: ").unwrap_or(&text).replace(&root, "")
    }
}

/// Turns a place in a literal into the place in the source file.
fn in_source(place: &mut Place, text: &Text) {
    if !text.verbatim || !proc_macro::is_available() {
        return;
    }
    let span = text.span.unwrap();
    if place.line == 1 {
        // The quotes and hashes before the text are not counted: the column is of no use on the first line.
        return;
    }
    place.file = span.file();
    place.line += span.line() - 1;
}

/// Takes `.` and `..` out of a path, as far as that is possible without looking.
pub(crate) fn tidy(path: &Path) -> PathBuf {
    let mut tidied = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(tidied.components().next_back(), Some(Component::Normal(_))) => {
                tidied.pop();
            }
            component => tidied.push(component),
        }
    }
    tidied
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_files_as_rustc_does() {
        let places = Places { root: "/w/crate".into(), current: "/w".into(), by_cargo: true };
        assert_eq!(places.shown("/w/crate/wit/a.wit"), "crate/wit/a.wit");
        assert_eq!(places.shown("/w/crate/../other/./a.wit"), "other/a.wit");
        assert_eq!(places.shown("/x/a.wit"), "/x/a.wit");
        assert_eq!(places.as_written("/w/crate/../other"), "../other");
        assert!(places.is_in("/w/crate/../other/deps/a.wit", "../other"));
        assert!(!places.is_in("/w/crate/wit/a.wit", "../other"));
    }

    #[test]
    fn messages_have_no_path_of_the_machine() {
        let places = Places { root: "/w/crate".into(), current: "/w".into(), by_cargo: true };
        let diagnostic = Diagnostic::new("`/w/crate/wit` can't be read");
        assert_eq!(places.message(&diagnostic, None), "`wit` can't be read");
    }
}
