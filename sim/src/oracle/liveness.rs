//! HB-DETECT: a peer that has fallen silent is noticed.
//!
//! A server says something at least once a heartbeat, so a client that is still connected long after the last
//! word has stopped to watch, or a policy other than the standing design has told it to. Time in which the
//! client itself was not run does not count. What the gateway notices shows in no trace; `tests/gateway/` asks
//! that.

use super::{Oracle, Violation};
use crate::scenario::{Fault, Host, Scenario};
use crate::trace::{Event, Trace, What};
use assistant::config::ClientPolicy;
use std::collections::BTreeMap;
use std::time::Duration;

const NAME: &str = "liveness";

pub(super) const ORACLE: Oracle = Oracle {
    name: NAME,
    asks: "is a silent peer noticed within the heartbeat and what is granted beyond?",
    judge,
};

/// A tick of the reference engine, and the delay of a packet.
const SLACK: Duration = Duration::from_millis(100);

/// A client as it listens.
#[derive(Default)]
struct Ear {
    conn: Option<u64>,
    /// The last sign of life on its connection; absent while it is not connected.
    heard: Option<u64>,
    /// How many faults hold it back.
    paused: u32,
}

fn judge(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    let policy = ClientPolicy::default();
    let grace = policy.silence_grace.unwrap_or_default() + policy.probe_timeout;
    let patience = scenario.world.config.gateway.heartbeat + grace + SLACK;
    let mut ears: BTreeMap<&Host, Ear> = BTreeMap::new();
    let mut found = Vec::new();
    for event in &trace.events {
        if let What::Injected { fault: Fault::Pause { host, .. }, .. } = &event.what {
            ears.entry(host).or_default().paused += 1;
        }
        if let What::Healed { fault: Fault::Pause { host, .. } } = &event.what {
            let ear = ears.entry(host).or_default();
            ear.paused = ear.paused.saturating_sub(1);
            ear.heard = ear.heard.map(|_| event.at_us);
        }
        if matches!(event.host, Host::Client(_)) {
            let ear = ears.entry(&event.host).or_default();
            let (before, is_run) = (ear.heard, ear.paused == 0);
            ear.hear(event);
            let silent = before.map(|heard| event.at_us.saturating_sub(heard));
            let silent = silent.map(Duration::from_micros).filter(|silent| *silent > patience);
            found.extend(silent.filter(|_| is_run).map(|silent| {
                let (host, conn) = (&event.host, ear.conn.unwrap_or_default());
                let seconds = silent.as_secs();
                let what = format!(
                    "{host} heard nothing on connection {conn} for {seconds} s and held on to it"
                );
                Violation::at(NAME, event, what)
            }));
        }
    }
    found
}

impl Ear {
    fn hear(&mut self, event: &Event) {
        match (&event.what, self.conn) {
            (What::Connected { conn, to: Host::Gateway(_) }, _) => self.conn = Some(*conn),
            (What::Link { state }, _) => {
                self.heard = (state == "connected").then_some(event.at_us);
            }
            (What::Received { conn, .. }, Some(held)) if *conn == held => {
                self.heard = self.heard.map(|_| event.at_us);
            }
            (_, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, client, healthy};
    use super::*;
    use assistant::contract::frame::ServerFrame;

    /// Ben has heard nothing for so long when something happens to him.
    fn silent(mut run: Bench, seconds: u64, what: What) -> Bench {
        run.tell(client("ben"), what);
        run.trace.events.last_mut().expect("an event").at_us += seconds * 1_000_000;
        run
    }

    fn lost() -> What {
        What::Link { state: "waiting for attempt 1".to_owned() }
    }

    #[test]
    fn accepts_a_healthy_run_and_a_silence_that_is_noticed() {
        healthy().accepted_by(&ORACLE);
        silent(healthy(), 39, lost()).accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_client_that_holds_on_to_a_silent_connection() {
        let words = "ben heard nothing on connection 2 for 41 s and held on to it";
        silent(healthy(), 41, lost()).refused_by(&ORACLE, words);
        let mut run = silent(healthy(), 41, What::ViewReset);
        run.refused_by(&ORACLE, words);
        run = healthy();
        run.receives("ben", 2, &ServerFrame::Ping { n: 1 });
        silent(run, 41, lost()).refused_by(&ORACLE, words);
    }

    #[test]
    fn does_not_count_the_time_in_which_the_client_was_not_run() {
        let fault = Fault::Pause { host: client("ben"), lasts: Duration::from_secs(60) };
        let mut run = healthy();
        run.tell(Host::World, What::Injected { turn: None, index: 0, fault: fault.clone() });
        run = silent(run, 60, What::ViewReset);
        run.tell(Host::World, What::Healed { fault });
        run = silent(run, 39, lost());
        run.accepted_by(&ORACLE);
    }
}
