//! HTTP resources, each with a `router()` of its own.

pub mod docs;
pub mod health;
pub mod incidents;
pub mod lab;
pub mod login;
pub mod metrics;
pub mod recording;
pub mod scenario;
pub mod site;
