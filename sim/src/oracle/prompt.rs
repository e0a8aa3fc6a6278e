//! While nothing is wrong nobody waits for a timer: what is said is answered within some round trips, and what one
//! client shows the others of its thread show as soon.
//!
//! What was promised to wait for, a retry, a beat or a fault, does not happen in calm. Where a socket holds
//! little, a reply takes as many round trips as it has parts, and nothing is asked.

use super::calm::Calm;
use super::{Oracle, Violation, kind};
use crate::scenario::{Host, Scenario, WorldSpec};
use crate::trace::{Event, Trace, What};
use assistant::contract::frame::LogFrame;
use std::collections::BTreeMap;
use std::time::Duration;

const NAME: &str = "prompt";

pub(super) const ORACLE: Oracle = Oracle {
    name: NAME,
    asks: "is all that is said shown to everybody at once while nothing is wrong?",
    judge,
};

/// Client to gateway, to supervisor, a connection to the agent, the question and its answer, and all the way back;
/// twice as many.
const ROUND_TRIPS: u32 = 12;
/// Ticks of the reference engine, and the pace of a client that says much at once.
const SLACK: Duration = Duration::from_millis(500);
/// A socket that holds less takes a reply in parts.
const SOCKET_BYTES_MIN: usize = 16 * 1024;

/// What a client is waiting for, simulated microseconds.
#[derive(Default)]
struct Ear<'t> {
    /// Since when it has been connected.
    connected: Option<u64>,
    /// When it showed something last.
    showed: u64,
    /// The turns without an end, and when they were said.
    said: BTreeMap<&'t str, u64>,
}

/// How much one may wait for.
struct Room<'t> {
    most: Duration,
    calm: Calm,
    ears: BTreeMap<&'t Host, Ear<'t>>,
    /// When each frame of a thread was shown first.
    first: BTreeMap<(&'t str, u64, u64), u64>,
}

fn judge(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    let WorldSpec { latency, jitter, socket_bytes, .. } = scenario.world;
    if socket_bytes < SOCKET_BYTES_MIN {
        return Vec::new();
    }
    let most = (latency + jitter) * 2 * ROUND_TRIPS + SLACK;
    let (calm, ears, first) = (Calm::default(), BTreeMap::new(), BTreeMap::new());
    let mut room = Room { most, calm, ears, first };
    let heard = trace.events.iter().filter_map(|event| room.hear(event));
    heard.collect()
}

impl<'t> Room<'t> {
    fn hear(&mut self, event: &'t Event) -> Option<Violation> {
        self.calm.hear(event);
        let (at, host) = (event.at_us, &event.host);
        let ear = self.ears.entry(host).or_default();
        match (&event.what, host) {
            (What::Link { state }, _) => {
                ear.connected = (state == "connected").then(|| ear.connected.unwrap_or(at));
            }
            // It is shown everything again.
            (What::ViewReset, _) => ear.connected = ear.connected.map(|_| at),
            (What::Said { message_id, .. }, _) => drop(ear.said.insert(message_id.as_str(), at)),
            (What::GivenUp { message_id, .. }, _) => drop(ear.said.remove(message_id.as_str())),
            (What::Shown { frame }, _) => return self.shows(event, frame),
            (_, _) => {}
        }
        None
    }

    fn shows(&mut self, event: &'t Event, frame: &'t LogFrame) -> Option<Violation> {
        let (at, host) = (event.at_us, &event.host);
        let place = (frame.thread_id.as_str(), frame.epoch, frame.seq);
        let first = *self.first.entry(place).or_insert(at);
        let ear = self.ears.entry(host).or_default();
        let turn = frame.in_reply_to.as_str();
        let said = if frame.body.is_final() { ear.said.remove(turn) } else { None };
        let showed = std::mem::replace(&mut ear.showed, at);
        let connected = ear.connected?;
        let due = said.into_iter().chain((first < at).then_some(first)).min()?;
        let waited = at.saturating_sub(due.max(connected).max(showed));
        let waited = Duration::from_micros(waited);
        (waited > self.most && self.calm.reigns(at)).then(|| {
            let (seq, kind, ms) = (frame.seq, kind(frame), waited.as_millis());
            let most = self.most.as_millis();
            let what = format!(
                "{host} waited {ms} ms for frame {seq} ({kind} in reply to {turn}), in calm {most} at most"
            );
            Violation::at(NAME, event, what)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, by, client, healthy};
    use super::*;
    use crate::scenario::Fault;

    /// The run without its faults; the last frame comes to one of both so much later.
    fn late(name: &str, ms: u64) -> Bench {
        let mut run = healthy();
        run.forget(|event| matches!(event.what, What::Injected { .. } | What::Healed { .. }));
        let is_last = |event: &Event| {
            by(event, name) && matches!(&event.what, What::Shown { frame } if frame.seq == 7)
        };
        let place = run.trace.events.iter().position(is_last).expect("the end of the last turn");
        for event in run.trace.events.iter_mut().skip(place) {
            event.at_us += ms * 1_000;
        }
        run
    }

    #[test]
    fn accepts_a_healthy_run_and_what_takes_some_round_trips() {
        healthy().accepted_by(&ORACLE);
        late("ana", 500).accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_reply_that_waits_for_a_timer() {
        let words = "ana waited 4002 ms for frame 7 (message in reply to m-3), in calm 860 at most";
        late("ana", 4_000).refused_by(&ORACLE, words);
    }

    #[test]
    fn refuses_a_second_tab_that_is_told_later() {
        let words = "ben waited 4001 ms for frame 7 (message in reply to m-3)";
        late("ben", 4_000).refused_by(&ORACLE, words);
    }

    #[test]
    fn excuses_whatever_a_fault_may_delay_and_little_sockets() {
        let mut run = late("ana", 4_000);
        let fault = Fault::Cut { client: client("ben") };
        let what = What::Injected { turn: None, index: 0, fault };
        run.trace.events.insert(0, Event { at_us: 0, host: Host::World, what });
        run.accepted_by(&ORACLE);
        let mut run = late("ana", 4_000);
        run.scenario.world.socket_bytes = 1024;
        run.accepted_by(&ORACLE);
    }
}
