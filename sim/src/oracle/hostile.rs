//! CC-ERRMAP: whoever breaks the protocol is sent away in time, with the code for what was done, and whoever comes
//! with a bad token is not let in.
//!
//! An intruder is nobody of the scenario: its connections are those of the world itself. Where its gateway is cut off,
//! stops or dies meanwhile, or two come at once, nothing is asked. That nobody else notices is asked by every other
//! oracle.

use super::calm::Calm;
use super::{Oracle, Violation};
use crate::scenario::{Fault, Host, Intrusion, Scenario, Target};
use crate::trace::{Event, Trace, What, Wire};
use assistant::config::GatewayConfig;
use assistant::contract::close::CloseReason;
use std::collections::BTreeMap;
use std::time::Duration;

const NAME: &str = "hostile";

pub(super) const ORACLE: Oracle =
    Oracle { name: NAME, asks: "is whoever breaks the protocol sent away for it, in time?", judge };

/// What a handshake and a close may take.
const SLACK: Duration = Duration::from_secs(3);
/// How long a gateway may take to hear of the sessions that were ended after something was wrong with its way to the
/// token service: its patience with a silent list, and some pauses.
const TOLD_AFTER: Duration = Duration::from_secs(20);
/// How long nobody can tell whose connection is whose after two came at once.
const MUDDLED_FOR: Duration = Duration::from_secs(30);

/// An intruder on a gateway.
struct Intruder<'t> {
    gateway: &'t Host,
    how: Intrusion,
    conns: Vec<u64>,
    /// When it set out, and when it was connected.
    began: u64,
    since: u64,
}

/// What an intruder is told.
#[derive(Clone, Copy)]
enum Told {
    Close(u16),
    /// That it is not let in.
    Refusal,
}

/// The intruders of a run, and what excuses their gateways.
#[derive(Default)]
struct Watch<'t> {
    intruders: Vec<Intruder<'t>>,
    /// What is wrong with each gateway.
    gateways: BTreeMap<&'t Host, Calm>,
    /// What is wrong with the list of the sessions that were ended.
    list: Calm,
    /// Gateways at which a connection may be anybody's, and until when.
    muddled: BTreeMap<&'t Host, u64>,
}

fn judge(_: &Scenario, trace: &Trace) -> Vec<Violation> {
    let mut watch = Watch::default();
    let mut found = Vec::new();
    for event in trace.events.iter().take_while(|event| event.what != What::ScriptDone) {
        let what = watch.step(event).or_else(|| watch.late(event.at_us));
        found.extend(what.map(|what| Violation::at(NAME, event, what)));
    }
    found
}

impl<'t> Watch<'t> {
    fn step(&mut self, event: &'t Event) -> Option<String> {
        let at = event.at_us;
        match (&event.what, &event.host) {
            (What::Injected { fault: Fault::Intrude { host, how }, .. }, _) => {
                self.comes(host, *how, at);
            }
            (What::Injected { fault, .. } | What::Healed { fault }, _) => {
                self.list.hear_of(event, is_of_list);
                let host = gateway(fault)?;
                self.gateways.entry(host).or_default().hear(event);
                self.muddle(host, at);
            }
            (What::Connected { conn, to }, Host::World) => {
                let mut all = self.intruders.iter_mut();
                let intruder = all.find(|i| i.gateway == to && !i.is_there())?;
                intruder.conns.push(*conn);
                intruder.since = at;
            }
            (What::Received { conn, frame: Wire::Close { code, .. } }, Host::World) => {
                return self.told(*conn, Told::Close(code.unwrap_or_default()));
            }
            (What::Refused { conn, .. }, Host::World) => {
                return self.told(*conn, Told::Refusal);
            }
            (_, _) => {}
        }
        None
    }

    fn comes(&mut self, gateway: &'t Host, how: Intrusion, at: u64) {
        let has_lasted = |calm: &Calm, long| calm.has_lasted(at, long);
        let calm = |long| self.gateways.get(gateway).is_none_or(|calm| has_lasted(calm, long));
        let is_told = has_lasted(&self.list, TOLD_AFTER) && calm(TOLD_AFTER);
        let is_known = self.muddled.get(gateway).is_none_or(|until| *until < at)
            && self.intruders.iter().all(|other| other.gateway != gateway || other.is_there());
        if is_known && calm(Duration::ZERO) && (is_told || how != Intrusion::Revoked) {
            let (conns, began, since) = (Vec::new(), at, at);
            self.intruders.push(Intruder { gateway, how, conns, began, since });
        } else {
            self.muddle(gateway, at);
        }
    }

    /// From now on nothing is known of the intruders of a gateway.
    fn muddle(&mut self, gateway: &'t Host, at: u64) {
        self.intruders.retain(|intruder| intruder.gateway != gateway);
        let long = u64::try_from(MUDDLED_FOR.as_micros()).unwrap_or(u64::MAX);
        self.muddled.insert(gateway, at.saturating_add(long));
    }

    /// An intruder learns what is thought of it.
    fn told(&mut self, conn: u64, told: Told) -> Option<String> {
        let place = self.intruders.iter().position(|intruder| intruder.conns.contains(&conn))?;
        let intruder = self.intruders.swap_remove(place);
        if self.excuses(&intruder) {
            return None;
        }
        let Intruder { gateway, how, .. } = intruder;
        match (expected(how).map(CloseReason::code), told) {
            (Some(expected), Told::Close(code)) => (code != expected).then(|| {
                format!("{gateway} sent an intruder ({how:?}) away with {code}, not {expected}")
            }),
            (None, Told::Close(code)) => {
                Some(format!("{gateway} let an intruder ({how:?}) in until it closed with {code}"))
            }
            // Whoever has no time for anybody looks at no token.
            (_, Told::Refusal) => None,
        }
    }

    fn late(&mut self, now: u64) -> Option<String> {
        let place = self.intruders.iter().position(|intruder| intruder.is_late(now))?;
        let intruder = self.intruders.swap_remove(place);
        let Intruder { gateway, how, .. } = intruder;
        (!self.excuses(&intruder))
            .then(|| format!("{gateway} has not sent away an intruder ({how:?})"))
    }

    /// Whether the gateway may not know better.
    fn excuses(&self, intruder: &Intruder<'_>) -> bool {
        let is_told = self.list.since().is_some_and(|since| since <= intruder.began);
        intruder.how == Intrusion::Revoked && !is_told
    }
}

impl Intruder<'_> {
    /// Whether all its connections are there.
    fn is_there(&self) -> bool {
        self.conns.len() >= self.how.connections()
    }

    fn is_late(&self, now: u64) -> bool {
        let most = GatewayConfig::default().hello_timeout + SLACK;
        self.is_there() && Duration::from_micros(now.saturating_sub(self.since)) > most
    }
}

/// The gateway that a fault befalls.
fn gateway(fault: &Fault) -> Option<&Host> {
    if let Target::Server(host @ Host::Gateway(_)) = fault.target() { Some(host) } else { None }
}

/// Whether a fault may keep a gateway from the list of the sessions that were ended.
fn is_of_list(fault: &Fault) -> bool {
    match fault.target() {
        Target::Client(_) => false,
        Target::Server(host) => *host == Host::TokenService,
        Target::Link(one, other) => [one, other].contains(&&Host::TokenService),
    }
}

/// The code for what was done; none for whom nobody lets in.
fn expected(how: Intrusion) -> Option<CloseReason> {
    match how {
        Intrusion::Silent => Some(CloseReason::Timeout),
        Intrusion::Binary => Some(CloseReason::Binary),
        Intrusion::Garbage => Some(CloseReason::BadRequest),
        Intrusion::Huge => Some(CloseReason::TooBig),
        Intrusion::Flood | Intrusion::Crowd => Some(CloseReason::RateLimited),
        Intrusion::Latin1 => Some(CloseReason::Utf8),
        Intrusion::Reserved => Some(CloseReason::Protocol),
        Intrusion::Expired | Intrusion::Revoked | Intrusion::Forged => None,
    }
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
    fn refuses_a_gateway_that_lets_a_bad_token_in() {
        for how in [Intrusion::Expired, Intrusion::Revoked, Intrusion::Forged] {
            intrusion(how, Some(4408), 10).refused_by(&ORACLE, "gateway-1 let an intruder");
            intrusion(how, None, 14).refused_by(&ORACLE, "gateway-1 has not sent away an intruder");
            let mut run = intrusion(how, None, 0);
            let refused = What::Refused { conn: 9, status: 403, retry_after: None };
            run.tell(Host::World, refused);
            run.trace.events.last_mut().expect("an event").at_us += 20_000_000;
            run.accepted_by(&ORACLE);
        }
    }

    #[test]
    fn a_gateway_that_was_cut_off_the_list_of_ended_sessions_may_let_one_in() {
        let fault = || {
            let (lasts, between) = (Duration::from_secs(1), [Host::Gateway(1), Host::TokenService]);
            Fault::Partition { between, lasts }
        };
        let mut run = intrusion(Intrusion::Revoked, None, 0);
        run.tell(Host::World, What::Injected { turn: None, index: 1, fault: fault() });
        run.trace.events.last_mut().expect("an event").at_us += 20_000_000;
        run.accepted_by(&ORACLE);
        let mut run = healthy();
        run.forget(|event| event.what == What::ScriptDone);
        run.tell(Host::World, What::Injected { turn: None, index: 0, fault: fault() });
        run.tell(Host::World, What::Healed { fault: fault() });
        let intrude = Fault::Intrude { host: Host::Gateway(1), how: Intrusion::Revoked };
        run.tell(Host::World, What::Injected { turn: None, index: 1, fault: intrude });
        run.tell(Host::World, What::Connected { conn: 9, to: Host::Gateway(1) });
        let frame = Wire::Close { code: Some(4408), reason: String::new() };
        run.tell(Host::World, What::Received { conn: 9, frame });
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn a_crowd_is_sent_away_as_soon_as_one_of_it_is() {
        let mut run = intrusion(Intrusion::Crowd, None, 0);
        let crowd = Intrusion::Crowd.connections();
        for conn in 10..=8 + u64::try_from(crowd).expect("a few") {
            run.tell(Host::World, What::Connected { conn, to: Host::Gateway(1) });
        }
        let mut late = run.clone();
        late.tell(client("ana"), What::ViewReset);
        late.trace.events.last_mut().expect("an event").at_us += 14_000_000;
        late.refused_by(&ORACLE, "gateway-1 has not sent away an intruder (Crowd)");
        let frame = Wire::Close { code: Some(4429), reason: String::new() };
        run.tell(Host::World, What::Received { conn: 11, frame });
        run.trace.events.last_mut().expect("an event").at_us += 14_000_000;
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn asks_nothing_where_two_come_at_once() {
        let mut run = healthy();
        run.forget(|event| event.what == What::ScriptDone);
        for (index, how) in [Intrusion::Silent, Intrusion::Binary].into_iter().enumerate() {
            let fault = Fault::Intrude { host: Host::Gateway(1), how };
            run.tell(Host::World, What::Injected { turn: None, index, fault });
        }
        run.tell(Host::World, What::Connected { conn: 9, to: Host::Gateway(1) });
        let frame = Wire::Close { code: Some(1003), reason: String::new() };
        run.tell(Host::World, What::Received { conn: 9, frame });
        run.accepted_by(&ORACLE);
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
