//! Errors on a terminal.

use anstream::eprintln;
use anstyle::{AnsiColor, Style};
use std::fmt::Display;
use std::path::Path;
use wasp_bindgen_cli::{BindingsError, ComponentizeError, Diagnostic, Diagnostics};

/// What went wrong, ready to be printed.
pub(crate) struct Report(Vec<String>);

impl Report {
    /// One error: its message and, after `help:`, what to do.
    pub(crate) fn new(message: impl Into<String>) -> Report {
        Report(vec![message.into()])
    }

    /// A file that can't be used.
    pub(crate) fn file(file: &Path, what: &str, cause: impl Display) -> Report {
        Report::new(format!("`{}` can't be {what}: {cause}", file.display()))
    }

    /// Prints all errors, with colours where the terminal has them.
    pub(crate) fn print(&self) {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                eprintln!();
            }
            print(error);
        }
    }
}

impl From<Diagnostics> for Report {
    fn from(diagnostics: Diagnostics) -> Self {
        let text = |diagnostic: &Diagnostic| {
            let text = diagnostic.to_string();
            text.strip_prefix("error: ").unwrap_or(&text).to_string()
        };
        Report(diagnostics.0.iter().map(text).collect())
    }
}

impl From<BindingsError> for Report {
    fn from(error: BindingsError) -> Self {
        match error {
            BindingsError::Refused(diagnostics) => diagnostics.into(),
            BindingsError::Write(file, cause) => Report::file(&file, "written", cause),
            BindingsError::NoOutDir => Report::new("there is no `OUT_DIR`"),
        }
    }
}

impl From<ComponentizeError> for Report {
    fn from(error: ComponentizeError) -> Self {
        Report::new(error.to_string())
    }
}

fn print(error: &str) {
    let (red, blue, cyan) =
        (AnsiColor::Red.on_default().bold(), AnsiColor::Blue.on_default().bold(), AnsiColor::Cyan.on_default().bold());
    let bold = Style::new().bold();
    let (first, rest) = error.split_once('\n').unwrap_or((error, ""));
    eprintln!("{red}error{red:#}{bold}: {first}{bold:#}");
    for line in rest.lines() {
        let trimmed = line.trim_start();
        if let Some(hint) = line.strip_prefix("help: ") {
            eprintln!("{cyan}help{cyan:#}: {hint}");
        } else if let Some(place) = trimmed.strip_prefix("--> ") {
            let pad = &line[..line.len() - trimmed.len()];
            eprintln!("{pad}{blue}-->{blue:#} {place}");
        } else if let Some((gutter, code)) = gutter(line) {
            // What is underlined has the error's colour.
            match code.trim_start().starts_with('^') {
                true => eprintln!("{blue}{gutter}{blue:#}{red}{code}{red:#}"),
                false => eprintln!("{blue}{gutter}{blue:#}{code}"),
            }
        } else {
            eprintln!("{line}");
        }
    }
}

/// `12 |` and what follows.
fn gutter(line: &str) -> Option<(&str, &str)> {
    let end = line.find('|')? + 1;
    let (gutter, code) = line.split_at(end);
    let is_gutter = gutter[..end - 1].chars().all(|c| c == ' ' || c.is_ascii_digit());
    is_gutter.then_some((gutter, code))
}
