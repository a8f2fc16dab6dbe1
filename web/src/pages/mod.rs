//! The pages: they ask the session, compute views, and hand both to components.

mod asked;
pub mod bench;
mod evidence;
pub mod home;
mod keys;
pub mod lesson;
pub mod playground;
mod saving;
mod stage;
pub mod still;
mod story;
pub mod views;
