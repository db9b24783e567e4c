//! The order of modules: each uses only those above it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The modules of the crate. Those that are behind a feature or native, and those that only hand names on, are left out.
const CRATE: [&str; 23] = [
    "trap",
    "instance",
    "later",
    "slab",
    "inbox",
    "owner",
    "builtins",
    "abi",
    "resource",
    "realloc",
    "backpressure",
    "task",
    "error_context",
    "payload",
    "call",
    "copy",
    "subtask",
    "future",
    "stream",
    "structured",
    "bitflags",
    "allocator",
    "compat",
];

/// The modules of `task`, in the order in which its documentation lists them; `task` itself is what its `mod.rs` has.
const TASK: [&str; 18] = [
    "notices", "node", "task", "word", "pool", "sets", "table", "current", "wake", "parked", "rest", "outside",
    "waitable", "handover", "executor", "spawn", "block_on", "yields",
];

/// The modules of `stream`, likewise.
const STREAM: [&str; 14] = [
    "channel", "raw_copy", "raw", "lower", "reader", "writer", "read", "write", "slice", "abi", "make", "unit",
    "result", "adapters",
];

/// Modules that are called by other runtimes as well as from here, and what stands in their place without the feature.
const OUTSIDE: [&str; 2] = ["beside", "alone"];

/// What a module may use although it is below: a table or an operation is only named, as what a pointer points to.
const NAMED: [(&str, &str); 3] = [("table", "waitable"), ("parked", "waitable"), ("node", "task")];

#[test]
fn modules_of_the_crate_use_only_those_above_them() {
    check("", &CRATE, |_| "use crate::");
}

#[test]
fn modules_of_tasks_use_only_those_above_them() {
    check("task", &TASK, |_| "use super::");
}

#[test]
fn modules_of_streams_use_only_those_above_them() {
    let nested = |module: &str| ["channel", "adapters"].contains(&module);
    check("stream", &STREAM, |module| if nested(module) { "use crate::stream::" } else { "use super::" });
}

/// Checks that what modules in a folder use, in lines that begin so, comes before them in the order.
fn check(folder: &str, order: &[&str], prefix: impl Fn(&str) -> &'static str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder);
    let root = fs::read_to_string(path.join(if folder.is_empty() { "lib.rs" } else { "mod.rs" })).unwrap();
    let rank = |module: &str| order.iter().position(|known| *known == module);
    // Which module a name comes from that the folder hands on.
    let mut homes = BTreeMap::new();
    for line in root.lines() {
        if let Some(names) = line.strip_prefix("pub use ").map(|line| line.strip_prefix("self::").unwrap_or(line)) {
            let mut words = words(names);
            let home = words.next().unwrap();
            homes.extend(words.map(|name| (name.to_owned(), home.to_owned())));
        }
        if let Some(module) = line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
            assert!(rank(module).is_some() || OUTSIDE.contains(&module), "`{module}` has no place in the order");
        }
    }
    let mut uses = 0;
    for module in order {
        for text in texts(&path, folder, module) {
            for line in text.lines().filter_map(|line| line.strip_prefix(prefix(module))) {
                // Within the crate, it is the first word that names a module; in a folder, any may.
                let count = if folder.is_empty() { 1 } else { usize::MAX };
                for word in words(line).take(count) {
                    let home = homes.get(word).map_or(word, String::as_str);
                    let home = if folder == "task" && home.starts_with(char::is_uppercase) { "task" } else { home };
                    let Some(used) = rank(home) else { continue };
                    uses += 1;
                    let allowed = home == *module || NAMED.contains(&(*module, home));
                    assert!(allowed || used < rank(module).unwrap(), "`{module}` uses `{word}`, which is not above it");
                }
            }
        }
    }
    assert!(uses > 20, "the test sees only {uses} uses");
}

/// The text of a module: of its file, or of all in its folder.
fn texts(path: &Path, folder: &str, module: &str) -> Vec<String> {
    if module == folder {
        return vec![fs::read_to_string(path.join("mod.rs")).unwrap()];
    }
    let mut found = Vec::new();
    collect(&path.join(module), &mut found);
    if let Ok(text) = fs::read_to_string(path.join(module).with_extension("rs")) {
        found.push(text);
    }
    assert!(!found.is_empty(), "`{module}` is nowhere");
    found
}

fn collect(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push(fs::read_to_string(path).unwrap());
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}
