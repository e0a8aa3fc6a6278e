//! AK-ONCE and AK-FIFO on the wire: a turn goes over a connection once and in order, each is acked once and
//! in that order, and none vanishes.
//!
//! Acks have no number, so a fault that doubles or moves a frame may befall one: the order on such a
//! connection proves nothing. That the log holds each turn once, in order, is asked by `dedup` and `order`.

use super::wire::{self, Frame};
use super::{Oracle, Violation, given_up, gone, logs, said, script_done, user_turn};
use crate::scenario::{Fault, Host, Scenario};
use crate::trace::{Event, Trace, What};
use assistant::config::ClientPolicy;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const NAME: &str = "ack";

/// What a client may take beyond the longest wait of a turn.
const LATE: Duration = Duration::from_secs(1);

pub(super) const ORACLE: Oracle = Oracle {
    name: NAME,
    asks: "is every turn sent once a connection and acked once, in order, as logged?",
    judge,
};

/// The turns of one connection.
#[derive(Default)]
struct Turns<'t> {
    /// In the order in which the gateway has read them.
    sent: Vec<&'t str>,
    /// How many of them are acked.
    acked: usize,
    /// The turns whose ack, or place in the log, the client has read.
    heard: BTreeSet<&'t str>,
}

/// What is known of the turns of a run.
struct Known<'t> {
    /// The place of each turn among all that was said.
    said: BTreeMap<&'t str, usize>,
    /// The place of each turn in its log.
    logged: BTreeMap<&'t str, u64>,
    shuffled: BTreeSet<u64>,
}

fn judge(_: &Scenario, trace: &Trace) -> Vec<Violation> {
    let places = said(trace).enumerate().map(|(place, (_, turn))| (turn.as_str(), place));
    let logged = logs(trace).flat_map(|(_, _, frames)| frames);
    let known = Known {
        said: places.collect(),
        logged: logged.filter_map(|f| Some((user_turn(f)?.as_str(), f.seq))).collect(),
        shuffled: wire::shuffled(trace),
    };
    let mut links: BTreeMap<u64, Turns<'_>> = BTreeMap::new();
    let mut found = Vec::new();
    for frame in wire::frames(trace) {
        let turn = frame.head.message_id.unwrap_or_default();
        let what = match (&frame.event.host, frame.head.event) {
            (Host::Gateway(_), "user_message") => {
                known.sent(turn, frame.conn, links.entry(frame.conn).or_default())
            }
            (Host::Client(_), "ack") => {
                let turns = links.entry(frame.conn).or_default();
                turns.heard.insert(turn);
                known.acked(turn, &frame, turns)
            }
            (Host::Client(_), "user_turn") => {
                links.entry(frame.conn).or_default().heard.insert(turn);
                None
            }
            (_, _) => None,
        };
        found.extend(what.map(|what| Violation::at(NAME, frame.event, what)));
    }
    found.extend(told_twice(trace));
    found.extend(told_late(trace));
    if script_done(trace) {
        found.extend(vanished(trace));
    }
    found
}

impl Known<'_> {
    /// A gateway reads a turn.
    fn sent<'t>(&self, turn: &'t str, conn: u64, turns: &mut Turns<'t>) -> Option<String> {
        let before = turns.sent.last().copied();
        let repeated = turns.sent.contains(&turn);
        turns.sent.push(turn);
        let place = |turn: &str| self.said.get(turn);
        let Some(at) = place(turn) else {
            return Some(format!("{turn} was sent on connection {conn}, and nobody had said it"));
        };
        if repeated {
            return Some(format!("{turn} was sent twice on connection {conn}"));
        }
        let under_way = turns.sent.iter().filter(|sent| !turns.heard.contains(*sent)).count();
        if under_way > ClientPolicy::default().window && !self.shuffled.contains(&conn) {
            return Some(format!("{under_way} turns were under way on connection {conn}"));
        }
        let before = before.filter(|before| place(before).is_some_and(|before| before > at))?;
        Some(format!("{turn} was sent on connection {conn} after {before}, but said before it"))
    }

    /// A client reads an ack.
    fn acked(&self, turn: &str, frame: &Frame<'_>, turns: &mut Turns<'_>) -> Option<String> {
        let (host, conn, seq) = (&frame.event.host, frame.conn, frame.head.seq.unwrap_or_default());
        match self.logged.get(turn) {
            Some(logged) if *logged == seq => {}
            Some(logged) => {
                return Some(format!(
                    "{host} was told that {turn} is frame {seq}; in the log it is frame {logged}"
                ));
            }
            None => return Some(format!("{host} was sent an ack of {turn}, which is in no log")),
        }
        if self.shuffled.contains(&conn) {
            return None;
        }
        let place = turns.sent.iter().position(|sent| *sent == turn);
        let what = match place {
            Some(place) if place == turns.acked => {
                turns.acked += 1;
                return None;
            }
            Some(place) if place < turns.acked => "again".to_owned(),
            Some(_) => {
                let next = turns.sent.get(turns.acked).copied().unwrap_or_default();
                format!("before {next}, which was sent first")
            }
            None => "without having sent it there".to_owned(),
        };
        Some(format!("{host} was sent an ack of {turn} on connection {conn} {what}"))
    }
}

fn told_twice(trace: &Trace) -> Vec<Violation> {
    let mut told = BTreeSet::new();
    let again = trace.events.iter().filter_map(|event| {
        let turn = acked(event)?;
        let what = format!("{} told its user twice that {turn} is accepted", event.host);
        (!told.insert((&event.host, turn))).then(|| Violation::at(NAME, event, what))
    });
    again.collect()
}

/// Turns of which their users heard nothing for longer than a turn may wait, except of clients that were not run, or rested.
fn told_late(trace: &Trace) -> Vec<Violation> {
    let most = ClientPolicy::default().outbox_expiry.unwrap_or(Duration::MAX) + LATE;
    let mut said: BTreeMap<(&Host, &str), u64> = BTreeMap::new();
    let mut found = Vec::new();
    for event in &trace.events {
        let turn = match (&event.what, &event.host) {
            (What::Said { message_id, .. }, host) => {
                said.insert((host, message_id.as_str()), event.at_us);
                continue;
            }
            (
                What::Injected { fault: Fault::Pause { host, .. }, .. }
                | What::Healed { fault: Fault::Pause { host, .. } },
                _,
            ) => {
                said.retain(|(of, _), _| *of != host);
                continue;
            }
            // A client that rests has no timers.
            (What::Link { state }, host) if state.starts_with("parked") => {
                said.retain(|(of, _), _| *of != host);
                continue;
            }
            (What::GivenUp { message_id, .. }, _) => message_id.as_str(),
            (_, _) => match acked(event) {
                Some(turn) => turn,
                None => continue,
            },
        };
        let Some(since) = said.remove(&(&event.host, turn)) else { continue };
        let waited = Duration::from_micros(event.at_us - since);
        let (host, seconds) = (&event.host, waited.as_secs());
        let what = format!("{host} heard of {turn} only after {seconds} s");
        found.extend((waited > most).then(|| Violation::at(NAME, event, what)));
    }
    found
}

fn acked(event: &Event) -> Option<&str> {
    if let What::Acked { message_id, .. } = &event.what { Some(message_id.as_str()) } else { None }
}

/// Turns whose user never learned whether they were accepted.
fn vanished(trace: &Trace) -> Vec<Violation> {
    let acked: BTreeSet<_> =
        trace.events.iter().filter_map(|event| Some((&event.host, acked(event)?))).collect();
    let (given_up, gone) = (given_up(trace), gone(trace));
    said(trace)
        .filter(|(event, _)| !gone.contains_key(&event.host))
        .filter(|(event, turn)| !acked.contains(&(&event.host, turn.as_str())))
        .filter(|(event, turn)| !given_up.contains(&(&event.host, *turn)))
        .map(|(event, turn)| {
            let what = format!("{} said {turn}, which was neither acked nor given up", event.host);
            Violation::at(NAME, event, what)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, by, client, healthy, id};
    use super::*;
    use crate::scenario::Fault;
    use assistant::contract::frame::{ClientFrame, ServerFrame};

    fn is_ack(event: &Event, turn: &str) -> bool {
        wire::frame(event)
            .is_some_and(|frame| (frame.head.event, frame.head.message_id) == ("ack", Some(turn)))
    }

    fn send(run: &mut Bench, turn: &str) {
        let text = "Thanks".to_owned();
        run.sends(3, &ClientFrame::UserMessage { message_id: id(turn), text });
    }

    #[test]
    fn accepts_a_healthy_run() {
        healthy().accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_second_ack_unless_a_fault_has_doubled_it() {
        let mut run = healthy();
        run.repeat(|event| is_ack(event, "m-3"));
        run.refused_by(&ORACLE, "ana was sent an ack of m-3 on connection 3 again");
        let fault = Fault::Duplicate { client: client("ana") };
        run.tell(Host::World, What::Injected { turn: None, index: 0, fault });
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_an_ack_before_that_of_an_earlier_turn() {
        let mut run = healthy();
        run.forget(|event| is_ack(event, "m-2"));
        run.refused_by(
            &ORACLE,
            "ana was sent an ack of m-3 on connection 3 before m-2, which was sent first",
        );
    }

    #[test]
    fn refuses_an_ack_of_what_was_not_sent() {
        let mut run = healthy();
        run.receives("ana", 3, &ServerFrame::Ack { message_id: id("m-1"), seq: 1 });
        run.refused_by(&ORACLE, "an ack of m-1 on connection 3 without having sent it there");
    }

    #[test]
    fn refuses_an_ack_that_the_log_does_not_bear_out() {
        let mut run = healthy();
        run.receives("ana", 3, &ServerFrame::Ack { message_id: id("m-2"), seq: 5 });
        run.refused_by(&ORACLE, "ana was told that m-2 is frame 5; in the log it is frame 4");
        run.log().truncate(3);
        run.refused_by(&ORACLE, "ana was sent an ack of m-2, which is in no log");
    }

    #[test]
    fn refuses_turns_sent_twice_or_out_of_order() {
        let mut run = healthy();
        send(&mut run, "m-3");
        run.refused_by(&ORACLE, "m-3 was sent twice on connection 3");
        let mut run = healthy();
        send(&mut run, "m-1");
        run.refused_by(&ORACLE, "m-1 was sent on connection 3 after m-3, but said before it");
        let mut run = healthy();
        send(&mut run, "m-9");
        run.refused_by(&ORACLE, "m-9 was sent on connection 3, and nobody had said it");
    }

    #[test]
    fn refuses_a_turn_that_is_told_twice_or_never() {
        let mut run = healthy();
        run.repeat(|event| acked(event) == Some("m-2"));
        run.refused_by(&ORACLE, "ana told its user twice that m-2 is accepted");
        run.forget(|event| by(event, "ana") && acked(event) == Some("m-2"));
        run.refused_by(&ORACLE, "ana said m-2, which was neither acked nor given up");
        run.give_up("ana", "m-2");
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_more_turns_under_way_than_a_window_holds() {
        let mut run = healthy();
        for number in 0..33 {
            let turn = format!("w-{number}");
            run.say("ana", 2, &turn, "Hello");
            let (message_id, text) = (id(&turn), "Hello".to_owned());
            run.sends(3, &ClientFrame::UserMessage { message_id, text });
        }
        run.refused_by(&ORACLE, "33 turns were under way on connection 3");
    }

    #[test]
    fn refuses_a_turn_of_which_its_user_hears_too_late() {
        let mut run = healthy();
        run.say("ben", 2, "m-4", "Hello");
        run.give_up("ben", "m-4");
        run.trace.events.last_mut().expect("an event").at_us += 302_000_000;
        run.refused_by(&ORACLE, "ben heard of m-4 only after 302 s");
    }
}
