//! The lesson page: pages -> components -> view_model -> sandbox-core, and pages -> state -> sandbox-core.
//!
//! Read `app` first (what the address asks for), then `pages::lesson` (the page), `state::session` (what it shows and how
//! that changes) and `state::ticker` (the only file that knows browser time). `view_model` is plain data and is tested natively;
//! `embed` speaks with the page around this one.

pub mod app;
pub mod components;
pub mod content;
pub mod draft;
pub mod embed;
pub mod failure;
pub mod files;
pub mod pages;
pub mod palette;
pub mod plot;
pub mod route;
pub mod state;
pub mod text;
pub mod view_model;
