//! Independent pieces of work on all cores.

use std::sync::atomic::{AtomicU64, Ordering};

/// What `work` gives for each number below `count`, in order of the numbers, whatever the order in which it was done.
pub fn on_all_cores<T: Send>(count: u64, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64).min(count);
    let next = AtomicU64::new(0);
    let worker = || {
        let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        numbers.take_while(|number| *number < count).map(|number| (number, work(number))).collect::<Vec<(u64, T)>>()
    };
    let mut done: Vec<(u64, T)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("the work does not panic")).collect()
    });
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, value)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_done_once_and_in_order() {
        assert_eq!(on_all_cores(1_000, |number| number * 2), (0..1_000).map(|number| number * 2).collect::<Vec<u64>>());
        assert!(on_all_cores(0, |number| number).is_empty());
    }
}
