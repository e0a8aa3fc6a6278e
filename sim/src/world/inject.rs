//! Carries out faults: each at its moment, each healed after its time.

use super::connection::Block;
use super::engine::Engine;
use super::hosts::{Troupe, serving_hosts};
use super::recorder::Recorder;
use super::stage::Stage;
use super::watches::{FrameWatch, Mishap};
use super::wires::{Trouble, Wires};
use crate::scenario::{Armed, Fault, Host, Misbehaviour, Scenario, Trigger};
use crate::trace::What;
use assistant::client::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A fault and where it stands in the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    turn: Option<usize>,
    index: usize,
}

/// Something to do at a time.
#[derive(Debug)]
enum Deed {
    Inject(Place),
    /// A flapping link goes, or comes.
    Flap {
        between: [Host; 2],
        down: bool,
    },
    Heal(Fault),
}

/// What the stage tells the injector: turns that have begun, with their time.
#[derive(Debug, Clone, Default)]
pub(super) struct Begun(Arc<Mutex<Vec<(usize, Duration)>>>);

impl Begun {
    fn take(&self) -> Vec<(usize, Duration)> {
        std::mem::take(&mut *self.0.lock().expect("no panic while it is held"))
    }
}

/// Carries out the faults of one run.
#[derive(Debug)]
pub(super) struct Injector<E: Engine> {
    scenario: Arc<Scenario>,
    wires: Arc<Wires>,
    troupe: Arc<Troupe<E::Cable>>,
    stage: Stage,
    recorder: Recorder,
    begun: Begun,
    agenda: Vec<(Duration, Deed)>,
    bouncing: Vec<Host>,
    /// Links that flap and are down.
    flapped: Vec<[Host; 2]>,
}

impl<E: Engine> Injector<E> {
    /// Plans the faults that stand at a time of the run.
    #[must_use]
    pub(super) fn new(
        scenario: Arc<Scenario>,
        wires: Arc<Wires>,
        troupe: Arc<Troupe<E::Cable>>,
        stage: Stage,
    ) -> Self {
        let agenda =
            scenario.faults.iter().enumerate().filter_map(|(index, armed)| match armed.at {
                Trigger::Elapsed(at) => Some((at, Deed::Inject(Place { turn: None, index }))),
                // Frames belong to turns.
                Trigger::Frame { .. } => None,
            });
        let agenda = agenda.collect();
        let (begun, bouncing, flapped) = (Begun::default(), Vec::new(), Vec::new());
        let recorder = wires.recorder().clone();
        Self { scenario, wires, troupe, stage, recorder, begun, agenda, bouncing, flapped }
    }

    /// What is to be called when a turn begins: arms its faults before anything is sent.
    pub(super) fn turn_begins(&self) -> impl Fn(usize) + Send + Sync + 'static {
        let (scenario, wires) = (Arc::clone(&self.scenario), Arc::clone(&self.wires));
        let (begun, recorder) = (self.begun.clone(), self.recorder.clone());
        move |turn| {
            let now = recorder.now();
            if scenario.turns.get(turn).is_none_or(|turn| turn.faults.is_empty()) {
                return;
            }
            begun.0.lock().expect("no panic while it is held").push((turn, now));
            wires.news().tell();
            for watch in watches(&scenario, turn) {
                wires.watch(watch);
            }
        }
    }

    /// Whether nothing is under way and nothing is still to come at a time.
    #[must_use]
    pub(super) fn is_idle(&self) -> bool {
        self.agenda.is_empty() && self.bouncing.is_empty()
    }

    /// When the next thing is due that is known of.
    #[must_use]
    pub(super) fn next(&self) -> Option<Duration> {
        self.agenda.iter().map(|(at, _deed)| *at).min()
    }

    /// Does what is due, while no host runs.
    pub(super) fn act(&mut self, engine: &mut E) {
        for (turn, began) in self.begun.take() {
            let faults = self.scenario.turns.get(turn).map_or(&[][..], |turn| &turn.faults);
            for (index, armed) in faults.iter().enumerate() {
                if let Trigger::Elapsed(after) = armed.at {
                    let place = Place { turn: Some(turn), index };
                    self.agenda.push((began + after, Deed::Inject(place)));
                }
            }
        }
        for id in self.wires.fired() {
            self.inject(place_of(id), engine);
        }
        self.agenda.sort_by_key(|(at, _deed)| *at);
        let now = engine.elapsed();
        while self.agenda.first().is_some_and(|(at, _deed)| *at <= now) {
            match self.agenda.remove(0).1 {
                Deed::Inject(place) => self.inject(place, engine),
                Deed::Flap { between, down: true } => {
                    self.wires.block(&between, Block::Partition);
                    self.flapped.push(between);
                }
                Deed::Flap { between, down: false } => self.end_flap(&between),
                Deed::Heal(fault) => self.heal(fault, engine),
            }
        }
        let stopped = |host: &Host| !self.troupe.is_running(host);
        let (up, waiting) = std::mem::take(&mut self.bouncing).into_iter().partition(stopped);
        self.bouncing = waiting;
        let up: Vec<Host> = up;
        for host in up {
            self.wires.comes_up(&host);
            engine.start(&host.to_string());
            self.recorder.record(&Host::World, What::Healed { fault: Fault::Bounce { host } });
        }
    }

    /// Ends every fault now, and forgets those that have not begun.
    pub(super) fn heal_all(&mut self, engine: &mut E) {
        self.wires.forget_watches();
        for (_at, deed) in std::mem::take(&mut self.agenda) {
            if let Deed::Heal(fault) = deed {
                self.heal(fault, engine);
            }
        }
    }

    fn armed(&self, place: Place) -> Option<Armed> {
        let faults = match place.turn {
            Some(turn) => &self.scenario.turns.get(turn)?.faults,
            None => &self.scenario.faults,
        };
        faults.get(place.index).cloned()
    }

    fn inject(&mut self, place: Place, engine: &mut E) {
        let Some(Armed { at, fault }) = self.armed(place) else { return };
        let injected = injected(place, fault.clone());
        match &fault {
            // What happens to a frame has happened on the wire, and the trace knows.
            Fault::Duplicate { .. }
            | Fault::Reorder { .. }
            | Fault::Lose { .. }
            | Fault::Tear { .. } => {}
            Fault::Cut { .. } if matches!(at, Trigger::Frame { .. }) => {}
            Fault::Cut { client } => {
                if self.wires.cut(client) {
                    self.recorder.record(&Host::World, injected);
                }
            }
            Fault::HalfOpen { client, lasts } => {
                if self.wires.forget(client) {
                    self.recorder.record(&Host::World, injected);
                    self.heal_after(*lasts, &fault);
                }
            }
            Fault::Crash { .. }
            | Fault::PowerLoss { .. }
            | Fault::Misbehave { .. }
            | Fault::Bounce { .. } => self.stop(&fault, injected, engine),
            Fault::Skew { host, by_ms } => {
                self.recorder.record(&Host::World, injected);
                self.troupe.skew(host, *by_ms);
            }
            Fault::SignOut { client } => {
                self.recorder.record(&Host::World, injected);
                self.stage.run(Arc::clone(&self.troupe).sign_out(client));
            }
            Fault::Intrude { host, how } => {
                self.recorder.record(&Host::World, injected);
                self.stage.run(Arc::clone(&self.troupe).intrude(host, *how));
            }
            Fault::Flap { between, every, lasts } => {
                self.recorder.record(&Host::World, injected);
                self.flap(between, *every, *lasts);
                self.heal_after(*lasts, &fault);
            }
            Fault::Partition { lasts, .. }
            | Fault::OneWay { lasts, .. }
            | Fault::Latency { lasts, .. }
            | Fault::Refuse { lasts, .. }
            | Fault::BlackHole { lasts, .. }
            | Fault::Fragment { lasts, .. }
            | Fault::Hold { lasts, .. }
            | Fault::SlowReader { lasts, .. }
            | Fault::Offline { lasts, .. }
            | Fault::BadDisk { lasts, .. }
            | Fault::LostSync { lasts, .. }
            | Fault::SlowSync { lasts, .. }
            | Fault::Pause { lasts, .. } => {
                self.recorder.record(&Host::World, injected);
                self.keep_up(&fault);
                self.heal_after(*lasts, &fault);
            }
        }
    }

    /// Ends the process of a host that runs, in one way or another.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others end no process")]
    fn stop(&mut self, fault: &Fault, injected: What, engine: &mut E) {
        match fault {
            Fault::Crash { host, down } | Fault::PowerLoss { host, down } => {
                if !self.troupe.is_running(host) {
                    return;
                }
                self.recorder.record(&Host::World, injected);
                self.overtake_bounce(host);
                self.take_down(fault, host);
                self.kill(host, engine);
                self.heal_after(*down, fault);
            }
            Fault::Misbehave { host, how, lasts } => {
                if !self.troupe.is_running(host) {
                    return;
                }
                self.recorder.record(&Host::World, injected);
                self.replace(host, Some(*how), engine);
                self.heal_after(*lasts, fault);
            }
            Fault::Bounce { host }
                if self.troupe.is_running(host) && !self.bouncing.contains(host) =>
            {
                self.recorder.record(&Host::World, injected);
                self.troupe.ask_to_stop(host);
                self.bouncing.push(host.clone());
            }
            _ => {}
        }
    }

    /// Plans when a link goes and comes.
    fn flap(&mut self, between: &[Host; 2], every: Duration, lasts: Duration) {
        let (begins, every) = (self.recorder.now(), every.max(FLAP_MIN));
        let mut passed = Duration::ZERO;
        for down in [true, false].into_iter().cycle() {
            if passed >= lasts {
                break;
            }
            self.agenda.push((begins + passed, Deed::Flap { between: between.clone(), down }));
            passed += every;
        }
    }

    fn end_flap(&mut self, between: &[Host; 2]) {
        if let Some(place) = self.flapped.iter().position(|other| other == between) {
            self.flapped.swap_remove(place);
            self.wires.unblock(between, Block::Partition);
        }
    }

    fn heal_after(&mut self, time: Duration, fault: &Fault) {
        self.agenda.push((self.recorder.now() + time, Deed::Heal(fault.clone())));
    }

    fn kill(&self, host: &Host, engine: &mut E) {
        let left = engine.kill(&host.to_string());
        self.troupe.killed(host);
        if left > 0 {
            let why = format!("{left} of its tasks have outlived it");
            self.recorder.record(host, What::Died { why });
        }
    }

    /// Kills what runs as a host and starts something else, or the role again, in its place. A host that is down
    /// will be started by the end of what took it down.
    fn replace(&mut self, host: &Host, how: Option<Misbehaviour>, engine: &mut E) {
        self.troupe.stand_in(host, how);
        if !self.troupe.is_running(host) {
            return;
        }
        self.overtake_bounce(host);
        self.wires.process_dies(host);
        self.troupe.disk(host).kill();
        self.kill(host, engine);
        self.troupe.disk(host).revive();
        self.wires.comes_up(host);
        engine.start(&host.to_string());
    }

    /// Begins a fault that lasts and takes nothing down.
    fn keep_up(&self, fault: &Fault) {
        if let Some(trouble) = trouble(fault) {
            self.wires.trouble(trouble);
        }
        match fault {
            Fault::Partition { between, .. } => self.wires.block(between, Block::Partition),
            Fault::OneWay { from, to, .. } => self.wires.block_way(from, to, Block::Partition),
            Fault::Hold { between, .. } => self.wires.block(between, Block::Hold),
            Fault::Offline { client, .. } => {
                for server in serving_hosts(&self.scenario) {
                    self.wires.block(&[client.clone(), server], Block::Partition);
                }
                self.stage.tell(client, Command::Offline);
            }
            Fault::Pause { host, .. } => self.stage.pause(host),
            Fault::BadDisk { host, how, .. } => self.troupe.disk(host).fail(*how),
            Fault::LostSync { host, .. } => self.troupe.disk(host).lie(),
            Fault::SlowSync { host, by, .. } => {
                self.troupe.disk(host).slow_down(*by, host, &self.wires);
            }
            Fault::Latency { .. }
            | Fault::Refuse { .. }
            | Fault::BlackHole { .. }
            | Fault::Fragment { .. }
            | Fault::SlowReader { .. }
            | Fault::Flap { .. }
            | Fault::Crash { .. }
            | Fault::PowerLoss { .. }
            | Fault::Bounce { .. }
            | Fault::Cut { .. }
            | Fault::Lose { .. }
            | Fault::Tear { .. }
            | Fault::Duplicate { .. }
            | Fault::Reorder { .. }
            | Fault::HalfOpen { .. }
            | Fault::Misbehave { .. }
            | Fault::SignOut { .. }
            | Fault::Intrude { .. }
            | Fault::Skew { .. } => {}
        }
    }

    /// A host that is killed while it stops in order is started by the end of the kill.
    fn overtake_bounce(&mut self, host: &Host) {
        let before = self.bouncing.len();
        self.bouncing.retain(|other| other != host);
        if self.bouncing.len() < before {
            let fault = Fault::Bounce { host: host.clone() };
            self.recorder.record(&Host::World, What::Healed { fault });
        }
    }

    /// Cuts a host's network and disk before it is dropped, so that its destructors reach nobody.
    fn take_down(&self, fault: &Fault, host: &Host) {
        if matches!(fault, Fault::PowerLoss { .. }) {
            self.wires.power_fails(host);
            self.troupe.disk(host).lose_power();
        } else {
            self.wires.process_dies(host);
            self.troupe.disk(host).kill();
        }
    }

    fn heal(&mut self, fault: Fault, engine: &mut E) {
        if let Some(trouble) = trouble(&fault) {
            self.wires.relieve(&trouble);
        }
        match &fault {
            Fault::Crash { host, .. } | Fault::PowerLoss { host, .. } => {
                self.troupe.disk(host).revive();
                self.wires.comes_up(host);
                engine.start(&host.to_string());
            }
            Fault::Misbehave { host, .. } => self.replace(host, None, engine),
            Fault::BadDisk { host, how, .. } => {
                if self.troupe.disk(host).mend(*how) && self.troupe.forget_death(host) {
                    self.wires.comes_up(host);
                    engine.start(&host.to_string());
                }
            }
            Fault::Partition { between, .. } => self.wires.unblock(between, Block::Partition),
            Fault::OneWay { from, to, .. } => self.wires.unblock_way(from, to, Block::Partition),
            Fault::Flap { between, .. } => self.end_flap(between),
            Fault::Hold { between, .. } => self.wires.unblock(between, Block::Hold),
            Fault::LostSync { host, .. } => self.troupe.disk(host).be_honest(),
            Fault::SlowSync { host, by, .. } => self.troupe.disk(host).quicken(*by),
            Fault::HalfOpen { client, .. } => self.wires.disown(client),
            Fault::Offline { client, .. } => {
                for server in serving_hosts(&self.scenario) {
                    self.wires.unblock(&[client.clone(), server], Block::Partition);
                }
                self.stage.tell(client, Command::Online);
            }
            Fault::Pause { host, .. } => self.stage.resume(host),
            Fault::Latency { .. }
            | Fault::Refuse { .. }
            | Fault::BlackHole { .. }
            | Fault::Fragment { .. }
            | Fault::SlowReader { .. }
            | Fault::Bounce { .. }
            | Fault::Cut { .. }
            | Fault::Lose { .. }
            | Fault::Tear { .. }
            | Fault::Duplicate { .. }
            | Fault::Reorder { .. }
            | Fault::SignOut { .. }
            | Fault::Intrude { .. }
            | Fault::Skew { .. } => {}
        }
        self.recorder.record(&Host::World, What::Healed { fault });
    }
}

fn injected(place: Place, fault: Fault) -> What {
    What::Injected { turn: place.turn, index: place.index, fault }
}

/// A link does not flap faster.
const FLAP_MIN: Duration = Duration::from_millis(1);

/// The most faults of one turn that a watch's id can tell apart.
const FAULTS_PER_TURN_MAX: usize = 1_000;

fn place_of(id: usize) -> Place {
    Place { turn: Some(id / FAULTS_PER_TURN_MAX), index: id % FAULTS_PER_TURN_MAX }
}

/// The faults of a turn that wait for a frame.
fn watches(scenario: &Scenario, turn: usize) -> Vec<FrameWatch> {
    let Some(spec) = scenario.turns.get(turn) else { return Vec::new() };
    let Some(client) = scenario.clients.get(spec.client) else { return Vec::new() };
    let faults = spec.faults.iter().enumerate().take(FAULTS_PER_TURN_MAX);
    faults
        .filter_map(|(index, armed)| match &armed.at {
            Trigger::Elapsed(_) => None,
            Trigger::Frame { event, nth } => {
                let speaker = || client.host();
                let client = armed.fault.client().cloned().unwrap_or_else(speaker);
                let place = Place { turn: Some(turn), index };
                Some(FrameWatch {
                    id: turn * FAULTS_PER_TURN_MAX + index,
                    client,
                    event: event.clone(),
                    left: *nth,
                    mishap: mishap(&armed.fault)
                        .map(|mishap| (mishap, injected(place, armed.fault.clone()))),
                })
            }
        })
        .collect()
}

/// What a fault does to the frame that it waits for.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others do nothing to a frame")]
fn mishap(fault: &Fault) -> Option<Mishap> {
    match fault {
        Fault::Cut { .. } => Some(Mishap::Cut),
        Fault::Lose { .. } => Some(Mishap::Lose),
        Fault::Tear { bytes, .. } => Some(Mishap::Tear(*bytes)),
        Fault::Duplicate { .. } => Some(Mishap::Duplicate),
        Fault::Reorder { .. } => Some(Mishap::Reorder),
        _ => None,
    }
}

/// What a fault does to a host or a link for as long as it lasts, if the network alone can do it.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others need more than the network")]
fn trouble(fault: &Fault) -> Option<Trouble> {
    match fault {
        Fault::SlowReader { client, .. } => Some(Trouble::Slow(client.clone())),
        Fault::Refuse { host, .. } => Some(Trouble::Refuses(host.clone())),
        Fault::BlackHole { host, .. } => Some(Trouble::Swallows(host.clone())),
        Fault::Fragment { client, bytes, .. } => Some(Trouble::Fragments(client.clone(), *bytes)),
        Fault::Latency { between, by, .. } => Some(Trouble::Latency(between.clone(), *by)),
        _ => None,
    }
}
