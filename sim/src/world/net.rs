//! The simulated network: a layer over an engine's byte streams in which connections can go wrong.
//!
//! What goes wrong, and when, is the business of [`Wires`]; here it happens to bytes. Three ways of not
//! connecting are three things: a host whose process is down refuses after a round trip, a host without
//! power and a blocked link swallow the attempt.

use super::connection::{Act, Gate, USER_TIMEOUT};
use super::engine::{Arrival, Cable};
use super::tap::Tap;
use super::watches::Mishap;
use super::wires::{Reach, Wires};
use crate::scenario::Host;
use crate::trace::What;
use assistant::net::Net;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

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

    /// Returns as soon as an attempt that is under way to `to` is lost.
    async fn lost(&self, to: &Host) {
        let mut changed = self.wires.changes();
        while self.wires.reach(&self.host, to) == Reach::Open {
            // See above: a change can always come.
            drop(changed.changed().await);
        }
    }

    async fn dial(&self, to: &Host, address: &str) -> io::Result<SimStream<C>> {
        loop {
            self.reach(to).await?;
            let stream = tokio::select! {
                // A loss counts before an arrival at the same instant.
                biased;
                () = self.lost(to) => continue,
                stream = self.cable.connect(address) => stream?,
            };
            let label = C::label(&stream)?;
            // The other side has accepted before the engine says that we are connected; if it has
            // forgotten that since, the attempt is made again, as a SYN is.
            if let Some(number) = self.wires.dialled(&self.host, &label) {
                let wires = Arc::clone(&self.wires);
                return Ok(SimStream::new(stream, self.host.clone(), wires, number, 0));
            }
        }
    }
}

impl<C: Cable> Net for SimNet<C> {
    type Stream = SimStream<C>;
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
        if matches!((&self.host, &to), (Host::Client(_), _) | (Host::Supervisor, Host::Agent)) {
            self.wires.recorder().record(&self.host, What::Dialled { to: to.clone() });
        }
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
pub(super) struct SimStream<C: Cable> {
    inner: C::End,
    host: Host,
    wires: Arc<Wires>,
    number: u64,
    side: usize,
    tap: Tap,
    /// A frame that is delivered behind the next one.
    withheld: Option<Vec<u8>>,
    arrived: Arrived,
    /// How the engine's stream ends, behind what has arrived.
    engine_end: Option<(Instant, Result<(), io::ErrorKind>)>,
    /// How many chunks it has sent.
    chunks: u64,
    /// How much was written that nobody will read, bytes.
    void_bytes: usize,
    timer: Pin<Box<Sleep>>,
    ended: bool,
}

/// What the engine has brought, and when each chunk may be seen.
#[derive(Debug, Default)]
struct Arrived {
    chunks: VecDeque<(Vec<u8>, Instant)>,
    bytes: usize,
}

impl Arrived {
    fn push(&mut self, chunk: Vec<u8>, due: Instant) {
        self.bytes += chunk.len();
        // None overtakes an earlier one.
        let due = self.chunks.back().map_or(due, |(_chunk, last)| due.max(*last));
        self.chunks.push_back((chunk, due));
    }

    fn put_back(&mut self, chunk: Vec<u8>, due: Instant) {
        self.bytes += chunk.len();
        self.chunks.push_front((chunk, due));
    }

    fn pop(&mut self) -> Option<(Vec<u8>, Instant)> {
        let (chunk, due) = self.chunks.pop_front()?;
        self.bytes -= chunk.len();
        Some((chunk, due))
    }
}

impl<C: Cable> fmt::Debug for SimStream<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimStream({} of {})", self.number, self.host)
    }
}

impl<C: Cable> SimStream<C> {
    fn new(inner: C::End, host: Host, wires: Arc<Wires>, number: u64, side: usize) -> Self {
        Self {
            inner,
            host,
            wires,
            number,
            side,
            tap: Tap::default(),
            withheld: None,
            arrived: Arrived::default(),
            engine_end: None,
            chunks: 0,
            void_bytes: 0,
            timer: Box::pin(sleep(Duration::ZERO)),
            ended: false,
        }
    }

    /// The instant at which the run is `at` old.
    fn instant(&self, at: Duration) -> Instant {
        Instant::now() + at.saturating_sub(self.wires.recorder().now())
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
            ready!(self.poll_until(self.instant(since + USER_TIMEOUT), context));
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Takes what is written and loses it, as far as a socket would.
    fn lose(&mut self, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.void_bytes >= self.wires.window() {
            return Poll::Pending;
        }
        self.void_bytes += bytes.len();
        Poll::Ready(Ok(bytes.len()))
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

    /// Hands out what has arrived, up to a frame that something happens to.
    fn hand_out(&mut self, (mut bytes, at): (Vec<u8>, Instant), room: &mut ReadBuf<'_>) {
        let most = room.remaining().min(self.wires.piece(&self.host));
        let mut rest = bytes.split_off(bytes.len().min(most));
        let heard = self.tap.read(&bytes);
        let next_frame = heard.first().map(|(extent, _item)| extent.end);
        if let (Some(end), Some(late)) =
            (next_frame, self.withheld.take_if(|_| next_frame.is_some()))
        {
            // The frame behind the withheld one; what follows is heard again.
            self.wires.hear(&self.host, self.number, heard.into_iter().take(1).collect());
            rest = [late, bytes.split_off(end), rest].concat();
            self.tap = Tap::between_frames();
        } else if let Some((extent, mishap)) = self.wires.hear(&self.host, self.number, heard) {
            let behind = bytes.split_off(extent.end);
            let frame = extent.start.map(|start| bytes.get(start..).unwrap_or_default().to_vec());
            rest = match (mishap, frame) {
                (Mishap::Cut, _) => Vec::new(),
                (Mishap::Tear(most), _) => {
                    let start = extent.start.unwrap_or(0);
                    let whole = extent.end.saturating_sub(start);
                    bytes.truncate(start + most.min(whole.saturating_sub(1)));
                    self.arrived = Arrived::default();
                    Vec::new()
                }
                (Mishap::Duplicate, frame) => [frame.unwrap_or_default(), behind, rest].concat(),
                (Mishap::Lose, _) => {
                    bytes.truncate(extent.start.unwrap_or(extent.end));
                    [behind, rest].concat()
                }
                (Mishap::Reorder, frame) => {
                    bytes.truncate(extent.start.unwrap_or(extent.end));
                    self.withheld = frame;
                    [behind, rest].concat()
                }
            };
            self.tap = Tap::between_frames();
        }
        if !rest.is_empty() {
            self.arrived.put_back(rest, at);
        }
        room.put_slice(&bytes);
    }

    /// Tells how the stream has ended.
    fn hand_end(&mut self, end: Result<(), io::ErrorKind>) -> Poll<io::Result<()>> {
        match &end {
            Ok(()) => self.end("end"),
            Err(kind) => self.end(&kind.to_string()),
        }
        Poll::Ready(end.map_err(Into::into))
    }

    /// Takes what the engine has brought.
    fn pull(&mut self, context: &mut Context<'_>) {
        let mut taken = 0;
        while self.engine_end.is_none() && self.arrived.bytes < self.wires.window() {
            let Poll::Ready(Arrival { at, what }) = C::poll_arrival(&mut self.inner, context)
            else {
                break;
            };
            match what {
                Ok(chunk) if !chunk.is_empty() => {
                    taken += chunk.len();
                    self.arrived.push(chunk, at);
                }
                Ok(_nothing) => self.engine_end = Some((at, Ok(()))),
                Err(error) => self.engine_end = Some((at, Err(error.kind()))),
            }
        }
        if taken > 0 {
            self.wires.took(self.number, self.side, taken);
        }
    }

    /// Reads from a connection whose other end was killed.
    ///
    /// In which order the engine ends the streams of a killed host depends on the ids of its tasks, so
    /// nobody listens to the engine any more: we decide when the stream ends.
    fn poll_ending(
        &mut self,
        at: Duration,
        context: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.pull(&mut Context::from_waker(Waker::noop()));
        let ends_at = self.instant(at);
        while let Some((bytes, due)) = self.arrived.pop() {
            if self.poll_until(due.min(ends_at), context).is_pending() {
                self.arrived.put_back(bytes, due);
                return Poll::Pending;
            }
            self.hand_out((bytes, due), room);
            // See `poll_open`.
            if !room.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
        ready!(self.poll_until(ends_at, context));
        self.hand_end(Ok(()))
    }

    fn poll_open(
        &mut self,
        context: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.pull(context);
        while let Some((bytes, due)) = self.arrived.pop() {
            if self.poll_until(due, context).is_pending() {
                self.arrived.put_back(bytes, due);
                return Poll::Pending;
            }
            self.hand_out((bytes, due), room);
            // Nothing in the room would mean the end; a withheld frame is not that.
            if !room.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
        match self.engine_end {
            Some((at, end)) => {
                ready!(self.poll_until(at, context));
                self.hand_end(end)
            }
            None => Poll::Pending,
        }
    }

    /// Sends as much as there is room for.
    fn poll_send(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let room = self.wires.room(self.number, self.side);
        if room == 0 {
            // Woken when the other side has taken something.
            return Poll::Pending;
        }
        let bytes = bytes.get(..room).unwrap_or(bytes);
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let delay = self.wires.delay(self.number, self.side, self.chunks);
        let sent = ready!(C::poll_send(&mut self.inner, context, bytes, delay));
        match &sent {
            Ok(length) => {
                self.chunks += 1;
                self.wires.sent(self.number, self.side, *length);
            }
            Err(error) => self.end(&error.kind().to_string()),
        }
        Poll::Ready(sent)
    }
}

impl<C: Cable> AsyncRead for SimStream<C> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            return match this.wires.gate(this.number, (this.side, Act::Read), context) {
                Gate::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
                Gate::Failed(kind) => Poll::Ready(Err(this.fail(kind))),
                Gate::Blocked { stuck } | Gate::Void { stuck } => this.poll_blocked(stuck, context),
                Gate::Unclaimed { until } => {
                    ready!(this.poll_until(this.instant(until), context));
                    continue;
                }
                Gate::Ending { at } => this.poll_ending(at, context, room),
                Gate::Open => this.poll_open(context, room),
                Gate::Unheard { stuck } => match this.poll_open(context, room) {
                    Poll::Ready(read) => Poll::Ready(read),
                    Poll::Pending => this.poll_blocked(stuck, context),
                },
            };
        }
    }
}

impl<C: Cable> AsyncWrite for SimStream<C> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match this.wires.gate(this.number, (this.side, Act::Write), context) {
            Gate::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            Gate::Failed(kind) => Poll::Ready(Err(this.fail(kind))),
            // Before the end has come, nobody knows that nobody reads.
            Gate::Ending { at } if this.wires.recorder().now() < at => this.lose(bytes),
            Gate::Ending { .. } => Poll::Ready(Err(this.fail(io::ErrorKind::BrokenPipe))),
            Gate::Void { .. } => {
                this.wires.stuck(this.number, this.side);
                this.lose(bytes)
            }
            Gate::Blocked { .. } | Gate::Unheard { .. } => {
                this.wires.stuck(this.number, this.side);
                // What the engine knows of the other end cannot be known here yet.
                let written = this.poll_send(context, bytes);
                written.map(|result| Ok(result.unwrap_or(bytes.len())))
            }
            Gate::Unclaimed { .. } | Gate::Open => this.poll_send(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        C::poll_finish(&mut self.get_mut().inner, context)
    }
}

impl<C: Cable> Drop for SimStream<C> {
    fn drop(&mut self) {
        self.wires.close(&self.host, self.number, self.side);
    }
}
