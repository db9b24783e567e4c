//! What building a guest costs its author: processor time, side by side with the peer.

use crate::build::{self, Side, WASI};
use crate::places;
use anyhow::{Context, Result, bail};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Processor seconds of the two sides, each the least of the rounds that were measured alternately.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    /// This project's.
    pub ours: f64,
    /// The peer's.
    pub peer: f64,
}

impl Comparison {
    /// What part of the peer's time ours is.
    pub fn ratio(&self) -> f64 {
        self.ours / self.peer
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} s, the peer {:.2} s: {:.2}", self.ours, self.peer, self.ratio())
    }
}

/// A guest crate outside of every workspace.
struct Project {
    folder: PathBuf,
}

/// A clean build of a guest whose only dependency is the runtime: an export and an import.
///
/// # Errors
///
/// When a build fails.
pub fn clean_build(rounds: usize) -> Result<Comparison> {
    const SOURCE: &str = r#"RUNTIME::generate!({
    inline: "package a:b; world w { import ask: async func(n: u32) -> u32; export answer: async func(n: u32) -> u32; }",
});

struct Component;

impl Guest for Component {
    async fn answer(n: u32) -> u32 {
        ask(n).await
    }
}

export!(Component);
"#;
    let folder = tempfile::tempdir()?;
    let projects = both(folder.path(), SOURCE)?;
    compare(rounds, &projects, |project| {
        project.clean()?;
        project.cargo("build")
    })
}

/// `cargo check` of a guest of WASI's HTTP world after its source was edited.
///
/// # Errors
///
/// When a check fails, or WASI's texts cannot be found.
pub fn check_after_an_edit(rounds: usize) -> Result<Comparison> {
    let wit = places::source_of("wasmtime-wasi-http")?.join("src/p3/wit");
    let source = format!(
        "RUNTIME::generate!({{ path: {wit:?}, world: \"wasi:http/service\", generate_all }});

struct Service;

impl exports::wasi::http::handler::Guest for Service {{
    async fn handle(
        request: wasi::http::types::Request,
    ) -> Result<wasi::http::types::Response, wasi::http::types::ErrorCode> {{
        drop(request);
        Err(wasi::http::types::ErrorCode::HttpRequestDenied)
    }}
}}

export!(Service);
"
    );
    let folder = tempfile::tempdir()?;
    let projects = both(folder.path(), &source)?;
    for project in &projects {
        project.cargo("check")?;
    }
    compare(rounds, &projects, |project| {
        let file = project.folder.join("src/lib.rs");
        fs::write(&file, fs::read_to_string(&file)? + "// edited\n")?;
        project.cargo("check")
    })
}

fn compare(
    rounds: usize,
    [ours, peer]: &[Project; 2],
    measure: impl Fn(&Project) -> Result<f64>,
) -> Result<Comparison> {
    let mut least = Comparison { ours: f64::INFINITY, peer: f64::INFINITY };
    for _ in 0..rounds {
        least.ours = least.ours.min(measure(ours)?);
        least.peer = least.peer.min(measure(peer)?);
    }
    Ok(least)
}

fn both(folder: &Path, source: &str) -> Result<[Project; 2]> {
    Ok([Project::new(folder, Side::Ours, source)?, Project::new(folder, Side::Peer, source)?])
}

impl Project {
    fn new(folder: &Path, side: Side, source: &str) -> Result<Project> {
        build::ensure_target(WASI)?;
        let (name, crate_name, dependency, lock) = match side {
            Side::Ours => {
                let path = places::workspace().join("guest-rt");
                let dependency = format!("wasp-guest-rt = {{ path = {path:?} }}");
                ("ours", "wasp_guest_rt", dependency, places::workspace().join("Cargo.lock"))
            }
            Side::Peer => {
                let dependency = r#"wit-bindgen = "=0.63.0""#.to_owned();
                ("peer", "wit_bindgen", dependency, places::peers_manifest().with_file_name("Cargo.lock"))
            }
        };
        let folder = folder.join(name);
        fs::create_dir_all(folder.join("src"))?;
        // The same versions as in the tests, and nothing to ask a registry for.
        fs::copy(lock, folder.join("Cargo.lock"))?;
        fs::write(folder.join("src/lib.rs"), source.replace("RUNTIME", crate_name))?;
        fs::write(
            folder.join("Cargo.toml"),
            format!(
                "[package]\nname = \"guest\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
                 [lib]\ncrate-type = [\"cdylib\"]\n\n[dependencies]\n{dependency}\n"
            ),
        )?;
        Ok(Project { folder })
    }

    fn clean(&self) -> Result<()> {
        match fs::remove_dir_all(self.folder.join("target")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).context("cannot clean"),
            _ => Ok(()),
        }
    }

    /// Runs cargo, and hands back the processor seconds of all it started.
    fn cargo(&self, command: &str) -> Result<f64> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new("sh")
            .args(["-c", r#""$0" "$1" --quiet --target "$2" --target-dir target && times"#])
            .arg(cargo)
            .args([command, WASI])
            .current_dir(&self.folder)
            .env_remove("CARGO_TARGET_DIR")
            .stdin(Stdio::null())
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            bail!("cannot {command} {}\n{}", self.folder.display(), String::from_utf8_lossy(&output.stderr));
        }
        let children = text.lines().last().context("the shell tells no times")?;
        Ok(children.split_whitespace().filter_map(seconds).sum())
    }
}

/// The seconds of `1m2.5s`.
fn seconds(time: &str) -> Option<f64> {
    let (minutes, seconds) = time.strip_suffix('s')?.split_once('m')?;
    Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_of_a_shell_are_read() {
        assert_eq!(super::seconds("1m2.5s"), Some(62.5));
        assert_eq!(super::seconds("2.5"), None);
    }
}
