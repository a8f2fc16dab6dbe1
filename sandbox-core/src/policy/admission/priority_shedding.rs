//! Priority shedding: when room runs out, the least critical requests go first.
//!
//! Promise: whenever a request of some class is admitted, one of any more critical class would be too. Source: the four
//! classes of criticality of the SRE book, chapter "Handling Overload". Each class may fill the server up to its own share.

use crate::policy::{Denial, DenyReason};

/// How much depends on a request, most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Criticality {
    /// User-visible harm at once.
    CriticalPlus,
    /// The default: user-visible harm, less severe.
    Critical,
    /// Partial unavailability is expected; batch work that must come through in the end.
    SheddablePlus,
    /// Nobody minds.
    Sheddable,
}

impl Criticality {
    /// The class of a priority: 1 is the most critical, 4 and above are sheddable.
    pub fn of_priority(priority: u8) -> Criticality {
        match priority {
            0 | 1 => Criticality::CriticalPlus,
            2 => Criticality::Critical,
            3 => Criticality::SheddablePlus,
            _ => Criticality::Sheddable,
        }
    }
}

/// Checked parameters: requests in flight up to which each class is admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriorityShedding {
    /// By class, most critical first.
    limits: [u32; 4],
}

impl PriorityShedding {
    /// Limits by class, most critical first; a class may have no more room than the one before it.
    pub fn new(limits: [u32; 4]) -> Result<PriorityShedding, String> {
        if limits[0] == 0 {
            return Err("the limit of the most critical class is 0, so nothing would ever pass: use at least 1".into());
        }
        if limits.windows(2).any(|pair| pair[1] > pair[0]) {
            return Err(format!("the limits {limits:?} grow: give less critical requests no more room"));
        }
        Ok(PriorityShedding { limits })
    }

    /// May a request of this class come in beside `in_flight` others?
    pub fn decide(&self, in_flight: u32, criticality: Criticality) -> Result<(), Denial> {
        match in_flight < self.limits[criticality as usize] {
            true => Ok(()),
            false => Err(Denial { retry_at: None, reason: DenyReason::Overloaded }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Criticality::{Critical, CriticalPlus, Sheddable, SheddablePlus};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_least_critical_goes_first() {
        let shedding = PriorityShedding::new([10, 10, 8, 5]).unwrap();
        let admitted = |in_flight| {
            [CriticalPlus, Critical, SheddablePlus, Sheddable].map(|class| shedding.decide(in_flight, class).is_ok())
        };
        assert_eq!(admitted(4), [true, true, true, true]);
        assert_eq!(admitted(5), [true, true, true, false]);
        assert_eq!(admitted(8), [true, true, false, false]);
        assert_eq!(admitted(10), [false; 4]);
    }

    #[test]
    fn priorities_count_downwards() {
        assert_eq!(
            [1, 2, 3, 4, 255].map(Criticality::of_priority),
            [CriticalPlus, Critical, SheddablePlus, Sheddable, Sheddable]
        );
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        assert!(PriorityShedding::new([0; 4]).unwrap_err().contains("most critical"));
        assert!(PriorityShedding::new([5, 6, 1, 1]).unwrap_err().contains("grow"));
    }

    proptest! {
        #[test]
        fn more_critical_is_never_worse_off(mut limits in prop::array::uniform4(1u32..50), in_flight in 0u32..60) {
            limits.sort_unstable_by(|a, b| b.cmp(a));
            let shedding = PriorityShedding::new(limits).unwrap();
            let admitted =
                [CriticalPlus, Critical, SheddablePlus, Sheddable].map(|class| shedding.decide(in_flight, class).is_ok());
            prop_assert!(admitted.windows(2).all(|pair| pair[0] >= pair[1]));
        }
    }
}
