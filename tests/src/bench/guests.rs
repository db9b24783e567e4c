//! The guests that are compared, as components.

use super::instrument::count_built_ins;
use crate::build::{self, BARE, Side};
use crate::component;
use crate::places;
use anyhow::{Context, Result};
use wit_component::StringEncoding;

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guest {
    /// This project's.
    Ours,
    /// This project's, with its small allocator.
    OursSmall,
    /// The peer's, as most people build it.
    Peer,
    /// The peer's with `async-spawn` and `inter-task-wakeup`.
    PeerFull,
    /// Written by hand against the canonical ABI.
    Floor,
}

/// How a guest is optimised; always with LTO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opt {
    /// For speed.
    Speed,
    /// For size.
    Size,
}

impl Guest {
    /// All of them, in the order of the table.
    pub const ALL: [Guest; 5] = [Guest::Ours, Guest::OursSmall, Guest::Peer, Guest::PeerFull, Guest::Floor];

    /// The head of the column.
    pub fn name(self) -> &'static str {
        match self {
            Guest::Ours => "ours",
            Guest::OursSmall => "ours, small allocator",
            Guest::Peer => "wit-bindgen",
            Guest::PeerFull => "wit-bindgen, all features",
            Guest::Floor => "floor",
        }
    }

    /// Builds the guest and makes it a component; if `counted`, one that counts its built-ins and its allocations, which
    /// costs fuel.
    ///
    /// # Errors
    ///
    /// When it does not build.
    pub fn component(self, opt: Opt, counted: bool) -> Result<Vec<u8>> {
        let (side, package, example) = match self {
            Guest::Ours | Guest::OursSmall => (Side::Ours, "wasp-test-guests", "bench"),
            Guest::Peer | Guest::PeerFull => (Side::Peer, "peer-guest", "bench"),
            Guest::Floor => (Side::Ours, "wasp-test-guests", "bench-floor"),
        };
        let mut arguments = opt.arguments(example);
        if counted {
            arguments.push("--features=counted".to_owned());
        }
        // The one that counts allocations is another allocator: how many they are is the same.
        if self == Guest::OursSmall && !counted {
            arguments.push("--features=small".to_owned());
        }
        if self == Guest::Peer {
            arguments.push("--no-default-features".to_owned());
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let guests = build::guests(side, package, BARE, &arguments)?;
        let (_, module) = guests.iter().find(|(name, _)| name == example).context("no guest was built")?;
        let mut module = std::fs::read(module)?;
        if self == Guest::Floor {
            describe(&mut module)?;
        }
        if counted {
            module = count_built_ins(&module, "wasp:bench/api#built-ins")?;
        }
        component::encode(&module, None).with_context(|| self.name())
    }
}

impl Opt {
    /// What tells cargo to build an example this way.
    pub(super) fn arguments(self, example: &str) -> Vec<String> {
        let profile = match self {
            Opt::Speed => ("bench-speed", "3"),
            Opt::Size => ("bench-size", "'s'"),
        };
        let mut arguments = vec![format!("--example={example}"), format!("--profile={}", profile.0)];
        for setting in [
            "inherits='release'".to_owned(),
            format!("opt-level={}", profile.1),
            "lto=true".to_owned(),
            "codegen-units=1".to_owned(),
            "panic='abort'".to_owned(),
        ] {
            arguments.push(format!("--config=profile.{}.{setting}", profile.0));
        }
        arguments
    }
}

/// Says what world a module is of that no generator wrote.
fn describe(module: &mut Vec<u8>) -> Result<()> {
    let wit = places::workspace().join("tests/benches/bench.wit");
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_str(&wit, &std::fs::read_to_string(&wit)?)?;
    let world = resolve.select_world(&[package], None)?;
    wit_component::embed_component_metadata(module, &resolve, world, StringEncoding::UTF8)
}
