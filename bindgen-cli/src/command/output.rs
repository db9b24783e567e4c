//! What the commands for guests and hosts share: values of flags, and what becomes of the text.

use super::difference::difference;
use crate::report::Report;
use anstream::println;
use wasp_bindgen_cli::{Bindings, Outcome, With};

pub(super) fn attribute(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((selector, attribute)) if !selector.is_empty() && !attribute.trim().is_empty() => {
            Ok((selector.to_string(), attribute.to_string()))
        }
        _ => Err("expected `selector=#[attribute]`".to_string()),
    }
}

pub(super) fn with(text: &str) -> Result<(String, With), String> {
    match text.split_once('=') {
        Some((name, "generate")) => Ok((name.to_string(), With::Generate)),
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.to_string(), With::Path(path.to_string())))
        }
        _ => Err("expected `ns:pkg/interface=path::to::module` or `ns:pkg/interface=generate`".to_string()),
    }
}

/// Says what was done.
pub(super) fn report(bindings: &Bindings) {
    match bindings.outcome {
        Outcome::Written => println!("wrote {}", bindings.file.display()),
        Outcome::Unchanged => println!("{} is up to date", bindings.file.display()),
    }
}

/// Whether a file is what it should be.
pub(super) fn compare(file: &std::path::Path, text: &str) -> Result<(), Report> {
    const HELP: &str = "help: run the same command without `--check`";
    let present = std::fs::read_to_string(file)
        .map_err(|cause| Report::new(format!("`{}` can't be read: {cause}\n{HELP}", file.display())))?;
    if present == text {
        println!("{} is up to date", file.display());
        return Ok(());
    }
    if present.lines().eq(text.lines()) {
        let help = "help: have git keep line ends: `*.rs text eol=lf` in `.gitattributes`";
        return Err(Report::new(format!("`{}` differs only in how its lines end\n{help}", file.display())));
    }
    let difference = difference(&present, text);
    Err(Report::new(format!("`{}` is not up to date\n{difference}{HELP}", file.display())))
}
