//! The gateway: WebSocket connections on one side, the supervisor's thread API on the other.
//!
//! It keeps nothing. Every durable frame a client gets comes from the tail of the thread log, so a
//! client can go on at any gateway from its cursor.

mod calls;
mod drain;
mod limits;
mod machine;
mod port;
mod shell;
mod timers;

pub use shell::{Gateway, run};

#[cfg(test)]
mod tests;
