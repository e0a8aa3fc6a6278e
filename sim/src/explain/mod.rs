//! The causal slice of a violation: what happened before it that could matter.
//!
//! It reads a trace and a violation, and plays nothing.
//!
//! # Design
//! What happens before what is Lamport's relation ("Time, Clocks, and the Ordering of Events in a Distributed
//! System", CACM 21, 1978), as narrow as the contract allows. On one host an event follows those before it
//! about the same turn or the same connection, and not whatever else the host did meanwhile. What a host
//! reads follows what the sender knew: of that turn, of that connection. A trace tells of no sending, and of
//! nothing that gateway and supervisor say to each other, so what is told of a turn follows what gateways,
//! supervisor and agent had read of it until then.
//!
//! Of a client's way to its gateways belongs to it how it got the connection that it had when the slice begins,
//! and all that became of it since. Faults, starts and ends count if they befall a host of the slice, or the
//! link between two, and were not over when it begins.

mod topics;
mod words;

use crate::oracle::Violation;
use crate::report::verdicts::seconds;
use crate::scenario::{Fault, Host, Kind};
use crate::trace::{Event, Trace, What};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;
use topics::{Head, Topic, Topics};

/// What could matter for a violation.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice<'t> {
    /// The events, in order, with their places in the trace.
    pub events: Vec<(usize, &'t Event)>,
    /// How many the trace has.
    pub of: usize,
    /// The last fault that began before the violation: one of the slice, or else of the run.
    pub last_fault: Option<&'t Event>,
}

/// What of a run could matter for what is said to have gone wrong in it.
#[must_use]
pub fn explain<'t>(trace: &'t Trace, violation: &Violation) -> Slice<'t> {
    let topics = Topics::of(trace);
    let named = Named::by(violation, &topics);
    let (kept, prelude, open) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    let mut walk = Walk { trace, topics: &topics, kept, prelude, open };
    let end = walk.begin(violation, &named);
    walk.back();
    walk.links(end);
    walk.surroundings(end);
    let kept = walk.kept;
    let events: Vec<_> = trace.events.iter().enumerate().collect();
    let faults = |all: bool| {
        let mut before = events.iter().rev().filter(|(place, _)| *place <= end);
        let fault = before.find(|(place, event)| {
            matches!(event.what, What::Injected { .. }) && (all || kept.contains(place))
        });
        fault.map(|(_, event)| *event)
    };
    let last_fault = faults(false).or_else(|| faults(true));
    let events = events.iter().copied().filter(|(place, _)| kept.contains(place)).collect();
    Slice { events, of: trace.events.len(), last_fault }
}

/// What the words of a violation name.
#[derive(Debug, Default)]
struct Named {
    turns: BTreeSet<String>,
    conns: BTreeSet<u64>,
    clients: BTreeSet<Host>,
    threads: BTreeSet<String>,
}

impl Named {
    fn by(violation: &Violation, topics: &Topics) -> Self {
        let words: Vec<&str> = violation
            .what
            .split_whitespace()
            .map(|word| word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
            .collect();
        let mut named = Self::default();
        let mut frames = Vec::new();
        for (before, word) in std::iter::once("").chain(words.iter().copied()).zip(&words) {
            match (before, word.parse::<u64>()) {
                ("connection", Ok(conn)) => named.conns.extend([conn]),
                ("frame", Ok(seq)) => frames.push(seq),
                (_, Ok(_) | Err(_)) => {}
            }
            if topics.turns.contains_key(*word) {
                named.turns.insert((*word).to_owned());
            }
            let threads = topics.turns.values().map(|(id, _)| id).filter(|id| id == word);
            named.threads.extend(threads.cloned());
            let client = topics.hosts.iter().filter(|host| matches!(host, Host::Client(_)));
            named.clients.extend(client.filter(|host| host.to_string() == **word).cloned());
        }
        for thread in &named.threads {
            // A frame follows the one before it in the log.
            let places = frames.iter().flat_map(|seq| [seq.saturating_sub(1), *seq]);
            let turns = places.filter_map(|seq| topics.frames.get(&(thread.clone(), seq)));
            named.turns.extend(turns.cloned());
        }
        if named.turns.is_empty() && named.conns.is_empty() {
            let turns =
                topics.turns.iter().filter(|(_, (thread, _))| named.threads.contains(thread));
            named.turns.extend(turns.map(|(turn, _)| turn.clone()));
        }
        named
    }
}

/// On the way back from a violation.
struct Walk<'t> {
    trace: &'t Trace,
    topics: &'t Topics,
    kept: BTreeSet<usize>,
    /// How clients came to the connections that they had when the slice begins: kept, but not its beginning.
    prelude: BTreeSet<usize>,
    /// Events whose causes are still to be found.
    open: Vec<usize>,
}

impl Walk<'_> {
    fn event(&self, place: usize) -> Option<&Event> {
        self.trace.events.get(place)
    }

    /// Keeps what came to light, and what is known of whatever is named; tells where the slice ends.
    fn begin(&mut self, violation: &Violation, named: &Named) -> usize {
        let (end, places) = self.culprits(violation, named);
        places.into_iter().for_each(|place| self.keep(place));
        for turn in &named.turns {
            let said = self.topics.turns.get(turn).map(|(_, speaker)| speaker);
            for party in said.into_iter().chain(&named.clients).chain(violation.host.as_ref()) {
                self.strand(party, &Topic::Turn(turn.clone()), end);
            }
            self.turn_at_servers(turn, end);
        }
        for conn in &named.conns {
            for host in &self.topics.hosts {
                self.strand(host, &Topic::Conn(*conn), end);
                self.strand(host, &Topic::Beat(*conn), end);
            }
        }
        end
    }

    /// The event with which the violation came to light, and those of the same moment that it names.
    fn culprits(&self, violation: &Violation, named: &Named) -> (usize, Vec<usize>) {
        let host = violation.host.as_ref().unwrap_or(&Host::World);
        let before = self.trace.events.iter().take_while(|event| event.at_us <= violation.at_us);
        let own = before.enumerate().filter(|(_, event)| event.host == *host);
        let own: Vec<_> = own.map(|(place, event)| (place, event.at_us)).collect();
        let at = own.last().map(|(_, at)| *at);
        let last = own.iter().filter(|(_, time)| Some(*time) == at).map(|(place, _)| *place);
        let (mut places, others): (Vec<_>, Vec<_>) =
            last.partition(|place| self.is_named(*place, named));
        let end = places.last().or(others.last()).copied().unwrap_or(0);
        if places.is_empty() && *host != Host::World {
            places.push(end);
        }
        (end, places)
    }

    fn is_named(&self, place: usize, named: &Named) -> bool {
        match self.topics.of.get(place).and_then(Option::as_ref) {
            Some(Topic::Turn(turn)) => named.turns.contains(turn),
            Some(Topic::Conn(conn) | Topic::Beat(conn)) => named.conns.contains(conn),
            Some(Topic::Link) => false,
            None => self.event(place).is_some_and(|event| {
                matches!(&event.what, What::Log { thread, .. } if named.threads.contains(thread.as_str()))
            }),
        }
    }

    fn keep(&mut self, place: usize) {
        if place < self.trace.events.len() && self.kept.insert(place) {
            self.open.push(place);
        }
    }

    fn strand(&mut self, host: &Host, topic: &Topic, to: usize) {
        for place in self.topics.strand(host, topic, to) {
            self.keep(*place);
        }
    }

    /// Whatever the servers had read of a turn.
    fn turn_at_servers(&mut self, turn: &str, to: usize) {
        let servers = self.topics.hosts.iter();
        for host in servers.filter(|host| !matches!(host, Host::Client(_) | Host::World)) {
            self.strand(host, &Topic::Turn(turn.to_owned()), to);
        }
    }

    /// Finds the causes of everything that is open, and of those in turn.
    fn back(&mut self) {
        while let Some(place) = self.open.pop() {
            let (Some(event), Some(Some(topic))) = (self.event(place), self.topics.of.get(place))
            else {
                continue;
            };
            let host = event.host.clone();
            let from = self.sender(event);
            if !matches!(topic, Topic::Link) {
                self.strand(&host, topic, place);
            }
            let Some((peer, seq)) = from else { continue };
            self.strand(&peer, topic, place);
            if let (Topic::Turn(turn), Some(_)) = (topic, seq) {
                self.turn_at_servers(turn, place);
            }
        }
    }

    /// Who sent what was read, and the place in a log if it tells one; what an agent and the supervisor say to
    /// each other is always of a log.
    fn sender(&self, event: &Event) -> Option<(Host, Option<u64>)> {
        let (conn, seq) = if let What::Received { conn, frame } = &event.what {
            (conn, Head::of(frame).unwrap_or_default().seq)
        } else if let What::Asked { conn, .. } | What::Answered { conn, .. } = &event.what {
            (conn, Some(0))
        } else {
            return None;
        };
        Some((self.topics.peer(*conn, &event.host)?.clone(), seq))
    }

    /// How each client of the slice came to the connection that it had when the slice begins, and all since.
    fn links(&mut self, end: usize) {
        let clients: BTreeSet<Host> = self.hosts().into_iter().filter(is_client).collect();
        for client in clients {
            let own = self.kept.iter().copied().filter(|place| self.is_at(*place, &client));
            let own: Vec<usize> = own.collect();
            let (Some(first), Some(last)) = (own.first(), own.last()) else { continue };
            let link = self.topics.strand(&client, &Topic::Link, (*last).min(end));
            let mut ups = link.iter().filter(|place| **place <= *first && self.is_up(**place));
            let (up, before) = (ups.next_back(), ups.next_back());
            let way = link.iter().filter(|place| Some(*place) > before && Some(*place) < up);
            let mut way = way.filter(|place| self.is_dialling_a_gateway(**place));
            let after = before.map_or(0, |place| place.saturating_add(1));
            let from = way.next_back().copied().unwrap_or(after);
            for place in link.iter().filter(|place| **place >= from) {
                self.kept.insert(*place);
                self.prelude.extend(up.filter(|up| place <= up).map(|_| *place));
                let Some(Topic::Conn(conn)) = self.topics.of.get(*place).and_then(Option::as_ref)
                else {
                    continue;
                };
                if let Some(peer) = self.topics.peer(*conn, &client) {
                    self.strand(&client, &Topic::Conn(*conn), *last);
                    self.strand(peer, &Topic::Conn(*conn), *last);
                }
            }
        }
    }

    fn is_dialling_a_gateway(&self, place: usize) -> bool {
        let event = self.event(place);
        event.is_some_and(|event| matches!(event.what, What::Dialled { to: Host::Gateway(_) }))
    }

    fn is_at(&self, place: usize, host: &Host) -> bool {
        self.event(place).is_some_and(|event| event.host == *host)
    }

    fn is_up(&self, place: usize) -> bool {
        let event = self.event(place);
        event.is_some_and(
            |event| matches!(&event.what, What::Link { state } if state == "connected"),
        )
    }

    /// Everybody who has a part in the slice so far.
    fn hosts(&self) -> BTreeSet<Host> {
        let mut hosts = BTreeSet::new();
        for event in self.kept.iter().filter_map(|place| self.event(*place)) {
            hosts.insert(event.host.clone());
            if let What::Dialled { to } | What::NotConnected { to, .. } = &event.what {
                hosts.insert(to.clone());
            }
        }
        // The log is kept by the supervisor, whose dealings with gateways no trace tells.
        let of_turns = self.kept.iter().filter_map(|place| self.topics.of.get(*place));
        if of_turns.flatten().any(|topic| matches!(topic, Topic::Turn(_))) {
            hosts.insert(Host::Supervisor);
        }
        hosts
    }

    /// Faults, starts and ends, and calls between servers that failed, among those who have a part.
    fn surroundings(&mut self, end: usize) {
        let hosts = self.hosts();
        let parts = self.kept.difference(&self.prelude);
        let parts = parts.filter(|place| self.topics.of.get(**place).is_some_and(Option::is_some));
        let times = parts.filter_map(|place| self.event(*place)).map(|event| event.at_us);
        let from = times.min().unwrap_or(0);
        let mut force: Vec<(usize, &Fault)> = Vec::new();
        let events = self.trace.events.iter().enumerate();
        for (place, event) in events.take_while(|(place, _)| *place <= end) {
            let is_late = event.at_us >= from;
            if let What::Injected { fault, .. } = &event.what {
                let stays = !fault.is_momentary() || fault.kind() == Kind::Skew;
                if (is_late || stays) && self.befalls(fault, &hosts) {
                    self.kept.insert(place);
                    force.push((place, fault));
                }
            } else if let What::Healed { fault } = &event.what {
                let began = force.iter().position(|(_, other)| *other == fault);
                match began.map(|index| force.remove(index)) {
                    Some(_) if is_late => drop(self.kept.insert(place)),
                    Some((began, _)) => drop(self.kept.remove(&began)),
                    None => {}
                }
            } else if is_late && hosts.contains(&event.host) && self.is_trouble(event, &hosts) {
                self.kept.insert(place);
            }
        }
    }

    /// Whether a host starts or ends, or a call between two servers of the slice fails.
    fn is_trouble(&self, event: &Event, hosts: &BTreeSet<Host>) -> bool {
        let with = |other: Option<&Host>| {
            !is_client(&event.host)
                && other.is_some_and(|other| !is_client(other) && hosts.contains(other))
        };
        let peer = |conn| self.topics.peer(conn, &event.host);
        match &event.what {
            What::Started | What::Stopped { .. } | What::Died { .. } => true,
            What::NotConnected { to, .. } => with(Some(to)),
            What::Ended { conn, how } => how != "end" && with(peer(*conn)),
            What::Refused { conn, .. } => with(peer(*conn)),
            What::Dialled { .. }
            | What::Connected { .. }
            | What::Received { .. }
            | What::Asked { .. }
            | What::Answered { .. }
            | What::Said { .. }
            | What::Acked { .. }
            | What::GivenUp { .. }
            | What::Shown { .. }
            | What::Typing { .. }
            | What::Left { .. }
            | What::Looked
            | What::ViewReset
            | What::Link { .. }
            | What::Injected { .. }
            | What::Healed { .. }
            | What::ScriptDone
            | What::Log { .. }
            | What::TimedOut { .. } => false,
        }
    }

    /// Whether a fault befalls one of these hosts, or the link between two of them.
    fn befalls(&self, fault: &Fault, hosts: &BTreeSet<Host>) -> bool {
        let fault = serde_json::to_value(fault).unwrap_or_default();
        let mut texts = Vec::new();
        texts_in(&fault, &mut texts);
        // What else a fault says, such as its length, names nobody here.
        let named = texts.iter().filter_map(|text| text.parse().ok());
        let mut named = named.filter(|host| self.topics.hosts.contains(host));
        named.all(|host| hosts.contains(&host))
    }
}

fn is_client(host: &Host) -> bool {
    matches!(host, Host::Client(_))
}

/// Every text in a value, however deep.
fn texts_in<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts_in(item, texts)),
        Value::Object(fields) => fields.values().for_each(|field| texts_in(field, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// An event a line, then how many they are and the last fault before.
impl fmt::Display for Slice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.events.iter().map(|(_, event)| event.host.to_string().len());
        let width = hosts.max().unwrap_or_default();
        for (_, event) in &self.events {
            let (at, host) = (seconds(event.at_us), event.host.to_string());
            writeln!(f, "{at:>10}  {host:width$}  {}", words::of(event))?;
        }
        let (kept, of) = (self.events.len(), self.of);
        write!(f, "{kept} of {of} events could matter; last fault before: ")?;
        let Some(fault) = self.last_fault else { return f.write_str("none") };
        let is_own = self.events.iter().any(|(_, event)| *event == fault);
        let whose = if is_own { "" } else { ", none of these" };
        write!(f, "{} at {}{whose}", words::of(fault), seconds(fault.at_us))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::bench::{Bench, healthy};
    use crate::oracle::judge;
    use proptest::prelude::*;

    fn first(run: &Bench, oracle: &str) -> String {
        let found = judge(&run.scenario, &run.trace);
        let violation = found.iter().find(|violation| violation.oracle == oracle);
        explain(&run.trace, violation.expect("it objects")).to_string()
    }

    #[test]
    fn a_slice_holds_the_turn_the_way_and_the_faults_and_nothing_else() {
        let mut run = healthy();
        run.repeat(|event| matches!(&event.what, What::Shown { frame } if frame.seq == 5));
        assert_eq!(first(&run, "dedup"), include_str!("slice.txt").trim_end());
    }

    #[test]
    fn what_nobody_says_has_the_last_fault_of_the_run() {
        let mut run = healthy();
        run.forget(|event| matches!(event.what, What::Log { .. }));
        let text = first(&run, "recovery");
        assert!(text.contains("last fault before: fault: crash supervisor"), "{text}");
    }

    proptest! {
        #[test]
        fn a_slice_holds_the_host_that_is_to_blame_and_nothing_later(
            place in 0..healthy().trace.events.len(),
            is_doubled in any::<bool>(),
        ) {
            let mut run = healthy();
            match is_doubled {
                true => run.trace.events.insert(place, run.trace.events[place].clone()),
                false => drop(run.trace.events.remove(place)),
            }
            for violation in judge(&run.scenario, &run.trace) {
                let slice = explain(&run.trace, &violation);
                let mut events = slice.events.iter().map(|(_, event)| event);
                if let Some(host) = &violation.host
                    && run.trace.events.iter().any(|event| event.host == *host)
                {
                    prop_assert!(events.any(|event| event.host == *host), "{violation:?}\n{slice}");
                }
                let late = slice.events.iter().find(|(_, event)| event.at_us > violation.at_us);
                prop_assert!(late.is_none(), "{violation:?}\n{slice}");
                prop_assert!(slice.events.is_sorted_by_key(|(place, _)| *place));
            }
        }
    }
}
