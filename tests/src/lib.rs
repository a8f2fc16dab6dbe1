//! Helpers for the cross-crate tests: the tools they need, a server, a browser, other people's pages.
//!
//! `cargo xtask test` installs the tools and names them in environment variables; plain `cargo test` finds them on the PATH
//! and the build products where they lie. What is missing fails a test with the command that brings it.

pub mod browser;
pub mod course;
pub mod server;
pub mod tools;
