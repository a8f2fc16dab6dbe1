//! The line before a service's workers: who is next.

use super::event::Slot;
use crate::scenario::Discipline;
use std::collections::{BTreeMap, VecDeque};

/// Calls that wait, in the order of a discipline.
#[derive(Clone, Debug)]
pub enum Line {
    /// First in, first out.
    Fifo(VecDeque<Slot>),
    /// Last in, first out.
    Lifo(Vec<Slot>),
    /// Most urgent first, then first in, first out.
    Priority(BTreeMap<u8, VecDeque<Slot>>),
}

impl Line {
    /// An empty line. Who shares the workers never waits, and who is preempted comes back before everybody older.
    pub fn new(discipline: Discipline) -> Line {
        match discipline {
            Discipline::Fifo | Discipline::ProcessorSharing => Line::Fifo(VecDeque::new()),
            Discipline::Lifo | Discipline::LifoPreemptive => Line::Lifo(Vec::new()),
            Discipline::Priority => Line::Priority(BTreeMap::new()),
        }
    }

    /// How many wait.
    pub fn len(&self) -> u32 {
        (match self {
            Line::Fifo(line) => line.len(),
            Line::Lifo(line) => line.len(),
            Line::Priority(lines) => lines.values().map(VecDeque::len).sum(),
        }) as u32
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        match self {
            Line::Fifo(line) => line.is_empty(),
            Line::Lifo(line) => line.is_empty(),
            Line::Priority(lines) => lines.is_empty(),
        }
    }

    /// Joins the line; `priority` 1 is the most urgent.
    pub fn push(&mut self, slot: Slot, priority: u8) {
        match self {
            Line::Fifo(line) => line.push_back(slot),
            Line::Lifo(line) => line.push(slot),
            Line::Priority(lines) => lines.entry(priority).or_default().push_back(slot),
        }
    }

    /// Takes the next one out.
    pub fn pop(&mut self) -> Option<Slot> {
        match self {
            Line::Fifo(line) => line.pop_front(),
            Line::Lifo(line) => line.pop(),
            Line::Priority(lines) => {
                let mut first = lines.first_entry()?;
                let slot = first.get_mut().pop_front();
                if first.get().is_empty() {
                    first.remove();
                }
                slot
            }
        }
    }

    /// Leaves the line.
    pub fn remove(&mut self, slot: Slot) {
        match self {
            Line::Fifo(line) => line.retain(|other| *other != slot),
            Line::Lifo(line) => line.retain(|other| *other != slot),
            Line::Priority(lines) => {
                lines.values_mut().for_each(|line| line.retain(|other| *other != slot));
                lines.retain(|_, line| !line.is_empty());
            }
        }
    }
}
