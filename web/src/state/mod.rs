//! What the page knows and how it changes.
//!
//! A `session` owns it all: the lesson's `settings`, how far the learner has come (`progress`), and a `player` with the
//! run and its cursor, which `travel` moves. A `recorded` run takes the stage in the place of the lesson's; `opening` says
//! where it comes from. Questions about the whole scenario are answered by many runs (`what_if`). What a learner has done in the whole `course` lies in the browser's `storage`. `store` ties the session to the browser's time, which only `ticker` knows.

pub mod action;
pub mod arrival;
pub mod course;
pub mod opening;
pub mod player;
pub mod progress;
pub mod recorded;
pub mod session;
pub mod settings;
pub mod stops;
pub mod storage;
pub mod store;
pub mod ticker;
mod travel;
pub mod what_if;
pub mod workshop;
