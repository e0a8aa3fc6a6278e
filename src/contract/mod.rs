//! What the parts promise each other. Plain values with serde and schemars; no runtime, no I/O, no role.
//!
//! The schemas of these types are locked in `snapshots/`; a test says "breaking change" when one narrows.

pub mod agent;
pub mod close;
pub mod frame;
pub mod id;
pub mod memory;
pub mod thread;
pub mod token;
