//! What may be asked of a run: a signal, its labels, how a window of it becomes one number, and which window.
//!
//! ```text
//! query  := [ variant "." ] signal [ "{" label "=" value { "," ... } "}" ] "." reduction [ "[" from ":" to "]" ]
//! value  := word | "'" anything "'"
//! ```

use super::reader::Reader;

/// What is asked of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Of which variant; none: of the one at hand.
    pub variant: Option<String>,
    /// Name of the signal.
    pub signal: String,
    /// Its labels.
    pub labels: Vec<(String, String)>,
    /// How a window becomes a number; none, only in a formula: in the way that is natural to the signal's kind.
    pub reduced: Option<Reduced>,
    /// The window; none: the whole run.
    pub window: Option<Window>,
}

/// How a window of a signal becomes one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduced {
    /// Weighted by time (gauge), by number (histogram), or of sums (ratio).
    Mean,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// At the end of the window.
    Last,
    /// A quantile, in thousandths.
    Quantile(u16),
    /// How many.
    Count,
    /// All together.
    Sum,
    /// Per second.
    Rate,
    /// The largest one-second bucket.
    Max1s,
    /// The smallest one-second bucket.
    Min1s,
    /// The one number of the whole run.
    Value,
}

/// A window of whole seconds, half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First second.
    pub from: u32,
    /// The second after the last.
    pub to: u32,
}

impl Window {
    /// Errors: it reaches beyond the last second of a run of this length. A length that is none is told elsewhere.
    #[inline]
    pub fn within(self, duration_s: f64) -> Result<(), String> {
        let Window { from, to } = self;
        match duration_s > 0.0 && f64::from(to) > duration_s.ceil() {
            true => Err(format!("the window [{from}:{to}] reaches beyond the end of the run at {duration_s} s")),
            false => Ok(()),
        }
    }
}

/// All reductions, by name.
const REDUCTIONS: [(&str, Reduced); 15] = [
    ("mean", Reduced::Mean),
    ("max", Reduced::Max),
    ("min", Reduced::Min),
    ("last", Reduced::Last),
    ("p50", Reduced::Quantile(500)),
    ("p90", Reduced::Quantile(900)),
    ("p95", Reduced::Quantile(950)),
    ("p99", Reduced::Quantile(990)),
    ("p999", Reduced::Quantile(999)),
    ("count", Reduced::Count),
    ("sum", Reduced::Sum),
    ("rate", Reduced::Rate),
    ("max1s", Reduced::Max1s),
    ("min1s", Reduced::Min1s),
    ("value", Reduced::Value),
];

impl Query {
    /// Reads a query. Errors say what was expected where.
    #[inline]
    pub fn parse(text: &str) -> Result<Query, String> {
        let mut reader = Reader::new(text);
        let query = Query::read(&mut reader)?;
        reader.end("")?;
        Ok(query)
    }

    /// Reads an operand of a formula: a query of which only the signal must be there.
    #[inline]
    pub fn parse_operand(text: &str) -> Result<Query, String> {
        let mut reader = Reader::new(text);
        let mut query = Query::read_signal(&mut reader)?;
        if reader.takes(".") {
            query.read_reduction(&mut reader)?;
        }
        reader.end("")?;
        Ok(query)
    }

    /// Reads the query that comes next. Errors as for [`Query::parse`].
    #[inline]
    pub fn read(reader: &mut Reader) -> Result<Query, String> {
        let mut query = Query::read_signal(reader)?;
        reader.expect(".")?;
        query.read_reduction(reader)?;
        Ok(query)
    }

    #[inline]
    fn read_reduction(&mut self, reader: &mut Reader) -> Result<(), String> {
        self.reduced = Some(reduction(reader)?);
        self.window = if reader.takes("[") { Some(window(reader)?) } else { None };
        Ok(())
    }

    #[inline]
    fn read_signal(reader: &mut Reader) -> Result<Query, String> {
        let mut signal = word(reader)?;
        let mut variant = None;
        if signal.len() == 1 && signal.starts_with(|c: char| c.is_ascii_uppercase()) {
            reader.expect(".")?;
            variant = Some(signal);
            signal = word(reader)?;
        }
        let mut labels = Vec::new();
        if reader.takes("{") {
            loop {
                let label = word(reader)?;
                reader.expect("=")?;
                let value = reader.quoted().map(str::to_string);
                labels.push((label, value.map_or_else(|| word(reader), Ok)?));
                if !reader.takes(",") {
                    break;
                }
            }
            reader.expect("}")?;
        }
        Ok(Query { variant, signal, labels, reduced: None, window: None })
    }
}

/// A signal with its labels as a query names them.
#[inline]
pub fn signal_text(signal: &str, labels: &[(String, String)]) -> String {
    let quote = |value: &str| if value.chars().all(in_word) { value.to_string() } else { format!("'{value}'") };
    let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}={}", quote(value))).collect();
    if labels.is_empty() { signal.to_string() } else { format!("{signal}{{{}}}", labels.join(",")) }
}

#[inline]
fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

#[inline]
fn word(reader: &mut Reader) -> Result<String, String> {
    reader.space();
    let word = reader.stretch(in_word);
    if word.is_empty() {
        return Err(reader.expected("a name"));
    }
    reader.at += word.len();
    Ok(word.to_string())
}

#[inline]
fn reduction(reader: &mut Reader) -> Result<Reduced, String> {
    let before = reader.at;
    let word = word(reader)?;
    let known = REDUCTIONS.iter().find(|(name, _)| *name == word);
    known.map(|(_, reduced)| *reduced).ok_or_else(|| {
        reader.at = before;
        let names: Vec<&str> = REDUCTIONS.iter().map(|(name, _)| *name).collect();
        reader.expected(&format!("one of {}", names.join(", ")))
    })
}

#[inline]
fn window(reader: &mut Reader) -> Result<Window, String> {
    let before = reader.at;
    let second = |reader: &mut Reader| reader.number().unwrap_or_else(|| Err(reader.expected("a second")));
    let from = second(reader)?;
    reader.expect(":")?;
    let to = second(reader)?;
    reader.expect("]")?;
    if to <= from || from.fract() != 0.0 || to.fract() != 0.0 {
        reader.at = before;
        return Err(reader.expected("whole seconds, the first before the second"));
    }
    Ok(Window { from: from as u32, to: to as u32 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_whole() {
        let query = Query::parse("B.http_errors_total{route='GET /items/{id}',op=read}.max1s[20:35]").unwrap();
        let label = |name: &str, value: &str| (name.to_string(), value.to_string());
        assert_eq!(query.variant.as_deref(), Some("B"));
        assert_eq!(query.labels, [label("route", "GET /items/{id}"), label("op", "read")]);
        assert_eq!((query.reduced, query.window), (Some(Reduced::Max1s), Some(Window { from: 20, to: 35 })));
        let text = signal_text(&query.signal, &query.labels);
        assert_eq!(text, "http_errors_total{route='GET /items/{id}',op=read}");
        assert_eq!(Query::parse_operand(&text).unwrap().labels, query.labels);
    }

    #[test]
    fn an_operand_may_say_how_it_is_reduced() {
        assert_eq!(Query::parse_operand("retries_total").unwrap().reduced, None);
        assert_eq!(Query::parse_operand("latency.p99").unwrap().reduced, Some(Reduced::Quantile(990)));
        assert!(Query::parse("retries_total").unwrap_err().contains("expected `.`"));
    }
}
