//! The stand-in for the engine, that the runtime is tested against natively, against the engine: random programs do the
//! same in both, call the same built-ins in the same order, and break the same rules.
//!
//! Both runs are made of the same interpreter (`guests/differential/play.rs`). Where the engine may choose who is next,
//! the native run does what wasmtime did, as long as that is among what the stand-in would do.
//!
//! `DIFFERENTIAL_PROGRAMS` says how many programs there are, `DIFFERENTIAL_SEED` which is the first.

mod component;
mod engine;
mod imports;
mod instrument;
mod native;
mod outside;
#[path = "../../guests/differential/play.rs"]
mod play;
mod program;

use anyhow::{Result, bail};
use engine::{Engine, Record};
use imports::{host, late, new_number, new_numbers, new_text, new_texts};
use program::Program;

/// Where the two runs of a program part, if they do.
fn difference(engine: &Engine, program: &Program) -> Result<Option<String>> {
    let theirs = engine.play(program)?;
    let ours = native::run(program, &theirs);
    Ok(compare(&theirs, &ours))
}

/// wasmtime 48 fails when items with pointers, or the value of a future, are copied to a read that was begun by a call
/// which is over. Where its assertions are on, it panics when a synchronous export yields while a task could go on. No rule
/// says so: what comes before that is compared.
fn is_fault_of_engine(record: &Record) -> bool {
    let faults = ["resource not present", "resource is of another type", engine::PANICKED];
    record.trap.as_ref().is_some_and(|trap| faults.iter().any(|fault| trap.contains(fault)))
}

fn compare(theirs: &Record, ours: &Record) -> Option<String> {
    if is_fault_of_engine(theirs) && ours.trace.starts_with(&theirs.trace) {
        return None;
    }
    let len = theirs.trace.len().max(ours.trace.len());
    let at = (0..len).find(|line| theirs.trace.get(*line) != ours.trace.get(*line));
    let same_end = theirs.trap.is_some() || theirs.outside == ours.outside;
    if at.is_none() && theirs.trap.is_some() == ours.trap.is_some() && same_end {
        return None;
    }
    let at = at.unwrap_or(len);
    let mut text = String::new();
    for line in &theirs.trace[..at.min(theirs.trace.len())] {
        text += &format!("    {line}\n");
    }
    for (who, record) in [("the engine", theirs), ("the stand-in", ours)] {
        text += &format!("  {who}:\n");
        for line in record.trace.iter().skip(at).take(8) {
            text += &format!("    {line}\n");
        }
        for line in record.outside.iter().rev().take(4).rev() {
            text += &format!("    {line}\n");
        }
        if let Some(trap) = &record.trap {
            text += &format!("    traps: {trap}\n");
        }
    }
    Some(text)
}

/// Returns the smallest program found that does not do the same.
fn shrink(engine: &Engine, mut program: Program) -> Result<Program> {
    'smaller: loop {
        for candidate in program.smaller() {
            if difference(engine, &candidate)?.is_some() {
                program = candidate;
                continue 'smaller;
            }
        }
        return Ok(program);
    }
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn play_all(programs: u64) -> Result<()> {
    let (component, reports) = component::build()?;
    let engine = Engine::new(&component, reports)?;
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // Those are traps, or the engine's faults, and reported as such.
        let is_engines = panic.location().is_some_and(|location| location.file().contains("wasmtime-"));
        if std::thread::current().name() != Some(native::THREAD) && !is_engines {
            hook(panic);
        }
    }));
    let first = number("DIFFERENTIAL_SEED", 0);
    let (mut traps, mut faults, mut lines) = (0, 0, 0);
    for seed in first..first + programs {
        let program = Program::random(seed);
        let theirs = engine.play(&program)?;
        let ours = native::run(&program, &theirs);
        traps += u64::from(theirs.trap.is_some());
        faults += u64::from(is_fault_of_engine(&theirs));
        lines += theirs.trace.len();
        if compare(&theirs, &ours).is_some() {
            let small = shrink(&engine, program)?;
            let text = difference(&engine, &small)?.unwrap_or_default();
            bail!("seed {seed}: the engine and the stand-in part.\n{small}{text}");
        }
    }
    println!("{programs} programs, {lines} lines, {traps} traps, {faults} of them by the engine's own fault");
    Ok(())
}

#[test]
fn the_stand_in_does_what_the_engine_does() -> Result<()> {
    play_all(number("DIFFERENTIAL_PROGRAMS", 3000))
}

/// Not for builds without debug assertions: there the engine goes on where it panics here, on two stacks.
#[test]
#[ignore = "takes some minutes: run it with `-- --ignored`"]
fn the_stand_in_does_what_the_engine_does_a_hundred_thousand_times() -> Result<()> {
    play_all(number("DIFFERENTIAL_PROGRAMS", 100_000))
}
