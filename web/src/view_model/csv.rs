//! The charts' numbers as comma-separated values (RFC 4180): a row for each second, a column for each line.

use crate::view_model::charts::Chart;
use std::fmt::Write as _;
use std::rc::Rc;

/// The table of these charts. What did not happen in a second is an empty field.
pub fn csv(charts: &[Rc<Chart>]) -> String {
    let charts = || charts.iter().flat_map(|chart| [Some(chart), chart.map.as_ref()].into_iter().flatten());
    let lines = || charts().flat_map(|chart| chart.series.iter().map(move |line| (chart, line)));
    let mut text = String::from("from_s");
    for (chart, line) in lines() {
        let _ = write!(text, ",{}", field(&format!("{}: {}", chart.title, line.label)));
    }
    text.push_str("\r\n");
    let mut seconds: Vec<f64> = lines().flat_map(|(_, line)| line.points.iter().map(|(at, _)| *at)).collect();
    seconds.retain(|at| at.fract() == 0.5);
    seconds.sort_by(f64::total_cmp);
    seconds.dedup();
    for second in seconds {
        let _ = write!(text, "{}", second.floor());
        for (_, line) in lines() {
            let value = line.points.iter().find(|(at, _)| *at == second).and_then(|(_, value)| *value);
            let _ = write!(text, ",{}", value.map_or(String::new(), |value| value.to_string()));
        }
        text.push_str("\r\n");
    }
    text
}

/// A text as a field.
fn field(text: &str) -> String {
    match text.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_with_commas_and_quotes_are_quoted() {
        assert_eq!(field("p95, ms"), "\"p95, ms\"");
        assert_eq!(field("the \"slow\" one"), "\"the \"\"slow\"\" one\"");
        assert_eq!(field("p95"), "p95");
    }
}
