//! Tells a run in plain text. It reads values and writes strings; it judges nothing and prints nothing.

pub mod junit;
mod listings;
pub mod transcript;
pub mod verdicts;
