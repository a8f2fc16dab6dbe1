//! Counts tests by the closing lines of cargo's test runner and of wasm-bindgen's, which print the same.

use std::ops::AddAssign;

/// How many tests passed, failed and were left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests marked `#[ignore]`.
    pub ignored: u64,
}

impl Tally {
    /// The counts of one `test result: …` line, or nothing for any other line.
    pub fn of_line(line: &str) -> Option<Tally> {
        let plain = without_colours(line);
        let (_, counts) = plain.trim_start().strip_prefix("test result: ")?.split_once('.')?;
        let mut tally = Tally::default();
        for part in counts.split(';') {
            let mut words = part.split_whitespace();
            let (Some(number), Some(word)) = (words.next(), words.next()) else { continue };
            let Ok(number) = number.parse() else { continue };
            match word {
                "passed" => tally.passed = number,
                "failed" => tally.failed = number,
                "ignored" => tally.ignored = number,
                _ => {}
            }
        }
        Some(tally)
    }

    /// How many tests really ran.
    pub fn run(self) -> u64 {
        self.passed + self.failed
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

/// Drops terminal colour codes: a runner may colour its lines even into a pipe.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            for c in chars.by_ref() {
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_and_wasm_bindgen_closing_lines_are_read() {
        let cargo = "test result: ok. 12 passed; 0 failed; 2 ignored; 0 measured; 3 filtered out; finished in 0.42s";
        assert_eq!(Tally::of_line(cargo), Some(Tally { passed: 12, failed: 0, ignored: 2 }));
        let wasm = "test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 filtered out; finished in 1.10s";
        assert_eq!(Tally::of_line(wasm), Some(Tally { passed: 4, failed: 1, ignored: 0 }));
    }

    #[test]
    fn coloured_lines_are_read_too() {
        let line =
            "test result: \u{1b}[32mok\u{1b}(B\u{1b}[m. 7 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(Tally::of_line(line), Some(Tally { passed: 7, failed: 0, ignored: 0 }));
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(Tally::of_line("test parsing::test_result ... ok"), None);
        assert_eq!(Tally::of_line("running 3 tests"), None);
    }
}
