//! The network of the event engine: a connection is two queues of bytes, each with the time of its arrival.

use super::courier::Courier;
use super::{Arrival, BACKLOG, Cable};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

/// When an attempt to connect that a full backlog has dropped is made again: Linux's first SYN timeout.
const DIAL_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The network as every host sees it; clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct EventNet {
    latency: Duration,
    ports: Arc<Mutex<Ports>>,
    courier: Courier<Pipe>,
}

#[derive(Debug, Default)]
struct Ports {
    listeners: BTreeMap<String, mpsc::Sender<Dial>>,
    /// How many connections there have been.
    connections: u64,
}

/// An attempt to connect.
#[derive(Debug)]
struct Dial {
    arrives: Instant,
    /// Takes the dialler's end and when it learns of it.
    answer: oneshot::Sender<(EventEnd, Instant)>,
}

/// Where attempts arrive.
#[derive(Debug)]
pub(crate) struct EventListener {
    net: EventNet,
    backlog: mpsc::Receiver<Dial>,
    /// The first of them, until it has arrived.
    next: Option<Dial>,
}

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct EventEnd {
    number: u64,
    latency: Duration,
    incoming: Pipe,
    outgoing: Pipe,
    courier: Courier<Pipe>,
}

/// One direction.
type Pipe = Arc<Mutex<Flow>>;

#[derive(Debug, Default)]
struct Flow {
    chunks: VecDeque<(Instant, Vec<u8>)>,
    /// How the stream ends behind them; an error kind if not in order.
    end: Option<(Instant, Option<io::ErrorKind>)>,
    /// Whether the reader has let go.
    deserted: bool,
    reader: Option<Waker>,
}

impl EventNet {
    /// A network in which every hop takes `latency`.
    pub(super) fn new(latency: Duration) -> Self {
        Self { latency, ports: Arc::default(), courier: Courier::default() }
    }

    /// Wakes readers when something arrives for them, for ever. Runs beside the hosts.
    pub(super) async fn deliver(self) {
        self.courier.run(|pipe| lock(&pipe).reader.take()).await;
    }

    fn ports(&self) -> MutexGuard<'_, Ports> {
        self.ports.lock().expect("no panic while it is held")
    }

    /// The two ends of a new connection.
    fn pair(&self) -> (EventEnd, EventEnd) {
        let mut ports = self.ports();
        ports.connections += 1;
        let (number, latency) = (ports.connections, self.latency);
        let [one, other] = [Pipe::default(), Pipe::default()];
        let end = |incoming: &Pipe, outgoing: &Pipe| EventEnd {
            number,
            latency,
            incoming: Arc::clone(incoming),
            outgoing: Arc::clone(outgoing),
            courier: self.courier.clone(),
        };
        (end(&one, &other), end(&other, &one))
    }
}

impl Cable for EventNet {
    type End = EventEnd;
    type Listener = EventListener;

    async fn listen(&self, address: &str) -> io::Result<EventListener> {
        let (attempts, backlog) = mpsc::channel(BACKLOG);
        let mut ports = self.ports();
        if ports.listeners.get(address).is_some_and(|listener| !listener.is_closed()) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        ports.listeners.insert(address.to_owned(), attempts);
        drop(ports);
        Ok(EventListener { net: self.clone(), backlog, next: None })
    }

    async fn accept(listener: &mut EventListener) -> io::Result<EventEnd> {
        loop {
            let dial = match listener.next.take() {
                Some(dial) => dial,
                None => listener.backlog.recv().await.ok_or(io::ErrorKind::NotConnected)?,
            };
            // Kept while this waits, so that nothing is lost when it is dropped.
            let arrives = listener.next.insert(dial).arrives;
            sleep_until(arrives).await;
            let (ours, theirs) = listener.net.pair();
            let learns = Instant::now() + listener.net.latency;
            let dial = listener.next.take();
            // Whoever has stopped waiting is not answered.
            if dial.is_some_and(|dial| dial.answer.send((theirs, learns)).is_ok()) {
                return Ok(ours);
            }
        }
    }

    async fn connect(&self, address: &str) -> io::Result<EventEnd> {
        loop {
            let listener = self.ports().listeners.get(address).cloned();
            let (answer, answered) = oneshot::channel();
            let dial = Dial { arrives: Instant::now() + self.latency, answer };
            match listener.map(|listener| listener.try_send(dial)) {
                Some(Ok(())) => {
                    let Ok((end, learns)) = answered.await else {
                        sleep(self.latency).await;
                        return Err(io::ErrorKind::ConnectionRefused.into());
                    };
                    sleep_until(learns).await;
                    return Ok(end);
                }
                Some(Err(TrySendError::Full(_))) => sleep(DIAL_AGAIN_AFTER).await,
                Some(Err(TrySendError::Closed(_))) | None => {
                    sleep(self.latency * 2).await;
                    return Err(io::ErrorKind::ConnectionRefused.into());
                }
            }
        }
    }

    fn label(end: &EventEnd) -> io::Result<String> {
        Ok(end.number.to_string())
    }

    fn poll_arrival(end: &mut EventEnd, context: &mut Context<'_>) -> Poll<Arrival> {
        let mut flow = lock(&end.incoming);
        if let Some((at, bytes)) = flow.chunks.pop_front() {
            return Poll::Ready(Arrival { at, what: Ok(bytes) });
        }
        if let Some((at, error)) = flow.end {
            let what = error.map_or(Ok(Vec::new()), |kind| Err(kind.into()));
            return Poll::Ready(Arrival { at, what });
        }
        match &mut flow.reader {
            Some(reader) => reader.clone_from(context.waker()),
            None => flow.reader = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    fn poll_send(
        end: &mut EventEnd,
        _context: &mut Context<'_>,
        bytes: &[u8],
        delay: Duration,
    ) -> Poll<io::Result<usize>> {
        let now = Instant::now();
        let reset = lock(&end.incoming).end.is_some_and(|(at, error)| error.is_some() && at <= now);
        let mut flow = lock(&end.outgoing);
        if reset || flow.end.is_some() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if flow.deserted {
            drop(flow);
            // The bytes find nobody, and the answer to them is a reset.
            end_flow(&end.incoming, now + end.latency * 2, Some(io::ErrorKind::ConnectionReset));
            return Poll::Ready(Ok(bytes.len()));
        }
        let (at, last) = (now + end.latency + delay, flow.chunks.back());
        let at = last.map_or(at, |(last, _bytes)| at.max(*last));
        flow.chunks.push_back((at, bytes.to_vec()));
        drop(flow);
        end.courier.send(at, Arc::clone(&end.outgoing));
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_finish(end: &mut EventEnd, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        end_flow(&end.outgoing, Instant::now() + end.latency, None);
        Poll::Ready(Ok(()))
    }
}

impl Drop for EventEnd {
    fn drop(&mut self) {
        let mut flow = lock(&self.incoming);
        flow.deserted = true;
        let unread = !std::mem::take(&mut flow.chunks).is_empty();
        drop(flow);
        let how = unread.then_some(io::ErrorKind::ConnectionReset);
        end_flow(&self.outgoing, Instant::now() + self.latency, how);
    }
}

fn lock(pipe: &Pipe) -> MutexGuard<'_, Flow> {
    pipe.lock().expect("no panic while it is held")
}

/// Ends one direction at a time; a reset overrules an end in order.
fn end_flow(pipe: &Pipe, at: Instant, how: Option<io::ErrorKind>) {
    let mut flow = lock(pipe);
    match (flow.end, how) {
        (None, _) | (Some((_, None)), Some(_)) => flow.end = Some((at, how)),
        (Some(_), _) => return,
    }
    let reader = flow.reader.take();
    drop(flow);
    if let Some(reader) = reader {
        reader.wake();
    }
}
