//! The ziggurat: an exponential number from one random word, mostly without a logarithm.
//!
//! Marsaglia and Tsang, "The Ziggurat Method for Generating Random Variables" (2000), with 256 layers of equal area. The table is
//! computed with `libm` when it is first needed: the same bits everywhere, and nothing to download.

use std::sync::LazyLock;

/// Layers; a byte chooses one.
const LAYERS: usize = 256;

/// Where the lowest layer ends and the tail begins (the paper's r for 256 layers).
const TAIL: f64 = 7.697_117_470_131_05;

/// The layers under exp(-x), the lowest and widest first.
struct Layers {
    /// The width of each layer; the lowest has the tail's area in it. One more, 0, for the top.
    widths: [f64; LAYERS + 1],
    /// exp(-x) at each of these.
    heights: [f64; LAYERS + 1],
}

static EXPONENTIAL: LazyLock<Layers> = LazyLock::new(|| {
    let at = |x: f64| libm::exp(-x);
    // What lies under the curve from the tail on, and the rectangle beside it.
    let area = TAIL * at(TAIL) + at(TAIL);
    let mut widths = [0.0; LAYERS + 1];
    (widths[0], widths[1]) = (area / at(TAIL), TAIL);
    for layer in 2..LAYERS {
        widths[layer] = -libm::log(area / widths[layer - 1] + at(widths[layer - 1]));
    }
    Layers { widths, heights: widths.map(at) }
});

/// An exponential number of mean 1 from random words; at most 7.7 more than the logarithm of 2^53.
#[inline]
pub fn exponential(mut word: impl FnMut() -> u64) -> f64 {
    let Layers { widths, heights } = &*EXPONENTIAL;
    loop {
        let bits = word();
        // The lowest eight bits choose the layer; the 53 highest, the place in it.
        let layer = bits as usize % LAYERS;
        let x = unit(bits) * widths[layer];
        if x < widths[layer + 1] {
            return x;
        }
        if layer == 0 {
            return TAIL - libm::log(1.0 - unit(word()));
        }
        let height = heights[layer] + unit(word()) * (heights[layer + 1] - heights[layer]);
        if height < libm::exp(-x) {
            return x;
        }
    }
}

/// The number in [0, 1) that the highest 53 bits say.
pub fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The layers have equal areas and the top one ends at x = 0: the constant belongs to this number of layers.
    #[test]
    fn the_layers_fit() {
        let Layers { widths, heights } = &*EXPONENTIAL;
        let area = widths[0] * heights[1];
        for layer in 1..LAYERS {
            let of_layer = widths[layer] * (heights[layer + 1] - heights[layer]);
            assert!((of_layer / area - 1.0).abs() < 1e-9, "layer {layer}: {of_layer} against {area}");
        }
    }

    /// Whatever the layer, a point of it is drawn below the curve only: at the corners of the rectangle the first try decides.
    #[test]
    fn tail_and_wedge_are_drawn() {
        let of = |words: &[u64]| {
            let mut words = words.iter();
            exponential(|| *words.next().expect("no more are needed"))
        };
        assert_eq!(of(&[0]), 0.0);
        assert!(of(&[u64::MAX << 11, 0]) == TAIL, "the tail begins where the lowest layer ends");
        assert!(of(&[u64::MAX << 11, u64::MAX]) > TAIL + 36.0);
        // In the wedge of layer 9, low enough: accepted; too high: rejected, and the next word counts.
        let wedge = u64::MAX << 11 | 9;
        assert!((of(&[wedge, 0]) / EXPONENTIAL.widths[9] - 1.0).abs() < 1e-9);
        assert_eq!(of(&[wedge, u64::MAX, 0]), 0.0);
    }
}
