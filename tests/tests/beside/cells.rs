//! Who exports, who imports, and what they do: each cell of the table is a number of cases.

use super::host::{Compiled, Step};
use anyhow::{Result, ensure};
use std::fmt::Write;
use wasp_tests::beside::guests::{Kind, component};
use wasp_tests::parallel;

#[test]
fn every_runtime_is_at_home_beside_every_other_in_debug() -> Result<()> {
    table(Kind::Debug)
}

#[test]
fn every_runtime_is_at_home_beside_every_other_in_release() -> Result<()> {
    table(Kind::Release)
}

const RUNTIMES: [&str; 6] = ["ours", "another", "wb63", "wasip3", "wb61", "wb57"];

fn is_ours(runtime: &str) -> bool {
    matches!(runtime, "ours" | "another")
}

/// Whose tasks spawn nothing for others, and whose futures are spawned nowhere else.
fn is_old(runtime: &str) -> bool {
    matches!(runtime, "wb57" | "wb61")
}

/// Why a case cannot work, by whose rule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rule {
    /// Whoever does it is stopped.
    TasksSpawnNothing,
    /// It would wait for ever.
    SpawnsElsewhere,
    /// Whoever does it is stopped.
    NobodyWakes,
}

impl Rule {
    fn why(self) -> &'static str {
        match self {
            Rule::TasksSpawnNothing => {
                "tasks of wit-bindgen before 0.63 spawn nothing for others (the C ABI has it since version 3): refused"
            }
            Rule::SpawnsElsewhere => "what wit-bindgen before 0.63 spawns runs in tasks of the same version only",
            Rule::NobodyWakes => {
                "wit-bindgen 0.57 wakes no other task without its feature inter-task-wakeup, which traps in this engine"
            }
        }
    }
}

/// A case: the column it belongs to, its steps, what they tell, and the rule that keeps it from working.
struct Case {
    group: &'static str,
    steps: &'static [(How, &'static str)],
    told: &'static [&'static str],
    rule: fn(&str, &str) -> Option<Rule>,
}

/// How a step is run.
#[derive(Clone, Copy)]
enum How {
    /// By a task of the exporter with the imports of the importer.
    Run,
    /// With a task of the importer, which runs the second case with the imports of the exporter.
    With(&'static str),
    /// The caller cancels it.
    Cancel,
}

const fn case(group: &'static str, steps: &'static [(How, &'static str)], told: &'static [&'static str]) -> Case {
    Case { group, steps, told, rule: |_, _| None }
}

const fn limited(mut case: Case, rule: fn(&str, &str) -> Option<Rule>) -> Case {
    case.rule = rule;
    case
}

fn spawns(exporter: &str, importer: &str) -> Option<Rule> {
    if is_old(importer) && exporter != importer {
        return Some(Rule::SpawnsElsewhere);
    }
    (is_old(exporter) && exporter != importer).then_some(Rule::TasksSpawnNothing)
}

const CASES: &[Case] = &[
    case("ready", &[(How::Run, "ready")], &["7"]),
    case("pending", &[(How::Run, "pending")], &["7"]),
    case("pending", &[(How::Run, "many")], &["1225"]),
    case("stream", &[(How::Run, "stream read")], &["10"]),
    case("stream", &[(How::Run, "stream written")], &["18 0"]),
    case("stream", &[(How::Run, "stream given up")], &["true true"]),
    case("future", &[(How::Run, "future read")], &["7"]),
    case("future", &[(How::Run, "future written")], &["7 true"]),
    case("future", &[(How::Run, "default written")], &["7"]),
    case("future", &[(How::Run, "default left"), (How::Run, "kept")], &["left", "Some(7)"]),
    limited(case("spawn", &[(How::Run, "spawned")], &["Some(7)"]), spawns),
    limited(case("spawn", &[(How::Run, "spawned many")], &["Some(1) 190"]), spawns),
    limited(case("spawn", &[(How::Run, "spawned and cancelled")], &["None 0"]), spawns),
    limited(case("spawn", &[(How::Run, "spawned and left"), (How::Run, "taken")], &["left", "7"]), spawns),
    case("spawned there", &[(How::Run, "spawned by the task's")], &["Some(7)"]),
    case("spawned there", &[(How::Run, "moved")], &["None Some(7)"]),
    case("cancel", &[(How::Run, "cancelled"), (How::Run, "unanswered")], &["7", "0"]),
    case("timeout", &[(How::Run, "timeout")], &["None Some(7) 0"]),
    case("block", &[(How::Run, "blocking")], &["8"]),
    case("another task", &[(How::Run, "left"), (How::Run, "taken")], &["None", "7"]),
    case("another task", &[(How::Run, "left"), (How::Run, "dropped")], &["None", "0"]),
    limited(case("woken", &[(How::With("wakes"), "waits")], &["Some(7), Some(true)"]), |exporter, _| {
        (exporter == "wb57").then_some(Rule::NobodyWakes)
    }),
    case(
        "caller cancels",
        &[(How::Cancel, "long"), (How::Run, "unanswered"), (How::Run, "pending")],
        &["true", "0", "7"],
    ),
];

/// Runs a case. Returns `None` when it works, otherwise why it cannot, or what went wrong.
fn run(component: &Compiled, case: &Case, exporter: &str, importer: &str) -> Option<Result<Rule, String>> {
    let rule = (case.rule)(exporter, importer);
    if let Some(rule @ Rule::SpawnsElsewhere) = rule {
        return Some(Ok(rule));
    }
    let pair = [exporter, importer];
    let steps: Vec<_> = (case.steps.iter())
        .map(|(how, name)| match how {
            How::Run => Step::Run(pair, name),
            How::With(other) => Step::Both([pair, [importer, exporter]], [name, other]),
            How::Cancel => Step::Cancel(pair, name),
        })
        .collect();
    match (component.run(&steps), rule) {
        (Ok(told), None) if told == case.told => None,
        (Ok(told), _) => Some(Err(format!("{told:?}"))),
        (Err(_), Some(rule)) => Some(Ok(rule)),
        (Err(error), None) => Some(Err(format!("{error:#}"))),
    }
}

fn table(kind: Kind) -> Result<()> {
    let Some(component) = component(kind)? else { return Ok(()) };
    let component = Compiled::new(&component)?;
    let mut groups = Vec::new();
    for case in CASES {
        if groups.last() != Some(&case.group) {
            groups.push(case.group);
        }
    }
    let pairs: Vec<_> = (RUNTIMES.iter())
        .flat_map(|exporter| RUNTIMES.iter().map(move |importer| (*exporter, *importer)))
        .filter(|(exporter, importer)| is_ours(exporter) || is_ours(importer))
        .collect();
    let cells = parallel::map(&pairs, |(exporter, importer)| {
        CASES.iter().map(|case| run(&component, case, exporter, importer)).collect::<Vec<_>>()
    });
    let (mut table, mut rules, mut failures) = (String::new(), Vec::new(), String::new());
    write!(table, "{:18}", format!("{kind:?}"))?;
    groups.iter().try_for_each(|group| write!(table, " | {group}"))?;
    for ((exporter, importer), outcomes) in pairs.iter().zip(&cells) {
        write!(table, "\n{:18}", format!("{exporter} x {importer}"))?;
        for group in &groups {
            let mut cell = String::from("ok");
            for (case, outcome) in CASES.iter().zip(outcomes).filter(|(case, _)| case.group == *group) {
                match outcome {
                    None => {}
                    Some(Ok(rule)) => {
                        let number = rules.iter().position(|known| known == rule).unwrap_or_else(|| {
                            rules.push(*rule);
                            rules.len() - 1
                        });
                        cell = format!("({})", number + 1);
                    }
                    Some(Err(error)) => {
                        cell = "FAILS".into();
                        writeln!(failures, "{exporter} x {importer}, {:?}: {error}", case.steps[0].1)?;
                        break;
                    }
                }
            }
            write!(table, " | {cell:width$}", width = group.len())?;
        }
    }
    println!("{table}");
    for (number, rule) in rules.iter().enumerate() {
        println!("({}) {}", number + 1, rule.why());
    }
    ensure!(failures.is_empty(), "\n{failures}");
    Ok(())
}
