//! DR-ALL-1012, DR-DEADLINE and DR-NO-NEW: a gateway that is asked to stop says so to everybody, lets nobody in
//! and is gone in time.
//!
//! Nobody is sent away before balancers have had time to look elsewhere. Who is cut off by another fault, or leaves
//! first, is not told. That nothing is lost is asked by `recovery`,
//! at which rate a crowd is sent away by `sim/tests/storms.rs`.

use super::wire;
use super::{Oracle, Violation};
use crate::scenario::{Fault, Host, Scenario};
use crate::trace::{Event, Trace, What, Wire};
use assistant::config::GatewayConfig;
use assistant::contract::close::CloseReason;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const NAME: &str = "drain";

pub(super) const ORACLE: Oracle = Oracle {
    name: NAME,
    asks: "does a gateway that stops tell everybody when to come back, and end in time?",
    judge,
};

/// A tick of the reference engine, and what a runtime takes to end.
const SLACK: Duration = Duration::from_secs(1);

/// A connection of a client.
struct Link<'t> {
    gateway: &'t Host,
    since: u64,
    is_advised: bool,
    is_closed: bool,
}

/// What is known so far.
#[derive(Default)]
struct Drains<'t> {
    links: BTreeMap<u64, Link<'t>>,
    /// The gateways that are asked to stop, since when.
    draining: BTreeMap<&'t Host, u64>,
    /// Gateways on which something else has happened since.
    excused: BTreeSet<&'t Host>,
    shuffled: BTreeSet<u64>,
}

fn judge(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    let grace = scenario.world.config.gateway.grace + SLACK;
    let mut drains = Drains { shuffled: wire::shuffled(trace), ..Drains::default() };
    let mut found = Vec::new();
    for event in &trace.events {
        let what = match &event.host {
            Host::Client(_) => drains.tell_client(event),
            Host::Gateway(_) => drains.tell_gateway(event, grace),
            Host::World => {
                drains.tell_fault(event);
                None
            }
            Host::Supervisor | Host::Agent | Host::TokenService => None,
        };
        found.extend(what.map(|what| Violation::at(NAME, event, what)));
    }
    found
}

impl<'t> Drains<'t> {
    fn tell_fault(&mut self, event: &'t Event) {
        let What::Injected { fault, .. } = &event.what else { return };
        if let Fault::Bounce { host: host @ Host::Gateway(_) } = fault {
            self.draining.insert(host, event.at_us);
        } else if let Fault::Crash { host, .. } | Fault::PowerLoss { host, .. } = fault {
            self.excused.insert(host);
            self.draining.remove(host);
        }
    }

    fn tell_gateway(&mut self, event: &'t Event, grace: Duration) -> Option<String> {
        let host = &event.host;
        match (&event.what, self.draining.get(host)) {
            (What::Started, _) => {
                self.draining.remove(host);
                self.excused.remove(host);
                // What an earlier process had may be read late, and says nothing about this one.
                self.links.retain(|_, link| link.gateway != host);
            }
            // It was sent away for something else, and may read that late.
            (What::Left { conn }, None) => {
                self.links.entry(*conn).and_modify(|link| link.is_closed = true);
            }
            (What::Stopped { .. }, Some(since)) => {
                let took = Duration::from_micros(event.at_us.saturating_sub(*since));
                let (ms, most) = (took.as_millis(), grace.as_secs());
                return (took > grace)
                    .then(|| format!("{host} took {ms} ms to stop, more than {most} s"));
            }
            (_, _) => {}
        }
        None
    }

    /// A client reads that its gateway stops.
    fn too_soon(&self, event: &Event, conn: u64) -> Option<String> {
        let gateway = self.links.get(&conn)?.gateway;
        let since = self.draining.get(gateway)?;
        let (after, host) =
            (Duration::from_micros(event.at_us.saturating_sub(*since)), &event.host);
        (after < GatewayConfig::default().drain_notice).then(|| {
            let ms = after.as_millis();
            format!(
                "{gateway} sent {host} away {ms} ms after it was asked to stop, which is too soon"
            )
        })
    }

    fn tell_client(&mut self, event: &'t Event) -> Option<String> {
        let host = &event.host;
        match (&event.what, wire::frame(event).map(|frame| frame.head.event)) {
            (What::Connected { conn, to: gateway @ Host::Gateway(_) }, _) => {
                let (since, is_advised, is_closed) = (event.at_us, false, false);
                self.links.insert(*conn, Link { gateway, since, is_advised, is_closed });
            }
            (What::Received { conn, .. }, Some("reconnect_advice")) => {
                self.links.get_mut(conn)?.is_advised = true;
            }
            (What::Received { conn, .. }, Some("welcome")) => {
                let link = self.links.get(conn)?;
                let since = self.draining.get(link.gateway)?;
                let gateway = link.gateway;
                return (link.since > *since).then(|| {
                    format!("{gateway} was asked to stop and welcomed {host} after that")
                });
            }
            (What::Received { conn, frame: Wire::Close { code, .. } }, _) => {
                let link = self.links.get_mut(conn)?;
                link.is_closed = true;
                let is_told = link.is_advised || self.shuffled.contains(conn);
                if *code != Some(CloseReason::Drain.code()) {
                    return None;
                }
                if !is_told {
                    return Some(format!(
                        "{host} was sent away on connection {conn} and not told when to come back"
                    ));
                }
                return self.too_soon(event, *conn);
            }
            (What::Ended { conn, how }, _) if how == "end" => {
                let link = self.links.get(conn)?;
                let is_drained = self.draining.contains_key(link.gateway);
                let is_excused = link.is_closed || self.excused.contains(link.gateway);
                let gateway = link.gateway;
                return (is_drained && !is_excused).then(|| {
                    format!(
                        "{gateway} stopped and ended connection {conn} of {host} without a word"
                    )
                });
            }
            (_, _) => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, client, healthy};
    use super::*;
    use assistant::contract::frame::{AdviceReason, ServerFrame};

    /// The first gateway is asked to stop.
    fn draining() -> Bench {
        let mut run = healthy();
        let fault = Fault::Bounce { host: Host::Gateway(1) };
        run.tell(Host::World, What::Injected { turn: None, index: 0, fault });
        run
    }

    fn advise(run: &mut Bench) {
        let (why, min_ms, max_ms) = (AdviceReason::Drain, 0, 1_000);
        run.receives("ben", 2, &ServerFrame::ReconnectAdvice { why, min_ms, max_ms });
    }

    fn end(run: &mut Bench) {
        run.tell(client("ben"), What::Ended { conn: 2, how: "end".to_owned() });
    }

    #[test]
    fn accepts_a_healthy_run_and_a_drain() {
        healthy().accepted_by(&ORACLE);
        let mut run = draining();
        advise(&mut run);
        run.trace.events.last_mut().expect("an event").at_us += 5_000_000;
        run.is_closed("ben", 2, 1012, "drain");
        end(&mut run);
        run.tell(Host::Gateway(1), What::Stopped { tasks: 0, sockets: 0 });
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_close_before_the_notice_is_over() {
        let mut run = draining();
        advise(&mut run);
        run.trace.events.last_mut().expect("an event").at_us += 4_000_000;
        run.is_closed("ben", 2, 1012, "drain");
        run.refused_by(&ORACLE, "gateway-1 sent ben away 4000 ms after it was asked to stop");
    }

    #[test]
    fn refuses_an_end_without_a_word_unless_the_gateway_was_killed() {
        let mut run = draining();
        end(&mut run);
        run.refused_by(&ORACLE, "gateway-1 stopped and ended connection 2 of ben without a word");
        let mut run = draining();
        let fault = Fault::Crash { host: Host::Gateway(1), down: Duration::from_secs(1) };
        run.tell(Host::World, What::Injected { turn: None, index: 1, fault });
        end(&mut run);
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn the_end_of_an_earlier_process_may_be_read_late() {
        let mut run = healthy();
        let gateway = Host::Gateway(1);
        run.tell(gateway.clone(), What::Started);
        let fault = Fault::Bounce { host: gateway };
        run.tell(Host::World, What::Injected { turn: None, index: 0, fault });
        end(&mut run);
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn whoever_was_let_go_of_before_may_read_that_late() {
        let mut run = healthy();
        run.tell(Host::Gateway(1), What::Left { conn: 2 });
        let fault = Fault::Bounce { host: Host::Gateway(1) };
        run.tell(Host::World, What::Injected { turn: None, index: 0, fault });
        end(&mut run);
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_close_without_advice() {
        let mut run = draining();
        run.is_closed("ben", 2, 1012, "drain");
        run.refused_by(&ORACLE, "ben was sent away on connection 2 and not told when to come back");
    }

    #[test]
    fn refuses_a_gateway_that_lets_somebody_in_after_the_wish_to_stop() {
        let mut run = draining();
        run.tell(client("ben"), What::Dialled { to: Host::Gateway(1) });
        run.join("ben", 4, 7);
        run.refused_by(&ORACLE, "gateway-1 was asked to stop and welcomed ben after that");
        let mut run = draining();
        run.tell(Host::Gateway(1), What::Started);
        run.join("ben", 4, 7);
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_gateway_that_takes_too_long() {
        let mut run = draining();
        run.tell(Host::Gateway(1), What::Stopped { tasks: 0, sockets: 0 });
        run.trace.events.last_mut().expect("an event").at_us += 42_000_000;
        run.refused_by(&ORACLE, "gateway-1 took 42001 ms to stop, more than 41 s");
    }
}
