//! What the command can be asked to do.

mod common;
mod componentize;
mod difference;
mod guest;
mod host;
mod output;

use crate::report::Report;
use clap::{Parser, Subcommand};

/// Rust bindings for WIT worlds, and components of the modules that use them.
#[derive(Parser)]
#[command(name = "wasp-bindgen", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the bindings of a guest
    Guest(Box<guest::Guest>),
    /// Write the bindings of a host
    Host(Box<host::Host>),
    /// Make a component of a core module
    Componentize(componentize::Component),
}

impl Cli {
    /// Does what was asked for.
    pub(crate) fn run(self) -> Result<(), Report> {
        match self.command {
            Command::Guest(guest) => guest.run(),
            Command::Host(host) => host.run(),
            Command::Componentize(component) => component.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn flags_contradict_nothing() {
        Cli::command().debug_assert();
    }
}
