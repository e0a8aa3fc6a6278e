//! What a world needs of an engine: byte streams between named hosts, starting and stopping of hosts, a
//! clock. Faults are modelled above this seam, so that they behave the same on any engine.

mod census;
mod courier;
mod event;
mod event_net;
mod turmoil;

pub(super) use event::EventEngine;
pub(super) use turmoil::TurmoilEngine;

use super::news::News;
use super::recorder::Clock;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

/// Connections that wait to be accepted: the backlog that tokio asks of the system. turmoil counts segments
/// on their way by the same number; its default of 64 makes it panic under a reconnect storm.
const BACKLOG: usize = 1024;

/// Counts the living tasks that a host has started, its root not among them. Asked by the host itself.
pub(super) type TaskCount = Arc<dyn Fn(&str) -> usize + Send + Sync>;

/// Plays hosts.
pub(super) trait Engine: Sized {
    /// How its hosts reach each other.
    type Cable: Cable;

    /// An empty network in which every hop takes `latency`.
    fn new(seed: u64, latency: Duration) -> Self;

    /// The network.
    fn cable(&self) -> Self::Cable;

    /// The time since the start of the run: while a host runs as it sees it, else that of the last moment
    /// played.
    fn clock(&self) -> Clock;

    /// See [`TaskCount`].
    fn tasks(&self) -> TaskCount;

    /// Adds a host that runs `root` from now on and again after each [`Engine::start`].
    fn host<F>(&mut self, name: &str, root: impl Fn() -> F + 'static)
    where
        F: Future<Output = ()> + Send + 'static;

    /// Drops a host's root and everything it owns. Returns how many tasks have outlived it.
    fn kill(&mut self, name: &str) -> usize;

    /// Starts a host that has ended or was killed.
    fn start(&mut self, name: &str);

    /// Lets time pass: at least a moment, and until there is news or it is `until`.
    ///
    /// # Errors
    /// What a host panicked with; the engine is not usable after that.
    fn advance(&mut self, until: Duration, news: &News) -> Result<(), String>;

    /// The time of the next moment to be played.
    fn elapsed(&self) -> Duration;
}

/// Byte streams of an engine. Both ends of a connection learn the same label.
pub(super) trait Cable: fmt::Debug + Clone + Send + Sync + 'static {
    /// One end of a connection; dropping it closes it.
    type End: Send + Unpin + 'static;
    /// A place where connections arrive.
    type Listener: Send + 'static;

    /// Starts to listen on `name:port`.
    fn listen(&self, address: &str) -> impl Future<Output = io::Result<Self::Listener>> + Send;

    /// Waits for the next connection. Cancel safe.
    fn accept(listener: &mut Self::Listener) -> impl Future<Output = io::Result<Self::End>> + Send;

    /// Connects to `name:port`; that takes a round trip.
    fn connect(&self, address: &str) -> impl Future<Output = io::Result<Self::End>> + Send;

    /// The name of this connection, unique while it is open.
    ///
    /// # Errors
    /// If the end is not connected.
    fn label(end: &Self::End) -> io::Result<String>;

    /// What comes next, as soon as the engine knows of it.
    fn poll_arrival(end: &mut Self::End, context: &mut Context<'_>) -> Poll<Arrival>;

    /// Sends; what is taken arrives a latency and `delay` later, and behind what was sent before.
    fn poll_send(
        end: &mut Self::End,
        context: &mut Context<'_>,
        bytes: &[u8],
        delay: Duration,
    ) -> Poll<io::Result<usize>>;

    /// Sends the end of the stream.
    fn poll_finish(end: &mut Self::End, context: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// Something that arrives at an end of a connection.
#[derive(Debug)]
pub(super) struct Arrival {
    /// When; an engine may tell ahead.
    pub at: Instant,
    /// Bytes, none of them at the end of the stream, or how the stream has failed.
    pub what: io::Result<Vec<u8>>,
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without a message".to_owned())
}
