//! What somebody may have meant who wrote a name that is not known.

/// For a name that is none of those `known`: the same one with a unit, the nearest one, or the list.
#[inline]
pub fn unknown(name: &str, known: &[&str]) -> String {
    if let Some(with_unit) = known.iter().find(|known| known.strip_prefix(name).is_some_and(is_unit)) {
        return format!("The unit is missing: write `{with_unit}`.");
    }
    match nearest(name, known) {
        Some(near) => format!("Did you mean `{near}`?"),
        None if known.is_empty() => "Take it out.".to_string(),
        None => format!("Known here: {}.", known.join(", ")),
    }
}

/// The known name that somebody may have meant: the nearest one, at most three letters away, and no more than half of them.
#[inline]
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = known.iter().map(|known| (distance(name, known), *known)).min_by_key(|(distance, _)| *distance);
    let few = 3.min(name.chars().count() / 2);
    near.filter(|(distance, _)| *distance <= few).map(|(_, near)| near)
}

#[inline]
fn is_unit(suffix: &str) -> bool {
    matches!(suffix, "_ms" | "_s" | "_rps" | "_percent")
}

/// Levenshtein distance.
#[inline]
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let best = (diagonal + usize::from(x != *y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], best);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_nothing_in_common_is_none_that_somebody_meant() {
        assert_eq!(unknown("foo", &["v", "seed"]), "Known here: v, seed.");
        assert_eq!(unknown("sed", &["v", "seed"]), "Did you mean `seed`?");
        assert_eq!(nearest("x", &["v", "t"]), None);
    }
}
