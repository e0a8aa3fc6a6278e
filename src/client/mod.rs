//! The reconnecting client: it keeps a conversation whole while connections come and go.
//!
//! [`Client`] is stepped with inputs and says what is to be done; `shell` does it. Read [`machine`] first,
//! then `reconnect` (how attempts begin), `loss` (how they end) and `frames` (what a server may say).

pub mod backoff;
pub mod dedup;
mod delivery;
mod frames;
mod link;
mod loss;
pub mod machine;
mod outbox;
mod pace;
pub mod port;
mod reconnect;
mod retry_after;
pub mod rum;
mod shell;

pub use machine::Client;
pub use port::{
    Input, Kept, KeptTurn, Output, ParkReason, Pause, SendFailure, SignOutReason, State, StopReason,
};
pub use rum::Rum;
pub use shell::{ClientSetup, Command, Happening, Remains, run};

#[cfg(test)]
mod tests;
