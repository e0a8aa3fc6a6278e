//! The gateway with a supervisor behind it, against peers good and bad, over real sockets and over pipes.
//!
//! Nothing sleeps. Over sockets a test waits for what a peer says, at most a minute; over pipes the clock is
//! paused, so that an hour of silence costs nothing.

#[cfg(test)]
mod counts;
#[cfg(test)]
mod deploy;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod link;
#[cfg(test)]
mod pipe;
#[cfg(test)]
mod resume;
#[cfg(test)]
mod site;
#[cfg(test)]
mod timing;
