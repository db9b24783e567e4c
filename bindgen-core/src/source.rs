//! Loads WIT: what it says, resolved, and every file that was read for it.

use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::model::Span;
use crate::options::Options;
use std::path::{Path, PathBuf};
use wit_parser::{PackageId, PackageName, ParseError, Resolve, ResolveError, UnresolvedPackageGroup, WorldId};

/// What was loaded.
pub(crate) struct Source {
    /// Everything that was said.
    pub(crate) resolve: Resolve,
    /// The chosen world.
    pub(crate) world: WorldId,
    /// Every file that was read.
    pub(crate) files: Vec<PathBuf>,
    /// Every folder whose files were read: a file that is new there counts too.
    pub(crate) directories: Vec<PathBuf>,
    texts: Texts,
}

/// The name that WIT given in place has in messages.
const INLINE: &str = "<inline>";

/// Texts that no file has.
#[derive(Clone, Default)]
struct Texts {
    inline: Option<String>,
}

impl Source {
    /// The place of a span, where it is known.
    pub(crate) fn place(&self, span: Span) -> Option<Place> {
        if span == Span::default() {
            return None;
        }
        place(&self.resolve, &self.texts, wit_parser::Span::new(span.start, span.end))
    }
}

/// Loads what the options name and chooses the world.
pub(crate) fn load(options: &Options) -> Result<Source, Diagnostics> {
    let mut resolve = Resolve { all_features: options.all_features, ..Resolve::default() };
    resolve.features.extend(options.features.iter().cloned());
    let texts = Texts { inline: options.inline.clone() };
    let (mut files, mut directories, mut main) = (Vec::new(), Vec::new(), Vec::new());
    for path in &options.paths {
        check_not_loaded(&resolve, path)?;
        list(path, &mut files, &mut directories);
        let package = load_path(&mut resolve, path).map_err(|error| failure(&resolve, &texts, path, &error))?;
        main.push(package);
    }
    if let Some(text) = &options.inline {
        let parsed = UnresolvedPackageGroup::parse(INLINE, text).ok();
        if let Some(package) = parsed.and_then(|group| loaded_before(&resolve, &group)) {
            let help = "give the text in place another package name, or leave out the folder `wit` with `path: []`";
            let message = format!("the package `{package}` has been read from a file already");
            return Err(Diagnostic::new(message).help(help).option("inline", None).into());
        }
        let package = resolve.push_source(INLINE, text);
        main = vec![package.map_err(|error| failure(&resolve, &texts, Path::new(INLINE), &error))?];
    }
    if main.is_empty() {
        let help = "give `path`, a folder of `.wit` files, or `inline`, their text";
        return Err(Diagnostic::new("there is no WIT to read").help(help).option("path", None).into());
    }
    let world = choose(&resolve, &main, options.world.as_deref())?;
    Ok(Source { resolve, world, files, directories, texts })
}

fn load_path(resolve: &mut Resolve, path: &Path) -> anyhow::Result<PackageId> {
    Ok(resolve.push_path(path)?.0)
}

/// A package can be loaded once: wit-parser takes that for granted, users have `deps` folders with the same packages.
fn check_not_loaded(resolve: &Resolve, path: &Path) -> Result<(), Diagnostics> {
    if resolve.package_names.is_empty() {
        return Ok(());
    }
    let mut groups = vec![path.to_path_buf()];
    if let Ok(entries) = std::fs::read_dir(path.join("deps")) {
        groups.extend(entries.flatten().map(|entry| entry.path()));
        groups.sort();
    }
    for group in groups {
        // What can't be parsed is refused when it is loaded.
        let parsed = match group.is_dir() {
            true => UnresolvedPackageGroup::parse_dir(&group).ok(),
            false if group.extension().is_none_or(|extension| extension != "wit") => None,
            false => {
                std::fs::read_to_string(&group).ok().and_then(|text| UnresolvedPackageGroup::parse(&group, &text).ok())
            }
        };
        if let Some(package) = parsed.and_then(|group| loaded_before(resolve, &group)) {
            let message =
                format!("the package `{package}` in `{}` has been read from another path already", group.display());
            let help = "name each package once: the folder `deps` of a path is read with it";
            return Err(Diagnostic::new(message).help(help).option("path", Some(path.display().to_string())).into());
        }
    }
    Ok(())
}

/// The first package of a group that is there already.
fn loaded_before(resolve: &Resolve, group: &UnresolvedPackageGroup) -> Option<PackageName> {
    let mut packages = group.nested.iter().chain([&group.main]);
    packages.find(|package| resolve.package_names.contains_key(&package.name)).map(|package| package.name.clone())
}

/// The files and folders that `path` stands for, in a fixed order.
fn list(path: &Path, files: &mut Vec<PathBuf>, directories: &mut Vec<PathBuf>) {
    if !path.is_dir() {
        files.push(path.to_path_buf());
        return;
    }
    directories.push(path.to_path_buf());
    let Ok(entries) = std::fs::read_dir(path) else { return };
    let mut entries: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    let in_deps = path.file_name().is_some_and(|name| name == "deps");
    for entry in entries {
        if entry.is_dir() {
            if in_deps || entry.file_name().is_some_and(|name| name == "deps") {
                list(&entry, files, directories);
            }
        } else if entry.extension().is_some_and(|extension| matches!(extension.to_str(), Some("wit" | "wat" | "wasm")))
        {
            files.push(entry);
        }
    }
}

/// Chooses the world of the main packages.
fn choose(resolve: &Resolve, main: &[PackageId], world: Option<&str>) -> Result<WorldId, Diagnostics> {
    if let Ok(chosen) = resolve.select_world(main, world) {
        return Ok(chosen);
    }
    // A world whose name is a word of WIT's grammar, given without its `%`: alone, or with its package.
    if let Some(Ok(chosen)) = world.map(|world| resolve.select_world(main, Some(&format!("%{world}")))) {
        return Ok(chosen);
    }
    let mut named = resolve
        .packages
        .iter()
        .flat_map(|(_, package)| package.worlds.iter().map(|(name, id)| (package.name.interface_id(name), *id)));
    if let Some((_, chosen)) = named.find(|(name, _)| Some(name.as_str()) == world) {
        return Ok(chosen);
    }
    let worlds = |packages: &mut dyn Iterator<Item = PackageId>| -> Vec<String> {
        packages
            .flat_map(|id| {
                let package = &resolve.packages[id];
                package.worlds.keys().map(|name| package.name.interface_id(name)).collect::<Vec<_>>()
            })
            .collect()
    };
    let own = worlds(&mut main.iter().copied());
    let all = worlds(&mut resolve.packages.iter().map(|(id, _)| id));
    let name_them = |worlds: &[String]| worlds.iter().map(|world| format!("`{world}`")).collect::<Vec<_>>().join(", ");
    let diagnostic = match world {
        Some(world) => {
            let similar = all.iter().find(|known| known.contains(world) || short(known) == short(world));
            let help = match (similar, all.is_empty()) {
                (Some(known), _) => format!("there is a world `{known}`"),
                (None, true) => "the WIT that was read defines no world".to_string(),
                (None, false) => format!("these are known: {}", name_them(&all)),
            };
            Diagnostic::new(format!("there is no world `{world}`")).help(help)
        }
        None if own.is_empty() => {
            let packages: Vec<_> = main.iter().map(|id| format!("`{}`", resolve.packages[*id].name)).collect();
            let help = match all.is_empty() {
                true => "add a `world` to it: bindings are made for a world".to_string(),
                false => format!("name one of another package: {}", name_them(&all)),
            };
            Diagnostic::new(format!("the package {} has no world", packages.join(", "))).help(help)
        }
        None => Diagnostic::new("which world is meant?").help(format!("name one with `world`: {}", name_them(&own))),
    };
    Err(diagnostic.option("world", world.map(str::to_string)).into())
}

/// A world's name without package and version.
fn short(world: &str) -> &str {
    let name = world.rsplit('/').next().unwrap_or(world);
    name.split('@').next().unwrap_or(name)
}

/// What wit-parser says, with a place where it has one.
fn failure(resolve: &Resolve, texts: &Texts, path: &Path, error: &anyhow::Error) -> Diagnostics {
    for layer in error.chain() {
        if let Some(error) = layer.downcast_ref::<ParseError>() {
            let kind = error.kind();
            return explain(&kind.to_string()).at(place(resolve, texts, kind.span())).into();
        }
        if let Some(error) = layer.downcast_ref::<ResolveError>() {
            let kind = error.kind();
            return explain(&kind.to_string()).at(place(resolve, texts, kind.span())).into();
        }
    }
    let cause = error.root_cause().to_string();
    let mut diagnostic = Diagnostic::new(format!("`{}` can't be read: {cause}", path.display()));
    if !path.exists() {
        let help =
            "paths are relative to the folder of the crate's `Cargo.toml`, on the command line to the current one";
        diagnostic = diagnostic.help(help);
    } else if path.is_dir() {
        diagnostic = diagnostic.help("a folder of WIT has `.wit` files of one package, and those it needs in `deps`");
    }
    diagnostic.option("path", Some(path.display().to_string())).into()
}

/// A message in our form, and what to do about it.
fn explain(message: &str) -> Diagnostic {
    let first = message.lines().next().unwrap_or(message);
    let first = first.split(". known packages").next().unwrap_or(first).trim_end_matches('.');
    let diagnostic = Diagnostic::new(first);
    let help = if first.contains("feature not being activated") {
        "turn the feature on with `features`, or all of them with `all_features`"
    } else if first.contains("package") && first.contains("not found") {
        "put the package into the folder `deps`, or name its path before this one"
    } else if first.contains("expected") && first.contains("found") {
        "the grammar of WIT allows only what is expected here"
    } else if first.contains("does not exist") || first.contains("not defined") || first.contains("no type") {
        "check the spelling; what is gated by `@unstable` needs its feature turned on"
    } else if first.contains("cycle") || first.contains("depends on itself") {
        "break the cycle: a definition can't contain itself"
    } else if first.contains("duplicate") || first.contains("conflict") || first.contains("more than once") {
        "give one of the two another name"
    } else if first.contains("shadows") {
        "name the item differently with `include … with { … as … }`"
    } else {
        "see the place above"
    };
    diagnostic.help(help)
}

/// The place of a span.
fn place(resolve: &Resolve, texts: &Texts, span: wit_parser::Span) -> Option<Place> {
    let location = resolve.source_map.resolve_span(span)?;
    let text = match location.path {
        INLINE => texts.inline.clone()?,
        path => std::fs::read_to_string(path).ok()?,
    };
    let start = location.range.start.min(text.len());
    let line_start = text.get(..start)?.rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text.get(start..)?.find('\n').map_or(text.len(), |newline| start + newline);
    let end = location.range.end.clamp(start, line_end);
    Some(Place {
        file: location.path.to_string(),
        line: text.get(..start)?.matches('\n').count() + 1,
        column: text.get(line_start..start)?.chars().count() + 1,
        text: text.get(line_start..line_end)?.trim_end().to_string(),
        width: text.get(start..end)?.chars().count().max(1),
    })
}
