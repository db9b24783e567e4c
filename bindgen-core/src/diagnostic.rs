//! What went wrong, where, and what to do about it.

use std::fmt;

/// A refusal: a message, the place in WIT it speaks of, and a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// One sentence, lower case, no full stop.
    pub message: String,
    /// The place, where there is one.
    pub place: Option<Place>,
    /// What to do.
    pub help: Option<String>,
    /// The option at fault, so that a macro can underline it: its name and, where it is a list or map, the entry.
    pub option: Option<(&'static str, Option<String>)>,
}

/// A range in one line of a WIT file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// As the user wrote the path, or `<inline>`.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// The whole line.
    pub text: String,
    /// How many characters are meant; at least 1.
    pub width: usize,
}

/// One or more refusals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostic {
    /// A refusal without a place.
    pub fn new(message: impl Into<String>) -> Self {
        Diagnostic { message: message.into(), place: None, help: None, option: None }
    }

    /// Says where.
    pub fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }

    /// Says what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Names the option at fault.
    pub fn option(mut self, name: &'static str, entry: Option<String>) -> Self {
        self.option = Some((name, entry));
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        if let Some(place) = &self.place {
            let number = place.line.to_string();
            let pad = " ".repeat(number.len());
            let skip: String =
                (place.text.chars().take(place.column - 1)).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            write!(f, "\n{pad}--> {}:{}:{}", place.file, place.line, place.column)?;
            write!(f, "\n{pad} |\n{number} | {}", place.text)?;
            write!(f, "\n{pad} | {skip}{}", "^".repeat(place.width))?;
        }
        if let Some(help) = &self.help {
            write!(f, "\nhelp: {help}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, diagnostic) in self.0.iter().enumerate() {
            if i > 0 {
                write!(f, "\n\n")?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Diagnostics(vec![diagnostic])
    }
}
