//! Liveness: while nothing is wrong, nothing waits for long.
//!
//! A turn without an end and a client without a connection are excused only by a fault in force. So every
//! stretch without one is looked at, wherever it lies in the run, and if it is too long the violation says
//! who waits for what.

use super::calm::Calm;
use super::{Oracle, Violation, is_final};
use crate::scenario::{Host, Scenario};
use crate::trace::{Event, Trace, What};
use std::collections::BTreeMap;
use std::time::Duration;

const NAME: &str = "live";

pub(super) const ORACLE: Oracle =
    Oracle { name: NAME, asks: "is everything answered soon while no fault is in force?", judge };

/// How long something may be outstanding without a fault: a silent link is noticed after 40 s (heartbeat 25 s,
/// grace 10 s, probe 5 s), the longest step of the ladder takes 20 s, asking for a token and opening take 10 s
/// each at most, and a gateway lets the supervisor be away for 20 s before it sends its clients elsewhere.
const CALM_MAX: Duration = Duration::from_secs(40 + 20 + 10 + 10 + 20);

/// What is outstanding, and what is in force.
#[derive(Default)]
struct Waiting<'t> {
    calm: Calm,
    /// The turns without an end, and since when.
    turns: BTreeMap<(&'t Host, &'t str), u64>,
    /// What each client is, and since when it tries to connect.
    links: BTreeMap<&'t Host, (&'t str, Option<u64>)>,
}

fn judge(_: &Scenario, trace: &Trace) -> Vec<Violation> {
    let mut waiting = Waiting::default();
    let mut found = Vec::new();
    for event in &trace.events {
        found.extend(waiting.step(event));
    }
    if let Some(last) = trace.events.last() {
        found.extend(waiting.calm_ends(last));
    }
    found
}

impl<'t> Waiting<'t> {
    fn step(&mut self, event: &'t Event) -> Vec<Violation> {
        let (at_us, host) = (event.at_us, &event.host);
        match (&event.what, host) {
            (What::Injected { .. }, _) => {
                let found = self.calm_ends(event);
                self.calm.hear(event);
                return found;
            }
            (What::Healed { .. }, _) => self.calm.hear(event),
            (What::Said { message_id, .. }, _) => {
                self.turns.insert((host, message_id.as_str()), at_us);
            }
            (What::GivenUp { message_id, .. }, _) => {
                return self.ends(event, message_id.as_str()).into_iter().collect();
            }
            (What::Shown { frame }, _) if frame.body.is_final() => {
                return self.ends(event, frame.in_reply_to.as_str()).into_iter().collect();
            }
            (What::Link { state }, _) => {
                if is_final(state) {
                    self.turns.retain(|(of, _), _| *of != host);
                }
                let (was, since) = self.links.get(host).copied().unwrap_or((state, None));
                let late = since.and_then(|since| self.unconnected(event, host, was, since));
                let late = late.filter(|_| !tries(state));
                let since = tries(state).then(|| since.unwrap_or(at_us));
                self.links.insert(host, (state, since));
                return late.into_iter().collect();
            }
            (_, _) => {}
        }
        Vec::new()
    }

    /// A turn ends for its user.
    fn ends(&mut self, event: &'t Event, turn: &'t str) -> Option<Violation> {
        let since = self.turns.remove(&(&event.host, turn))?;
        self.unanswered(event, &event.host, turn, since)
    }

    /// A fault begins, or the run is over.
    fn calm_ends(&self, event: &Event) -> Vec<Violation> {
        let turns = self.turns.iter();
        let turns = turns.filter_map(|((h, turn), since)| self.unanswered(event, h, turn, *since));
        let links = self.links.iter();
        let links =
            links.filter_map(|(host, (is, since))| self.unconnected(event, host, is, (*since)?));
        turns.chain(links).collect()
    }

    /// How long nothing has excused waiting since then; none if that is not too long.
    fn too_long(&self, since: u64, event: &Event) -> Option<Duration> {
        let calm_us = event.at_us.saturating_sub(since.max(self.calm.since()?));
        let calm = Duration::from_micros(calm_us);
        (calm > CALM_MAX).then_some(calm)
    }

    fn unanswered(&self, event: &Event, host: &Host, turn: &str, since: u64) -> Option<Violation> {
        let calm = self.too_long(since, event)?;
        let state = self.links.get(host).map_or("not connected yet", |(state, _)| state);
        let what = format!(
            "{host} waited for the end of {turn} for {} s without a fault in force; the client is {state}",
            calm.as_secs()
        );
        Some(blaming(host, event, what))
    }

    fn unconnected(&self, event: &Event, host: &Host, is: &str, since: u64) -> Option<Violation> {
        let calm = self.too_long(since, event)?;
        let what = format!(
            "{host} was without a connection for {} s without a fault in force, at last {is}",
            calm.as_secs()
        );
        Some(blaming(host, event, what))
    }
}

fn blaming(host: &Host, event: &Event, what: String) -> Violation {
    Violation { host: Some(host.clone()), ..Violation::at(NAME, event, what) }
}

/// Whether a client in this state is on its way to a connection; one that is parked waits for somebody.
fn tries(state: &str) -> bool {
    state.starts_with("connecting") || state.starts_with("waiting")
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, by, client, healthy};
    use super::*;
    use crate::scenario::Fault;

    /// The same run, and then nothing for so long.
    fn and_then(mut run: Bench, seconds: u64) -> Bench {
        run.tell(Host::World, What::ScriptDone);
        run.trace.events.last_mut().expect("an event").at_us += seconds * 1_000_000;
        run
    }

    /// Ana's last turn has no end.
    fn unanswered() -> Bench {
        let mut run = healthy();
        run.forget(|event| {
            by(event, "ana") && matches!(&event.what, What::Shown { frame } if frame.seq == 7)
        });
        run
    }

    fn offline() -> Fault {
        Fault::Offline { client: client("ana"), lasts: Duration::from_secs(1_000) }
    }

    #[test]
    fn accepts_a_healthy_run() {
        healthy().accepted_by(&ORACLE);
        and_then(healthy(), 1_000).accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_turn_that_waits_for_long_and_says_what_its_client_does() {
        and_then(unanswered(), 90).accepted_by(&ORACLE);
        and_then(unanswered(), 101).refused_by(
            &ORACLE,
            "ana waited for the end of m-3 for 101 s without a fault in force; the client is connected",
        );
        let mut run = unanswered();
        run.link("ana", "parked (Attempts)");
        and_then(run, 101).refused_by(&ORACLE, "the client is parked (Attempts)");
        let mut late = and_then(unanswered(), 200);
        let frame = late.log()[6].clone();
        late.show("ana", &frame);
        late.refused_by(&ORACLE, "ana waited for the end of m-3 for 200 s");
    }

    #[test]
    fn refuses_a_client_that_does_not_get_connected() {
        let mut run = healthy();
        run.link("ana", "waiting for attempt 2");
        run.link("ana", "connecting (attempt 2)");
        run = and_then(run, 101);
        let words =
            "ana was without a connection for 101 s without a fault in force, at last connecting";
        run.refused_by(&ORACLE, words);
        run.link("ana", "connected");
        run.refused_by(&ORACLE, words);
    }

    #[test]
    fn excuses_what_waits_while_a_fault_is_in_force_and_no_longer() {
        let mut run = unanswered();
        run.tell(Host::World, What::Injected { turn: None, index: 0, fault: offline() });
        run = and_then(run, 900);
        run.accepted_by(&ORACLE);
        run.tell(Host::World, What::Healed { fault: offline() });
        and_then(run.clone(), 90).accepted_by(&ORACLE);
        and_then(run, 101).refused_by(&ORACLE, "ana waited for the end of m-3 for 101 s");
    }
}
