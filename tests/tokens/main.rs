//! Tokens over real sockets: the service that grants them, the client that keeps them, and who sees them.
//!
//! Nothing sleeps: a test waits for what a peer says, at most `PATIENCE`; the time of day is set by hand.

#[cfg(test)]
mod credential;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod secrecy;
#[cfg(test)]
mod service;
