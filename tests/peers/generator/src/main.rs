//! The peer's Rust generator behind the flags its own command line has.

use anyhow::{Context, Result};
use clap::Parser;
use std::{fs, path::PathBuf};
use wit_bindgen_core::{Files, WorldGenerator, wit_parser::Resolve};

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    options: wit_bindgen_rust::Opts,
    wit: PathBuf,
    #[arg(long)]
    world: Option<String>,
    #[arg(long)]
    out_dir: PathBuf,
    #[arg(long)]
    features: Vec<String>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let mut resolve = Resolve::default();
    for features in &args.features {
        resolve.features.extend(features.split([',', ' ']).filter(|name| !name.is_empty()).map(String::from));
    }
    let (package, _) = resolve.push_path(&args.wit)?;
    let world = resolve.select_world(&[package], args.world.as_deref())?;
    let mut files = Files::default();
    args.options.build().generate(&mut resolve, world, &mut files)?;
    fs::create_dir_all(&args.out_dir)?;
    for (name, contents) in files.iter() {
        let path = args.out_dir.join(name);
        fs::write(&path, contents).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
