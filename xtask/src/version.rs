//! Does the version of a tool that is already there fit?

/// Three numbers; whatever follows them is dropped.
pub type Version = [u32; 3];

/// Which versions of a tool will do.
#[derive(Clone, Copy, Debug)]
pub enum Fit<'a> {
    /// This one only: the page and its tool must agree to the digit.
    Exactly(&'a str),
    /// This one or a later one that cargo would call compatible.
    Compatible(&'a str),
}

impl Fit<'_> {
    /// Whether what a tool printed about itself fits.
    pub fn accepts(self, printed: &str) -> bool {
        let Some(found) = find_version(printed) else { return false };
        match self {
            Fit::Exactly(wanted) => find_version(wanted) == Some(found),
            Fit::Compatible(wanted) => {
                find_version(wanted).is_some_and(|wanted| found >= wanted && series(found) == series(wanted))
            }
        }
    }
}

/// The first thing in a text that looks like a version: `trunk 0.21.14`, `k6 v1.1.0 (…)`, `wasm-opt version 130`.
pub fn find_version(text: &str) -> Option<Version> {
    text.split_whitespace().find_map(|word| {
        let word = word.strip_prefix('v').unwrap_or(word);
        let mut numbers = word.split('.').map(leading_number);
        let major = numbers.next()??;
        Some([major, numbers.next().flatten().unwrap_or(0), numbers.next().flatten().unwrap_or(0)])
    })
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

fn series(version: Version) -> (u32, u32) {
    if version[0] > 0 { (version[0], 0) } else { (0, version[1]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_tools_print() {
        assert_eq!(find_version("trunk 0.21.14"), Some([0, 21, 14]));
        assert_eq!(find_version("k6 v1.1.0 (commit/0e3fb953be, go1.24.4, linux/amd64)"), Some([1, 1, 0]));
        assert_eq!(find_version("wasm-opt version 130 (version_130)"), Some([130, 0, 0]));
        assert_eq!(find_version("Chromium 156.0.8078.73 built on Debian"), Some([156, 0, 8078]));
        assert_eq!(find_version("wasm-bindgen 0.2.129-rc1"), Some([0, 2, 129]));
        assert_eq!(find_version("no number here"), None);
    }

    #[test]
    fn wasm_bindgen_must_agree_to_the_digit() {
        assert!(Fit::Exactly("0.2.129").accepts("wasm-bindgen 0.2.129"));
        assert!(!Fit::Exactly("0.2.129").accepts("wasm-bindgen 0.2.128"));
        assert!(!Fit::Exactly("0.2.129").accepts("wasm-bindgen 0.2.130"));
    }

    #[test]
    fn a_later_version_fits_within_the_series() {
        assert!(Fit::Compatible("0.21.14").accepts("trunk 0.21.20"));
        assert!(!Fit::Compatible("0.21.14").accepts("trunk 0.21.13"));
        assert!(!Fit::Compatible("0.21.14").accepts("trunk 0.22.0"));
        assert!(Fit::Compatible("1.1.0").accepts("k6 v1.4.0"));
        assert!(!Fit::Compatible("1.1.0").accepts("k6 v2.0.0"));
        assert!(!Fit::Compatible("1.1.0").accepts("garbage"));
    }
}
