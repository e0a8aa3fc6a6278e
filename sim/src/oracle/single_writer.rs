//! SW-ONE and SW-STALE: a client has one connection, the latest, and nobody takes it away without a newer one.
//!
//! A connection that was left may still bring what was under way, and the other side's goodbye; what is durable
//! must come over the latest. A gateway that holds an older one is told, and lets go of it: a copy of a client, or a
//! connection whose client nobody has heard leave, would hold its place otherwise.

use super::calm::Calm;
use super::leaves::is_copied;
use super::wire;
use super::{Oracle, Violation};
use crate::scenario::{Fault, Host, Scenario, Target};
use crate::trace::{Event, Trace, What, Wire};
use assistant::contract::close::CloseReason;
use assistant::contract::frame::ClientFrame;
use assistant::contract::id::{ClientId, ThreadId};
use std::collections::BTreeMap;
use std::time::Duration;

const NAME: &str = "single_writer";

pub(super) const ORACLE: Oracle =
    Oracle { name: NAME, asks: "does every client live on one connection, its latest?", judge };

/// How long a gateway may take to let go of an older connection: a peer that does not take its goodbye has some
/// seconds for that.
const OLDER_MAX: Duration = Duration::from_secs(10);
/// How long something that was wrong between gateways and supervisor may still have effects.
const CALM_AFTER: Duration = Duration::from_secs(30);

/// A connection whose hello a gateway has read.
struct Held<'t> {
    gateway: &'t Host,
    /// Whose: the thread and the name of the client.
    whose: (ThreadId, ClientId),
    attempt: u64,
    is_welcomed: bool,
    /// Since when a later one of the same client is welcomed.
    older: Option<u64>,
}

/// The connections that gateways hold.
#[derive(Default)]
struct Holds<'t> {
    held: BTreeMap<u64, Held<'t>>,
    /// What is wrong between gateways and supervisor.
    calm: Calm,
}

impl<'t> Holds<'t> {
    fn hear(&mut self, event: &'t Event) -> Option<String> {
        self.calm.hear_of(event, is_between_servers);
        match (&event.what, &event.host) {
            (What::Received { conn, frame: Wire::Text(text) }, gateway @ Host::Gateway(_)) => {
                if let Ok(ClientFrame::Hello {
                    client_id, attempt: Some(attempt), thread_id, ..
                }) = serde_json::from_str(text)
                {
                    let (whose, is_welcomed, older) = ((thread_id, client_id), false, None);
                    let held = Held { gateway, whose, attempt, is_welcomed, older };
                    self.held.insert(*conn, held);
                }
            }
            (What::Received { conn, .. }, Host::Client(_)) => {
                let is_welcome =
                    |event| wire::frame(event).is_some_and(|frame| frame.head.event == "welcome");
                if self.held.get(conn).is_some_and(|held| !held.is_welcomed) && is_welcome(event) {
                    self.welcomed(*conn, event.at_us);
                }
            }
            (What::Left { conn }, _) => drop(self.held.remove(conn)),
            (What::Started | What::Stopped { .. } | What::Died { .. }, gateway) => {
                self.held.retain(|_, held| held.gateway != gateway);
            }
            (_, _) => {}
        }
        self.outlives(event.at_us)
    }

    fn welcomed(&mut self, conn: u64, at: u64) {
        let Some(held) = self.held.get_mut(&conn) else { return };
        held.is_welcomed = true;
        let (whose, attempt) = (held.whose.clone(), held.attempt);
        let mut newest = attempt;
        for other in
            self.held.values_mut().filter(|other| other.is_welcomed && other.whose == whose)
        {
            newest = newest.max(other.attempt);
            if other.attempt < attempt {
                other.older.get_or_insert(at);
            }
        }
        if let Some(held) = self.held.get_mut(&conn).filter(|_| newest > attempt) {
            held.older = Some(at);
        }
    }

    /// A connection that goes on beside a later one.
    fn outlives(&mut self, now: u64) -> Option<String> {
        if !self.calm.has_lasted(now, CALM_AFTER) {
            return None;
        }
        let passed = |since: u64| Duration::from_micros(now.saturating_sub(since));
        let is_late = |held: &Held<'_>| held.older.is_some_and(|since| passed(since) > OLDER_MAX);
        let (conn, _) = self.held.iter().find(|(_, held)| is_late(held))?;
        let conn = *conn;
        let Held { gateway, whose: (_, name), .. } = self.held.remove(&conn)?;
        Some(format!(
            "{gateway} goes on to hold connection {conn} of {name}, which has a later one"
        ))
    }
}

/// Whether a fault may keep gateways from hearing of each other's connections.
fn is_between_servers(fault: &Fault) -> bool {
    let is_server = |host: &Host| matches!(host, Host::Gateway(_) | Host::Supervisor);
    match fault.target() {
        Target::Client(_) => false,
        Target::Server(host) => is_server(host),
        Target::Link(one, other) => is_server(one) && is_server(other),
    }
}

fn judge(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    let mut holds = Holds::default();
    let mut latest: BTreeMap<&Host, u64> = BTreeMap::new();
    let mut found = Vec::new();
    for event in &trace.events {
        found.extend(holds.hear(event).map(|what| Violation::at(NAME, event, what)));
        if let Some((client, conn)) = wire::joined(event) {
            latest.insert(client, conn);
        }
        let What::Received { conn, frame } = &event.what else { continue };
        let (host, Some(latest)) = (&event.host, latest.get(&event.host)) else { continue };
        let superseded = CloseReason::Superseded.code();
        let what = if conn == latest {
            let is_replaced = matches!(frame, Wire::Close { code: Some(code), .. }
                if *code == superseded);
            (is_replaced && !is_copied(scenario, host)).then(|| {
                format!("{host} was closed with {superseded} on connection {conn}, its latest")
            })
        } else {
            wire::frame(event).filter(|frame| frame.head.is_durable()).map(|frame| {
                let (kind, seq) = (frame.head.event, frame.head.seq.unwrap_or_default());
                format!("{host} read frame {seq} ({kind}) on connection {conn}, but holds {latest}")
            })
        };
        found.extend(what.map(|what| Violation::at(NAME, event, what)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, client, healthy};
    use super::*;
    use assistant::contract::frame::ServerFrame;

    #[test]
    fn accepts_a_healthy_run() {
        healthy().accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_frames_of_a_connection_that_was_left() {
        let mut run = healthy();
        let frame = ServerFrame::Log(run.log()[6].clone());
        run.receives("ana", 1, &frame);
        run.refused_by(&ORACLE, "ana read frame 7 (message) on connection 1, but holds 3");
    }

    #[test]
    fn refuses_to_be_superseded_by_nobody() {
        let mut run = healthy();
        run.is_closed("ana", 1, 4409, "superseded");
        run.accepted_by(&ORACLE);
        run.is_closed("ana", 3, 4409, "superseded");
        run.refused_by(&ORACLE, "ana was closed with 4409 on connection 3, its latest");
        run.scenario.clients[1].instance = Some("ana".to_owned());
        run.accepted_by(&ORACLE);
    }

    /// Ben connects again, and his gateway has not heard that he has left the connection before.
    fn twice() -> Bench {
        let mut run = healthy();
        run.forget(|event| matches!(event.what, What::Injected { .. } | What::Healed { .. }));
        run.tell(Host::Gateway(1), What::Left { conn: 1 });
        run.join("ben", 4, 7);
        run
    }

    fn later(run: &mut Bench, seconds: u64) {
        run.tell(client("ben"), What::Looked);
        run.trace.events.last_mut().expect("an event").at_us += seconds * 1_000_000;
    }

    #[test]
    fn refuses_a_gateway_that_holds_an_older_connection() {
        let words = "gateway-1 goes on to hold connection 2 of ben, which has a later one";
        let mut run = twice();
        run.forget(|event| matches!(event.what, What::Stopped { .. }));
        let mut left = run.clone();
        later(&mut run, 9);
        run.accepted_by(&ORACLE);
        later(&mut run, 2);
        run.refused_by(&ORACLE, words);
        left.tell(Host::Gateway(1), What::Left { conn: 2 });
        later(&mut left, 20);
        left.accepted_by(&ORACLE);
    }

    #[test]
    fn excuses_a_gateway_that_cannot_know() {
        let mut run = twice();
        run.forget(|event| matches!(event.what, What::Stopped { .. }));
        let (lasts, between) = (Duration::from_secs(1), [Host::Gateway(1), Host::Supervisor]);
        let fault = Fault::Partition { between, lasts };
        run.tell(Host::World, What::Injected { turn: None, index: 1, fault });
        later(&mut run, 60);
        run.accepted_by(&ORACLE);
    }
}
