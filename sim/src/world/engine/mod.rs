//! What a world needs of an engine: byte streams between named hosts, starting and stopping of hosts, a
//! clock. Faults are modelled above this seam, so that they behave the same on any engine.

mod turmoil;

pub(super) use turmoil::{TurmoilEngine, TurmoilNet};

use assistant::net::Net;
use std::io;

/// Byte streams of an engine. Both ends of a connection learn the same label.
pub(super) trait Cable: Net {
    /// The name of this connection, unique while it is open.
    ///
    /// # Errors
    /// If the stream is not connected.
    fn label(stream: &Self::Stream) -> io::Result<String>;
}
