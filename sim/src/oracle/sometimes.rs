//! What must happen sometimes: a sweep in which nothing of this ever happened has proved little.
//!
//! A point is no promise, so no single run is judged by it. Each is a predicate over a trace; whoever makes many
//! runs counts.

use super::wire::{self, Frame};
use crate::scenario::{Fault, Host};
use crate::trace::{Trace, What, Wire};
use assistant::contract::close::CloseReason;
use assistant::contract::frame::{ErrorCode, LogBody};
use std::collections::{BTreeMap, BTreeSet};

/// Something that should happen in some run of a sweep.
#[derive(Debug, Clone, Copy)]
pub struct Sometimes {
    /// Its name, in words.
    pub name: &'static str,
    happened: fn(&Seen<'_>) -> bool,
}

/// A trace, and the frames in it.
struct Seen<'t> {
    trace: &'t Trace,
    frames: Vec<Frame<'t>>,
}

const fn point(name: &'static str, happened: fn(&Seen<'_>) -> bool) -> Sometimes {
    Sometimes { name, happened }
}

/// Every point, in alphabetical order.
pub const SOMETIMES: &[Sometimes] = &[
    point("a breaker kept an agent from being asked", breaker_open),
    point("a client was offline and came back", |seen| seen.changed("offline", "connected")),
    point("a client was parked and woke", |seen| seen.changed("parked", "connecting")),
    point("a client was signed out", |seen| seen.is("signed-out")),
    point("a frame came twice and was dropped", frame_twice),
    point("a gateway refused an upgrade for now", |seen| seen.refused(&[429, 503])),
    point("a gateway sent clients away because it stops", |seen| seen.closed(CloseReason::Drain)),
    point("a gateway sent clients away because it waits", |seen| {
        seen.closed(CloseReason::Overload)
    }),
    point("a hole in a log was filled", hole_filled),
    point("a log was caught up on after a power loss", caught_up_after_power_loss),
    point("a reply was resumed in its middle", resumed_in_the_middle),
    point("a slow reader was closed", |seen| seen.closed(CloseReason::SlowConsumer)),
    point("a token ended in session", |seen| seen.closed(CloseReason::TokenExpired)),
    point("a token was refused", |seen| seen.refused(&[401, 403])),
    point("a token was replaced in session", |seen| {
        seen.frames.iter().any(|frame| frame.head.event == "auth")
    }),
    point("a turn was acked again after it was sent again", acked_again),
    point("a turn was given up", |seen| seen.any(|what| matches!(what, What::GivenUp { .. }))),
    point("a turn was said again after an error", said_again),
    point("an older connection was superseded", |seen| seen.closed(CloseReason::Superseded)),
];

/// The names of the points that a run hits, in the order of [`SOMETIMES`].
#[must_use]
pub fn hit(trace: &Trace) -> Vec<&'static str> {
    let seen = Seen { trace, frames: wire::frames(trace).collect() };
    let hit = SOMETIMES.iter().filter(|point| (point.happened)(&seen));
    hit.map(|point| point.name).collect()
}

impl Seen<'_> {
    fn any(&self, mut wanted: impl FnMut(&What) -> bool) -> bool {
        self.trace.events.iter().any(|event| wanted(&event.what))
    }

    /// Whether a client read this close frame.
    fn closed(&self, reason: CloseReason) -> bool {
        self.any(|what| {
            matches!(what, What::Received { frame: Wire::Close { code: Some(code), .. }, .. }
                if *code == reason.code())
        })
    }

    fn refused(&self, wanted: &[u16]) -> bool {
        let clients = self.trace.events.iter().filter(|e| matches!(e.host, Host::Client(_)));
        let mut said = clients.map(|event| &event.what);
        said.any(|what| matches!(what, What::Refused { status, .. } if wanted.contains(status)))
    }

    /// Whether a client was in such a state.
    fn is(&self, wanted: &str) -> bool {
        self.any(|what| matches!(what, What::Link { state } if state.starts_with(wanted)))
    }

    /// Whether a client was in such a state, and then in such a one.
    fn changed(&self, from: &str, to: &str) -> bool {
        let mut before: BTreeSet<&Host> = BTreeSet::new();
        self.trace.events.iter().any(|event| {
            let What::Link { state } = &event.what else { return false };
            if state.starts_with(from) {
                before.insert(&event.host);
            }
            state.starts_with(to) && before.contains(&event.host)
        })
    }
}

/// Whether a client read a frame of its log that it had read before.
fn frame_twice(seen: &Seen<'_>) -> bool {
    let mut read = BTreeSet::new();
    seen.frames
        .iter()
        .any(|frame| frame.head.is_durable() && !read.insert((&frame.event.host, frame.head.seq)))
}

/// Whether a client read a frame of its log behind one that it had not, and that one later.
fn hole_filled(seen: &Seen<'_>) -> bool {
    let mut heads: BTreeMap<&Host, u64> = BTreeMap::new();
    let mut holes: BTreeSet<(&Host, u64)> = BTreeSet::new();
    seen.frames.iter().filter(|frame| frame.head.is_durable()).any(|frame| {
        let (host, seq) = (&frame.event.host, frame.head.seq.unwrap_or_default());
        let head = heads.entry(host).or_default();
        if seq == *head + 2 {
            holes.insert((host, seq - 1));
        }
        *head = seq.max(*head);
        holes.contains(&(host, seq))
    })
}

/// Whether a turn ended in an error of the agent without an attempt to reach one.
fn breaker_open(seen: &Seen<'_>) -> bool {
    let mut untried: BTreeSet<&str> = BTreeSet::new();
    seen.trace.events.iter().any(|event| {
        match (&event.what, &event.host) {
            (What::Said { message_id, .. }, _) => {
                untried.insert(message_id.as_str());
            }
            (What::Dialled { to: Host::Agent }, _) => untried.clear(),
            (What::Shown { frame }, _) => {
                let is_refused =
                    matches!(frame.body, LogBody::Error { code: ErrorCode::AgentUnavailable, .. });
                return is_refused && untried.contains(frame.in_reply_to.as_str());
            }
            (_, _) => {}
        }
        false
    })
}

/// Whether a client had shown a part of a reply when it connected, and showed the rest.
fn resumed_in_the_middle(seen: &Seen<'_>) -> bool {
    let mut open: BTreeSet<(&Host, &str)> = BTreeSet::new();
    let mut resumed: BTreeSet<(&Host, &str)> = BTreeSet::new();
    seen.trace.events.iter().any(|event| {
        if let Some((host, _)) = wire::joined(event) {
            resumed.extend(open.iter().filter(|(of, _)| *of == host));
        }
        let What::Shown { frame } = &event.what else { return false };
        let turn = (&event.host, frame.in_reply_to.as_str());
        if !frame.body.is_final() {
            open.insert(turn);
            return false;
        }
        open.remove(&turn);
        resumed.contains(&turn)
    })
}

/// Whether a client got frames by a resume after a host had lost its power.
fn caught_up_after_power_loss(seen: &Seen<'_>) -> bool {
    let lost =
        seen.trace.events.iter().find(|event| {
            matches!(&event.what, What::Injected { fault: Fault::PowerLoss { .. }, .. })
        });
    let Some(lost) = lost else { return false };
    let mut fresh: BTreeSet<u64> = BTreeSet::new();
    let mut durable: BTreeSet<u64> = BTreeSet::new();
    let after = seen.frames.iter().filter(|frame| frame.event.at_us > lost.at_us);
    after.filter(|frame| matches!(frame.event.host, Host::Client(_))).any(|frame| {
        if frame.head.event == "welcome" {
            fresh.insert(frame.conn);
        } else if frame.head.is_durable() && fresh.contains(&frame.conn) {
            durable.insert(frame.conn);
        }
        // The replay ends with `resumed`.
        frame.head.event == "resumed" && durable.contains(&frame.conn)
    })
}

/// Whether a turn went over two connections and was acked on the second.
fn acked_again(seen: &Seen<'_>) -> bool {
    let mut first: BTreeMap<&str, u64> = BTreeMap::new();
    let mut again: BTreeSet<(&str, u64)> = BTreeSet::new();
    seen.frames.iter().any(|frame| {
        let Some(turn) = frame.head.message_id else { return false };
        if frame.head.event == "user_message"
            && *first.entry(turn).or_insert(frame.conn) != frame.conn
        {
            again.insert((turn, frame.conn));
        }
        frame.head.event == "ack" && again.contains(&(turn, frame.conn))
    })
}

/// Whether a user said a turn of the script more than once.
fn said_again(seen: &Seen<'_>) -> bool {
    let mut said = BTreeSet::new();
    seen.any(|what| matches!(what, What::Said { turn, .. } if !said.insert(*turn)))
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, client, frame, healthy, id};
    use super::*;
    use assistant::contract::frame::{ClientFrame, ServerFrame};
    use std::time::Duration;

    /// What a run hits beyond a healthy one, after something was added to it.
    #[track_caller]
    fn adds(name: &str, change: impl FnOnce(&mut Bench)) {
        let mut run = healthy();
        let before = hit(&run.trace);
        assert!(!before.contains(&name), "a healthy run hits `{name}`");
        change(&mut run);
        let after = hit(&run.trace);
        assert!(after.contains(&name), "{after:?} without `{name}`");
    }

    fn link(name: &str, states: &[&str]) {
        adds(name, |run| states.iter().for_each(|state| run.link("ben", state)));
    }

    fn closed(name: &str, reason: CloseReason) {
        adds(name, |run| run.is_closed("ben", 2, reason.code(), reason.text()));
    }

    #[test]
    fn points_stand_in_order_and_a_healthy_run_hits_one() {
        assert!(SOMETIMES.is_sorted_by(|a, b| a.name < b.name));
        assert_eq!(hit(&healthy().trace), ["a reply was resumed in its middle"]);
        assert_eq!(hit(&Trace::default()), [""; 0]);
        let mut run = healthy();
        run.forget(|event| matches!(event.what, What::Connected { conn: 3, .. }));
        assert_eq!(hit(&run.trace), [""; 0]);
    }

    #[test]
    fn knows_what_becomes_of_a_connection() {
        link("a client was offline and came back", &["offline", "connected"]);
        link("a client was parked and woke", &["parked (Attempts)", "connecting (attempt 1)"]);
        link("a client was signed out", &["signed-out (Revoked)"]);
        closed("a gateway sent clients away because it stops", CloseReason::Drain);
        closed("a gateway sent clients away because it waits", CloseReason::Overload);
        closed("a slow reader was closed", CloseReason::SlowConsumer);
        closed("a token ended in session", CloseReason::TokenExpired);
        closed("an older connection was superseded", CloseReason::Superseded);
        for (name, status) in
            [("a token was refused", 403), ("a gateway refused an upgrade for now", 503)]
        {
            adds(name, |run| {
                run.tell(client("ben"), What::Refused { conn: 4, status, retry_after: None });
            });
        }
        adds("a token was replaced in session", |run| {
            run.sends(2, &ClientFrame::Auth { token: "secret".to_owned() });
        });
    }

    #[test]
    fn knows_what_becomes_of_frames() {
        let (log, body) = (healthy().log().clone(), healthy().log()[6].body.clone());
        adds("a frame came twice and was dropped", |run| {
            run.receives("ben", 2, &ServerFrame::Log(log[6].clone()));
        });
        adds("a hole in a log was filled", |run| {
            run.receives("ben", 2, &ServerFrame::Log(frame(9, "m-3", body.clone())));
            run.receives("ben", 2, &ServerFrame::Log(frame(8, "m-3", body)));
        });
        adds("a log was caught up on after a power loss", |run| {
            let fault = Fault::PowerLoss { host: Host::Supervisor, down: Duration::ZERO };
            run.tell(Host::World, What::Injected { turn: None, index: 0, fault });
            run.tell(Host::World, What::ScriptDone);
            run.join("ben", 4, 6);
            run.receives("ben", 4, &ServerFrame::Log(log[6].clone()));
            run.receives("ben", 4, &ServerFrame::Resumed { from: 6, to: 7, recovered: true });
        });
    }

    #[test]
    fn knows_what_becomes_of_turns() {
        adds("a turn was acked again after it was sent again", |run| {
            let (message_id, text) = (id("m-3"), "Thanks".to_owned());
            run.sends(4, &ClientFrame::UserMessage { message_id, text });
            run.receives("ana", 4, &ServerFrame::Ack { message_id: id("m-3"), seq: 6 });
        });
        adds("a turn was given up", |run| run.give_up("ana", "m-3"));
        adds("a turn was said again after an error", |run| run.say("ana", 2, "m-4", "Thanks"));
        let error = || {
            let (code, message) = (ErrorCode::AgentUnavailable, "Later.".to_owned());
            frame(8, "m-4", LogBody::Error { code, message, retryable: true })
        };
        adds("a breaker kept an agent from being asked", |run| {
            run.say("ana", 2, "m-4", "Thanks");
            run.show("ana", &error());
        });
        let mut run = healthy();
        run.say("ana", 2, "m-4", "Thanks");
        run.tell(Host::Supervisor, What::Dialled { to: Host::Agent });
        run.show("ana", &error());
        assert!(!hit(&run.trace).contains(&"a breaker kept an agent from being asked"));
    }
}
