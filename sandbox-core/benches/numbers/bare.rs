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

/// What is kept of a visit: 24 bytes, lengths in units of 64 ns.
#[expect(dead_code, reason = "what counts is that it is kept")]
struct Kept {
    begin_ns: u64,
    wait: u32,
    work: u32,
    request: u32,
    node: u16,
    attempt: u16,
}

/// Visits in blocks: a growing list would be copied again and again.
#[derive(Default)]
struct Log(Vec<Vec<Kept>>);

impl Log {
    fn push(&mut self, kept: Kept) {
        const BLOCK: usize = 16_384;
        if self.0.last().is_none_or(|block| block.len() == BLOCK) {
            self.0.push(Vec::with_capacity(BLOCK));
        }
        self.0.last_mut().expect("there is one").push(kept);
    }
}

/// A request of the lesson under way.
#[derive(Clone, Copy, Default)]
struct Visit {
    request: u32,
    sent: u64,
    at_gateway: u64,
    at_api: u64,
    api_begun: u64,
    at_store: u64,
    store_begun: u64,
    attempt: u32,
    /// Numbers of the live timeouts; 0: none.
    client_timer: u32,
    store_timer: u32,
}

/// `lesson.json` by hand, every visit kept: mean latency, in nanoseconds, of the requests of so much time. What a timeout
/// gave up goes on in the store, and its answer finds nobody.
pub fn lesson(until_ns: u64, seed: u64) -> f64 {
    const MS: u64 = 1_000_000;
    const SEND: u32 = 0;
    const AT_GATEWAY: u32 = 1;
    const GATEWAY_DONE: u32 = 2;
    const AT_API: u32 = 3;
    const API_DONE: u32 = 4;
    const AT_STORE: u32 = 5;
    const STORE_DONE: u32 = 6;
    const STORE_ANSWER: u32 = 7;
    const API_ANSWER: u32 = 8;
    const ANSWER: u32 = 9;
    const CLIENT_TIMEOUT: u32 = 10;
    const STORE_TIMEOUT: u32 = 11;
    const RETRY: u32 = 12;
    let event = |kind: u32, slot: u32, attempt: u32| kind << 28 | attempt << 26 | slot;
    let [mut gaps, mut gateway, mut api, mut store, mut jitter] =
        [0, 1, 2, 3, 4].map(|n| Luck(Pcg64Mcg::seed_from_u64(seed * 8 + n)));
    let mut calendar = Calendar::new();
    let (mut api_line, mut store_line) = (VecDeque::new(), VecDeque::new());
    let (mut api_busy, mut store_busy, mut requests, mut answered, mut latency_ns) = (0, 0, 0, 0, 0);
    let mut visits: Vec<Visit> = Vec::new();
    let mut free = Vec::new();
    let mut log = Log::default();
    let units = |from: u64, to: u64| ((to - from) / 64) as u32;
    calendar.schedule(gaps.exponential_ns(2e6), event(SEND, 0, 0));
    loop {
        let (now, order, what) = calendar.next();
        if now > until_ns {
            return latency_ns as f64 / f64::from(answered);
        }
        let (slot, attempt) = (what & 0x03ff_ffff, what >> 26 & 3);
        let index = slot as usize;
        match what >> 28 {
            SEND => {
                calendar.schedule(now + gaps.exponential_ns(2e6), event(SEND, 0, 0));
                let slot: u32 = free.pop().unwrap_or(visits.len() as u32);
                if slot as usize == visits.len() {
                    visits.push(Visit::default());
                }
                requests += 1;
                let client_timer = calendar.schedule(now + 2_000 * MS, event(CLIENT_TIMEOUT, slot, 0));
                visits[slot as usize] = Visit { request: requests, sent: now, client_timer, ..Visit::default() };
                calendar.schedule(now + MS, event(AT_GATEWAY, slot, 0));
            }
            AT_GATEWAY => {
                visits[index].at_gateway = now;
                calendar.schedule(now + gateway.exponential_ns(5e5), event(GATEWAY_DONE, slot, 0));
            }
            GATEWAY_DONE => _ = calendar.schedule(now + MS / 2, event(AT_API, slot, 0)),
            AT_API => {
                visits[index].at_api = now;
                if api_busy < 16 {
                    api_busy += 1;
                    visits[index].api_begun = now;
                    calendar.schedule(now + api.exponential_ns(4e6), event(API_DONE, slot, 0));
                } else {
                    api_line.push_back(slot);
                }
            }
            API_DONE | RETRY => {
                let attempt = visits[index].attempt + 1;
                visits[index].attempt = attempt;
                visits[index].store_timer = calendar.schedule(now + 250 * MS, event(STORE_TIMEOUT, slot, attempt));
                calendar.schedule(now + MS / 2, event(AT_STORE, slot, attempt));
            }
            AT_STORE => {
                visits[index].at_store = now;
                if store_busy < 8 {
                    store_busy += 1;
                    visits[index].store_begun = now;
                    calendar.schedule(now + store.exponential_ns(8e6), event(STORE_DONE, slot, attempt));
                } else {
                    store_line.push_back((slot, attempt));
                }
            }
            STORE_DONE => {
                match store_line.pop_front() {
                    Some((next, attempt)) => {
                        visits[next as usize].store_begun = now;
                        calendar.schedule(now + store.exponential_ns(8e6), event(STORE_DONE, next, attempt));
                    }
                    None => store_busy -= 1,
                }
                let Visit { request, at_store, store_begun, .. } = visits[index];
                let (wait, work) = (units(at_store, store_begun), units(store_begun, now));
                log.push(Kept { begin_ns: at_store, wait, work, request, node: 3, attempt: attempt as u16 });
                calendar.schedule(now + MS / 2, event(STORE_ANSWER, slot, attempt));
            }
            STORE_TIMEOUT if visits[index].store_timer == order && attempt == 1 => {
                visits[index].store_timer = 0;
                calendar.schedule(now + jitter.exponential_ns(1e7), event(RETRY, slot, 0));
            }
            STORE_ANSWER if visits[index].attempt != attempt || visits[index].store_timer == 0 => {}
            STORE_ANSWER | STORE_TIMEOUT if what >> 28 == STORE_ANSWER || visits[index].store_timer == order => {
                visits[index].store_timer = 0;
                match api_line.pop_front() {
                    Some(next) => {
                        visits[next as usize].api_begun = now;
                        calendar.schedule(now + api.exponential_ns(4e6), event(API_DONE, next, 0));
                    }
                    None => api_busy -= 1,
                }
                let Visit { request, at_api, api_begun, .. } = visits[index];
                let (wait, work) = (units(at_api, api_begun), units(api_begun, now));
                log.push(Kept { begin_ns: at_api, wait, work, request, node: 2, attempt: 1 });
                calendar.schedule(now + MS / 2, event(API_ANSWER, slot, 0));
            }
            API_ANSWER => {
                let Visit { request, at_gateway, .. } = visits[index];
                log.push(Kept {
                    begin_ns: at_gateway,
                    wait: 0,
                    work: units(at_gateway, now),
                    request,
                    node: 1,
                    attempt: 1,
                });
                calendar.schedule(now + MS, event(ANSWER, slot, 0));
            }
            ANSWER => {
                let Visit { request, sent, client_timer, .. } = visits[index];
                if client_timer != 0 {
                    answered += 1;
                    latency_ns += now - sent;
                    log.push(Kept { begin_ns: sent, wait: 0, work: units(sent, now), request, node: 0, attempt: 1 });
                }
                visits[index] = Visit::default();
                free.push(slot);
            }
            CLIENT_TIMEOUT if visits[index].client_timer == order => visits[index].client_timer = 0,
            _ => {}
        }
    }
}
