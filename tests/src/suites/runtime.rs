//! The runtime suite: pairs (and more) of components that call each other, Rust on every side.

mod config;

use crate::build::{self, Libraries, Side, WASI};
use crate::component;
use crate::engine;
use crate::generate::{self, Generator};
use crate::parallel;
use crate::places::{self, run};
use crate::report::{Outcome, Report};
use anyhow::{Context, Result};
use config::{SourceConfig, WitConfig};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Cases that may fail.
const EXCEPTIONS: &[(&str, &str)] = &[];

/// What all components of the suite are made with.
struct Tools {
    generator: Generator,
    libraries: Libraries,
    adapter: Vec<u8>,
    work: PathBuf,
}

/// A folder of the suite: its worlds and the Rust sources for them.
struct Folder {
    name: String,
    path: PathBuf,
    config: WitConfig,
    sources: Vec<Source>,
}

/// A component's source file.
struct Source {
    world: String,
    path: PathBuf,
    config: SourceConfig,
}

/// A runner with one component for each world it depends on, as places in the list of sources.
struct Case {
    folder: usize,
    runner: usize,
    others: Vec<usize>,
}

/// Runs all cases whose name contains `filter`.
///
/// # Errors
///
/// When the suite cannot be found or read, or the generator or the runtime cannot be built.
pub fn suite(side: Side, filter: &str) -> Result<Report> {
    let root = places::peer_suites()?.join("runtime");
    let mut folders = Vec::new();
    for group in [root.clone(), root.join("rust"), root.join("moonbit")] {
        discover(&root, &group, filter, &mut folders)?;
    }
    let tools = Tools {
        generator: generate::generator(side)?,
        libraries: build::libraries(side, WASI)?,
        adapter: component::adapter()?,
        work: places::work_dir(&format!("runtime-{side:?}").to_lowercase())?,
    };
    let cases: Vec<Case> = (folders.iter().enumerate()).flat_map(|(index, folder)| folder.cases(index)).collect();
    let mut wanted: Vec<(usize, usize)> = (cases.iter())
        .flat_map(|case| {
            let sources = case.others.iter().copied().chain([case.runner]);
            sources.map(|source| (case.folder, source))
        })
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    let built: HashMap<(usize, usize), Result<PathBuf, String>> = parallel::map(&wanted, |&key| {
        let folder = &folders[key.0];
        let component = tools.component(folder, &folder.sources[key.1]);
        (key, component.map_err(|error| format!("{error:#}")))
    })
    .into_iter()
    .collect();
    let outcomes = parallel::map(&cases, |case| {
        let folder = &folders[case.folder];
        Outcome::new(folder.title(case), tools.case(folder, case, &built))
    });
    Ok(Report { title: format!("runtime suite, {side:?}"), outcomes, exceptions: EXCEPTIONS })
}

fn discover(root: &Path, group: &Path, filter: &str, folders: &mut Vec<Folder>) -> Result<()> {
    let mut paths = fs::read_dir(group)
        .with_context(|| format!("cannot read {}", group.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    paths.sort();
    for path in paths.into_iter().filter(|path| path.join("test.wit").is_file()) {
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        if name.contains(filter) {
            let folder = Folder::read(name, path).context("cannot read a case of the suite")?;
            folders.push(folder);
        }
    }
    Ok(())
}

impl Folder {
    fn read(name: String, path: PathBuf) -> Result<Self> {
        let config: WitConfig = config::parse(&fs::read_to_string(path.join("test.wit"))?)
            .with_context(|| format!("in {name}/test.wit"))?;
        let worlds: Vec<String> = [config.runner()].into_iter().chain(config.dependencies()).collect();
        let mut sources = Vec::new();
        let mut files: Vec<PathBuf> = fs::read_dir(&path)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        files.sort();
        for file in files {
            let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let world = worlds.iter().find(|world| stem.starts_with(world.as_str()));
            let is_rust = file.extension().is_some_and(|kind| kind == "rs");
            if let (true, Some(world)) = (is_rust, world) {
                let config =
                    config::parse(&fs::read_to_string(&file)?).with_context(|| format!("in {name}/{stem}.rs"))?;
                sources.push(Source { world: world.clone(), path: file, config });
            }
        }
        Ok(Self { name, path, config, sources })
    }

    /// Every runner with every choice of components; none where a world has no Rust source or where the components
    /// are to be linked as shared libraries, which takes a C toolchain.
    fn cases(&self, folder: usize) -> Vec<Case> {
        if self.sources.iter().any(|source| source.config.is_shared()) {
            return Vec::new();
        }
        let of_world = |world: &str| {
            let sources = self.sources.iter().enumerate();
            sources.filter(|(_, source)| source.world == world).map(|(index, _)| index).collect::<Vec<_>>()
        };
        let mut choices: Vec<Vec<usize>> = vec![Vec::new()];
        for world in self.config.dependencies() {
            let sources = of_world(&world);
            choices = (choices.iter())
                .flat_map(|chosen| sources.iter().map(move |&source| [chosen.as_slice(), &[source]].concat()))
                .collect();
        }
        (of_world(&self.config.runner()).into_iter())
            .flat_map(|runner| choices.iter().map(move |others| Case { folder, runner, others: others.clone() }))
            .collect()
    }

    fn title(&self, case: &Case) -> String {
        let files: Vec<String> =
            std::iter::once(&case.runner).chain(&case.others).map(|&source| self.sources[source].stem()).collect();
        format!("{} {}", self.name, files.join("+"))
    }

    /// The folder where packages lie beside the test's own, or else its one file.
    fn wit(&self) -> PathBuf {
        if self.path.join("deps").is_dir() { self.path.clone() } else { self.path.join("test.wit") }
    }
}

impl Source {
    fn stem(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }
}

impl Tools {
    fn case(
        &self,
        folder: &Folder,
        case: &Case,
        built: &HashMap<(usize, usize), Result<PathBuf, String>>,
    ) -> Result<()> {
        let component = |source: usize| {
            let path = built[&(case.folder, source)].as_ref();
            path.cloned().map_err(|error| anyhow::anyhow!("{error}"))
        };
        let runner = component(case.runner)?;
        let others = case.others.iter().map(|&other| component(other)).collect::<Result<Vec<_>>>()?;
        let composed = match &folder.config.wac {
            None => {
                let output = runner.with_file_name(folder.title(case).replace(['/', ' '], "-"));
                component::compose(&runner, &others, &output)?
            }
            Some(script) => {
                let script = fs::read_to_string(folder.path.join(script))?;
                let components = ([case.runner].iter().chain(&case.others))
                    .zip([&runner].into_iter().chain(&others))
                    .map(|(&source, path)| {
                        let world = &folder.sources[source].world;
                        Ok((format!("test:{world}"), fs::read(path)?))
                    })
                    .collect::<Result<Vec<_>>>()?;
                component::compose_by_script(&script, &components)?
            }
        };
        engine::run(&composed)
    }

    fn component(&self, folder: &Folder, source: &Source) -> Result<PathBuf> {
        let work = self.work.join(&folder.name).join(source.stem());
        let mut options: Vec<String> = source.config.args.words();
        if folder.config.default_bindgen_args != Some(false) {
            options.extend(["--generate-all".into(), "--format".into()]);
        }
        let bindings = self.generator.run(&folder.wit(), Some(&source.world), &options, &work.join("bindings"))?;
        let module = work.join("module.wasm");
        let mut rustc = self.rustc(folder, source, &source.path, &module);
        rustc.env("BINDINGS", bindings).args(["--crate-type=cdylib", "-Clink-arg=--skip-wit-component"]);
        for library in &source.config.lang.externs {
            let path = folder.path.join(library);
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let output = work.join(format!("lib{name}.rlib"));
            run(self.rustc(folder, source, &path, &output).arg("--crate-type=rlib"))?;
            rustc.arg(format!("--extern={name}={}", output.display()));
        }
        run(&mut rustc).with_context(|| format!("cannot compile {}.rs", source.stem()))?;
        let component = component::encode(&fs::read(&module)?, Some(&self.adapter))?;
        let path = work.join("component.wasm");
        fs::write(&path, component)?;
        Ok(path)
    }

    fn rustc(&self, folder: &Folder, source: &Source, input: &Path, output: &Path) -> Command {
        let mut rustc = self.libraries.rustc(WASI, "2021");
        rustc
            .env("CARGO_MANIFEST_DIR", &folder.path)
            .arg(input)
            .arg("-o")
            .arg(output)
            .arg("-Cstrip=debuginfo")
            .args(source.config.lang.rustflags.words());
        rustc
    }
}
