//! How long something took, and how much memory a process has used.

#![expect(clippy::disallowed_types, reason = "a bench needs a clock")]

use std::time::Instant;

/// Milliseconds that this thread computed while `work` ran: other programs do not count. The system tells it to some
/// milliseconds only; where it does not tell, the time that passed.
pub fn computed_ms(work: impl FnOnce()) -> f64 {
    let before = computed_ns();
    let passed_ms = passed_ms(work);
    match computed_ns().zip(before) {
        Some((after, before)) => (after - before) as f64 / 1e6,
        None => passed_ms,
    }
}

/// Milliseconds that passed while `work` ran: for what is over before another program gets its turn.
pub fn passed_ms(work: impl FnOnce()) -> f64 {
    let begin = Instant::now();
    work();
    begin.elapsed().as_secs_f64() * 1e3
}

/// Linux: nanoseconds on a processor.
fn computed_ns() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split_whitespace().next()?.parse().ok()
}

/// Linux: the most memory that this process has held, in MiB.
pub fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    quantile(&mut values, 0.5)
}

/// The value that at least this share does not exceed.
pub fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() as f64 * share).ceil() as usize).clamp(1, values.len()) - 1]
}
