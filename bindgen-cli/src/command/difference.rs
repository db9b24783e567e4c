//! What of a file is not as it should be.

use std::fmt::Write;

/// Lines to show at most of each side.
const SHOWN: usize = 8;

/// The lines between the first and the last difference, with a line before and after: `-` is there, `+` should be.
pub(crate) fn difference(present: &str, wanted: &str) -> String {
    let (present, wanted): (Vec<&str>, Vec<&str>) = (present.lines().collect(), wanted.lines().collect());
    let same = present.iter().zip(&wanted).take_while(|(a, b)| a == b).count();
    let rest = present.len().min(wanted.len()) - same;
    let same_at_end = (present.iter().rev().zip(wanted.iter().rev())).take(rest).take_while(|(a, b)| a == b).count();
    let mut text = format!("  @ line {}\n", same + 1);
    let mut show = |sign: char, lines: &[&str]| {
        for line in lines.iter().take(SHOWN) {
            // A string can't fail to be written to.
            let _ = writeln!(text, "  {sign} {line}");
        }
        if let Some(hidden) = lines.len().checked_sub(SHOWN).filter(|hidden| *hidden > 0) {
            let _ = writeln!(text, "  {sign} … and {hidden} more");
        }
    };
    show(' ', &present[same.saturating_sub(1)..same]);
    show('-', &present[same..present.len() - same_at_end]);
    show('+', &wanted[same..wanted.len() - same_at_end]);
    show(' ', &present[present.len() - same_at_end..][..same_at_end.min(1)]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_shown() {
        assert_eq!(difference("a\nb\nc\nd\n", "a\nb\nx\nd\n"), "  @ line 3\n    b\n  - c\n  + x\n    d\n");
        assert_eq!(difference("a\n", "a\nb\n"), "  @ line 2\n    a\n  + b\n");
        assert_eq!(difference("", "a\n"), "  @ line 1\n  + a\n");
        assert_eq!(difference("a\na\n", "a\na\na\n"), "  @ line 3\n    a\n  + a\n");
    }

    #[test]
    fn long_differences_are_cut() {
        let long: String = (0..20).map(|n| format!("{n}\n")).collect();
        assert!(difference("", &long).ends_with("  + 7\n  + … and 12 more\n"));
    }
}
