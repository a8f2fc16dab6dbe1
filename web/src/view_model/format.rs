//! Numbers as people read them: tabular, with their unit, and no more digits than they deserve.

use crate::text::stage as text;
use sandbox_core::time::{Span, Time};

/// A whole number with thousands set apart: `11,702`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The clock of the transport, to the millisecond: `23.418 s`.
pub fn clock(at: Time) -> String {
    format!("{:.3} s", (at.as_nanos() / 1_000_000) as f64 / 1e3)
}

/// An instant among events, to a tenth of a millisecond: `23.4161 s`.
pub fn instant(at: Time) -> String {
    format!("{:.4} s", (at.as_nanos() / 100_000) as f64 / 1e4)
}

/// An instant to a tenth of a second: `23.4 s`.
pub fn about(at: Time) -> String {
    format!("{:.1} s", (at.as_nanos() / 100_000_000) as f64 / 10.0)
}

/// A length with three digits and the unit that fits: `2.13 ms`, `250 ms`, `1.9 s`, `15 s`.
pub fn span(span: Span) -> String {
    let ms = span.as_ms();
    match ms {
        0.0 => "0 ms".into(),
        ms if ms < 0.9995 => format!("{:.0} µs", ms * 1e3),
        ms if ms < 9.995 => format!("{} ms", short(ms, 2)),
        ms if ms < 99.95 => format!("{} ms", short(ms, 1)),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms if ms < 99_950.0 => format!("{} s", short(ms / 1e3, 1)),
        ms => format!("{:.0} s", ms / 1e3),
    }
}

/// The first digits of a digest, enough to tell runs apart by eye: `9f3c·27a1`.
pub fn digest(digest: &str) -> String {
    match digest.get(..8) {
        Some(first) => format!("{}·{}", &first[..4], &first[4..]),
        None => "…".into(),
    }
}

/// A share: `96.8 %`; never 100 % or 0 % when it is not.
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    match value {
        value if value <= 0.0 => "0 %".into(),
        value if value >= 100.0 => "100 %".into(),
        value if value < 0.05 => text::under("0.1 %"),
        value if value > 99.95 => text::over("99.9 %"),
        value => format!("{value:.1} %"),
    }
}

/// Up to `digits` places after the point, without trailing zeros: `5`, `0.25`.
pub fn short(number: f64, digits: usize) -> String {
    let text = format!("{number:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}

/// A number with its unit; `5 s`, `1,500 items`, `3`.
pub fn with_unit(number: f64, unit: &str) -> String {
    let number = match number >= 1e3 && number.fract() == 0.0 {
        true => count(number as u64),
        false => short(number, 2),
    };
    match unit {
        "" => number,
        "per second" => text::rate_of(&number),
        unit => text::with_unit(&number, unit),
    }
}

/// The parts of a length in one unit and one number of digits, rounded so that the shown parts sum to the shown total
/// (largest remainder). The last text is the total's.
pub fn parts(parts: &[Span], total: Span) -> Vec<String> {
    // The grain is a thousandth to a ten-thousandth of the total.
    let (grain, per_unit, digits, unit) = match total.as_nanos() {
        nanos if nanos < 1_000_000 => (1_000, 1e3, 0, "µs"),
        nanos if nanos < 10_000_000 => (10_000, 1e6, 2, "ms"),
        nanos if nanos < 1_000_000_000 => (100_000, 1e6, 1, "ms"),
        _ => (1_000_000, 1e9, 3, "s"),
    };
    let shown_total = (total.as_nanos() + grain / 2) / grain;
    let mut shown: Vec<u64> = parts.iter().map(|part| part.as_nanos() / grain).collect();
    let mut left: Vec<u64> = parts.iter().map(|part| part.as_nanos() % grain).collect();
    for _ in shown.iter().sum::<u64>()..shown_total {
        let Some(index) = (0..left.len()).max_by_key(|index| left[*index]) else { break };
        left[index] = 0;
        shown[index] += 1;
    }
    let text = |grains: u64| format!("{:.digits$} {unit}", (grains * grain) as f64 / per_unit);
    shown.into_iter().chain([shown_total]).map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(7), "7");
        assert_eq!(count(128_204), "128,204");
        assert_eq!(clock(Time::from_nanos(23_418_999_999)), "23.418 s");
        assert_eq!(instant(Time::from_nanos(23_416_149_999)), "23.4161 s");
        assert_eq!(span(Span::from_nanos(2_130_400)), "2.13 ms");
        assert_eq!(span(Span::from_nanos(50_000)), "50 µs");
        assert_eq!(span(Span::from_millis(250)), "250 ms");
        assert_eq!(span(Span::from_millis(15_000)), "15 s");
        assert_eq!(with_unit(1500.0, "items"), "1,500 items");
        assert_eq!(with_unit(0.5, "s"), "0.5 s");
    }

    #[test]
    fn a_share_is_whole_only_when_it_is() {
        assert_eq!(percent(0.9999), "over 99.9 %");
        assert_eq!(percent(0.0001), "under 0.1 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.968), "96.8 %");
    }

    #[test]
    fn shown_parts_sum_to_the_shown_total() {
        let spans = [904_999, 803_333, 424_444].map(Span::from_nanos);
        let total = Span::from_nanos(904_999 + 803_333 + 424_444);
        let texts = parts(&spans, total);
        let value = |text: &String| text.trim_end_matches(" ms").parse::<f64>().unwrap();
        assert_eq!(texts.last().unwrap(), "2.13 ms");
        assert!((texts[..3].iter().map(value).sum::<f64>() - 2.13).abs() < 1e-9, "{texts:?}");
    }
}
