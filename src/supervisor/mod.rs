//! The supervisor: accepts turns durably, routes them, asks agents, keeps the thread logs.
//!
//! `store` is what survives, `router` (on `evidence`), `rollout`, `breaker` and `graph` decide, `general` answers what no
//! agent is for, `shell` does the rest. A turn is accepted before it is acknowledged, and its reply frames are appended
//! in one transaction with the conversation's state; so a crash at any moment repeats a turn or none.

mod breaker;
mod evidence;
mod general;
mod graph;
mod rollout;
mod router;
mod shell;
mod state;
mod store;

pub use evidence::{ENOUGH, evidence, signals};
pub use rollout::Rollout;
pub use shell::{Supervisor, run, unchanging};
pub use store::{Store, StoreError};
