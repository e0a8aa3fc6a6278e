//! RC-COMPLETE: once the script is over, every client has the whole durable log, and nothing that was
//! promised is missing from that log.
//!
//! It compares contents, not times: how long a frame took is no concern of this question.

use super::{Oracle, Violation, gone, kind, logs, script_done, user_turn};
use crate::scenario::{ClientSpec, Host, Scenario};
use crate::trace::{Event, Trace, What};
use assistant::contract::frame::{LogBody, LogFrame};
use assistant::contract::id::MessageId;
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "recovery";

pub(super) const ORACLE: Oracle = Oracle {
    name: NAME,
    asks: "does every client end with the whole log, and the log with every promised turn?",
    judge,
};

fn judge(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    let mut found = missing_logs(scenario, trace);
    let done = script_done(trace);
    let logs: BTreeMap<&str, _> =
        logs(trace).map(|(event, thread, frames)| (thread.as_str(), (event, frames))).collect();
    let (events, gone) = (by_host(trace), gone(trace));
    for client in &scenario.clients {
        let host = client.host();
        let events = events.get(&host).map_or(&[][..], Vec::as_slice);
        if let Some(&(event, log)) = logs.get(client.thread.as_str()) {
            found.extend(other_than_log(client, events, log));
            if done && !gone.contains_key(&host) {
                found.extend(incomplete(client, events, (event, log)));
                found.extend(vanished(client, events, log));
            }
            found.extend(acked_in_vain(client, events, log));
            found.extend(misquoted(client, events, log));
        }
    }
    found
}

/// The events of each host, in order.
fn by_host(trace: &Trace) -> BTreeMap<&Host, Vec<&Event>> {
    let mut hosts: BTreeMap<&Host, Vec<&Event>> = BTreeMap::new();
    for event in &trace.events {
        hosts.entry(&event.host).or_default().push(event);
    }
    hosts
}

fn missing_logs(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    let at_us = trace.events.last().map_or(0, |event| event.at_us);
    let threads: BTreeSet<&str> =
        scenario.clients.iter().map(|client| client.thread.as_str()).collect();
    let logged: BTreeSet<&str> = logs(trace).map(|(_, thread, _)| thread.as_str()).collect();
    threads
        .into_iter()
        .filter(|thread| !logged.contains(thread))
        .map(|thread| Violation {
            oracle: NAME,
            at_us,
            host: None,
            what: format!("the trace holds no log of {thread}"),
        })
        .collect()
}

/// What a client has shown since its view began.
fn view<'t>(events: &[&'t Event]) -> Vec<(&'t Event, &'t LogFrame)> {
    let mut view = Vec::new();
    for event in events {
        if let What::Shown { frame } = &event.what {
            view.push((*event, &**frame));
        } else if matches!(event.what, What::ViewReset) {
            view.clear();
        }
    }
    view
}

/// The first frame of the view that is not the log's.
fn other_than_log(client: &ClientSpec, events: &[&Event], log: &[LogFrame]) -> Option<Violation> {
    let (name, thread) = (&client.name, &client.thread);
    for (place, (event, frame)) in view(events).into_iter().enumerate() {
        let logged = log.get(place);
        if logged == Some(frame) {
            continue;
        }
        let (seq, kind_shown) = (frame.seq, kind(frame));
        let what = match logged {
            None => format!(
                "{name} showed frame {seq} ({kind_shown}) beyond the {} frames of the log of {thread}",
                log.len()
            ),
            Some(logged) if logged.seq == seq => format!(
                "{name} showed frame {seq} of {thread} ({kind_shown}) with another content than the log ({})",
                kind(logged)
            ),
            Some(logged) => format!(
                "{name} showed frame {seq} of {thread} where the log holds frame {}",
                logged.seq
            ),
        };
        return Some(Violation::at(NAME, event, what));
    }
    None
}

fn incomplete(
    client: &ClientSpec,
    events: &[&Event],
    (event, log): (&Event, &[LogFrame]),
) -> Option<Violation> {
    let shown = view(events).len();
    let missing = log.get(shown)?;
    let what = format!(
        "{} showed {shown} of the {} frames of {}; frame {} ({} in reply to {}) is missing",
        client.name,
        log.len(),
        client.thread,
        missing.seq,
        kind(missing),
        missing.in_reply_to
    );
    let host = Some(client.host());
    Some(Violation { host, ..Violation::at(NAME, event, what) })
}

/// Turns that the log holds with other words than were said.
fn misquoted(client: &ClientSpec, events: &[&Event], log: &[LogFrame]) -> Vec<Violation> {
    let mut logged: BTreeMap<&MessageId, &str> = BTreeMap::new();
    for frame in log {
        if let LogBody::UserTurn { message_id, text } = &frame.body {
            logged.insert(message_id, text);
        }
    }
    let wrong = events.iter().filter_map(|event| {
        let What::Said { message_id, text, .. } = &event.what else { return None };
        let held = logged.get(message_id).filter(|held| *held != text)?;
        let (thread, name) = (&client.thread, &client.name);
        let what = format!("{name} said {message_id} ({text:?}), which {thread} holds as {held:?}");
        Some(Violation::at(NAME, event, what))
    });
    wrong.collect()
}

fn acked_in_vain(client: &ClientSpec, events: &[&Event], log: &[LogFrame]) -> Vec<Violation> {
    let mut found = Vec::new();
    for event in events {
        let What::Acked { message_id, seq } = &event.what else {
            continue;
        };
        let thread = &client.thread;
        let what = match log.iter().find(|frame| user_turn(frame) == Some(message_id)) {
            Some(frame) if frame.seq == *seq => continue,
            Some(frame) => format!(
                "turn {message_id} was acked as frame {seq} but is frame {} of {thread}",
                frame.seq
            ),
            None => format!(
                "turn {message_id} was acked as frame {seq} but is not in the log of {thread}"
            ),
        };
        found.push(Violation::at(NAME, event, what));
    }
    found
}

fn vanished(client: &ClientSpec, events: &[&Event], log: &[LogFrame]) -> Vec<Violation> {
    let logged: BTreeSet<_> = log.iter().filter_map(user_turn).collect();
    let mut given_up = BTreeSet::new();
    let mut said = Vec::new();
    for event in events {
        if let What::GivenUp { message_id, .. } = &event.what {
            given_up.insert(message_id);
        } else if let What::Said { message_id, .. } = &event.what {
            said.push((event, message_id));
        }
    }
    said.into_iter()
        .filter(|(_, turn)| !logged.contains(turn) && !given_up.contains(turn))
        .map(|(event, turn)| {
            let what = format!(
                "{} said {turn}, which is neither in the log of {} nor given up",
                client.name, client.thread
            );
            Violation::at(NAME, event, what)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::bench::{by, healthy, id};
    use super::*;

    #[test]
    fn accepts_a_healthy_run() {
        healthy().accepted_by(&ORACLE);
    }

    #[test]
    fn accepts_a_view_that_started_again() {
        let mut run = healthy();
        run.replay("ben");
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_client_that_misses_the_last_frame() {
        let mut run = healthy();
        run.forget(|event| {
            by(event, "ben") && matches!(&event.what, What::Shown { frame } if frame.seq == 7)
        });
        run.refused_by(
            &ORACLE,
            "ben showed 6 of the 7 frames of t-1; frame 7 (message in reply to m-3) is missing",
        );
    }

    #[test]
    fn refuses_a_log_that_holds_other_words_than_were_said() {
        let mut run = healthy();
        run.edit(|what| {
            if let What::Said { text, .. } = what {
                text.push('!');
            }
        });
        run.refused_by(
            &ORACLE,
            "ana said m-1 (\"2 bed homes in Portland under $400k!\"), which t-1 holds",
        );
    }

    #[test]
    fn asks_nobody_who_has_gone_for_the_whole_log() {
        let mut run = healthy();
        run.forget(|event| by(event, "ben"));
        run.refused_by(&ORACLE, "ben showed 0 of the 7 frames of t-1");
        run.link("ben", "stopped (Code(4403))");
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn asks_for_completeness_only_when_the_script_is_over() {
        let mut run = healthy();
        run.forget(|event| {
            by(event, "ben") && matches!(&event.what, What::Shown { frame } if frame.seq == 7)
        });
        run.forget(|event| matches!(event.what, What::ScriptDone));
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_frame_that_is_not_in_the_log() {
        let mut run = healthy();
        run.log().pop();
        run.refused_by(
            &ORACLE,
            "ana showed frame 7 (message) beyond the 6 frames of the log of t-1",
        );
    }

    #[test]
    fn refuses_another_content_than_the_log() {
        let mut run = healthy();
        run.edit(|what| {
            if let What::Shown { frame } = what
                && let LogBody::Message { text, .. } = &mut frame.body
            {
                text.push('!');
            }
        });
        run.refused_by(
            &ORACLE,
            "ana showed frame 3 of t-1 (message) with another content than the log",
        );
    }

    #[test]
    fn refuses_a_frame_at_another_place_than_the_log() {
        let mut run = healthy();
        run.log().swap(1, 2);
        run.refused_by(&ORACLE, "ana showed frame 2 of t-1 where the log holds frame 3");
    }

    #[test]
    fn refuses_an_acked_turn_that_is_not_in_the_log() {
        let mut run = healthy();
        run.log().truncate(3);
        run.refused_by(&ORACLE, "turn m-2 was acked as frame 4 but is not in the log of t-1");
    }

    #[test]
    fn refuses_an_ack_with_another_seq_than_the_log() {
        let mut run = healthy();
        run.edit(|what| {
            if let What::Acked { seq, .. } = what {
                *seq = 99;
            }
        });
        run.refused_by(&ORACLE, "turn m-1 was acked as frame 99 but is frame 1 of t-1");
    }

    #[test]
    fn refuses_a_turn_that_vanished_but_not_one_given_up() {
        let mut run = healthy();
        run.log().truncate(5);
        run.edit(|what| {
            if let What::Acked { message_id, seq } = what
                && *seq == 6
            {
                (*message_id, *seq) = (id("m-2"), 4);
            }
        });
        run.forget(|event| matches!(&event.what, What::Shown { frame } if frame.seq > 5));
        let words = "ana said m-3, which is neither in the log of t-1 nor given up";
        run.refused_by(&ORACLE, words);
        run.give_up("ana", "m-3");
        let found = judge(&run.scenario, &run.trace);
        assert!(found.iter().all(|violation| violation.what != words));
    }

    #[test]
    fn refuses_a_trace_without_the_log_of_a_thread() {
        let mut run = healthy();
        run.forget(|event| matches!(event.what, What::Log { .. }));
        run.refused_by(&ORACLE, "the trace holds no log of t-1");
    }
}
