//! RC-AUTHZ as seen from outside: nothing of a conversation reaches anybody else.
//!
//! It looks at every frame that a client has read, shown or not, and at what the agent is told. A message id
//! names one turn of one thread, since every id of a run is different.

use super::wire::{self, Frame};
use super::{Oracle, Violation, kind, logs, shown};
use crate::scenario::{ClientSpec, Host, Scenario};
use crate::trace::{Event, Trace, What};
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "isolated";

pub(super) const ORACLE: Oracle = Oracle {
    name: NAME,
    asks: "does everybody see and hear only what belongs to the own conversation?",
    judge,
};

/// Who may know what.
struct Shares<'t> {
    clients: BTreeMap<&'t str, &'t ClientSpec>,
    /// The thread of each turn.
    turns: BTreeMap<&'t str, &'t str>,
    /// The words said in each thread.
    said: BTreeMap<&'t str, BTreeSet<&'t str>>,
}

fn judge(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    let shares = Shares::new(scenario, trace);
    let mut found = Vec::new();
    let mut owners: BTreeMap<&str, &ClientSpec> = BTreeMap::new();
    for frame in wire::frames(trace) {
        let Some(client) = shares.client(&frame.event.host) else { continue };
        found.extend(shares.foreign_frame(client, &frame));
        if frame.head.is_durable() {
            let owner = *owners.entry(&client.thread).or_insert(client);
            if owner.user != client.user {
                let what = format!(
                    "{} of {} received frame {} of {}, which is a conversation of {}",
                    client.name,
                    client.user,
                    frame.head.seq.unwrap_or_default(),
                    client.thread,
                    owner.user
                );
                found.push(Violation::at(NAME, frame.event, what));
            }
        }
    }
    found.extend(shares.foreign_views(trace));
    found.extend(shares.foreign_logs(trace));
    found.extend(trace.events.iter().filter_map(|event| shares.foreign_request(event)));
    found
}

impl<'t> Shares<'t> {
    fn new(scenario: &'t Scenario, trace: &'t Trace) -> Self {
        let clients = scenario.clients.iter().map(|client| (client.name.as_str(), client));
        let mut turns = BTreeMap::new();
        let mut said: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for event in &trace.events {
            if let What::Said { message_id, thread, text, .. } = &event.what {
                turns.insert(message_id.as_str(), thread.as_str());
                said.entry(thread.as_str()).or_default().extend(words(text));
            }
        }
        Self { clients: clients.collect(), turns, said }
    }

    fn client(&self, host: &Host) -> Option<&'t ClientSpec> {
        if let Host::Client(name) = host { self.clients.get(name.as_str()).copied() } else { None }
    }

    /// The thread of a turn, if it is another one.
    fn other_thread(&self, turn: Option<&str>, thread: &str) -> Option<&'t str> {
        self.turns.get(turn?).copied().filter(|of| *of != thread)
    }

    fn foreign_frame(&self, client: &ClientSpec, frame: &Frame<'_>) -> Option<Violation> {
        let (head, thread) = (&frame.head, client.thread.as_str());
        let (name, kind) = (&client.name, head.event);
        let turn = head.in_reply_to.or(head.message_id);
        let what = if let Some(other) = head.thread_id.filter(|other| *other != thread) {
            let seq = head.seq.unwrap_or_default();
            format!("{name} received frame {seq} ({kind}) of {other} and talks in {thread}")
        } else {
            let other = self.other_thread(turn, thread)?;
            let turn = turn.unwrap_or_default();
            format!("{name} received {kind} of {turn}, which was said in {other}, not in {thread}")
        };
        Some(Violation::at(NAME, frame.event, what))
    }

    fn foreign_views(&self, trace: &Trace) -> Vec<Violation> {
        let foreign = shown(trace).filter_map(|(event, frame)| {
            let client = self.client(&event.host)?;
            let (shown, thread) = (frame.thread_id.as_str(), &client.thread);
            let what = format!(
                "{} showed frame {} ({}) of {shown} and talks in {thread}",
                client.name,
                frame.seq,
                kind(frame)
            );
            (shown != thread).then(|| Violation::at(NAME, event, what))
        });
        foreign.collect()
    }

    fn foreign_logs(&self, trace: &Trace) -> Vec<Violation> {
        let frames = logs(trace)
            .flat_map(|(event, thread, frames)| frames.iter().map(move |f| (event, thread, f)));
        let foreign = frames.filter_map(|(event, thread, frame)| {
            let turn = frame.in_reply_to.as_str();
            let other = self.other_thread(Some(turn), thread.as_str());
            let own = frame.thread_id.as_str();
            let other = other.or((own != thread.as_str()).then_some(own))?;
            let what =
                format!("the log of {thread} holds frame {} of {turn} of {other}", frame.seq);
            Some(Violation::at(NAME, event, what))
        });
        foreign.collect()
    }

    /// What an agent was told that was not said in the conversation that it is asked about.
    fn foreign_request(&self, event: &Event) -> Option<Violation> {
        let What::Asked { request, .. } = &event.what else { return None };
        let (turn, thread) = (request.message_id.as_str(), request.thread_id.as_str());
        let said = self.said.get(thread);
        let strange = |text: &&String| !said.is_some_and(|said| is_made_of(text, said));
        let what = if let Some(other) = self.other_thread(Some(turn), thread) {
            format!("the agent was asked about {turn} in {thread}, but it was said in {other}")
        } else {
            let mut texts = request.heard.iter().chain([&request.text]);
            let text = texts.find(strange)?;
            format!("the agent was told {text:?} with {turn}, which nobody said in {thread}")
        };
        Some(Violation::at(NAME, event, what))
    }
}

/// Whether a text has no word but these: the supervisor may put a wish that was too unclear before the turn
/// that makes it clear, and leave a "yes" out.
fn is_made_of(text: &str, said: &BTreeSet<&str>) -> bool {
    words(text).all(|word| said.contains(word))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::bench::{by, client, healthy, id, request};
    use super::*;
    use assistant::contract::agent::AgentRequest;
    use assistant::contract::frame::ServerFrame;

    /// The agent is asked about m-1 with a text, after it has heard another.
    fn asked(thread: &str, text: &str, heard: &str) -> What {
        What::Asked {
            conn: 9,
            request: Box::new(AgentRequest {
                thread_id: id(thread),
                text: text.to_owned(),
                heard: vec![heard.to_owned()],
                ..request("m-1")
            }),
        }
    }

    #[test]
    fn accepts_a_healthy_run() {
        let mut run = healthy();
        let (text, thanks) = ("2 bed homes in Portland under $400k", "Thanks");
        run.tell(Host::Agent, asked("t-1", text, thanks));
        run.tell(Host::Agent, asked("t-1", &format!("{thanks}. {text}"), thanks));
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_a_frame_of_another_thread_even_if_it_is_not_shown() {
        let mut run = healthy();
        let mut frame = run.log()[2].clone();
        frame.thread_id = id("t-2");
        run.receives("ben", 2, &ServerFrame::Log(frame.clone()));
        run.refused_by(&ORACLE, "ben received frame 3 (message) of t-2 and talks in t-1");
        let mut run = healthy();
        run.show("ben", &frame);
        run.refused_by(&ORACLE, "ben showed frame 3 (message) of t-2 and talks in t-1");
    }

    #[test]
    fn refuses_the_log_of_another_user_under_the_own_name() {
        let mut run = healthy();
        run.scenario.clients[1].user = "u-2".to_owned();
        run.refused_by(
            &ORACLE,
            "ben of u-2 received frame 1 of t-1, which is a conversation of u-1",
        );
    }

    #[test]
    fn refuses_what_follows_a_turn_of_another_thread() {
        let mut run = healthy();
        run.scenario.clients[1].thread = "t-2".to_owned();
        run.forget(|event| by(event, "ben"));
        run.receives("ben", 2, &ServerFrame::Typing { in_reply_to: id("m-1") });
        run.refused_by(&ORACLE, "ben received typing of m-1, which was said in t-1, not in t-2");
    }

    #[test]
    fn refuses_a_log_with_a_turn_of_another_thread() {
        let mut run = healthy();
        let (turn, thread, text) = (3, id("t-2"), "Hi".to_owned());
        run.tell(client("eve"), What::Said { turn, message_id: id("m-9"), thread, text });
        run.log()[6].in_reply_to = id("m-9");
        run.refused_by(&ORACLE, "the log of t-1 holds frame 7 of m-9 of t-2");
    }

    #[test]
    fn refuses_an_agent_that_hears_another_conversation() {
        let text = "2 bed homes in Portland under $400k";
        for (what, words) in [
            (asked("t-2", text, ""), "asked about m-1 in t-2, but it was said in t-1"),
            (
                asked("t-1", "Sell my home", "Thanks"),
                "told \"Sell my home\" with m-1, which nobody",
            ),
            (asked("t-1", text, "My code is 4711"), "\"My code is 4711\" with m-1, which nobody"),
        ] {
            let mut run = healthy();
            run.tell(Host::Agent, what);
            run.refused_by(&ORACLE, words);
        }
    }
}
