//! The grammar of claims.
//!
//! ```text
//! claim  := side op side | side "in" "[" number "," number "]"
//! side   := number | [ number "*" ] query
//! query  := [ variant "." ] signal [ "{" label "=" value { "," ... } "}" ] "." reduction [ "[" from ":" to "]" ]
//! op     := "<" | "<=" | ">" | ">=" | "=="
//! ```

use crate::metrics::{Folds, Reduced, Signal, Window};
use crate::scenario::Plan;

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

/// What is asked of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Of which variant; none: of the one at hand.
    pub variant: Option<String>,
    /// Name of the signal.
    pub signal: String,
    /// Its labels.
    pub labels: Vec<(String, String)>,
    /// How a window becomes a number.
    pub reduced: Reduced,
    /// The window; none: the whole run.
    pub window: Option<Window>,
}

/// Asks a query, written without its variant, of a run. Ok(None): there is nothing in the window.
#[inline]
pub fn query(plan: &Plan, folds: &Folds, text: &str) -> Result<Option<f64>, String> {
    Query::parse(text)?.ask(plan, folds)
}

impl Claim {
    /// Reads a claim. Errors say what was expected where.
    #[inline]
    pub fn parse(text: &str) -> Result<Claim, String> {
        let mut reader = Reader { text, at: 0 };
        let left = reader.side()?;
        let compare = reader.compare()?;
        reader.end()?;
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

impl Query {
    /// Reads a query. Errors say what was expected where.
    #[inline]
    pub fn parse(text: &str) -> Result<Query, String> {
        let mut reader = Reader { text, at: 0 };
        let query = reader.query()?;
        reader.end()?;
        Ok(query)
    }

    /// Asks a run, whatever variant the query names. Ok(None): there is nothing in the window.
    #[inline]
    pub fn ask(&self, plan: &Plan, folds: &Folds) -> Result<Option<f64>, String> {
        Signal::new(plan, &self.signal, &self.labels)?.reduce(plan, folds, self.reduced, self.window)
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    #[inline]
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    #[inline]
    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    #[inline]
    fn takes(&mut self, token: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    #[inline]
    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.takes(token) { Ok(()) } else { Err(self.expected(&format!("`{token}`"))) }
    }

    #[inline]
    fn expected(&self, what: &str) -> String {
        let rest = self.rest();
        let found = if rest.is_empty() { "the end".to_string() } else { format!("`{rest}`") };
        format!("expected {what} at character {} of `{}`, found {found}", self.at + 1, self.text)
    }

    #[inline]
    fn end(&mut self) -> Result<(), String> {
        self.space();
        if self.rest().is_empty() { Ok(()) } else { Err(self.expected("the end")) }
    }

    #[inline]
    fn number(&mut self) -> Option<f64> {
        self.space();
        let fits = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E');
        let rest = self.rest();
        if !rest.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.') {
            return None;
        }
        let length = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        let number = serde_json::from_str(&rest[..length]).ok()?;
        self.at += length;
        Some(number)
    }

    #[inline]
    fn word(&mut self) -> Result<String, String> {
        self.space();
        let rest = self.rest();
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
        if length == 0 {
            return Err(self.expected("a name"));
        }
        let word = rest[..length].to_string();
        self.at += length;
        Ok(word)
    }

    #[inline]
    fn side(&mut self) -> Result<Side, String> {
        match self.number() {
            Some(factor) if self.takes("*") => Ok(Side::Query(factor, self.query()?)),
            Some(number) => Ok(Side::Number(number)),
            None => Ok(Side::Query(1.0, self.query()?)),
        }
    }

    #[inline]
    fn compare(&mut self) -> Result<Compare, String> {
        if self.takes("<=") {
            Ok(Compare::LessOrEqual(self.side()?))
        } else if self.takes(">=") {
            Ok(Compare::MoreOrEqual(self.side()?))
        } else if self.takes("==") {
            Ok(Compare::Equal(self.side()?))
        } else if self.takes("<") {
            Ok(Compare::Less(self.side()?))
        } else if self.takes(">") {
            Ok(Compare::More(self.side()?))
        } else if self.takes("in") {
            self.expect("[")?;
            let low = self.number().ok_or_else(|| self.expected("a number"))?;
            self.expect(",")?;
            let high = self.number().ok_or_else(|| self.expected("a number"))?;
            self.expect("]")?;
            Ok(Compare::In(low, high))
        } else {
            Err(self.expected("one of <, <=, >, >=, ==, in"))
        }
    }

    #[inline]
    fn query(&mut self) -> Result<Query, String> {
        let mut word = self.word()?;
        let mut variant = None;
        if word.len() == 1 && word.starts_with(|c: char| c.is_ascii_uppercase()) {
            self.expect(".")?;
            variant = Some(word);
            word = self.word()?;
        }
        let mut labels = Vec::new();
        if self.takes("{") {
            loop {
                let label = self.word()?;
                self.expect("=")?;
                labels.push((label, self.word()?));
                if !self.takes(",") {
                    break;
                }
            }
            self.expect("}")?;
        }
        self.expect(".")?;
        let reduced = self.reduced()?;
        let window = if self.takes("[") { Some(self.window()?) } else { None };
        Ok(Query { variant, signal: word, labels, reduced, window })
    }

    #[inline]
    fn reduced(&mut self) -> Result<Reduced, String> {
        let before = self.at;
        let word = self.word()?;
        let known = match word.as_str() {
            "mean" => Reduced::Mean,
            "max" => Reduced::Max,
            "min" => Reduced::Min,
            "last" => Reduced::Last,
            "p50" => Reduced::Quantile(500),
            "p90" => Reduced::Quantile(900),
            "p95" => Reduced::Quantile(950),
            "p99" => Reduced::Quantile(990),
            "p999" => Reduced::Quantile(999),
            "count" => Reduced::Count,
            "sum" => Reduced::Sum,
            "rate" => Reduced::Rate,
            "max1s" => Reduced::Max1s,
            "min1s" => Reduced::Min1s,
            "value" => Reduced::Value,
            _ => {
                self.at = before;
                let known = "mean, max, min, last, p50, p90, p95, p99, p999, count, sum, rate, max1s, min1s or value";
                return Err(self.expected(known));
            }
        };
        Ok(known)
    }

    #[inline]
    fn window(&mut self) -> Result<Window, String> {
        let before = self.at;
        let from = self.number().ok_or_else(|| self.expected("a second"))?;
        self.expect(":")?;
        let to = self.number().ok_or_else(|| self.expected("a second"))?;
        self.expect("]")?;
        if from < 0.0 || to <= from || from.fract() != 0.0 || to.fract() != 0.0 {
            self.at = before;
            return Err(self.expected("whole seconds, the first before the second"));
        }
        Ok(Window { from: from as u32, to: to as u32 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("A.http_error_ratio.median > 1", "expected mean, max"),
            ("A.x.mean[3:2] > 1", "expected whole seconds"),
            ("A.x.mean[0.5:2] > 1", "expected whole seconds"),
            ("A.x{op}.mean > 1", "expected `=`"),
            ("A.x.mean > 1 1", "expected the end"),
            ("", "expected a name"),
        ];
        for (text, expected) in errors {
            let error = Claim::parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
