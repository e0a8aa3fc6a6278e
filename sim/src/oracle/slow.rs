//! Whoever does not read is let go of. A client that takes nothing while more waits for it than its socket
//! holds is closed when the patience of its gateway is over, and does not hold a place for ever.
//!
//! A trace does not tell what is on its way. It tells when the agent's answer came, and the log how long the frames are
//! that were made of it. What else may delay or spoil them excuses.

use super::calm::Calm;
use super::wire;
use super::{Oracle, Violation, logs};
use crate::scenario::{Fault, Host, Scenario, Target};
use crate::trace::{Event, Trace, What, Wire};
use assistant::config::GatewayConfig;
use assistant::contract::frame::LogBody;
use std::collections::BTreeMap;
use std::time::Duration;

const NAME: &str = "slow";

pub(super) const ORACLE: Oracle =
    Oracle { name: NAME, asks: "is a client that does not read let go of in time?", judge };

/// How long a frame may take from the agent's answer to the socket in calm.
const UNDER_WAY: Duration = Duration::from_secs(2);
/// How long ago the log must have come over the connection, so that it is known to be followed.
const FOLLOWED_WITHIN: Duration = Duration::from_secs(5);

/// A client and what waits for it.
struct Reader<'t> {
    host: Host,
    thread: &'t str,
    conn: Option<u64>,
    is_connected: bool,
    /// When a frame of the log came over it last.
    heard: Option<u64>,
    /// How many faults keep it from reading.
    slow: u32,
    /// How much was made for it since, bytes.
    waiting: usize,
    /// Since when its socket is full.
    full: Option<u64>,
    /// What else is wrong with it or on its way.
    others: Calm,
}

fn judge(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    let holds = scenario.world.socket_bytes;
    let lengths = lengths(trace);
    let mut readers: Vec<Reader<'_>> =
        scenario.clients.iter().map(|client| Reader::new(client.host(), &client.thread)).collect();
    let mut turns: BTreeMap<u64, (&str, usize)> = BTreeMap::new();
    let mut found = Vec::new();
    for event in &trace.events {
        if let What::Asked { conn, request } = &event.what {
            let length = lengths.get(request.message_id.as_str()).copied().unwrap_or(0);
            turns.insert(*conn, (request.thread_id.as_str(), length));
        }
        for reader in &mut readers {
            reader.hear(event);
            if let What::Answered { conn, response: Some(_), .. } = &event.what
                && let Some((_, length)) = turns.get(conn).filter(|turn| turn.0 == reader.thread)
            {
                reader.gets(*length, holds, event.at_us);
            }
            let what = reader.is_kept(event.at_us);
            found.extend(what.map(|what| Violation::at(NAME, event, what)));
        }
    }
    found
}

/// How long the listings are that each turn has come to, bytes.
fn lengths(trace: &Trace) -> BTreeMap<&str, usize> {
    let mut lengths = BTreeMap::new();
    for frame in logs(trace).flat_map(|(_, _, frames)| frames) {
        if matches!(frame.body, LogBody::Recommendations { .. }) {
            let length = serde_json::to_string(frame).map_or(0, |text| text.len());
            *lengths.entry(frame.in_reply_to.as_str()).or_default() += length;
        }
    }
    lengths
}

impl<'t> Reader<'t> {
    fn new(host: Host, thread: &'t str) -> Self {
        let (is_connected, slow, waiting, others) = (false, 0, 0, Calm::default());
        let (conn, heard, full) = (None, None, None);
        Self { host, thread, conn, is_connected, heard, slow, waiting, full, others }
    }

    fn hear(&mut self, event: &Event) {
        match (&event.what, &event.host) {
            (What::Injected { fault: Fault::SlowReader { client, .. }, .. }, _)
                if *client == self.host =>
            {
                self.slow += 1;
                self.waiting = 0;
            }
            (What::Healed { fault: Fault::SlowReader { client, .. } }, _)
                if *client == self.host =>
            {
                self.slow = self.slow.saturating_sub(1);
                // It reads again; whether it was too late is for the gateway to have decided by now.
                self.full = self.full.filter(|full| passed(*full, event.at_us) > patience());
            }
            (What::Injected { fault, .. } | What::Healed { fault }, _)
                if concerns(fault, &self.host) =>
            {
                self.others.hear(event);
                self.full = None;
            }
            (What::Connected { conn, to: Host::Gateway(_) }, host) if *host == self.host => {
                (self.conn, self.heard, self.full) = (Some(*conn), None, None);
            }
            (What::Received { conn, frame: Wire::Close { .. } }, host)
                if *host == self.host && self.conn == Some(*conn) =>
            {
                self.full = None;
            }
            (What::Received { conn, .. }, host)
                if *host == self.host && self.conn == Some(*conn) =>
            {
                let is_durable = wire::frame(event).is_some_and(|frame| frame.head.is_durable());
                self.heard = if is_durable { Some(event.at_us) } else { self.heard };
            }
            (What::Left { conn }, _) if self.conn == Some(*conn) => self.full = None,
            (What::Link { state }, host) if *host == self.host => {
                self.is_connected = state == "connected";
                self.full = self.full.filter(|_| self.is_connected);
            }
            (_, _) => {}
        }
    }

    /// Something was made for it.
    fn gets(&mut self, length: usize, holds: usize, at: u64) {
        self.waiting += length;
        let is_full = self.slow > 0 && self.is_connected && self.waiting > holds;
        let is_followed = self.heard.is_some_and(|heard| passed(heard, at) < FOLLOWED_WITHIN);
        let is_calm = self.others.since().is_some();
        if is_full && is_followed && is_calm && self.full.is_none() {
            self.full = Some(at);
        }
    }

    /// Whether it should have been let go of.
    fn is_kept(&mut self, now: u64) -> Option<String> {
        let most = patience() + GatewayConfig::default().close_timeout + UNDER_WAY;
        let full = passed(self.full.filter(|full| passed(*full, now) > most)?, now);
        self.full = None;
        let (host, conn, ms) = (&self.host, self.conn.unwrap_or_default(), full.as_millis());
        let waiting = self.waiting;
        Some(format!(
            "{host} has read nothing for {ms} ms while {waiting} bytes waited, and holds connection {conn}"
        ))
    }
}

/// How long a gateway waits for a peer that does not read, and what is on its way to it until then.
fn patience() -> Duration {
    GatewayConfig::default().write_timeout + UNDER_WAY
}

fn passed(since: u64, now: u64) -> Duration {
    Duration::from_micros(now.saturating_sub(since))
}

/// Whether a fault may keep frames from reaching the socket of a client.
fn concerns(fault: &Fault, client: &Host) -> bool {
    let is_on_way = |host: &Host| matches!(host, Host::Gateway(_) | Host::Supervisor);
    match fault.target() {
        Target::Client(other) => other == client,
        Target::Server(host) => is_on_way(host),
        Target::Link(one, other) => {
            [one, other].into_iter().all(|host| is_on_way(host) || host == client)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, client, healthy, request};
    use super::*;
    use assistant::contract::agent::AgentState;
    use assistant::contract::frame::ServerFrame;

    fn slow() -> Fault {
        Fault::SlowReader { client: client("ben"), lasts: Duration::from_secs(20) }
    }

    fn wait(run: &mut Bench, seconds: u64) {
        run.tell(client("ana"), What::Looked);
        run.trace.events.last_mut().expect("an event").at_us += seconds * 1_000_000;
    }

    /// Ben stops to read and the agent answers the first turn, whose listings his socket does not hold.
    fn full() -> Bench {
        let mut run = healthy();
        run.forget(|event| matches!(event.what, What::Injected { .. } | What::Healed { .. }));
        run.scenario.world.socket_bytes = 256;
        let frame = run.log()[6].clone();
        run.receives("ben", 2, &ServerFrame::Log(frame));
        run.tell(Host::World, What::Injected { turn: None, index: 0, fault: slow() });
        run.asks(8, request("m-1"));
        run.answers(8, AgentState::default());
        run
    }

    const WORDS: &str = "bytes waited, and holds connection 2";

    #[test]
    fn accepts_a_healthy_run_and_a_client_that_is_let_go_of() {
        healthy().accepted_by(&ORACLE);
        let mut run = full();
        wait(&mut run, 8);
        run.tell(Host::Gateway(1), What::Left { conn: 2 });
        wait(&mut run, 20);
        run.accepted_by(&ORACLE);
        let mut run = full();
        run.is_closed("ben", 2, 4411, "slow_consumer");
        wait(&mut run, 20);
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_client_that_is_kept_though_it_does_not_read() {
        let mut run = full();
        wait(&mut run, 10);
        run.accepted_by(&ORACLE);
        wait(&mut run, 2);
        run.refused_by(&ORACLE, WORDS);
        let mut run = full();
        wait(&mut run, 8);
        run.tell(Host::World, What::Healed { fault: slow() });
        wait(&mut run, 4);
        run.refused_by(&ORACLE, WORDS);
    }

    #[test]
    fn a_client_that_reads_again_in_time_or_has_room_is_kept() {
        let mut run = full();
        wait(&mut run, 6);
        run.tell(Host::World, What::Healed { fault: slow() });
        wait(&mut run, 20);
        run.accepted_by(&ORACLE);
        let mut run = full();
        run.scenario.world.socket_bytes = 64 * 1024;
        wait(&mut run, 20);
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn excuses_what_may_be_late_because_of_something_else() {
        let mut run = full();
        let (lasts, between) = (Duration::from_secs(1), [Host::Gateway(1), Host::Supervisor]);
        let fault = Fault::Partition { between, lasts };
        run.tell(Host::World, What::Injected { turn: None, index: 1, fault });
        wait(&mut run, 20);
        run.accepted_by(&ORACLE);
    }
}
