//! The options that choose functions: `sync` and `chainable_methods`.

use crate::diagnostic::Diagnostic;
use crate::model::Chain;

/// Which functions are bound synchronously although WIT says `async`.
pub(crate) struct SyncFilters(Vec<(String, bool)>);

impl SyncFilters {
    pub(crate) fn new(filters: &[String]) -> Self {
        SyncFilters(filters.iter().map(|filter| (filter.clone(), false)).collect())
    }

    /// Whether the function `name` (`interface#function`) is made synchronous.
    pub(crate) fn matches(&mut self, name: &str, import: bool) -> bool {
        let direction = if import { "import:" } else { "export:" };
        let mut sync = false;
        for (filter, used) in &mut self.0 {
            let (pattern, turns_on) = match filter.strip_prefix('-') {
                Some(pattern) => (pattern, false),
                None => (filter.as_str(), true),
            };
            if pattern == "all" || pattern == name || pattern.strip_prefix(direction) == Some(name) {
                *used = true;
                sync = turns_on;
            }
        }
        sync
    }

    pub(crate) fn unused(&self) -> impl Iterator<Item = Diagnostic> {
        unused(
            "sync",
            &self.0,
            "name a function as `ns:pkg/interface@version#function`, after `import:` or `export:` if only one is meant",
        )
    }
}

/// Which methods return `self`.
pub(crate) struct ChainFilters(Vec<(String, bool)>);

impl ChainFilters {
    pub(crate) fn new(filters: &[String]) -> Self {
        ChainFilters(filters.iter().map(|filter| (filter.clone(), false)).collect())
    }

    /// How the method `method` of `resource` (both after `interface#`) is chained: the first filter that matches says.
    pub(crate) fn matches(&mut self, resource: &str, method: &str) -> Option<Chain> {
        for (filter, used) in &mut self.0 {
            let (pattern, chain) = match (filter.strip_prefix('-'), filter.strip_prefix('&')) {
                (Some(pattern), _) => (pattern, None),
                (_, Some(pattern)) => (pattern, Some(Chain::Ref)),
                _ => (filter.as_str(), Some(Chain::Owned)),
            };
            if pattern == "all" || pattern == resource || pattern == method {
                *used = true;
                return chain;
            }
        }
        None
    }

    pub(crate) fn unused(&self) -> impl Iterator<Item = Diagnostic> {
        unused(
            "chainable_methods",
            &self.0,
            "name a resource as `ns:pkg/interface@version#resource`, or one method of it, after `-` or `&`",
        )
    }
}

fn unused(option: &'static str, filters: &[(String, bool)], help: &'static str) -> impl Iterator<Item = Diagnostic> {
    let unused = filters.iter().filter(|(filter, used)| !used && filter.trim_start_matches(['-', '&']) != "all");
    unused.map(move |(filter, _)| {
        Diagnostic::new(format!("`{option}` has an entry `{filter}` that matches nothing"))
            .help(help)
            .option(option, Some(filter.clone()))
    })
}
