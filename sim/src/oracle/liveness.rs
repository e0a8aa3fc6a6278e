//! HB-DETECT: a peer that has fallen silent is noticed.
//!
//! A server says something at least once a heartbeat, so a client that is still connected long after the last
//! word has stopped to watch, or a policy other than the standing design has told it to. Time in which the
//! client itself was not run does not count. A gateway hears an answer to every heartbeat, or a hello on a
//! connection that is new, and lets go of whoever says neither.

use super::wire;
use super::{Oracle, Violation};
use crate::scenario::{Fault, Host, Scenario};
use crate::trace::{Event, Trace, What};
use assistant::config::{ClientPolicy, GatewayConfig};
use std::collections::BTreeMap;
use std::time::Duration;

const NAME: &str = "liveness";

pub(super) const ORACLE: Oracle = Oracle {
    name: NAME,
    asks: "is a silent peer noticed within the heartbeat and what is granted beyond?",
    judge,
};

/// What a gateway may take beyond its timeouts: a handshake, and a frame on its way.
const LATE: Duration = Duration::from_secs(5);

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
    let mut found = held_by_gateways(scenario, trace);
    found.extend(unanswered_pings(trace));
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

/// Pings that a client has read and not answered when it reads the second after them. A frame that is lost or doubled
/// on its way may be a ping, so such a connection proves nothing.
fn unanswered_pings(trace: &Trace) -> Vec<Violation> {
    let shuffled = wire::shuffled(trace);
    let mut pings: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    let mut found = Vec::new();
    for event in &trace.events {
        let Some(frame) = wire::frame(event) else { continue };
        let (asked, answered) = pings.entry(frame.conn).or_default();
        match (frame.head.event, &event.host) {
            ("ping", Host::Client(host)) => {
                *asked += 1;
                if *asked > *answered + 2 && !shuffled.contains(&frame.conn) {
                    let what =
                        format!("{host} leaves pings on connection {} unanswered", frame.conn);
                    found.push(Violation::at(NAME, event, what));
                }
            }
            ("pong", Host::Gateway(_)) => *answered += 1,
            (_, _) => {}
        }
    }
    found
}

/// A connection as its gateway knows it.
struct Held<'t> {
    gateway: &'t Host,
    /// The last sign of life.
    heard: u64,
    has_hello: bool,
}

/// The connections whose clients had long been silent when their gateway let go of them.
fn held_by_gateways(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    let config = GatewayConfig::default();
    let ending = config.close_timeout + LATE;
    let joined = scenario.world.config.gateway.heartbeat + config.pong_timeout + ending;
    let mut held: BTreeMap<u64, Held<'_>> = BTreeMap::new();
    let mut found = Vec::new();
    for event in &trace.events {
        match (&event.what, &event.host) {
            (What::Connected { conn, to: gateway @ Host::Gateway(_) }, _) => {
                held.insert(*conn, Held { gateway, heard: event.at_us, has_hello: false });
            }
            (What::Received { conn, .. }, Host::Gateway(_)) => {
                if let Some(link) = held.get_mut(conn) {
                    (link.heard, link.has_hello) = (event.at_us, true);
                }
            }
            (What::Started, gateway @ Host::Gateway(_)) => {
                held.retain(|_, link| link.gateway != gateway);
            }
            (What::Left { conn }, gateway) => {
                let Some(Held { heard, has_hello, .. }) = held.remove(conn) else { continue };
                let most = if has_hello { joined } else { config.hello_timeout + ending };
                let silent = Duration::from_micros(event.at_us - heard);
                let seconds = silent.as_secs();
                let what = format!(
                    "{gateway} held connection {conn}, whose client had said nothing for {seconds} s"
                );
                found.extend((silent > most).then(|| Violation::at(NAME, event, what)));
            }
            (_, _) => {}
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
    use assistant::contract::frame::{ClientFrame, ServerFrame};

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
    fn refuses_a_client_that_leaves_pings_unanswered() {
        let mut run = healthy();
        for n in 1..=3 {
            run.receives("ben", 2, &ServerFrame::Ping { n });
            run.sends(2, &ClientFrame::Pong { n });
        }
        run.accepted_by(&ORACLE);
        for n in 4..=6 {
            run.receives("ben", 2, &ServerFrame::Ping { n });
        }
        run.refused_by(&ORACLE, "ben leaves pings on connection 2 unanswered");
    }

    #[test]
    fn refuses_a_gateway_that_holds_on_to_a_silent_client() {
        let left = |seconds: u64| {
            let mut run = healthy();
            run.tell(Host::Gateway(1), What::Left { conn: 2 });
            run.trace.events.last_mut().expect("an event").at_us += seconds * 1_000_000;
            run
        };
        left(41).accepted_by(&ORACLE);
        left(43).refused_by(&ORACLE, "gateway-1 held connection 2, whose client had said nothing");
        let mut silent = left(18);
        silent.accepted_by(&ORACLE);
        silent.forget(|event| {
            event.host == Host::Gateway(1)
                && event.what != What::Started
                && !matches!(event.what, What::Left { .. })
        });
        silent.refused_by(&ORACLE, "had said nothing for 18 s");
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
