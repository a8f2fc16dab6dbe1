//! What the engine is measured against: the same systems by hand, as loops around the standard library's heap. They keep no
//! record, no metric and no past.

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// An event in one number that orders itself: time, then order of scheduling, then what is due.
struct Calendar {
    heap: BinaryHeap<Reverse<u128>>,
    order: u32,
}

impl Calendar {
    fn new() -> Calendar {
        Calendar { heap: BinaryHeap::new(), order: 0 }
    }

    fn schedule(&mut self, at_ns: u64, what: u32) -> u32 {
        self.order += 1;
        self.heap.push(Reverse(u128::from(at_ns) << 64 | u128::from(self.order) << 32 | u128::from(what)));
        self.order
    }

    fn next(&mut self) -> (u64, u32, u32) {
        let Reverse(entry) = self.heap.pop().expect("something is always due");
        ((entry >> 64) as u64, (entry >> 32) as u32, entry as u32)
    }
}

struct Luck(Pcg64Mcg);

impl Luck {
    fn exponential_ns(&mut self, mean_ns: f64) -> u64 {
        let uniform = (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        (mean_ns * -libm::log(1.0 - uniform)) as u64
    }
}

/// M/M/1: mean time in the system, in nanoseconds, of so many arrivals.
pub fn m_m_1(arrivals: u32, seed: u64, gap_ns: f64, work_ns: f64) -> f64 {
    const ARRIVAL: u32 = 0;
    const DEPARTURE: u32 = 1;
    let mut luck = Luck(Pcg64Mcg::seed_from_u64(seed));
    let mut calendar = Calendar::new();
    let mut line: VecDeque<u64> = VecDeque::new();
    let (mut arrived, mut departed, mut sojourn_ns) = (0, 0, 0);
    calendar.schedule(luck.exponential_ns(gap_ns), ARRIVAL);
    while departed < arrivals {
        let (now, _, what) = calendar.next();
        if what == ARRIVAL {
            arrived += 1;
            if arrived < arrivals {
                calendar.schedule(now + luck.exponential_ns(gap_ns), ARRIVAL);
            }
            line.push_back(now);
            if line.len() == 1 {
                calendar.schedule(now + luck.exponential_ns(work_ns), DEPARTURE);
            }
        } else {
            departed += 1;
            sojourn_ns += now - line.pop_front().expect("somebody departs");
            if !line.is_empty() {
                calendar.schedule(now + luck.exponential_ns(work_ns), DEPARTURE);
            }
        }
    }
    sojourn_ns as f64 / f64::from(arrivals)
}

/// Clients that think, ask a station with some workers, and wait at most so long: mean response, in nanoseconds, of so many
/// answers. A cancelled timeout stays in the heap until it is due and is known by its number.
pub fn closed(
    answers: u32,
    seed: u64,
    clients: u32,
    think_ns: f64,
    workers: u32,
    work_ns: f64,
    timeout_ns: u64,
) -> f64 {
    const KINDS: u32 = 3;
    let mut luck = Luck(Pcg64Mcg::seed_from_u64(seed));
    let mut calendar = Calendar::new();
    let mut line: VecDeque<u32> = VecDeque::new();
    let mut sent = vec![0; clients as usize];
    let mut timer = vec![0; clients as usize];
    let (mut busy, mut answered, mut response_ns) = (0, 0, 0);
    for client in 0..clients {
        calendar.schedule(luck.exponential_ns(think_ns), client * KINDS);
    }
    while answered < answers {
        let (now, order, what) = calendar.next();
        let client = what / KINDS;
        match what % KINDS {
            0 => {
                sent[client as usize] = now;
                timer[client as usize] = calendar.schedule(now + timeout_ns, client * KINDS + 2);
                if busy < workers {
                    busy += 1;
                    calendar.schedule(now + luck.exponential_ns(work_ns), client * KINDS + 1);
                } else {
                    line.push_back(client);
                }
            }
            1 => {
                match line.pop_front() {
                    Some(next) => drop(calendar.schedule(now + luck.exponential_ns(work_ns), next * KINDS + 1)),
                    None => busy -= 1,
                }
                if timer[client as usize] != 0 {
                    timer[client as usize] = 0;
                    answered += 1;
                    response_ns += now - sent[client as usize];
                    calendar.schedule(now + luck.exponential_ns(think_ns), client * KINDS);
                }
            }
            _ if timer[client as usize] == order => {
                timer[client as usize] = 0;
                calendar.schedule(now + luck.exponential_ns(think_ns), client * KINDS);
            }
            _ => {}
        }
    }
    response_ns as f64 / f64::from(answers)
}
