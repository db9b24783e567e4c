//! What a suite found out: one line a failure, one row a column.

use std::fmt;

/// A case and how it went: the first lines of what went wrong, if anything did.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The case, as the exceptions name it.
    pub case: String,
    /// What went wrong.
    pub error: Option<String>,
}

/// All outcomes of one column of a suite.
#[derive(Clone, Debug)]
pub struct Report {
    /// What the column is called.
    pub title: String,
    /// One for each case.
    pub outcomes: Vec<Outcome>,
    /// Cases that may fail, each with the reason.
    pub exceptions: &'static [(&'static str, &'static str)],
}

impl Outcome {
    /// The outcome of a case.
    pub fn new(case: impl Into<String>, result: anyhow::Result<()>) -> Self {
        Self { case: case.into(), error: result.err().map(|error| format!("{error:#}")) }
    }
}

impl Report {
    /// The cases that passed.
    pub fn passed(&self) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.error.is_none()).count()
    }

    /// The failures no exception excuses, and the exceptions that excuse nothing.
    pub fn surprises(&self) -> Vec<String> {
        let excused = |case: &str| self.exceptions.iter().any(|(name, _)| *name == case);
        (self.outcomes.iter())
            .filter_map(|outcome| match (&outcome.error, excused(&outcome.case)) {
                (Some(error), false) => Some(format!("{}: {error}", outcome.case)),
                (None, true) => Some(format!("{}: passes, but is listed as an exception", outcome.case)),
                _ => None,
            })
            .collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} of {}", self.title, self.passed(), self.outcomes.len())?;
        for outcome in &self.outcomes {
            let Some(error) = &outcome.error else {
                continue;
            };
            let reason = self.exceptions.iter().find(|(case, _)| *case == outcome.case);
            match reason {
                Some((_, reason)) => writeln!(f, "  excepted {}: {reason}", outcome.case)?,
                None => writeln!(f, "  FAILED {}: {}", outcome.case, gist(error))?,
            }
        }
        Ok(())
    }
}

/// The line of an error that says most: the first error of a compiler, a panic, or else the first line.
fn gist(error: &str) -> String {
    let telling = |line: &&str| ["error", "panicked at", "wasm trap"].iter().any(|word| line.contains(word));
    let mut lines = error.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.clone().next().unwrap_or_default();
    match lines.find(telling) {
        Some(line) if line == first => first.to_owned(),
        Some(line) => {
            let next = lines.next().unwrap_or_default();
            format!("{first} | {line} {next}")
        }
        None => first.to_owned(),
    }
}
