//! What became of the faults of a scenario: which of them happened in a run, what each found under way, and whether the
//! world got over it.

use crate::scenario::{Fault, Host, Kind, Scenario, Target};
use crate::trace::{Event, Trace, What};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Whether a fault began, by its place in the scenario.
#[must_use]
pub fn began(trace: &Trace, turn: Option<usize>, index: usize) -> bool {
    trace.events.iter().any(|event| {
        matches!(&event.what, What::Injected { turn: by, index: place, .. }
            if *by == turn && *place == index)
    })
}

/// What sort of host a fault befalls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is a sort of host, or what lies between two")]
pub enum Place {
    Client,
    Gateway,
    Supervisor,
    Agent,
    TokenService,
    Link,
}

/// The faults of one kind that befall one sort of host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Struck {
    /// Which kind.
    pub kind: Kind,
    /// Where.
    pub place: Place,
    /// How many of them there were.
    pub counts: Counts,
}

/// How many faults there were, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// That stand in the scenario.
    pub scheduled: u64,
    /// That began while nothing was under way there.
    pub idle: u64,
    /// That began while a client was on its way to a connection there.
    pub connecting: u64,
    /// That began while a turn was under way there.
    pub in_turn: u64,
    /// In whose time something was under way there: a fault that touches nothing proves nothing.
    pub bit: u64,
    /// That were over before everybody had the end of every turn.
    pub recovered: u64,
}

impl Counts {
    /// That began at all.
    #[must_use]
    pub fn injected(self) -> u64 {
        self.idle + self.connecting + self.in_turn
    }

    /// Adds others.
    pub fn add(&mut self, other: Self) {
        self.scheduled += other.scheduled;
        self.idle += other.idle;
        self.connecting += other.connecting;
        self.in_turn += other.in_turn;
        self.bit += other.bit;
        self.recovered += other.recovered;
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Client => "client",
            Self::Gateway => "gateway",
            Self::Supervisor => "supervisor",
            Self::Agent => "agent",
            Self::TokenService => "token-service",
            Self::Link => "link",
        })
    }
}

fn place_of(fault: &Fault) -> Place {
    let host = match fault.target() {
        Target::Link(..) => return Place::Link,
        Target::Client(host) | Target::Server(host) => host,
    };
    match host {
        Host::Client(_) | Host::World => Place::Client,
        Host::Gateway(_) => Place::Gateway,
        Host::Supervisor => Place::Supervisor,
        Host::Agent => Place::Agent,
        Host::TokenService => Place::TokenService,
    }
}

/// What a client is about, as far as hosts take part in it.
#[derive(Default)]
struct Affair<'t> {
    gateway: Option<&'t Host>,
    /// Its turns without an end.
    turns: BTreeSet<&'t str>,
    connecting: bool,
}

/// What is under way somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stir {
    Nothing,
    Connecting,
    Turn,
}

impl<'t> Affair<'t> {
    fn hear(&mut self, event: &'t Event) {
        match (&event.what, &event.host) {
            (What::Said { message_id, .. }, _) => {
                self.turns.insert(message_id.as_str());
            }
            (What::GivenUp { message_id, .. }, _) => {
                self.turns.remove(message_id.as_str());
            }
            (What::Shown { frame }, _) if frame.body.is_final() => {
                self.turns.remove(frame.in_reply_to.as_str());
            }
            (What::Dialled { to: to @ Host::Gateway(_) }, _) => self.gateway = Some(to),
            (What::Link { state }, _) => {
                self.connecting = state.starts_with("connecting") || state.starts_with("waiting");
            }
            (_, _) => {}
        }
    }

    /// What is under way of this at a host.
    fn at(&self, client: &Host, host: &Host) -> Stir {
        let is_on_way = host == client || Some(host) == self.gateway;
        let serves = matches!(host, Host::Supervisor | Host::Agent);
        if !self.turns.is_empty() && (is_on_way || serves) {
            Stir::Turn
        } else if self.connecting && (is_on_way || *host == Host::TokenService) {
            Stir::Connecting
        } else {
            Stir::Nothing
        }
    }
}

/// What is under way where a fault strikes.
fn stir(affairs: &BTreeMap<&Host, Affair<'_>>, fault: &Fault) -> Stir {
    let of_affair = |(client, affair): (&&Host, &Affair<'_>)| match fault.target() {
        Target::Client(host) | Target::Server(host) => affair.at(client, host),
        Target::Link(one, other) => affair.at(client, one).min(affair.at(client, other)),
    };
    affairs.iter().map(of_affair).max().unwrap_or(Stir::Nothing)
}

/// A fault that has begun.
struct Running<'t> {
    fault: &'t Fault,
    began: Stir,
    bit: bool,
    over: bool,
}

/// What became of the faults of a scenario in a run, in the order of kinds and places.
#[must_use]
pub fn tally(scenario: &Scenario, trace: &Trace) -> Vec<Struck> {
    let mut table: BTreeMap<(Kind, Place), Counts> = BTreeMap::new();
    for place in scenario.armed() {
        let fault = &place.armed.fault;
        table.entry((fault.kind(), place_of(fault))).or_default().scheduled += 1;
    }
    let done = trace.events.iter().any(|event| event.what == What::ScriptDone);
    for Running { fault, began, bit, over } in follow(trace) {
        let counts = table.entry((fault.kind(), place_of(fault))).or_default();
        match began {
            Stir::Nothing => counts.idle += 1,
            Stir::Connecting => counts.connecting += 1,
            Stir::Turn => counts.in_turn += 1,
        }
        counts.bit += u64::from(bit);
        counts.recovered += u64::from(done && (over || fault.is_momentary()));
    }
    let rows = table.into_iter().map(|((kind, place), counts)| Struck { kind, place, counts });
    rows.collect()
}

/// What each fault of a run found under way, from its beginning to its end.
fn follow(trace: &Trace) -> Vec<Running<'_>> {
    let mut affairs: BTreeMap<&Host, Affair<'_>> = BTreeMap::new();
    let mut running: Vec<Running<'_>> = Vec::new();
    for event in &trace.events {
        if let What::Injected { fault, .. } = &event.what {
            let began = stir(&affairs, fault);
            // What happens to a frame has found one.
            let bit = began > Stir::Nothing || fault.is_of_frame() || is_deed(fault);
            running.push(Running { fault, began, bit, over: false });
        } else if let What::Healed { fault } = &event.what {
            let same = |other: &&mut Running<'_>| !other.over && other.fault == fault;
            if let Some(healed) = running.iter_mut().find(same) {
                healed.over = true;
            }
        }
        if matches!(event.host, Host::Client(_)) {
            affairs.entry(&event.host).or_default().hear(event);
            let idle = running.iter_mut().filter(|one| !one.bit && !one.over);
            for one in idle.filter(|one| !one.fault.is_momentary()) {
                one.bit = stir(&affairs, one.fault) > Stir::Nothing;
            }
        }
    }
    running
}

/// Whether a fault is something that somebody does, and needs nothing to be under way.
fn is_deed(fault: &Fault) -> bool {
    matches!(fault, Fault::Cut { .. } | Fault::SignOut { .. } | Fault::Intrude { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::bench::{client, healthy};
    use std::time::Duration;

    fn crash() -> Fault {
        Fault::Crash { host: Host::Agent, down: Duration::from_secs(1) }
    }

    fn counts(run: &crate::oracle::bench::Bench, kind: Kind) -> Counts {
        let rows = tally(&run.scenario, &run.trace);
        let mut all = Counts::default();
        rows.iter().filter(|row| row.kind == kind).for_each(|row| all.add(row.counts));
        all
    }

    #[test]
    fn a_fault_in_a_turn_bites_and_is_got_over() {
        let run = healthy();
        let cut = counts(&run, Kind::Cut);
        assert_eq!((cut.scheduled, cut.in_turn, cut.bit, cut.recovered), (1, 1, 1, 1));
        let crash = counts(&run, Kind::Crash);
        assert_eq!((crash.scheduled, crash.in_turn, crash.bit, crash.recovered), (1, 1, 1, 1));
        let places: Vec<Place> =
            tally(&run.scenario, &run.trace).iter().map(|row| row.place).collect();
        assert_eq!(places, [Place::Supervisor, Place::Client]);
    }

    #[test]
    fn a_fault_that_finds_nothing_does_not_bite() {
        let mut run = healthy();
        run.tell(Host::World, What::Injected { turn: None, index: 9, fault: crash() });
        let found = counts(&run, Kind::Crash);
        assert_eq!((found.idle, found.injected(), found.bit, found.recovered), (1, 2, 1, 1));
        run.say("ben", 2, "m-4", "Hello");
        assert_eq!(counts(&run, Kind::Crash).bit, 2, "a turn came in its time");
    }

    #[test]
    fn a_fault_while_somebody_connects_is_told_apart() {
        let mut run = healthy();
        run.link("ben", "connecting (attempt 1)");
        let fault = Fault::Refuse { host: Host::TokenService, lasts: Duration::from_secs(1) };
        run.tell(Host::World, What::Injected { turn: None, index: 9, fault });
        let found = counts(&run, Kind::Refuse);
        assert_eq!((found.connecting, found.bit, found.scheduled), (1, 1, 0));
        assert!(began(&run.trace, None, 9) && !began(&run.trace, None, 8));
        assert_eq!(place_of(&Fault::Cut { client: client("ben") }), Place::Client);
    }
}
