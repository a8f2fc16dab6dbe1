//! The grammar of claims.
//!
//! ```text
//! claim  := side op side | side "in" "[" number "," number "]"
//! side   := number | [ number "*" ] query
//! op     := "<" | "<=" | ">" | ">=" | "=="
//! number := [ "-" ] as in JSON
//! ```
//!
//! A query is that of [`Query`].

use crate::scenario::{Query, Reader};

/// A claim, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The left side.
    pub left: Side,
    /// How the sides are compared.
    pub compare: Compare,
}

/// A comparison with its right side.
#[derive(Clone, Debug, PartialEq)]
pub enum Compare {
    /// Less.
    Less(Side),
    /// Less or equal.
    LessOrEqual(Side),
    /// More.
    More(Side),
    /// More or equal.
    MoreOrEqual(Side),
    /// Equal.
    Equal(Side),
    /// From the first to the second, both included.
    In(f64, f64),
}

/// A side of a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum Side {
    /// A number.
    Number(f64),
    /// A multiple of a query's answer.
    Query(f64, Query),
}

impl Claim {
    /// Reads a claim. Errors say what was expected where.
    #[inline]
    pub fn parse(text: &str) -> Result<Claim, String> {
        let mut reader = Reader::new(text);
        let left = side(&mut reader)?;
        let compare = compare(&mut reader)?;
        reader.end("")?;
        Ok(Claim { left, compare })
    }

    /// The right side; the bounds of a range count as its lower one.
    #[inline]
    pub fn right(&self) -> Side {
        match &self.compare {
            Compare::Less(side)
            | Compare::LessOrEqual(side)
            | Compare::More(side)
            | Compare::MoreOrEqual(side)
            | Compare::Equal(side) => side.clone(),
            Compare::In(low, _) => Side::Number(*low),
        }
    }

    /// The variants it names.
    #[inline]
    pub fn variants(&self) -> Vec<String> {
        let of = |side: &Side| match side {
            Side::Query(_, query) => query.variant.clone(),
            Side::Number(_) => None,
        };
        let mut variants: Vec<String> = [of(&self.left), of(&self.right())].into_iter().flatten().collect();
        variants.sort();
        variants.dedup();
        variants
    }

    /// Whether it holds for these values; a missing one fails it.
    #[inline]
    pub fn holds(&self, left: Option<f64>, right: Option<f64>) -> bool {
        let (Some(left), Some(right)) = (left, right) else { return false };
        match &self.compare {
            Compare::Less(_) => left < right,
            Compare::LessOrEqual(_) => left <= right,
            Compare::More(_) => left > right,
            Compare::MoreOrEqual(_) => left >= right,
            Compare::Equal(_) => left == right,
            Compare::In(low, high) => (*low..=*high).contains(&left),
        }
    }
}

#[inline]
fn side(reader: &mut Reader) -> Result<Side, String> {
    match number(reader) {
        Some(factor) if reader.takes("*") => Ok(Side::Query(factor?, Query::read(reader)?)),
        Some(number) => Ok(Side::Number(number?)),
        None => Ok(Side::Query(1.0, Query::read(reader)?)),
    }
}

/// A number with its sign, if one comes next.
#[inline]
fn number(reader: &mut Reader) -> Option<Result<f64, String>> {
    let sign = if reader.takes("-") { -1.0 } else { 1.0 };
    reader.number().map(|number| number.map(|number| sign * number))
}

#[inline]
fn compare(reader: &mut Reader) -> Result<Compare, String> {
    type Relation = (&'static str, fn(Side) -> Compare);
    let relations: [Relation; 5] = [
        ("<=", Compare::LessOrEqual),
        (">=", Compare::MoreOrEqual),
        ("==", Compare::Equal),
        ("<", Compare::Less),
        (">", Compare::More),
    ];
    if let Some((_, compare)) = relations.into_iter().find(|(token, _)| reader.takes(token)) {
        return Ok(compare(side(reader)?));
    }
    if !reader.takes("in") {
        return Err(reader.expected("one of <, <=, >, >=, ==, in"));
    }
    let bound = |reader: &mut Reader| number(reader).unwrap_or_else(|| Err(reader.expected("a number")));
    reader.expect("[")?;
    let low = bound(reader)?;
    reader.expect(",")?;
    let high = bound(reader)?;
    reader.expect("]")?;
    if low > high {
        return Err(format!("nothing lies in [{low}, {high}]: write the smaller bound first"));
    }
    Ok(Compare::In(low, high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Window;

    #[test]
    fn a_claim_is_read_whole() {
        let claim =
            Claim::parse("A.http_error_ratio{op=read}.mean[20:35] > 50 * B.http_error_ratio{op=read}.mean[20:35]");
        let claim = claim.unwrap();
        assert_eq!(claim.variants(), ["A", "B"]);
        let Side::Query(factor, right) = claim.right() else { panic!("a query") };
        assert_eq!((factor, right.window), (50.0, Some(Window { from: 20, to: 35 })));
        assert_eq!(right.labels, [("op".to_string(), "read".to_string())]);
        assert!(claim.holds(Some(0.9), Some(0.5)));
        assert!(!claim.holds(Some(0.5), Some(0.5)));
        assert!(!claim.holds(None, Some(0.5)), "an empty window fails the claim");
    }

    #[test]
    fn a_range_includes_its_bounds() {
        let claim = Claim::parse("recovery_seconds.value in [0, 2]").unwrap();
        assert!(claim.holds(Some(2.0), Some(0.0)));
        assert!(!claim.holds(Some(2.5), Some(0.0)));
    }

    #[test]
    fn errors_say_what_was_expected_where() {
        let errors = [
            ("A.http_error_ratio.mean[20:35]", "expected one of <"),
            ("A.http_error_ratio.median > 1", "expected one of mean, max"),
            ("A.x.mean[3:2] > 1", "expected whole seconds"),
            ("A.x.mean[0.5:2] > 1", "expected whole seconds"),
            ("A.x{op}.mean > 1", "expected `=`"),
            ("A.x.mean > 1 1", "expected the end"),
            ("A.x.mean in [1, 0.5]", "nothing lies in [1, 0.5]"),
            ("", "expected a name"),
        ];
        for (text, expected) in errors {
            let error = Claim::parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
