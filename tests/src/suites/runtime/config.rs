//! What the suite's files say of themselves: TOML in the `//@` comments at their top.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// At the top of a `test.wit`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct WitConfig {
    /// The world of the runner.
    runner: Option<String>,
    /// The worlds of the components it is composed with.
    dependencies: Option<Words>,
    /// The script that says how they are composed.
    pub(super) wac: Option<String>,
    /// Whether the suite's usual options apply.
    pub(super) default_bindgen_args: Option<bool>,
}

/// At the top of a Rust source.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SourceConfig {
    /// Options of the generator.
    pub(super) args: Words,
    pub(super) lang: Lang,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Lang {
    pub(super) rustflags: Words,
    /// Files to compile as libraries and link with.
    pub(super) externs: Vec<String>,
    link_shared: bool,
    extern_dylibs: Vec<String>,
}

/// Words, as a list or in one string.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Words {
    One(String),
    Many(Vec<String>),
}

impl Default for Words {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Words {
    pub(super) fn words(&self) -> Vec<String> {
        match self {
            Self::One(text) => text.split_whitespace().map(String::from).collect(),
            Self::Many(words) => words.clone(),
        }
    }
}

impl WitConfig {
    pub(super) fn runner(&self) -> String {
        self.runner.clone().unwrap_or_else(|| "runner".into())
    }

    pub(super) fn dependencies(&self) -> Vec<String> {
        self.dependencies.as_ref().map_or_else(|| vec!["test".into()], Words::words)
    }
}

impl SourceConfig {
    pub(super) fn is_shared(&self) -> bool {
        self.lang.link_shared || !self.lang.extern_dylibs.is_empty()
    }
}

/// Reads the comments at the top of a file.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    let lines = text.lines().map_while(|line| line.strip_prefix("//@"));
    let toml = lines.collect::<Vec<_>>().join("\n");
    toml::from_str(&toml).context("cannot read the configuration in the `//@` comments")
}
