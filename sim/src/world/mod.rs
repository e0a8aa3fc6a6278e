//! The world: the only place with effects. A scenario goes in, a trace comes out.
//!
//! The whole assistant runs here unmodified, every byte over `net`, the stores on `disk`s. A run has
//! three parts: the script, under faults; quiet, until everybody is connected again; the end, in which
//! every host stops in order and the durable logs are read.

mod blocked;
mod connection;
mod disk;
mod engine;
mod errands;
mod freeze;
mod hosts;
mod inject;
mod intruder;
mod net;
mod news;
mod recorder;
pub mod script;
pub mod stage;
mod stand_in;
mod tap;
#[cfg(test)]
mod tests;
mod watches;
mod wires;

pub use disk::SimDisk;
pub use recorder::{Clock, Recorder};

use crate::scenario::{Host, Scenario, Unplayable};
use crate::trace::{Trace, What};
use assistant::agent::{Catalog, CatalogError};
use assistant::contract::id::{BadId, ThreadId};
use assistant::http::Stop;
use assistant::supervisor::{Store, StoreError};
use engine::{Engine, EventEngine, TurmoilEngine};
use hosts::{Troupe, serving_hosts};
use inject::Injector;
use script::Cues;
use serde::{Deserialize, Serialize};
use stage::Stage;
use std::collections::BTreeSet;
use std::sync::Arc;
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

/// What plays a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineKind {
    /// turmoil: a runtime a host, time in ticks. The reference.
    #[default]
    Turmoil,
    /// Ours: one runtime, from event to event. Fast.
    Event,
}

/// Why there is no trace: the harness or what it was given is broken, not the assistant.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The catalogue is not usable.
    #[error("the catalogue is not usable")]
    Catalog(#[from] CatalogError),
    /// A name in the scenario is not an id.
    #[error("a name in the scenario is not usable")]
    Name(#[from] BadId),
    /// The scenario asks for what no world can do.
    #[error(transparent)]
    Unplayable(#[from] Unplayable),
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
pub fn run(scenario: &Scenario, catalog: &str, engine: EngineKind) -> Result<Trace, WorldError> {
    let (catalog, _bad_rows) = Catalog::read(catalog.as_bytes())?;
    match engine {
        EngineKind::Turmoil => World::<TurmoilEngine>::new(scenario.clone(), catalog)?.run(),
        EngineKind::Event => World::<EventEngine>::new(scenario.clone(), catalog)?.run(),
    }
}

/// Why a run was given up.
enum End {
    TimedOut,
    Panic(String),
}

struct World<E: Engine> {
    scenario: Arc<Scenario>,
    engine: E,
    recorder: Recorder,
    troupe: Arc<Troupe<E::Cable>>,
    injector: Injector<E>,
    stage: Stage,
    finish: watch::Sender<bool>,
}

impl<E: Engine> World<E> {
    fn new(scenario: Scenario, catalog: Catalog) -> Result<Self, WorldError> {
        scenario.check()?;
        let spec = &scenario.world;
        let mut engine = E::new(scenario.seed, spec.latency);
        let recorder = Recorder::new(engine.clock());
        let stage = Stage::default();
        let news = stage.news().clone();
        let wires = Wires::new(scenario.seed, spec, recorder.clone(), news);
        let (cable, tasks) = (engine.cable(), engine.tasks());
        let troupe = Troupe::new(cable, Arc::clone(&wires), tasks, scenario.clone(), catalog);
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
            stage.clone(),
        );
        let (finish, finish_wish) = Stop::new();
        let tasks = engine.tasks();
        let cues = move |turn_begins| {
            let (wires, tasks) = (Arc::clone(&wires), Arc::clone(&tasks));
            Cues {
                turn_begins,
                sockets: Box::new(move |host| wires.sockets(host)),
                tasks: Box::new(move || tasks(CLIENTS)),
                finish: finish_wish.clone(),
            }
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
        Ok(Self { scenario, engine, recorder, troupe, injector, stage, finish })
    }

    fn run(mut self) -> Result<Trace, WorldError> {
        match self.perform() {
            Ok(()) => {}
            Err(End::TimedOut) => {
                let outstanding = self.stage.outstanding();
                self.recorder.record(&Host::World, What::TimedOut { outstanding });
                // The supervisor may still hold the store that is read below.
                self.troupe.disk(&Host::Supervisor).kill();
                self.engine.kill(&Host::Supervisor.to_string());
            }
            Err(End::Panic(why)) => self.recorder.record(&Host::World, What::Died { why }),
        }
        self.read_logs()?;
        Ok(self.recorder.finish())
    }

    fn perform(&mut self) -> Result<(), End> {
        let limit = self.scenario.world.limit;
        self.step_until(limit, |world| world.stage.script_done())?;
        self.injector.heal_all(&mut self.engine);
        let limit = self.engine.elapsed() + SETTLE_MAX;
        self.step_until(limit, |world| world.stage.settled() && world.injector.is_idle())?;
        self.rest_until(self.engine.elapsed() + QUIET)?;

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
            self.step(limit)?;
        }
        Ok(())
    }

    fn rest_until(&mut self, time: Duration) -> Result<(), End> {
        while self.engine.elapsed() < time {
            self.step(time)?;
        }
        Ok(())
    }

    /// Lets time pass until somebody has to look, at `limit` at the latest.
    fn step(&mut self, limit: Duration) -> Result<(), End> {
        let until = self.injector.next().map_or(limit, |at| at.min(limit));
        self.engine.advance(until, self.stage.news()).map_err(End::Panic)?;
        self.injector.act(&mut self.engine);
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
