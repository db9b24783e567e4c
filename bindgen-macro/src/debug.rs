//! Bindings as a file, so that errors in them have lines.

use crate::cursor::Mistake;
use crate::options::{Config, Side};
use proc_macro2::{Delimiter, Spacing, Span, TokenStream, TokenTree};
use quote::quote;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;
use wasp_bindgen_core::Generated;

/// The variables that ask for a file, ours and the one that users of `wit-bindgen` know.
pub(crate) const VARIABLES: [&str; 2] = ["WASP_BINDGEN_DEBUG", "WIT_BINDGEN_DEBUG"];

/// Whether the environment asks for a file.
pub(crate) fn is_on() -> bool {
    VARIABLES.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0"))
}

/// Writes the bindings into a file and includes it.
pub(crate) fn include(generated: Generated, config: &mut Config) -> TokenStream {
    static INVOCATION: AtomicUsize = AtomicUsize::new(0);
    let number = INVOCATION.fetch_add(1, Ordering::Relaxed);
    let krate = std::env::var("CARGO_CRATE_NAME").unwrap_or_default();
    let file = folder().join(format!("{krate}-{}{number}.rs", generated.world));
    let text = pretty(&generated.tokens);
    if let Err(error) = write(&file, &text, &generated.files) {
        let message = format!("the bindings can't be written to `{}`: {error}", file.display());
        config.mistakes.push(Mistake::new(Span::call_site(), message));
        return generated.tokens;
    }
    let path = file.to_string_lossy();
    quote!(::core::include!(#path);)
}

/// Writes a file that is as old as the newest of its sources: to cargo, a newer one were a reason to build anew.
fn write(file: &Path, text: &str, sources: &[PathBuf]) -> std::io::Result<()> {
    if std::fs::read_to_string(file).is_ok_and(|present| present == text) {
        return Ok(());
    }
    std::fs::write(file, text)?;
    let modified = |file: &PathBuf| std::fs::metadata(file).and_then(|metadata| metadata.modified()).ok();
    let newest = sources.iter().filter_map(modified).max().unwrap_or(SystemTime::UNIX_EPOCH);
    File::options().write(true).open(file)?.set_modified(newest)
}

/// A folder that is ours to write to: the build script's, or the one that rustc writes to, or that for temporary files.
fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("OUT_DIR") {
        return folder.into();
    }
    let mut arguments = std::env::args_os().skip_while(|argument| argument != "--out-dir").skip(1);
    let folder = arguments.next().map(PathBuf::from).filter(|folder| folder.is_dir());
    let folder = folder.unwrap_or_else(std::env::temp_dir);
    std::env::current_dir().map(|current| current.join(&folder)).unwrap_or(folder)
}

/// The path of the runtime, in a file that can't say `$crate`: the name in `Cargo.toml` is one of rustc's arguments.
pub(crate) fn runtime(side: Side) -> Option<String> {
    named(std::env::args(), side.runtime()).map(|name| format!("::{name}"))
}

/// The name that a crate has in `--extern name=path/to/libcrate-hash.rlib`.
fn named(arguments: impl Iterator<Item = String>, krate: &str) -> Option<String> {
    let mut externs = arguments.filter_map(|argument| {
        let (name, path) = argument.split_once('=')?;
        let file = path.rsplit(['/', '\\']).next()?.trim_start_matches("lib").to_string();
        let is_meant = file.strip_prefix(krate)?.starts_with(['-', '.']);
        // `priv:` and the like may come first.
        is_meant.then(|| name.rsplit(':').next().unwrap_or(name).to_string())
    });
    externs.find(|name| !name.contains('-'))
}

/// The tokens as `rustfmt` lays them out, or a line an item where there is none.
fn pretty(tokens: &TokenStream) -> String {
    let mut text = String::new();
    lines(tokens.clone(), 0, &mut text);
    rustfmt(&text).unwrap_or(text)
}

fn rustfmt(text: &str) -> Option<String> {
    let program = std::env::var_os("RUSTFMT").unwrap_or_else(|| "rustfmt".into());
    let mut child = Command::new(program)
        .args(["--edition", "2024", "--emit", "stdout", "--config", "max_width=120"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut input = child.stdin.take()?;
    let text = text.to_string();
    // It may begin to write before it has read everything.
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().ok()?;
    let written = writer.join().ok()?.is_ok();
    (written && output.status.success()).then(|| String::from_utf8(output.stdout).ok()).flatten()
}

/// Writes tokens with a line for what ends with `;`, `,` or a brace.
fn lines(tokens: TokenStream, depth: usize, text: &mut String) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::None => ("", ""),
                };
                let breaks = group.delimiter() == Delimiter::Brace && !group.stream().is_empty();
                text.push_str(open);
                if breaks {
                    new_line(depth + 1, text);
                }
                lines(group.stream(), depth + usize::from(breaks), text);
                if breaks {
                    new_line(depth, text);
                }
                text.push_str(close);
                match group.delimiter() {
                    Delimiter::Brace => new_line(depth, text),
                    _ => text.push(' '),
                }
            }
            TokenTree::Punct(punct) => {
                text.push(punct.as_char());
                if punct.as_char() == ';' {
                    new_line(depth, text);
                } else if punct.spacing() == Spacing::Alone {
                    text.push(' ');
                }
            }
            // Strings can't fail to be written to.
            token => _ = write!(text, "{token} "),
        }
    }
}

fn new_line(depth: usize, text: &mut String) {
    text.truncate(text.trim_end().len());
    text.push('\n');
    text.extend(std::iter::repeat_n("    ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    #[test]
    fn lines_lose_no_token() {
        let source =
            "#[a] pub mod b { fn c<'a>(d: &'a [u8; 1]) -> e::F { g!(h); let i = j..=k; \" ; \" } struct L {} }";
        let tokens = TokenStream::from_str(source).unwrap();
        let mut text = String::new();
        lines(tokens.clone(), 0, &mut text);
        assert_eq!(TokenStream::from_str(&text).unwrap().to_string(), tokens.to_string());
        assert!(text.lines().count() > 5, "{text}");
    }

    #[test]
    fn the_runtime_is_found_under_its_other_name() {
        let find = |arguments: &[&str]| named(arguments.iter().map(|text| text.to_string()), "wasp_guest_rt");
        let renamed =
            ["--extern", "bitflags=/d/libbitflags-1.rlib", "--extern", "priv:wit_bindgen=/d/libwasp_guest_rt-1.rmeta"];
        assert_eq!(find(&renamed).as_deref(), Some("wit_bindgen"));
        assert_eq!(find(&["--extern", "wasp_guest_rt=/d/libwasp_guest_rt-1.rlib"]).as_deref(), Some("wasp_guest_rt"));
        assert_eq!(find(&["--cfg", "feature=\"wasp_guest_rt\"", "--out-dir=/wasp_guest_rt"]), None);
    }

    #[test]
    fn rustfmt_is_used_where_there_is_one() {
        let text = pretty(&TokenStream::from_str("fn a ( ) { b ( ) ; }").unwrap());
        assert_eq!(text.replace("    ", "").trim(), "fn a() {\nb();\n}");
    }
}
