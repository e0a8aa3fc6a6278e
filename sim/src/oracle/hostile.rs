//! CC-ERRMAP: whoever breaks the protocol is sent away in time, with the code for what was done.
//!
//! An intruder is nobody of the scenario: its connections are those of the world itself. Where its gateway is cut off,
//! stops or dies meanwhile, nothing is asked. That nobody else notices is asked by every other oracle.

use super::{Oracle, Violation};
use crate::scenario::{Fault, Host, Intrusion, Scenario, Target};
use crate::trace::{Event, Trace, What, Wire};
use assistant::config::GatewayConfig;
use assistant::contract::close::CloseReason;
use std::time::Duration;

const NAME: &str = "hostile";

pub(super) const ORACLE: Oracle =
    Oracle { name: NAME, asks: "is whoever breaks the protocol sent away for it, in time?", judge };

/// What a handshake and a close may take.
const SLACK: Duration = Duration::from_secs(3);

/// An intruder on a gateway.
struct Intruder<'t> {
    gateway: &'t Host,
    how: Intrusion,
    conn: Option<u64>,
    since: u64,
}

fn judge(_: &Scenario, trace: &Trace) -> Vec<Violation> {
    let mut intruders: Vec<Intruder<'_>> = Vec::new();
    let mut disturbed: Vec<&Host> = Vec::new();
    let mut found = Vec::new();
    for event in &trace.events {
        match (&event.what, &event.host) {
            (What::Injected { fault: Fault::Intrude { host, how }, .. }, _) => {
                let (gateway, how, since) = (host, *how, event.at_us);
                if !disturbed.contains(&host) {
                    intruders.push(Intruder { gateway, how, conn: None, since });
                }
            }
            (What::Injected { fault, .. }, _) => {
                if let Some(host) = gateway(fault) {
                    disturbed.extend((!fault.is_momentary()).then_some(host));
                    intruders.retain(|intruder| intruder.gateway != host);
                }
            }
            (What::Healed { fault }, _) => {
                let place = disturbed.iter().position(|host| gateway(fault) == Some(*host));
                place.map(|place| disturbed.swap_remove(place));
            }
            (What::Connected { conn, to }, Host::World) => {
                let mut waiting = intruders.iter_mut();
                if let Some(intruder) = waiting.find(|i| i.gateway == to && i.conn.is_none()) {
                    (intruder.conn, intruder.since) = (Some(*conn), event.at_us);
                }
            }
            (What::Received { conn, frame: Wire::Close { code, .. } }, Host::World) => {
                let place = intruders.iter().position(|intruder| intruder.conn == Some(*conn));
                let gone = place.map(|place| intruders.swap_remove(place));
                found.extend(gone.and_then(|gone| wrong(&gone, *code, event)));
            }
            (What::ScriptDone, _) => break,
            (_, _) => {}
        }
        let late = intruders.iter().position(|intruder| is_late(intruder, event.at_us));
        if let Some(Intruder { gateway, how, .. }) = late.map(|late| intruders.swap_remove(late)) {
            let what = format!("{gateway} has not sent away an intruder ({how:?})");
            found.push(Violation::at(NAME, event, what));
        }
    }
    found
}

/// The gateway that a fault befalls.
fn gateway(fault: &Fault) -> Option<&Host> {
    if let Target::Server(host @ Host::Gateway(_)) = fault.target() { Some(host) } else { None }
}

fn expected(how: Intrusion) -> CloseReason {
    match how {
        Intrusion::Silent => CloseReason::Timeout,
        Intrusion::Binary => CloseReason::Binary,
        Intrusion::Garbage => CloseReason::BadRequest,
        Intrusion::Huge => CloseReason::TooBig,
        Intrusion::Flood => CloseReason::RateLimited,
    }
}

fn wrong(intruder: &Intruder<'_>, code: Option<u16>, event: &Event) -> Option<Violation> {
    let (expected, code) = (expected(intruder.how).code(), code.unwrap_or_default());
    let Intruder { gateway, how, .. } = intruder;
    (code != expected).then(|| {
        let what = format!("{gateway} sent an intruder ({how:?}) away with {code}, not {expected}");
        Violation::at(NAME, event, what)
    })
}

fn is_late(intruder: &Intruder<'_>, now: u64) -> bool {
    let most = GatewayConfig::default().hello_timeout + SLACK;
    let waited = Duration::from_micros(now.saturating_sub(intruder.since));
    intruder.conn.is_some() && waited > most
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, client, healthy};
    use super::*;

    /// An intruder comes to the first gateway and is told this after so many seconds.
    fn intrusion(how: Intrusion, code: Option<u16>, seconds: u64) -> Bench {
        let mut run = healthy();
        run.forget(|event| event.what == What::ScriptDone);
        let fault = Fault::Intrude { host: Host::Gateway(1), how };
        run.tell(Host::World, What::Injected { turn: None, index: 0, fault });
        run.tell(Host::World, What::Connected { conn: 9, to: Host::Gateway(1) });
        let frame = Wire::Close { code, reason: String::new() };
        match code {
            Some(_) => run.tell(Host::World, What::Received { conn: 9, frame }),
            None => run.tell(client("ana"), What::ViewReset),
        }
        run.trace.events.last_mut().expect("an event").at_us += seconds * 1_000_000;
        run
    }

    #[test]
    fn accepts_a_healthy_run_and_the_code_for_what_was_done() {
        healthy().accepted_by(&ORACLE);
        intrusion(Intrusion::Silent, Some(4408), 10).accepted_by(&ORACLE);
        intrusion(Intrusion::Flood, Some(4429), 0).accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_another_code_or_none_at_all() {
        intrusion(Intrusion::Binary, Some(1000), 0)
            .refused_by(&ORACLE, "gateway-1 sent an intruder (Binary) away with 1000, not 1003");
        intrusion(Intrusion::Silent, None, 12).accepted_by(&ORACLE);
        intrusion(Intrusion::Silent, None, 14)
            .refused_by(&ORACLE, "gateway-1 has not sent away an intruder (Silent)");
    }

    #[test]
    fn asks_nothing_of_a_gateway_that_is_down() {
        let fault = Fault::Crash { host: Host::Gateway(1), down: Duration::from_secs(1) };
        let mut run = healthy();
        run.forget(|event| event.what == What::ScriptDone);
        let intrude = Fault::Intrude { host: Host::Gateway(1), how: Intrusion::Silent };
        run.tell(Host::World, What::Injected { turn: None, index: 0, fault: intrude });
        run.tell(Host::World, What::Connected { conn: 9, to: Host::Gateway(1) });
        run.tell(Host::World, What::Injected { turn: None, index: 1, fault });
        run.trace.events.last_mut().expect("an event").at_us += 20_000_000;
        run.accepted_by(&ORACLE);
    }
}
