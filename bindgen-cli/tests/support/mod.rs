//! Runs the command in a folder of its own.

use std::process::Command;
use tempfile::TempDir;

/// What a run left behind.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

pub(crate) fn command(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasp-bindgen"));
    command.args(arguments).current_dir(folder.path()).env("COLUMNS", "120").env_remove("CLICOLOR_FORCE");
    command
}

pub(crate) fn wasp_bindgen(folder: &TempDir, arguments: &[&str]) -> Run {
    let output = command(folder, arguments).output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
