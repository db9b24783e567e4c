//! The name that was probably meant.

/// The candidate nearest to `name`, if it is near.
pub(crate) fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let near = |candidate: &&&str| distance(name, candidate) <= 2 + candidate.len() / 10;
    let by_letters = candidates.iter().filter(near).min_by_key(|candidate| distance(name, candidate));
    // Half of a long name, or more than it.
    let begins_alike = |candidate: &str| {
        let same = name.bytes().zip(candidate.bytes()).take_while(|(a, b)| a == b).count();
        same * 4 >= candidate.len() * 3
    };
    let by_part =
        || candidates.iter().find(|candidate| name.len() > 3 && (candidate.contains(name) || begins_alike(candidate)));
    by_letters.or_else(by_part).copied()
}

/// How many letters have to be put in, taken out or replaced.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let names = ["world", "path", "generate_all", "additional_derives", "generate_unused_types"];
        assert_eq!(nearest("wrold", &names), Some("world"));
        assert_eq!(nearest("paths", &names), Some("path"));
        assert_eq!(nearest("generateall", &names), Some("generate_all"));
        assert_eq!(nearest("additional_derive_attributes", &names), Some("additional_derives"));
        assert_eq!(nearest("unused_types", &names), Some("generate_unused_types"));
        assert_eq!(nearest("xyz", &names), None);
    }
}
