//! A host of plugins that nobody trusts, written twice: `ours` is what one writes with this project's bindings, `peer` with
//! the engine's own. What is here is what both of them use, and what such a program has anyway.

pub mod ours;
pub mod peer;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::RwLock;
use wasmtime::Trap;

/// What a plugin may use for a call.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Instructions, roughly.
    pub fuel: u64,
    /// Until it has answered.
    pub time: Duration,
    /// Bytes of its memory, in all calls together.
    pub memory: usize,
    /// Bytes of its answer.
    pub answer: usize,
}

/// A call that was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whose call it was.
    pub plugin: String,
    /// What happened.
    pub failure: Failure,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no such plugin.
    Unknown,
    /// The plugin says why.
    Refused(String),
    /// It computed for too long.
    OutOfFuel,
    /// It waited for too long.
    OutOfTime,
    /// It answered so many bytes.
    TooLong(usize),
    /// It broke.
    Trapped(String),
}

impl Failure {
    /// What an error of the engine's means.
    pub fn of(error: &wasmtime::Error) -> Self {
        match error.downcast_ref() {
            Some(Trap::OutOfFuel) => Self::OutOfFuel,
            Some(trap) => Self::Trapped(trap.to_string()),
            None => Self::Trapped(format!("{error:#}")),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin `{}` ", self.plugin)?;
        match &self.failure {
            Failure::Unknown => f.write_str("is not there"),
            Failure::Refused(why) => write!(f, "refused: {why}"),
            Failure::OutOfFuel => f.write_str("was stopped: it computed for too long"),
            Failure::OutOfTime => f.write_str("was given up: it gave no answer in time"),
            Failure::TooLong(bytes) => write!(f, "was ignored: it answered {bytes} bytes"),
            Failure::Trapped(trap) => write!(f, "broke: {trap}"),
        }
    }
}

/// What plugins said, line by line.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Adds a line.
    pub fn push(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// All lines.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What all plugins keep: values by bucket and key.
pub type Storage = Arc<RwLock<HashMap<(String, String), String>>>;
