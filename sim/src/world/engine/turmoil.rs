//! The reference engine: turmoil. One paused runtime a host, a fixed latency, time in ticks.
//!
//! The tick equals the latency: a smaller one costs time and gains nothing, a larger one would delay
//! every hop. Jitter, loss and all faults are modelled above, where they depend on nothing but the seed.

use super::{Arrival, BACKLOG, Cable, Engine, TaskCount, panic_text};
use crate::world::news::News;
use crate::world::recorder::Clock;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Handle;
use tokio::time::Instant;
use turmoil::net::{TcpListener, TcpStream};

/// How much is read at once, bytes.
const CHUNK_BYTES_MAX: usize = 16 * 1024;

/// The network as a turmoil host sees it; addresses are `name:port`. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct TurmoilNet {
    /// What one end of a connection has laid out for the other, by label.
    fresh: Arc<Mutex<BTreeMap<String, [Delays; 2]>>>,
}

/// How much longer than turmoil's latency it takes what is under way in one direction: each a number of bytes.
type Delays = Arc<Mutex<VecDeque<(usize, Duration)>>>;

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct TurmoilEnd {
    stream: TcpStream,
    incoming: Delays,
    outgoing: Delays,
}

/// Where connections arrive.
pub(crate) struct TurmoilListener {
    inner: TcpListener,
    net: TurmoilNet,
}

impl TurmoilNet {
    /// The end that comes first lays out the delays, the other one takes them.
    fn end(&self, stream: TcpStream) -> io::Result<TurmoilEnd> {
        let mut fresh = self.fresh.lock().expect("no panic while it is held");
        let label = label(&stream)?;
        let [incoming, outgoing] = match fresh.remove(&label) {
            Some([theirs, ours]) => [ours, theirs],
            None => {
                let ours: [Delays; 2] = Default::default();
                fresh.insert(label, ours.clone());
                ours
            }
        };
        Ok(TurmoilEnd { stream, incoming, outgoing })
    }
}

fn label(stream: &TcpStream) -> io::Result<String> {
    let mut ends = [stream.local_addr()?, stream.peer_addr()?];
    ends.sort();
    let [one, other] = ends;
    Ok(format!("{one} {other}"))
}

/// The longest delay of the next `bytes`.
fn longest(delays: &Delays, mut bytes: usize) -> Duration {
    let mut delays = delays.lock().expect("no panic while it is held");
    let mut longest = Duration::ZERO;
    while bytes > 0
        && let Some((length, delay)) = delays.front_mut()
    {
        longest = longest.max(*delay);
        let taken = bytes.min(*length);
        (bytes, *length) = (bytes - taken, *length - taken);
        if *length == 0 {
            delays.pop_front();
        }
    }
    longest
}

impl Cable for TurmoilNet {
    type End = TurmoilEnd;
    type Listener = TurmoilListener;

    async fn listen(&self, address: &str) -> io::Result<TurmoilListener> {
        let port = address.rsplit(':').next().unwrap_or_default();
        let inner = TcpListener::bind(format!("0.0.0.0:{port}")).await?;
        Ok(TurmoilListener { inner, net: self.clone() })
    }

    async fn accept(listener: &mut TurmoilListener) -> io::Result<TurmoilEnd> {
        let (stream, _dialler) = listener.inner.accept().await?;
        listener.net.end(stream)
    }

    async fn connect(&self, address: &str) -> io::Result<TurmoilEnd> {
        self.end(TcpStream::connect(address).await?)
    }

    fn label(end: &TurmoilEnd) -> io::Result<String> {
        label(&end.stream)
    }

    fn poll_arrival(end: &mut TurmoilEnd, context: &mut Context<'_>) -> Poll<Arrival> {
        let mut room = [0; CHUNK_BYTES_MAX];
        let mut buffer = ReadBuf::new(&mut room);
        let read = ready!(Pin::new(&mut end.stream).poll_read(context, &mut buffer));
        let delay = longest(&end.incoming, buffer.filled().len());
        let what = read.map(|()| buffer.filled().to_vec());
        Poll::Ready(Arrival { at: Instant::now() + delay, what })
    }

    fn poll_send(
        end: &mut TurmoilEnd,
        context: &mut Context<'_>,
        bytes: &[u8],
        delay: Duration,
    ) -> Poll<io::Result<usize>> {
        let sent = ready!(Pin::new(&mut end.stream).poll_write(context, bytes));
        if let Ok(length) = sent {
            let mut outgoing = end.outgoing.lock().expect("no panic while it is held");
            outgoing.push_back((length, delay));
        }
        Poll::Ready(sent)
    }

    fn poll_finish(end: &mut TurmoilEnd, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut end.stream).poll_shutdown(context)
    }
}

/// A simulation of hosts.
pub(crate) struct TurmoilEngine {
    sim: turmoil::Sim<'static>,
    net: TurmoilNet,
    /// The time between ticks, microseconds.
    between: Arc<AtomicU64>,
}

impl std::fmt::Debug for TurmoilEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TurmoilEngine({:?})", self.sim.elapsed())
    }
}

impl Engine for TurmoilEngine {
    type Cable = TurmoilNet;

    fn new(seed: u64, latency: Duration) -> Self {
        let mut builder = turmoil::Builder::new();
        builder
            .rng_seed(seed)
            .epoch(epoch())
            .tick_duration(latency)
            .min_message_latency(latency)
            .max_message_latency(latency)
            .simulation_duration(Duration::MAX / 4)
            .tcp_capacity(BACKLOG);
        Self { sim: builder.build(), net: TurmoilNet::default(), between: Arc::default() }
    }

    fn cable(&self) -> TurmoilNet {
        self.net.clone()
    }

    fn clock(&self) -> Clock {
        let between = Arc::clone(&self.between);
        Arc::new(move || {
            let between = || Duration::from_micros(between.load(Ordering::Relaxed));
            turmoil::sim_elapsed().unwrap_or_else(between)
        })
    }

    /// Every host has a runtime of its own, in which its root is no task.
    fn tasks(&self) -> TaskCount {
        Arc::new(|_host| Handle::current().metrics().num_alive_tasks())
    }

    fn host<F>(&mut self, name: &str, root: impl Fn() -> F + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.sim.host(name, move || {
            let root = root();
            async move {
                root.await;
                Ok(())
            }
        });
    }

    /// Nothing outlives a host: its runtime goes with it.
    fn kill(&mut self, name: &str) -> usize {
        self.sim.crash(name);
        0
    }

    fn start(&mut self, name: &str) {
        self.sim.bounce(name);
    }

    /// Lets one tick pass; there is no shorter or longer way.
    fn advance(&mut self, _until: Duration, _news: &News) -> Result<(), String> {
        match catch_unwind(AssertUnwindSafe(|| self.sim.step())) {
            Ok(Ok(_finished)) => {}
            Ok(Err(error)) => return Err(error.to_string()),
            Err(panic) => return Err(panic_text(panic.as_ref())),
        }
        let now = u64::try_from(self.sim.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.between.store(now, Ordering::Relaxed);
        Ok(())
    }

    fn elapsed(&self) -> Duration {
        self.sim.elapsed()
    }
}

/// turmoil's default epoch is the system's clock.
#[expect(clippy::disallowed_types, reason = "a constant, not a reading of the clock")]
fn epoch() -> std::time::SystemTime {
    std::time::SystemTime::UNIX_EPOCH
}
