//! The order of modules: each uses only those above it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The modules of `stream`, in the order in which its documentation lists them.
const STREAM: [&str; 14] = [
    "channel", "raw_copy", "raw", "lower", "reader", "writer", "read", "write", "slice", "abi", "make", "unit",
    "result", "adapters",
];

#[test]
fn modules_of_streams_use_only_those_above_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/stream");
    let root = fs::read_to_string(folder.join("mod.rs")).unwrap();
    let rank = |module: &str| STREAM.iter().position(|known| *known == module);
    // Which module a name comes from that the folder hands on.
    let mut homes = BTreeMap::new();
    for line in root.lines() {
        if let Some(names) = line.strip_prefix("pub use self::") {
            let mut words = words(names);
            let home = words.next().unwrap();
            homes.extend(words.map(|name| (name.to_owned(), home.to_owned())));
        }
        if let Some(module) = line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
            assert!(rank(module).is_some(), "`{module}` has no place in the order");
        }
    }
    let mut uses = 0;
    for module in STREAM {
        let file = folder.join(module);
        let texts = if file.is_dir() {
            fs::read_dir(file).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
        } else {
            vec![fs::read_to_string(file.with_extension("rs")).unwrap()]
        };
        let nested = ["channel", "adapters"].contains(&module);
        let prefix = if nested { "use crate::stream::" } else { "use super::" };
        for line in texts.iter().flat_map(|text| text.lines()).filter_map(|line| line.strip_prefix(prefix)) {
            for word in words(line) {
                let home = homes.get(word).map_or(word, String::as_str);
                if let Some(used) = rank(home) {
                    uses += 1;
                    assert!(used < rank(module).unwrap(), "`{module}` uses `{word}`, which is not above it");
                }
            }
        }
    }
    assert!(uses > 20, "the test sees only {uses} uses");
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}
