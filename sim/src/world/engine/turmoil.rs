//! The reference engine: turmoil. One paused runtime a host, a fixed latency, time in ticks.
//!
//! The tick equals the latency: a smaller one costs time and gains nothing, a larger one would delay
//! every hop. Jitter, loss and all faults are modelled above, where they depend on nothing but the seed.

use super::Cable;
use assistant::net::Net;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use turmoil::net::{TcpListener, TcpStream};

/// Segments on their way in one direction, and connections that wait to be accepted. The default of 64
/// makes turmoil panic under a reconnect storm.
const TCP_CAPACITY: usize = 1024;

/// The network as a turmoil host sees it; addresses are `name:port`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TurmoilNet;

impl Net for TurmoilNet {
    type Stream = TcpStream;
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
}

impl Cable for TurmoilNet {
    fn label(stream: &TcpStream) -> io::Result<String> {
        let mut ends = [stream.local_addr()?, stream.peer_addr()?];
        ends.sort();
        let [one, other] = ends;
        Ok(format!("{one} {other}"))
    }
}

/// A simulation of hosts.
pub(crate) struct TurmoilEngine {
    sim: turmoil::Sim<'static>,
}

impl std::fmt::Debug for TurmoilEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TurmoilEngine({:?})", self.sim.elapsed())
    }
}

impl TurmoilEngine {
    /// An empty network in which every hop takes `latency`.
    #[must_use]
    pub(crate) fn new(seed: u64, latency: Duration) -> Self {
        let mut builder = turmoil::Builder::new();
        builder
            .rng_seed(seed)
            .epoch(epoch())
            .tick_duration(latency)
            .min_message_latency(latency)
            .max_message_latency(latency)
            .simulation_duration(Duration::MAX / 4)
            .tcp_capacity(TCP_CAPACITY);
        Self { sim: builder.build() }
    }

    /// Adds a host that runs `root` from now on and again after each [`TurmoilEngine::start`].
    pub(crate) fn host<F>(&mut self, name: &str, root: impl Fn() -> F + 'static)
    where
        F: Future<Output = ()> + 'static,
    {
        self.sim.host(name, move || {
            let root = root();
            async move {
                root.await;
                Ok(())
            }
        });
    }

    /// Drops a host's root and everything it owns.
    pub(crate) fn kill(&mut self, name: &str) {
        self.sim.crash(name);
    }

    /// Starts a host that has ended or was killed.
    pub(crate) fn start(&mut self, name: &str) {
        self.sim.bounce(name);
    }

    /// Lets one tick pass.
    ///
    /// # Errors
    /// What a host panicked with; the engine is not usable after that.
    pub(crate) fn step(&mut self) -> Result<(), String> {
        match catch_unwind(AssertUnwindSafe(|| self.sim.step())) {
            Ok(Ok(_finished)) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(panic) => Err(panic_text(panic.as_ref())),
        }
    }

    /// The time at the start of the next tick.
    #[must_use]
    pub(crate) fn elapsed(&self) -> Duration {
        self.sim.elapsed()
    }

    /// The time as the running host sees it; between ticks, none.
    #[must_use]
    pub(crate) fn host_time() -> Option<Duration> {
        turmoil::sim_elapsed()
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without a message".to_owned())
}

/// turmoil's default epoch is the system's clock.
#[expect(clippy::disallowed_types, reason = "a constant, not a reading of the clock")]
fn epoch() -> std::time::SystemTime {
    std::time::SystemTime::UNIX_EPOCH
}
