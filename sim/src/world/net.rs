//! The simulated network: a layer over an engine's byte streams in which connections can go wrong.
//!
//! What goes wrong, and when, is the business of [`Wires`]; here it happens to bytes. Three ways of not
//! connecting are three things: a host whose process is down refuses after a round trip, a host without
//! power and a blocked link swallow the attempt.

use super::engine::Cable;
use super::tap::Tap;
use super::wires::{Gate, Reach, USER_TIMEOUT, Wires};
use crate::scenario::Host;
use crate::trace::What;
use assistant::net::Net;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How much is read from the engine at once, bytes.
const CHUNK_BYTES_MAX: usize = 16 * 1024;

/// The network as one host sees it.
#[derive(Debug, Clone)]
pub(super) struct SimNet<C> {
    cable: C,
    host: Host,
    wires: Arc<Wires>,
}

/// A listener that knows whose it is.
#[derive(Debug)]
pub(super) struct SimListener<L> {
    inner: L,
    host: Host,
    wires: Arc<Wires>,
}

impl<C: Cable> SimNet<C> {
    /// The network as `host` sees it.
    pub(super) fn new(cable: C, host: Host, wires: Arc<Wires>) -> Self {
        Self { cable, host, wires }
    }

    /// Waits until an attempt to reach `to` can succeed or fail.
    async fn reach(&self, to: &Host) -> io::Result<()> {
        let mut changed = self.wires.changes();
        loop {
            match self.wires.reach(&self.host, to) {
                Reach::Open => return Ok(()),
                // The network of the world outlives its hosts, so a change can always come.
                Reach::Swallowed => drop(changed.changed().await),
                Reach::Refused { after } => {
                    sleep(after).await;
                    return Err(io::ErrorKind::ConnectionRefused.into());
                }
            }
        }
    }

    async fn dial(&self, to: &Host, address: &str) -> io::Result<SimStream<C::Stream>> {
        self.reach(to).await?;
        let stream = self.cable.connect(address).await?;
        let label = C::label(&stream)?;
        // The other side has accepted before the engine says that we are connected.
        let number =
            self.wires.dialled(&self.host, &label).ok_or(io::ErrorKind::ConnectionReset)?;
        Ok(SimStream::new(stream, self.host.clone(), Arc::clone(&self.wires), number, 0))
    }
}

impl<C: Cable> Net for SimNet<C> {
    type Stream = SimStream<C::Stream>;
    type Listener = SimListener<C::Listener>;

    async fn listen(&self, address: &str) -> io::Result<Self::Listener> {
        let inner = self.cable.listen(address).await?;
        Ok(SimListener { inner, host: self.host.clone(), wires: Arc::clone(&self.wires) })
    }

    async fn accept(listener: &mut Self::Listener) -> io::Result<Self::Stream> {
        let stream = C::accept(&mut listener.inner).await?;
        let label = C::label(&stream)?;
        let number = listener.wires.accepted(&listener.host, label);
        let wires = Arc::clone(&listener.wires);
        Ok(SimStream::new(stream, listener.host.clone(), wires, number, 1))
    }

    async fn connect(&self, address: &str) -> io::Result<Self::Stream> {
        let name = address.split(':').next().unwrap_or_default();
        let to: Host = name.parse().map_err(io::Error::other)?;
        let result = self.dial(&to, address).await;
        self.wires.recorder().record(
            &self.host,
            match &result {
                Ok(stream) => What::Connected { conn: stream.number, to },
                Err(error) => What::NotConnected { to, why: error.kind().to_string() },
            },
        );
        result
    }
}

/// One end of a connection.
#[derive(Debug)]
pub(super) struct SimStream<S> {
    inner: S,
    host: Host,
    wires: Arc<Wires>,
    number: u64,
    side: usize,
    tap: Tap,
    /// Read from the engine, and when it may be seen.
    arrived: Option<(Vec<u8>, Instant)>,
    chunks: u64,
    timer: Pin<Box<Sleep>>,
    ended: bool,
}

impl<S> SimStream<S> {
    fn new(inner: S, host: Host, wires: Arc<Wires>, number: u64, side: usize) -> Self {
        let timer = Box::pin(sleep(Duration::ZERO));
        let (tap, arrived, chunks, ended) = (Tap::default(), None, 0, false);
        Self { inner, host, wires, number, side, tap, arrived, chunks, timer, ended }
    }

    /// Wakes the task at `at`; ready if that is past.
    fn poll_until(&mut self, at: Instant, context: &mut Context<'_>) -> Poll<()> {
        if self.timer.deadline() != at {
            self.timer.as_mut().reset(at);
        }
        self.timer.as_mut().poll(context)
    }

    /// Waits while the way is blocked; an error once it has been for too long.
    fn poll_blocked(
        &mut self,
        stuck: Option<Duration>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(since) = stuck {
            let left = (since + USER_TIMEOUT).saturating_sub(self.wires.recorder().now());
            ready!(self.poll_until(Instant::now() + left, context));
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }

    fn fail(&mut self, kind: io::ErrorKind) -> io::Error {
        self.end(&kind.to_string());
        kind.into()
    }

    /// Tells the trace, once, that this side is through.
    fn end(&mut self, how: &str) {
        if !std::mem::replace(&mut self.ended, true) {
            let what = What::Ended { conn: self.number, how: how.to_owned() };
            self.wires.recorder().record(&self.host, what);
        }
    }

    /// Hands out what has arrived, up to a cut.
    fn hand_out(&mut self, mut bytes: Vec<u8>, room: &mut ReadBuf<'_>) {
        let rest = bytes.split_off(bytes.len().min(room.remaining()));
        let heard = self.tap.read(&bytes);
        if let Some(end) = self.wires.hear(&self.host, self.number, heard) {
            bytes.truncate(end);
        } else if !rest.is_empty() {
            self.arrived = Some((rest, Instant::now()));
        }
        room.put_slice(&bytes);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for SimStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            let ending = match this.wires.gate(this.number, this.side, context) {
                Gate::Gone => return Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
                Gate::Failed(kind) => return Poll::Ready(Err(this.fail(kind))),
                Gate::Blocked { stuck } => return this.poll_blocked(stuck, context),
                Gate::Ending { at } => Some(at),
                Gate::Open => None,
            };
            if let Some((bytes, at)) = this.arrived.take() {
                if this.poll_until(at, context).is_pending() {
                    this.arrived = Some((bytes, at));
                    return Poll::Pending;
                }
                this.hand_out(bytes, room);
                return Poll::Ready(Ok(()));
            }
            let mut chunk = vec![0; CHUNK_BYTES_MAX];
            let mut buffer = ReadBuf::new(&mut chunk);
            let read = Pin::new(&mut this.inner).poll_read(context, &mut buffer);
            let length = buffer.filled().len();
            match (read, ending) {
                (Poll::Ready(Ok(())), _) if length > 0 => {
                    chunk.truncate(length);
                    let delay = this.wires.delay(this.number, this.side, this.chunks);
                    this.chunks += 1;
                    this.arrived = Some((chunk, Instant::now() + delay));
                }
                // The engine may end a killed host's stream at any moment; we decide when.
                (_, Some(at)) => {
                    let left = at.saturating_sub(this.wires.recorder().now());
                    ready!(this.poll_until(Instant::now() + left, context));
                    this.end("end");
                    return Poll::Ready(Ok(()));
                }
                (Poll::Ready(Ok(())), None) => {
                    this.end("end");
                    return Poll::Ready(Ok(()));
                }
                (Poll::Ready(Err(error)), None) => {
                    this.end(&error.kind().to_string());
                    return Poll::Ready(Err(error));
                }
                (Poll::Pending, None) => return Poll::Pending,
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for SimStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match this.wires.gate(this.number, this.side, context) {
            Gate::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            Gate::Failed(kind) => Poll::Ready(Err(this.fail(kind))),
            Gate::Ending { .. } => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Gate::Blocked { .. } => {
                this.wires.stuck(this.number, this.side);
                Pin::new(&mut this.inner).poll_write(context, bytes)
            }
            Gate::Open => Pin::new(&mut this.inner).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}

impl<S> Drop for SimStream<S> {
    fn drop(&mut self) {
        self.wires.close(&self.host, self.number, self.side);
    }
}
