//! HB-NO-FALSE: a client lets go of a connection only if it has ended, or has been silent for as
//! long as the standing design grants, or its device has no network.
//!
//! Whoever reconnects at the first doubt brings down the others: every needless attempt is a token, an upgrade and a
//! replay.

use super::{Oracle, Violation};
use crate::scenario::{Fault, Host, Scenario};
use crate::trace::{Event, Trace, What, Wire};
use assistant::config::ClientPolicy;
use std::collections::BTreeMap;
use std::time::Duration;

const NAME: &str = "holds";

pub(super) const ORACLE: Oracle = Oracle {
    name: NAME,
    asks: "does every client hold on to a connection that is still good?",
    judge,
};

/// A tick of the reference engine, and the delay of a packet.
const SLACK: Duration = Duration::from_millis(100);

/// A client and its connection.
#[derive(Default)]
struct Hand {
    conn: Option<u64>,
    is_connected: bool,
    /// The last sign of life, and the one before it: a timer may end at the moment at which a frame comes.
    heard: [u64; 2],
    /// When it was last run again after it was not.
    resumed: Option<u64>,
    /// Whether the connection has ended, or the device is off the network.
    has_reason: bool,
    /// How many faults keep the device off the network.
    offline: u32,
}

fn judge(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    let policy = ClientPolicy::default();
    let silence =
        scenario.world.config.gateway.heartbeat + policy.silence_grace.unwrap_or_default();
    let granted = Granted { silence, probe: policy.probe_timeout };
    let mut hands: BTreeMap<&Host, Hand> = BTreeMap::new();
    let mut found = Vec::new();
    for event in &trace.events {
        if let What::Injected { fault, .. } | What::Healed { fault } = &event.what {
            if let Some(client) = fault.client() {
                let begins = matches!(event.what, What::Injected { .. });
                hands.entry(client).or_default().befalls(fault, begins, event.at_us);
            }
            continue;
        }
        if matches!(event.host, Host::Client(_)) {
            let hand = hands.entry(&event.host).or_default();
            let words = hand.step(event, &granted);
            found.extend(words.map(|what| Violation::at(NAME, event, what)));
        }
    }
    found
}

/// What is granted to a peer that is silent.
struct Granted {
    /// How long it may be, until it is asked.
    silence: Duration,
    /// How long it has for an answer.
    probe: Duration,
}

impl Hand {
    fn befalls(&mut self, fault: &Fault, begins: bool, at: u64) {
        match (fault, begins) {
            (Fault::Offline { .. }, true) => self.offline += 1,
            (Fault::Offline { .. }, false) => self.offline = self.offline.saturating_sub(1),
            (Fault::Pause { .. }, false) => self.resumed = Some(at),
            (_, _) => {}
        }
        self.has_reason |= matches!(fault, Fault::Offline { .. });
    }

    fn step(&mut self, event: &Event, granted: &Granted) -> Option<String> {
        match (&event.what, self.conn) {
            (What::Connected { conn, to: Host::Gateway(_) }, _) => {
                self.conn = Some(*conn);
                self.has_reason = self.offline > 0;
                self.heard = [event.at_us; 2];
            }
            (What::Received { conn, frame }, Some(held)) if *conn == held => {
                if self.heard[1] != event.at_us {
                    self.heard = [self.heard[1], event.at_us];
                }
                self.has_reason |= matches!(frame, Wire::Close { .. });
            }
            (What::Ended { conn, .. }, Some(held)) if *conn == held => self.has_reason = true,
            (What::Link { state }, conn) => {
                let was_connected = std::mem::replace(&mut self.is_connected, state == "connected");
                let lets_go = was_connected
                    && ["waiting", "connecting", "parked"]
                        .iter()
                        .any(|word| state.starts_with(word));
                if lets_go && !self.has_reason {
                    return self.too_soon(event, granted, conn.unwrap_or_default());
                }
            }
            (_, _) => {}
        }
        None
    }

    fn too_soon(&self, event: &Event, granted: &Granted, conn: u64) -> Option<String> {
        let since = |at: u64| Duration::from_micros(event.at_us.saturating_sub(at)) + SLACK;
        let [before, last] = self.heard;
        let heard = if last == event.at_us { before } else { last };
        let silent = since(heard);
        // A client that was not run asks first, however late it is.
        let asked = self.resumed.is_none_or(|at| at < heard || since(at) >= granted.probe);
        if silent >= granted.silence + granted.probe && asked {
            return None;
        }
        let (host, ms) = (&event.host, silent.as_millis());
        Some(format!("{host} let go of connection {conn}, which had been silent for {ms} ms only"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, client, healthy};
    use super::*;

    /// Ben lets go after so long a silence.
    fn lets_go(mut run: Bench, seconds: u64) -> Bench {
        run.link("ben", "waiting for attempt 1");
        run.trace.events.last_mut().expect("an event").at_us += seconds * 1_000_000;
        run
    }

    #[test]
    fn accepts_a_healthy_run_and_whoever_has_a_reason() {
        healthy().accepted_by(&ORACLE);
        lets_go(healthy(), 40).accepted_by(&ORACLE);
        let mut run = healthy();
        run.is_closed("ben", 2, 1013, "overload");
        lets_go(run, 0).accepted_by(&ORACLE);
        let mut run = healthy();
        run.tell(client("ben"), What::Ended { conn: 2, how: "end".to_owned() });
        lets_go(run, 0).accepted_by(&ORACLE);
        let mut run = healthy();
        let fault = Fault::Offline { client: client("ben"), lasts: Duration::from_secs(1) };
        run.tell(Host::World, What::Injected { turn: None, index: 0, fault });
        lets_go(run, 0).accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_client_that_lets_go_at_the_first_doubt() {
        let words = "ben let go of connection 2, which had been silent for";
        lets_go(healthy(), 0).refused_by(&ORACLE, words);
        lets_go(healthy(), 36).refused_by(&ORACLE, words);
        let mut run = healthy();
        run.is_closed("ben", 1, 1013, "overload");
        lets_go(run, 0).refused_by(&ORACLE, words);
    }

    #[test]
    fn refuses_a_client_that_was_not_run_and_does_not_ask() {
        let fault = Fault::Pause { host: client("ben"), lasts: Duration::from_secs(60) };
        let mut run = healthy();
        run.tell(Host::World, What::Injected { turn: None, index: 0, fault: fault.clone() });
        run.tell(Host::World, What::Healed { fault });
        run.trace.events.last_mut().expect("an event").at_us += 60_000_000;
        lets_go(run.clone(), 5).accepted_by(&ORACLE);
        lets_go(run, 1).refused_by(&ORACLE, "ben let go of connection 2");
    }
}
