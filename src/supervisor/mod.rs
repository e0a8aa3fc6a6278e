//! The supervisor: accepts turns durably, routes them, asks agents, keeps the thread logs.
//!
//! `store` is what survives, `router` and `graph` decide, `general` answers what no agent is for,
//! `shell` does the rest. A turn is accepted before it is acknowledged, and its reply frames are appended
//! in one transaction with the conversation's state; so a crash at any moment repeats a turn or none.

mod general;
mod graph;
mod router;
mod shell;
mod store;

pub use shell::{Supervisor, run};
pub use store::{Store, StoreError};
