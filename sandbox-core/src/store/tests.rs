//! Promises of both stores, kept under random programs.
