//! The figures as text, JSON and a plot.

use super::measure::{CASES, Figures, Measured};
use std::fmt::{self, Write as _};

/// All that was measured at one setting.
pub struct Table<'a> {
    /// What is said above it.
    pub title: &'a str,
    /// The columns; ratios are to the first.
    pub columns: &'a [Measured],
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: fuel / allocations / built-ins / time as a ratio, each for one operation", self.title)?;
        write!(f, "{:50}", "")?;
        for column in self.columns {
            write!(f, "  {:>34}", column.guest.name())?;
        }
        writeln!(f)?;
        for (row, case) in CASES.iter().enumerate() {
            write!(f, "{:50}", case.name)?;
            for column in self.columns {
                let cell = column.figures[row].map_or_else(|| "-".to_owned(), |figures| self.cell(row, figures));
                write!(f, "  {cell:>34}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl Table<'_> {
    fn cell(&self, row: usize, figures: Figures) -> String {
        let ratio = self.columns[0].figures[row].map_or(f64::NAN, |ours| figures.wall / ours.wall);
        let Figures { fuel, allocations, built_ins, .. } = figures;
        format!("{} / {} / {} / {ratio:.1}x", number(fuel), number(allocations), number(built_ins))
    }

    /// The same for programs; without time, which differs between machines.
    pub fn json(&self) -> serde_json::Value {
        let rows = CASES.iter().enumerate().map(|(row, case)| {
            let cells = self.columns.iter().filter_map(|column| {
                let figures = column.figures[row]?;
                Some((column.guest.name().to_owned(), serde_json::json!(figures)))
            });
            serde_json::json!({ "case": case.name, "guests": cells.collect::<serde_json::Map<_, _>>() })
        });
        serde_json::json!({ "title": self.title, "cases": rows.collect::<Vec<_>>() })
    }

    /// Fuel as bars, on a logarithmic scale.
    pub fn svg(&self) -> String {
        const COLOURS: [&str; 5] = ["#2563eb", "#60a5fa", "#f59e0b", "#d97706", "#9ca3af"];
        const BAR: usize = 14;
        const LEFT: f64 = 330.0;
        const WIDE: f64 = 560.0;
        let height = 50 + CASES.len() * (BAR * self.columns.len() + 12);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1000\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <text x=\"10\" y=\"18\" font-size=\"14\">{}: fuel for one operation, logarithmic</text>\n",
            self.title
        );
        for (index, column) in self.columns.iter().enumerate() {
            let (x, colour) = (10 + index * 180, COLOURS[index % COLOURS.len()]);
            let name = column.guest.name();
            _ = writeln!(
                svg,
                "<rect x=\"{x}\" y=\"26\" width=\"10\" height=\"10\" fill=\"{colour}\"/><text x=\"{}\" y=\"35\">{name}</text>",
                x + 15
            );
        }
        let mut y = 50;
        for (row, case) in CASES.iter().enumerate() {
            let name = case.name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            _ = writeln!(svg, "<text x=\"10\" y=\"{}\">{name}</text>", y + 11);
            for (index, column) in self.columns.iter().enumerate() {
                if let Some(figures) = column.figures[row] {
                    let width = (figures.fuel.max(1.0).log10() / 6.0 * WIDE).max(1.0);
                    let colour = COLOURS[index % COLOURS.len()];
                    _ = writeln!(
                        svg,
                        "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{width:.0}\" height=\"{}\" fill=\"{colour}\"/><text x=\"{:.0}\" y=\"{}\">{}</text>",
                        BAR - 2,
                        LEFT + width + 5.0,
                        y + 11,
                        number(figures.fuel)
                    );
                }
                y += BAR;
            }
            y += 12;
        }
        svg + "</svg>\n"
    }
}

/// As many digits as say something.
fn number(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        value if value < 0.1 => format!("{value:.4}"),
        value if value < 10.0 && value.fract() > 0.004 => format!("{value:.2}"),
        value => format!("{value:.0}"),
    }
}
