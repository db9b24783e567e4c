//! The table of the bench of hosts.

use super::{Figures, Row};
use serde_json::{Value, json};
use std::fmt;

/// The rows, as text and as JSON.
#[derive(Debug)]
pub struct Table(pub Vec<(Row, Figures, Figures)>);

impl Table {
    /// All figures.
    pub fn json(&self) -> Value {
        let rows = self.0.iter().map(|(row, ours, theirs)| {
            json!({
                "name": row.name, "aim": row.aim, "ratio": theirs.wall / ours.wall,
                "ours": { "allocations": ours.allocations }, "theirs": { "allocations": theirs.allocations },
            })
        });
        Value::Array(rows.collect())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "hosts: time and allocations of an operation; the ratio is theirs / ours. `bindgen!` where nothing else is said"
        )?;
        writeln!(f, "{:<62} {:>12} {:>8} {:>12} {:>8} {:>8}  aim", "", "ours", "allocs", "theirs", "allocs", "ratio")?;
        for (row, ours, theirs) in &self.0 {
            writeln!(
                f,
                "{:<62} {:>12} {:>8} {:>12} {:>8} {:>7.2}x  [{}]",
                row.name,
                time(ours.wall),
                count(ours.allocations),
                time(theirs.wall),
                count(theirs.allocations),
                theirs.wall / ours.wall,
                row.aim,
            )?;
        }
        Ok(())
    }
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 10_000.0 => format!("{ns:.0} ns"),
        ns => format!("{:.1} us", ns / 1000.0),
    }
}

fn count(count: f64) -> String {
    if count >= 10.0 || count == 0.0 { format!("{count:.0}") } else { format!("{count:.2}") }
}
