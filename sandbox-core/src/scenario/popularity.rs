//! Which rows are asked for: as written ([`PopularitySpec`]) and as planned ([`Popularity`]), from which keys are drawn.

use super::Problem;
use super::path::Path;
use super::problem::within;
use super::spec_macro::spec;
use crate::rng::Stream;

spec! {
    /// How often each key is asked for.
    #[derive(Copy)]
    pub enum PopularitySpec tagged "dist" {
        /// All equally often.
        Uniform {},
        /// Key i, counted from 1, in proportion to i^-`alpha`: key 0 is the most popular one.
        Zipf {
            /// 0 is uniform; web traffic measures 0.6 to 1.2 (Breslau et al. 1999).
            alpha: f64,
        },
        /// Key 0 gets a share of its own, the others get the rest, all equally often.
        Hot {
            /// Share of key 0, from 0 to 1.
            share: f64,
        },
    }
}

impl Default for PopularitySpec {
    fn default() -> PopularitySpec {
        PopularitySpec::Uniform {}
    }
}

/// How often each key is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Popularity {
    /// All equally often.
    Uniform,
    /// As Zipf says.
    Zipf(Zipf),
    /// Key 0 has this share.
    Hot(f64),
}

impl Popularity {
    /// Draws a key below `keys`, the number it was planned for.
    pub fn draw(&self, keys: u32, luck: &mut Stream) -> u32 {
        match self {
            Popularity::Uniform => luck.below(keys),
            Popularity::Zipf(zipf) => zipf.draw(luck),
            Popularity::Hot(share) => match keys == 1 || luck.uniform() < *share {
                true => 0,
                false => 1 + luck.below(keys - 1),
            },
        }
    }

    /// In words, as the end of a sentence about requests.
    #[inline]
    pub(super) fn describe(&self) -> String {
        match self {
            Popularity::Uniform => String::new(),
            Popularity::Zipf(zipf) => format!(" for keys by Zipf's law (alpha {})", zipf.alpha),
            Popularity::Hot(share) => format!(", {} % of them for key 0", (share * 1e4).round() / 1e2),
        }
    }
}

impl PopularitySpec {
    /// Checks and plans for keys below `keys`; what is wrong is added to `problems` below `path`.
    #[inline]
    pub(super) fn plan(&self, keys: u32, path: &Path, problems: &mut Vec<Problem>) -> Popularity {
        match self {
            PopularitySpec::Uniform {} => Popularity::Uniform,
            PopularitySpec::Zipf { alpha } => {
                within(problems, &path.at("alpha"), *alpha, 0.0, 10.0);
                Popularity::Zipf(Zipf::new(keys, *alpha))
            }
            PopularitySpec::Hot { share } => {
                within(problems, &path.at("share"), *share, 0.0, 1.0);
                Popularity::Hot(*share)
            }
        }
    }
}

/// Zipf's law by rejection-inversion (Hörmann and Derflinger 1996, as in Apache Commons RNG): no table, so a million keys
/// take no memory; a little over one round a draw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zipf {
    alpha: f64,
    keys: f64,
    /// The area under the hat from key 1 on, and up to the last key.
    first_area: f64,
    last_area: f64,
    /// A key so close above the drawn point needs no second look.
    surely: f64,
}

impl Zipf {
    fn new(keys: u32, alpha: f64) -> Zipf {
        let mut zipf = Zipf { alpha, keys: f64::from(keys), first_area: 0.0, last_area: 0.0, surely: 0.0 };
        zipf.first_area = zipf.area(1.5) - 1.0;
        zipf.last_area = zipf.area(zipf.keys + 0.5);
        zipf.surely = 2.0 - zipf.reaches(zipf.area(2.5) - zipf.weight(2.0));
        zipf
    }

    fn draw(&self, luck: &mut Stream) -> u32 {
        loop {
            let area = self.last_area + luck.uniform() * (self.first_area - self.last_area);
            let x = self.reaches(area);
            let key = x.round().clamp(1.0, self.keys);
            if key - x <= self.surely || area >= self.area(key + 0.5) - self.weight(key) {
                return key as u32 - 1;
            }
        }
    }

    /// x^-alpha.
    fn weight(&self, x: f64) -> f64 {
        libm::exp(-self.alpha * libm::log(x))
    }

    /// The integral of the weight from 1 to x: (x^(1 - alpha) - 1) / (1 - alpha), or ln x for alpha 1.
    fn area(&self, x: f64) -> f64 {
        let log = libm::log(x);
        let y = (1.0 - self.alpha) * log;
        if y == 0.0 { log } else { libm::expm1(y) / y * log }
    }

    /// The x up to which the integral is `area`.
    fn reaches(&self, area: f64) -> f64 {
        let y = (area * (1.0 - self.alpha)).max(-1.0);
        if y == 0.0 { libm::exp(area) } else { libm::exp(libm::log1p(y) / y * area) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, draw};
    use proptest::prelude::*;

    fn planned(spec: PopularitySpec, keys: u32) -> Popularity {
        let mut problems = Vec::new();
        let popularity = spec.plan(keys, &Path::new("popularity"), &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        popularity
    }

    #[test]
    fn draws_are_pinned() {
        // Golden values: a change here changes every digest and every share link.
        let first = |spec| {
            let popularity = planned(spec, 1_000);
            [1, 2, 3, 4].map(|request| popularity.draw(1_000, &mut draw(7, request, 3, Purpose::Key, 1)))
        };
        assert_eq!(first(PopularitySpec::Uniform {}), [194, 795, 17, 973]);
        assert_eq!(first(PopularitySpec::Zipf { alpha: 0.8 }), [2, 678, 114, 0]);
        assert_eq!(first(PopularitySpec::Hot { share: 0.4 }), [324, 0, 533, 180]);
    }

    /// Pearson's chi-squared of 100,000 draws against i^-alpha stays within five standard deviations.
    fn assert_zipf(alpha: f64, keys: u32) {
        const DRAWS: f64 = 100_000.0;
        let popularity = planned(PopularitySpec::Zipf { alpha }, keys);
        let mut luck = Stream::new(1, 2, Purpose::Key);
        let mut counts = vec![0.0; keys as usize];
        for _ in 0..DRAWS as u32 {
            counts[popularity.draw(keys, &mut luck) as usize] += 1.0;
        }
        let weights: Vec<f64> = (1..=keys).map(|key| libm::pow(f64::from(key), -alpha)).collect();
        let total: f64 = weights.iter().sum();
        let expected = weights.iter().map(|weight| DRAWS * weight / total);
        let chi2: f64 = counts.iter().zip(expected).map(|(got, want)| (got - want) * (got - want) / want).sum();
        let freedom = f64::from(keys - 1);
        assert!(
            (chi2 - freedom).abs() < 5.0 * (2.0 * freedom).sqrt(),
            "alpha {alpha}: chi-squared {chi2} of {freedom}"
        );
    }

    #[test]
    fn zipf_has_its_frequencies() {
        for alpha in [0.0, 0.5, 0.8, 1.0, 1.2, 2.0] {
            assert_zipf(alpha, 100);
        }
        assert_zipf(0.9, 2);
    }

    proptest! {
        #[test]
        fn every_draw_is_a_key(alpha in 0.0..10.0, share in 0.0..=1.0, keys in 1u32..=1_000_000, seed in any::<u64>()) {
            let mut luck = Stream::new(seed, 2, Purpose::Key);
            for spec in [PopularitySpec::Uniform {}, PopularitySpec::Zipf { alpha }, PopularitySpec::Hot { share }] {
                let popularity = planned(spec, keys);
                prop_assert!((0..50).all(|_| popularity.draw(keys, &mut luck) < keys));
            }
        }
    }
}
