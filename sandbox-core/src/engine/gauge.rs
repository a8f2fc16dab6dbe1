//! Gauges of a node: how full it is, weighted by time.

use crate::time::Time;

/// A number that holds until it is changed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gauge {
    value: u32,
    since: Time,
    /// Sum of value times nanoseconds since the run began.
    integral: u64,
    /// The same up to the beginning of the current second.
    closed: u64,
    max: u32,
    /// The smallest value that held for some time of the current second.
    min: Option<u32>,
}

impl Gauge {
    /// The present value.
    pub fn value(&self) -> u32 {
        self.value
    }

    /// Changes the value.
    pub fn set(&mut self, now: Time, value: u32) {
        if value != self.value {
            self.hold_until(now);
            self.value = value;
            self.max = self.max.max(value);
        }
    }

    /// Counts the time that the present value has held.
    fn hold_until(&mut self, now: Time) {
        if now > self.since {
            self.integral += u64::from(self.value) * now.since(self.since).as_nanos();
            self.min = Some(self.min.map_or(self.value, |min| min.min(self.value)));
        }
        self.since = now;
    }

    /// Adds to the value.
    pub fn add(&mut self, now: Time, delta: i32) {
        self.set(now, self.value.checked_add_signed(delta).expect("a gauge does not go below zero"));
    }

    /// Sum of value times nanoseconds since the run began.
    pub fn total(&self, now: Time) -> u64 {
        self.integral + u64::from(self.value) * now.since(self.since).as_nanos()
    }

    /// Ends a second at `boundary`.
    pub fn close(&mut self, boundary: Time) -> GaugeRow {
        self.hold_until(boundary);
        let min = self.min.take().unwrap_or(self.value);
        let integral_ns = self.integral - std::mem::replace(&mut self.closed, self.integral);
        let closed = GaugeRow { integral_ns, max: self.max, min, last: self.value };
        self.max = self.value;
        closed
    }
}

/// A gauge over one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GaugeRow {
    /// Sum of value times nanoseconds.
    pub integral_ns: u64,
    /// The largest value, even if it held for no time.
    pub max: u32,
    /// The smallest value that held for some time.
    pub min: u32,
    /// The value at the end.
    pub last: u32,
}

impl GaugeRow {
    /// The mean, weighted by time.
    pub fn mean(&self) -> f64 {
        self.integral_ns as f64 / 1e9
    }
}

/// The gauges every node has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Levels {
    /// Calls in a worker or connection.
    pub in_service: Gauge,
    /// Calls in the waiting line.
    pub waiting: Gauge,
    /// State of the node's circuit breakers: 0 closed, 1 open, 2 half-open; of several, the one that changed last.
    pub circuit: Gauge,
}

impl Levels {
    /// Ends a second.
    pub fn close(&mut self, boundary: Time) -> LevelRow {
        LevelRow {
            in_service: self.in_service.close(boundary),
            waiting: self.waiting.close(boundary),
            circuit: self.circuit.close(boundary),
        }
    }
}

/// The gauges of one node over one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LevelRow {
    /// Calls in a worker or connection.
    pub in_service: GaugeRow,
    /// Calls in the waiting line.
    pub waiting: GaugeRow,
    /// State of the node's circuit breakers.
    pub circuit: GaugeRow,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_is_weighted_by_time() {
        let mut gauge = Gauge::default();
        gauge.set(Time::from_nanos(10), 3);
        gauge.add(Time::from_nanos(20), -1);
        let first = GaugeRow { integral_ns: 3 * 10 + 2 * 80, max: 3, min: 0, last: 2 };
        assert_eq!(gauge.close(Time::from_nanos(100)), first);
        gauge.add(Time::from_nanos(150), 4);
        gauge.add(Time::from_nanos(150), -5);
        let second = GaugeRow { integral_ns: 2 * 50 + 50, max: 6, min: 1, last: 1 };
        assert_eq!(gauge.close(Time::from_nanos(200)), second);
    }
}
