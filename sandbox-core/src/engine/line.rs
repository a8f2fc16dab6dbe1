//! The line before a service's workers: who is next.

use super::event::Slot;
use crate::scenario::Discipline;
use std::collections::VecDeque;

/// Calls that wait, in the order of a discipline.
#[derive(Clone, Debug)]
pub struct Line {
    discipline: Discipline,
    /// So many wait in order before an adaptive line turns round.
    lifo_above: u32,
    /// By priority, if that is the discipline; else all in the first.
    lines: Vec<VecDeque<Slot>>,
    len: u32,
}

impl Line {
    /// An empty line. Who shares the workers never waits, and who is preempted comes back before everybody older.
    pub fn new(discipline: Discipline, lifo_above: u32) -> Line {
        Line { discipline, lifo_above, lines: vec![VecDeque::new()], len: 0 }
    }

    /// How many wait.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Joins the line; `priority` 1 is the most urgent.
    pub fn push(&mut self, slot: Slot, priority: u8) {
        let place = if self.discipline == Discipline::Priority { usize::from(priority) } else { 0 };
        if place >= self.lines.len() {
            self.lines.resize(place + 1, VecDeque::new());
        }
        self.lines[place].push_back(slot);
        self.len += 1;
    }

    /// Takes the next one out.
    pub fn pop(&mut self) -> Option<Slot> {
        let next = match self.discipline {
            Discipline::Lifo | Discipline::LifoPreemptive => self.lines[0].pop_back(),
            Discipline::AdaptiveLifo if self.len > self.lifo_above => self.lines[0].pop_back(),
            _ => self.lines.iter_mut().find_map(VecDeque::pop_front),
        };
        self.len -= u32::from(next.is_some());
        next
    }

    /// Leaves the line.
    pub fn remove(&mut self, slot: Slot) {
        self.lines.iter_mut().for_each(|line| line.retain(|other| *other != slot));
        self.len = self.lines.iter().map(|line| line.len() as u32).sum();
    }
}
