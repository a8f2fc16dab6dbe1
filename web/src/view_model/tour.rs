//! Play is a tour: fast where nothing changes, slow where something does, and over in a minute and a half.

/// The longest a tour may take, in seconds at the wall.
pub const LONGEST_S: f64 = 84.0;

/// What is slow: this long before a milestone and this long after it, in simulated seconds.
const BEFORE_S: f64 = 0.25;
const AFTER_S: f64 = 0.55;
/// How slow at most: simulated seconds per second at the wall.
const SLOW: f64 = 0.15;
/// How much of the tour may be spent slowly.
const SLOW_SHARE: f64 = 0.6;
/// How fast at most.
const FAST: f64 = 6.0;

/// Speeds over simulated time: pieces that follow each other, each with its speed.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Tour {
    /// (ends at, speed) in simulated seconds and simulated seconds per second.
    pieces: Vec<(f64, f64)>,
}

impl Tour {
    /// A tour through a run of `end_s` seconds with these milestones, ascending.
    pub fn new(end_s: f64, milestones_s: &[f64]) -> Tour {
        let mut windows: Vec<(f64, f64)> = Vec::new();
        for at in milestones_s {
            let (from, to) = ((at - BEFORE_S).max(0.0), (at + AFTER_S).min(end_s));
            match windows.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ if from < to => windows.push((from, to)),
                _ => {}
            }
        }
        let slow_s: f64 = windows.iter().map(|(from, to)| to - from).sum();
        let slow = SLOW.max(slow_s / (LONGEST_S * SLOW_SHARE));
        let left = LONGEST_S - slow_s / slow;
        let fast = ((end_s - slow_s) / left).max(FAST.min((end_s - slow_s) / 16.0)).max(slow);
        let mut pieces = Vec::new();
        for (from, to) in windows {
            pieces.push((from, fast));
            pieces.push((to, slow));
        }
        pieces.push((end_s, fast));
        Tour { pieces }
    }

    /// How fast it goes at this simulated second.
    pub fn speed(&self, at_s: f64) -> f64 {
        self.pieces.iter().find(|(to, _)| at_s < *to).or(self.pieces.last()).map_or(1.0, |(_, speed)| *speed)
    }

    /// Where the tour is `wall_s` seconds after it was at `at_s`.
    pub fn after(&self, at_s: f64, wall_s: f64) -> f64 {
        let (mut at, mut wall) = (at_s, wall_s);
        for (to, speed) in &self.pieces {
            if at < *to {
                let needed = (to - at) / speed;
                if needed >= wall {
                    return at + wall * speed;
                }
                at = *to;
                wall -= needed;
            }
        }
        at
    }

    /// How long the whole tour takes, in seconds at the wall.
    pub fn length_s(&self) -> f64 {
        let starts = std::iter::once(0.0).chain(self.pieces.iter().map(|piece| piece.0));
        self.pieces.iter().zip(starts).map(|((to, speed), from)| (to - from) / speed).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tour_is_short_however_much_happens() {
        let crowded: Vec<f64> = (0..600).map(|index| f64::from(index) / 10.0).collect();
        for milestones in [&[][..], &[20.0, 20.4, 22.0, 35.0][..], &crowded] {
            for end in [1.0, 60.0, 3600.0] {
                let within: Vec<f64> = milestones.iter().copied().filter(|at| *at < end).collect();
                let length = Tour::new(end, &within).length_s();
                assert!(length > 0.0 && length <= 90.0, "{end}: {length}");
            }
        }
    }

    #[test]
    fn it_slows_down_at_milestones_and_loses_no_time() {
        let tour = Tour::new(60.0, &[20.0, 35.0]);
        assert!(tour.speed(10.0) > 5.0 * tour.speed(20.1));
        assert_eq!(tour.speed(10.0), tour.speed(50.0));
        let mut at = 0.0;
        for _ in 0..(tour.length_s() * 60.0) as u32 {
            at = tour.after(at, 1.0 / 60.0);
        }
        assert!((at - 60.0).abs() < 0.2, "{at}");
        assert_eq!(tour.after(59.0, 1e6), 60.0);
    }
}
