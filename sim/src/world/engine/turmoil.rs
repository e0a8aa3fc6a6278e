//! The reference engine: turmoil. One paused runtime a host, a fixed latency, time in ticks.
//!
//! The tick equals the latency: a smaller one costs time and gains nothing, a larger one would delay
//! every hop. Jitter, loss and all faults are modelled above, where they depend on nothing but the seed.

use super::{Arrival, BACKLOG, Cable, Engine, TaskCount, panic_text};
use crate::world::news::News;
use crate::world::recorder::Clock;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Handle;
use tokio::time::Instant;
use turmoil::net::{TcpListener, TcpStream};

/// How much is read at once, bytes.
const CHUNK_BYTES_MAX: usize = 16 * 1024;

/// The network as a turmoil host sees it; addresses are `name:port`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TurmoilNet;

impl Cable for TurmoilNet {
    type End = TcpStream;
    type Listener = TcpListener;

    async fn listen(&self, address: &str) -> io::Result<TcpListener> {
        let port = address.rsplit(':').next().unwrap_or_default();
        TcpListener::bind(format!("0.0.0.0:{port}")).await
    }

    async fn accept(listener: &mut TcpListener) -> io::Result<TcpStream> {
        let (stream, _dialler) = listener.accept().await?;
        Ok(stream)
    }

    async fn connect(&self, address: &str) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }

    fn label(stream: &TcpStream) -> io::Result<String> {
        let mut ends = [stream.local_addr()?, stream.peer_addr()?];
        ends.sort();
        let [one, other] = ends;
        Ok(format!("{one} {other}"))
    }

    fn poll_arrival(stream: &mut TcpStream, context: &mut Context<'_>) -> Poll<Arrival> {
        let mut room = [0; CHUNK_BYTES_MAX];
        let mut buffer = ReadBuf::new(&mut room);
        let read = ready!(Pin::new(stream).poll_read(context, &mut buffer));
        let what = read.map(|()| buffer.filled().to_vec());
        Poll::Ready(Arrival { at: Instant::now(), what })
    }

    fn poll_send(
        stream: &mut TcpStream,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(stream).poll_write(context, bytes)
    }

    fn poll_finish(stream: &mut TcpStream, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(stream).poll_shutdown(context)
    }
}

/// A simulation of hosts.
pub(crate) struct TurmoilEngine {
    sim: turmoil::Sim<'static>,
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
        Self { sim: builder.build(), between: Arc::default() }
    }

    fn cable(&self) -> TurmoilNet {
        TurmoilNet
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
