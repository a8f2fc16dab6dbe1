//! Wall-clock instants as times of a mounted world, and waits that end when they should.

use sandbox_core::time::{Span, Time};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The wall clock as a world sees it: the time that has passed since its start.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    zero: Instant,
}

impl Clock {
    /// A clock that shows time 0 at `zero`.
    pub fn starting_at(zero: Instant) -> Clock {
        Clock { zero }
    }

    /// The world's time at an instant; 0 for anything before the start.
    pub fn time(&self, at: Instant) -> Time {
        Time::ZERO + span(at.saturating_duration_since(self.zero))
    }

    /// The instant of a time of the world; none if it lies too far ahead for the machine's clock.
    pub fn instant(&self, at: Time) -> Option<Instant> {
        self.zero.checked_add(Duration::from_nanos(at.as_nanos()))
    }
}

/// A duration as a length of simulated time.
pub fn span(duration: Duration) -> Span {
    Span::from_nanos(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

/// Whole seconds since 1970.
pub fn unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs())
}

/// Asks the kernel to end this thread's waits within a nanosecond instead of the usual 50 µs, where it can be asked.
pub fn sharpen_timers() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1)) {
        tracing::warn!(%error, "timers stay as coarse as they were");
    }
}

/// Sleeps until `at`.
pub fn sleep_until(at: Instant) {
    let left = at.saturating_duration_since(Instant::now());
    if !left.is_zero() {
        std::thread::sleep(left);
    }
}
