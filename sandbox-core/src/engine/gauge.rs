//! Gauges of a node: how full it is, weighted by time.

use crate::time::Time;

/// A number that holds until it is changed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gauge {
    value: u32,
    since: Time,
    /// Sum of value times nanoseconds since the current second began.
    integral: u64,
    max: u32,
}

impl Gauge {
    /// The present value.
    pub fn value(&self) -> u32 {
        self.value
    }

    /// Changes the value.
    pub fn set(&mut self, now: Time, value: u32) {
        self.integral += u64::from(self.value) * now.since(self.since).as_nanos();
        self.since = now;
        self.value = value;
        self.max = self.max.max(value);
    }

    /// Adds to the value.
    pub fn add(&mut self, now: Time, delta: i32) {
        self.set(now, self.value.checked_add_signed(delta).expect("a gauge does not go below zero"));
    }

    /// Ends a second at `boundary`: its integral and largest value.
    fn close(&mut self, boundary: Time) -> (u64, u32) {
        self.set(boundary, self.value);
        let closed = (self.integral, self.max);
        self.integral = 0;
        self.max = self.value;
        closed
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
        let (in_service_ns, _) = self.in_service.close(boundary);
        let (waiting_ns, waiting_max) = self.waiting.close(boundary);
        let (circuit_ns, circuit_max) = self.circuit.close(boundary);
        LevelRow { in_service_ns, waiting_ns, waiting_max, circuit_ns, circuit_max }
    }
}

/// The gauges of one node over one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LevelRow {
    /// Calls in service times nanoseconds.
    pub in_service_ns: u64,
    /// Calls waiting times nanoseconds.
    pub waiting_ns: u64,
    /// Most calls waiting at once.
    pub waiting_max: u32,
    /// Breaker state times nanoseconds.
    pub circuit_ns: u64,
    /// Highest breaker state.
    pub circuit_max: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_is_weighted_by_time() {
        let mut gauge = Gauge::default();
        gauge.set(Time::from_nanos(10), 3);
        gauge.add(Time::from_nanos(20), -1);
        assert_eq!(gauge.close(Time::from_nanos(100)), (3 * 10 + 2 * 80, 3));
        assert_eq!(gauge.close(Time::from_nanos(200)), (2 * 100, 2));
    }
}
