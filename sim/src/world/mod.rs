//! The world: the only place with effects. A scenario goes in, a trace comes out.
//!
//! The whole assistant runs here unmodified, every byte over `net`, the stores on `disk`s. A run has
//! three parts: the script, under faults; quiet, until everybody is connected again; the end, in which
//! every host stops in order and the durable logs are read.

mod connection;
mod disk;
mod engine;
mod hosts;
mod inject;
mod net;
pub mod random;
mod recorder;
pub mod script;
mod tap;
#[cfg(test)]
mod tests;
mod wires;

pub use disk::SimDisk;
pub use recorder::{Clock, Recorder};

use crate::scenario::{Host, Scenario};
use crate::trace::{Trace, What};
use assistant::agent::{Catalog, CatalogError};
use assistant::contract::id::{BadId, ThreadId};
use assistant::http::Stop;
use assistant::supervisor::{Store, StoreError};
use engine::{TurmoilEngine, TurmoilNet};
use hosts::{Troupe, serving_hosts};
use inject::Injector;
use script::{Cues, Stage};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use wires::Wires;

/// How long everything must be connected before the end begins.
const QUIET: Duration = Duration::from_secs(2);
/// How long the way to that may take after the script.
const SETTLE_MAX: Duration = Duration::from_secs(120);
/// How long a host may take to stop.
const STOP_MAX: Duration = Duration::from_secs(60);
/// The engine's host on which all clients run; a host a client would cost time and change nothing.
const CLIENTS: &str = "clients";

/// Why there is no trace: the harness or what it was given is broken, not the assistant.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The catalogue is not usable.
    #[error("the catalogue is not usable")]
    Catalog(#[from] CatalogError),
    /// A name in the scenario is not an id.
    #[error("a name in the scenario is not usable")]
    Name(#[from] BadId),
    /// The store could not be read after the run.
    #[error("the store could not be read after the run")]
    Store(#[from] StoreError),
}

/// Runs `scenario` over the catalogue `catalog` (the text of a CSV file) and tells what happened.
///
/// A host that fails, a turn without an end and a time limit that is reached are part of the trace.
///
/// # Errors
/// [`WorldError`].
pub fn run(scenario: &Scenario, catalog: &str) -> Result<Trace, WorldError> {
    let (catalog, _bad_rows) = Catalog::read(catalog.as_bytes())?;
    let mut world = World::new(scenario.clone(), catalog)?;
    match world.perform() {
        Ok(()) => {}
        Err(End::TimedOut) => {
            let outstanding = world.stage.outstanding();
            world.recorder.record(&Host::World, What::TimedOut { outstanding });
            // The supervisor may still hold the store that is read below.
            world.troupe.disk(&Host::Supervisor).kill();
            world.engine.kill(&Host::Supervisor.to_string());
        }
        Err(End::Panic(why)) => world.recorder.record(&Host::World, What::Died { why }),
    }
    world.read_logs()?;
    Ok(world.recorder.finish())
}

/// Why a run was given up.
enum End {
    TimedOut,
    Panic(String),
}

struct World {
    scenario: Arc<Scenario>,
    engine: TurmoilEngine,
    /// The time between ticks, microseconds.
    between: Arc<AtomicU64>,
    recorder: Recorder,
    troupe: Arc<Troupe<TurmoilNet>>,
    injector: Injector,
    stage: Stage,
    finish: watch::Sender<bool>,
}

impl World {
    fn new(scenario: Scenario, catalog: Catalog) -> Result<Self, WorldError> {
        let spec = &scenario.world;
        let mut engine = TurmoilEngine::new(scenario.seed, spec.latency);
        let between = Arc::new(AtomicU64::new(0));
        let ticks = Arc::clone(&between);
        let recorder = Recorder::new(Arc::new(move || {
            let now = TurmoilEngine::host_time();
            now.unwrap_or_else(|| Duration::from_micros(ticks.load(Ordering::Relaxed)))
        }));
        let wires = Wires::new(scenario.seed, spec.latency, spec.jitter, recorder.clone());
        let troupe = Troupe::new(
            TurmoilNet,
            Arc::clone(&wires),
            recorder.clone(),
            scenario.clone(),
            catalog,
        );
        for host in serving_hosts(&scenario) {
            let troupe = Arc::clone(&troupe);
            engine.host(&host.to_string(), {
                let host = host.clone();
                move || Arc::clone(&troupe).root(host.clone())
            });
        }
        let scenario = Arc::new(scenario);
        let injector = Injector::new(
            Arc::clone(&scenario),
            Arc::clone(&wires),
            Arc::clone(&troupe),
            recorder.clone(),
        );
        let stage = Stage::default();
        let (finish, finish_wish) = Stop::new();
        let cues = move |turn_begins| {
            let wires = Arc::clone(&wires);
            let finish = finish_wish.clone();
            Cues { turn_begins, sockets: Box::new(move |host| wires.sockets(host)), finish }
        };
        troupe.clients()?;
        engine.host(CLIENTS, {
            let (scenario, troupe) = (Arc::clone(&scenario), Arc::clone(&troupe));
            let (recorder, stage) = (recorder.clone(), stage.clone());
            let turn_begins = Arc::new(injector.turn_begins());
            move || {
                let cast = troupe.clients().expect("the names were checked above");
                let turn_begins = Arc::clone(&turn_begins);
                let cues = cues(Box::new(move |turn| turn_begins(turn)));
                script::play(Arc::clone(&scenario), cast, recorder.clone(), stage.clone(), cues)
            }
        });
        Ok(Self { scenario, engine, between, recorder, troupe, injector, stage, finish })
    }

    fn perform(&mut self) -> Result<(), End> {
        let limit = self.scenario.world.limit;
        self.step_until(limit, |world| world.stage.script_done())?;
        self.injector.heal_all(&mut self.engine);
        let limit = self.engine.elapsed() + SETTLE_MAX;
        self.step_until(limit, |world| world.stage.settled() && world.injector.is_idle())?;
        let quiet_at = self.engine.elapsed() + QUIET;
        self.step_until(limit + QUIET, |world| world.engine.elapsed() >= quiet_at)?;

        self.finish.send_replace(true);
        self.step_until(self.engine.elapsed() + STOP_MAX, |world| world.stage.all_closed())?;
        let mut hosts = serving_hosts(&self.scenario);
        hosts.reverse();
        for host in hosts {
            self.troupe.ask_to_stop(&host);
            let limit = self.engine.elapsed() + STOP_MAX;
            self.step_until(limit, |world| !world.troupe.is_running(&host))?;
        }
        Ok(())
    }

    fn step_until(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) -> Result<(), End> {
        while !done(self) {
            if self.engine.elapsed() >= limit {
                return Err(End::TimedOut);
            }
            self.engine.step().map_err(End::Panic)?;
            let now = u64::try_from(self.engine.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.between.store(now, Ordering::Relaxed);
            self.injector.act(&mut self.engine);
        }
        Ok(())
    }

    /// Reads what the supervisor's disk holds of every thread of the scenario.
    fn read_logs(&self) -> Result<(), WorldError> {
        let disk = self.troupe.disk(&Host::Supervisor);
        disk.revive();
        let store = Store::open(disk)?;
        let named = self.scenario.clients.iter().map(|client| ThreadId::new(client.thread.clone()));
        let mut threads = named.collect::<Result<BTreeSet<_>, _>>()?;
        threads.extend(store.threads()?);
        for thread in threads {
            let frames = store.frames(&thread, 0, usize::MAX)?;
            self.recorder.record(&Host::World, What::Log { thread, frames });
        }
        Ok(())
    }
}
