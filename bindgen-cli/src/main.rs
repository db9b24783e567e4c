//! The `wasp-bindgen` command.

use anstream::{eprintln, println};
use anstyle::{AnsiColor, Style};
use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wasp_bindgen_cli::{Componentize, Diagnostics, Options, Ownership, With};

/// Rust bindings for WIT, and components.
#[derive(Parser)]
#[command(name = "wasp-bindgen", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes the bindings of a guest.
    Guest(Box<Guest>),
    /// Makes a component of a core module.
    Componentize(Component),
}

#[derive(Args)]
struct Guest {
    /// Folders, `.wit` files or packages in WebAssembly form; the last one holds the world.
    #[arg(required = true, value_name = "WIT")]
    wit: Vec<PathBuf>,
    /// The world, where there are several.
    #[arg(long, short)]
    world: Option<String>,
    /// Where the file `<world_in_snake_case>.rs` goes.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out_dir: PathBuf,
    /// Write nothing, and fail if the file is not what would be written.
    #[arg(long)]
    check: bool,
    /// Gates of `@unstable` to open.
    #[arg(long, value_delimiter = ',')]
    features: Vec<String>,
    /// Open every gate.
    #[arg(long)]
    all_features: bool,
    /// Format the output (it always is).
    #[arg(long)]
    format: bool,
    /// Guard what needs std with `cfg(feature = "std")`.
    #[arg(long)]
    std_feature: bool,
    /// Strings are bytes.
    #[arg(long)]
    raw_strings: bool,
    /// Functions to leave out.
    #[arg(long, value_name = "NAME")]
    skip: Vec<String>,
    /// Print a type that implements every export by trapping.
    #[arg(long)]
    stubs: bool,
    /// Goes before the names of exports.
    #[arg(long, value_name = "STRING")]
    export_prefix: Option<String>,
    /// `owning`, `borrowing` or `borrowing-duplicate-if-necessary`: whether types in parameters of imports borrow.
    #[arg(long, value_parser = ownership, default_value = "owning")]
    ownership: Ownership,
    /// Where the runtime's module `rt` is.
    #[arg(long, value_name = "PATH")]
    runtime_path: Option<String>,
    /// The type that `map<K, V>` becomes.
    #[arg(long, value_name = "PATH")]
    map_type: Option<String>,
    /// The bitflags crate.
    #[arg(long, value_name = "PATH")]
    bitflags_path: Option<String>,
    /// A derive for every type.
    #[arg(long, short = 'd', value_name = "DERIVE")]
    additional_derive_attributes: Vec<String>,
    /// A type that gets no additional derives.
    #[arg(long, value_name = "NAME")]
    additional_derive_ignore: Vec<String>,
    /// An attribute for one type.
    #[arg(long, value_name = "SELECTOR=ATTR", value_parser = attribute)]
    additional_type_attributes: Vec<(String, String)>,
    /// An attribute for one field or case.
    #[arg(long, value_name = "SELECTOR=ATTR", value_parser = attribute)]
    additional_member_attributes: Vec<(String, String)>,
    /// Where an interface or a type exists already, or `generate`.
    #[arg(long, value_name = "KEY=PATH", value_parser = with, value_delimiter = ',')]
    with: Vec<(String, With)>,
    /// Generate every interface that `--with` does not name.
    #[arg(long)]
    generate_all: bool,
    /// Makes the name of the custom section unique.
    #[arg(long, value_name = "STRING")]
    type_section_suffix: Option<String>,
    /// Leave out what runs constructors once.
    #[arg(long)]
    disable_run_ctors_once_workaround: bool,
    /// What `with_types_in` is when it is not given.
    #[arg(long, value_name = "PATH")]
    default_bindings_module: Option<String>,
    /// The name of the export macro.
    #[arg(long, value_name = "NAME")]
    export_macro_name: Option<String>,
    /// Publish the export macro.
    #[arg(long)]
    pub_export_macro: bool,
    /// Print types that nothing uses.
    #[arg(long)]
    generate_unused_types: bool,
    /// Leave out what keeps the custom section in libraries.
    #[arg(long)]
    disable_custom_section_link_helpers: bool,
    /// Async functions to bind synchronously: `all`, or names after `import:`, `export:` or nothing.
    #[arg(long, value_name = "FILTER", value_delimiter = ',')]
    sync: Vec<String>,
    /// Methods without a result that return `self`: `all`, or names after `&`, `-` or nothing.
    #[arg(long, value_name = "FILTER", value_delimiter = ',', allow_hyphen_values = true)]
    chainable_methods: Vec<String>,
    /// One Rust type for each class of equal types.
    #[arg(long, require_equals = true, num_args = 0..=1, default_missing_value = "true", value_name = "true|false")]
    merge_structurally_equal_types: Option<bool>,
}

#[derive(Args)]
struct Component {
    /// The core module.
    #[arg(value_name = "CORE.WASM")]
    module: PathBuf,
    /// Where the component goes.
    #[arg(long, short, value_name = "OUT.WASM")]
    output: PathBuf,
    /// A module that translates the imports of one name, such as `wasi_snapshot_preview1=adapter.wasm`.
    #[arg(long, value_name = "NAME=FILE", value_parser = adapter)]
    adapt: Vec<(String, PathBuf)>,
    /// Do not check the component.
    #[arg(long)]
    no_validate: bool,
}

fn ownership(text: &str) -> Result<Ownership, String> {
    match text {
        "owning" => Ok(Ownership::Owning),
        "borrowing" => Ok(Ownership::Borrowing { duplicate_if_necessary: false }),
        "borrowing-duplicate-if-necessary" => Ok(Ownership::Borrowing { duplicate_if_necessary: true }),
        _ => Err("expected `owning`, `borrowing` or `borrowing-duplicate-if-necessary`".to_string()),
    }
}

fn attribute(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((selector, attribute)) if !attribute.trim().is_empty() => Ok((selector.to_string(), attribute.to_string())),
        _ => Err("expected `selector=#[attribute]`".to_string()),
    }
}

fn with(text: &str) -> Result<(String, With), String> {
    match text.split_once('=') {
        Some((key, "generate")) => Ok((key.to_string(), With::Generate)),
        Some((key, path)) => Ok((key.to_string(), With::Path(path.to_string()))),
        None => Err("expected `ns:pkg/interface=path::to::module`, or `…=generate`".to_string()),
    }
}

fn adapter(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, path)) => Ok((name.to_string(), path.into())),
        None => {
            let stem = Path::new(text).file_stem().and_then(|stem| stem.to_str()).unwrap_or(text);
            let name = stem.split('.').next().unwrap_or(stem);
            Ok((name.to_string(), text.into()))
        }
    }
}

impl Guest {
    fn options(&self) -> Options {
        Options {
            paths: self.wit.clone(),
            inline: None,
            world: self.world.clone(),
            features: self.features.clone(),
            all_features: self.all_features,
            std_feature: self.std_feature,
            raw_strings: self.raw_strings,
            skip: self.skip.clone(),
            stubs: self.stubs,
            export_prefix: self.export_prefix.clone(),
            ownership: self.ownership,
            runtime_path: self.runtime_path.clone(),
            map_type: self.map_type.clone(),
            bitflags_path: self.bitflags_path.clone(),
            additional_derives: self.additional_derive_attributes.clone(),
            additional_derives_ignore: self.additional_derive_ignore.clone(),
            additional_type_attributes: self.additional_type_attributes.clone(),
            additional_member_attributes: self.additional_member_attributes.clone(),
            with: self.with.clone(),
            generate_all: self.generate_all,
            generate_unused_types: self.generate_unused_types,
            merge_structurally_equal_types: self.merge_structurally_equal_types.unwrap_or(false),
            type_section_suffix: self.type_section_suffix.clone(),
            disable_custom_section_link_helpers: self.disable_custom_section_link_helpers,
            disable_run_ctors_once_workaround: self.disable_run_ctors_once_workaround,
            default_bindings_module: self.default_bindings_module.clone(),
            export_macro_name: self.export_macro_name.clone(),
            pub_export_macro: self.pub_export_macro,
            sync: self.sync.clone(),
            chainable_methods: self.chainable_methods.clone(),
        }
    }

    /// Writes the bindings, or checks them; whether they are up to date.
    fn run(&self) -> Result<bool> {
        let generated = wasp_bindgen_core::guest(&self.options())?;
        let text = wasp_bindgen_core::format(&generated);
        let file = self.out_dir.join(format!("{}.rs", generated.world));
        if !self.check {
            std::fs::create_dir_all(&self.out_dir).with_context(|| format!("`{}` can't be made", self.out_dir.display()))?;
            std::fs::write(&file, text).with_context(|| format!("`{}` can't be written", file.display()))?;
            println!("wrote {}", file.display());
            return Ok(true);
        }
        let present = std::fs::read_to_string(&file).with_context(|| format!("`{}` can't be read", file.display()))?;
        if present == text {
            return Ok(true);
        }
        let same = present.lines().zip(text.lines()).take_while(|(present, wanted)| present == wanted).count();
        let line = |text: &str| text.lines().nth(same).unwrap_or("(end of file)").to_string();
        fail(&format!(
            "`{}` is not what the WIT gives: line {} is\n  - {}\nand would be\n  + {}\nhelp: run the same command without `--check`",
            file.display(),
            same + 1,
            line(&present),
            line(&text),
        ));
        Ok(false)
    }
}

impl Component {
    fn run(&self) -> Result<()> {
        let read = |path: &Path| std::fs::read(path).with_context(|| format!("`{}` can't be read", path.display()));
        let module = read(&self.module)?;
        let adapters = self.adapt.iter().map(|(name, path)| Ok((name.clone(), read(path)?)));
        let how = Componentize { adapters: adapters.collect::<Result<_>>()?, validate: !self.no_validate };
        let component = wasp_bindgen_cli::componentize(&module, &how)?;
        std::fs::write(&self.output, &component).with_context(|| format!("`{}` can't be written", self.output.display()))?;
        println!("wrote {} ({} bytes)", self.output.display(), component.len());
        Ok(())
    }
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Guest(guest) => guest.run(),
        Command::Componentize(component) => component.run().map(|()| true),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            match error.downcast_ref::<Diagnostics>() {
                Some(diagnostics) => {
                    for diagnostic in &diagnostics.0 {
                        let text = diagnostic.to_string();
                        fail(text.strip_prefix("error: ").unwrap_or(&text));
                    }
                }
                None => {
                    // Hints go last, whichever cause they came with.
                    let chain = error.chain().map(ToString::to_string);
                    let (mut messages, mut hints) = (Vec::new(), Vec::new());
                    for text in chain {
                        let (message, hint) = text.split_once("\nhelp: ").map_or((text.as_str(), None), |(m, h)| (m, Some(h)));
                        messages.push(message.to_string());
                        hints.extend(hint.map(str::to_string));
                    }
                    let hint = hints.first().map(|hint| format!("\nhelp: {hint}")).unwrap_or_default();
                    fail(&format!("{}{hint}", messages.join(": ")));
                }
            }
            ExitCode::FAILURE
        }
    }
}

/// Prints an error, with colours where the terminal has them.
fn fail(text: &str) {
    let red = AnsiColor::Red.on_default().bold();
    let cyan = AnsiColor::Cyan.on_default().bold();
    let bold = Style::new().bold();
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    eprintln!("{red}error{red:#}{bold}: {first}{bold:#}");
    for line in rest.lines() {
        match line.strip_prefix("help: ") {
            Some(hint) => eprintln!("{cyan}help{cyan:#}: {hint}"),
            None => eprintln!("{line}"),
        }
    }
}
