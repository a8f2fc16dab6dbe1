//! Student's t: how far a mean of few values may be from the truth.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

/// The t of 95 %: a variable of Student's distribution lies in `[-t, t]` with this probability. Halves the interval of angles
/// `atan(t / sqrt(df))` until it is as narrow as a float allows.
pub fn t95(degrees_of_freedom: u32) -> f64 {
    let (mut low, mut high) = (0.0, FRAC_PI_2);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if within(middle, degrees_of_freedom) < 0.95 { low = middle } else { high = middle }
    }
    f64::from(degrees_of_freedom).sqrt() * libm::tan(low)
}

/// The probability of `[-t, t]` for the angle `atan(t / sqrt(df))`: Abramowitz and Stegun, 26.7.3 (odd) and 26.7.4 (even), which
/// are exact.
fn within(angle: f64, degrees_of_freedom: u32) -> f64 {
    let (sin, cos) = (libm::sin(angle), libm::cos(angle));
    let odd = degrees_of_freedom % 2 == 1;
    let (mut term, first) = if odd { (cos, 2) } else { (1.0, 1) };
    let mut sum = 0.0;
    for k in 0..degrees_of_freedom / 2 {
        sum += term;
        let k = f64::from(2 * k + first);
        term *= k / (k + 1.0) * cos * cos;
    }
    if odd { (angle + sin * sum) * FRAC_2_PI } else { sin * sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_printed_table() {
        // NIST/SEMATECH e-Handbook, 1.3.6.7.2, column 0.975; the last is the normal distribution's.
        let table =
            [(1, 12.706), (2, 4.303), (3, 3.182), (9, 2.262), (10, 2.228), (30, 2.042), (100, 1.984), (9_999, 1.960)];
        for (degrees_of_freedom, t) in table {
            assert!((t95(degrees_of_freedom) - t).abs() < 6e-4, "{degrees_of_freedom}: {}", t95(degrees_of_freedom));
        }
    }
}
