//! Keyframes: clones of a run's world at regular steps, as many as memory allows, so that any moment is near one.

use super::world::World;
use crate::time::Time;
use std::sync::Arc;

/// The past of a run: its world at regular steps, from the start on. Clones share the worlds.
#[derive(Clone, Debug)]
pub struct Keyframes {
    worlds: Vec<Arc<World>>,
    /// Steps between two of them.
    every: u64,
    bytes: usize,
}

/// Steps between two keyframes: a replay of this length takes less than a millisecond. Doubled whenever they weigh too much.
const EVERY: u64 = 4_096;

/// What all keyframes together may weigh.
const BYTES_MAX: usize = 16 << 20;

impl Keyframes {
    /// The start.
    pub fn new(start: World) -> Keyframes {
        Keyframes { bytes: start.weight(), worlds: vec![Arc::new(start)], every: EVERY }
    }

    /// Keeps a clone of the world if it is time for one.
    pub fn offer(&mut self, world: &World) {
        if !world.steps().is_multiple_of(self.every) {
            return;
        }
        self.bytes += world.weight();
        self.worlds.push(Arc::new(world.clone()));
        while self.bytes > BYTES_MAX && self.worlds.len() > 2 {
            self.every *= 2;
            self.worlds.retain(|world| world.steps().is_multiple_of(self.every));
            self.bytes = self.worlds.iter().map(|world| world.weight()).sum();
        }
    }

    /// The start.
    pub fn first(&self) -> &World {
        &self.worlds[0]
    }

    /// The latest one that has made at most so many steps.
    pub fn at_step(&self, step: u64) -> &World {
        &self.worlds[self.worlds.partition_point(|world| world.steps() <= step) - 1]
    }

    /// The latest one at or before an instant; the start, if there is none.
    pub fn at_time(&self, at: Time) -> &World {
        &self.worlds[self.worlds.partition_point(|world| world.now() <= at).max(1) - 1]
    }

    /// Those that have made at most so many steps.
    pub fn up_to(&self, step: u64) -> Keyframes {
        let worlds = self.worlds[..self.worlds.partition_point(|world| world.steps() <= step)].to_vec();
        Keyframes { bytes: worlds.iter().map(|world| world.weight()).sum(), worlds, every: self.every }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Document;
    use serde_json::json;

    /// Twice as many requests as can be served: the line, and with it the world, grows all the time.
    fn overloaded() -> World {
        let document = Document::from_json(json!({
            "format_version": 1, "id": "queue", "title": "A queue", "seed": 1, "duration_s": 60,
            "nodes": {
                "users": { "kind": "client" },
                "server": {
                    "kind": "service", "workers": 1, "max_waiting": 1_000_000,
                    "routes": { "GET /": [ { "work": { "dist": "constant", "value_ms": 2 } } ] }
                }
            },
            "workloads": { "load": {
                "client": "users", "target": "server", "keys": 1, "users": 1,
                "arrivals": { "process": "constant", "rate_rps": 1000 },
                "routes": { "GET /": { "weight": 1, "op": "read" } }
            } }
        }));
        World::new(Arc::new(document.plan("A", &[]).unwrap_or_else(|problems| panic!("{problems:?}"))))
    }

    #[test]
    fn growing_worlds_are_thinned_out_and_every_step_is_still_reached() {
        let mut world = overloaded();
        let mut keyframes = Keyframes::new(world.clone());
        let mut offered = 0;
        while world.step().is_some() {
            keyframes.offer(&world);
            offered += usize::from(world.steps().is_multiple_of(EVERY));
            assert!(keyframes.bytes <= BYTES_MAX || keyframes.worlds.len() <= 2);
        }
        assert!(keyframes.worlds.len() < offered, "{offered} keyframes weigh little: the world does not grow");
        assert_eq!(keyframes.first().steps(), 0);
        for step in [0, 1, EVERY, EVERY + 1, world.steps() / 2, world.steps()] {
            let nearest = keyframes.at_step(step);
            assert!(nearest.steps() <= step && step - nearest.steps() < keyframes.every);
            assert_eq!(keyframes.up_to(step).at_step(u64::MAX).steps(), nearest.steps());
        }
        let middle = keyframes.at_time(Time::from_seconds(30.0));
        assert!(middle.now() <= Time::from_seconds(30.0));
    }
}
