//! The claims of a session held against the trace of its run. It does not know how the run came about.

use super::expect::{Claim, Expect, Side, Subject};
use super::file::Session;
use super::matcher::show;
use super::yaml::Span;
use crate::report::transcript::body_words;
use crate::scenario::{Armed, Host, Trigger};
use crate::schedule;
use crate::trace::{Event, Trace, What, Wire};
use assistant::contract::agent::{AgentResponse, RelaxationNote};
use assistant::contract::frame::{LogBody, LogFrame};
use assistant::contract::id::MessageId;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Something that must hold and does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// Such as `turn 1: listings.ids` or `turn 1: fault 2`, counted from 1; one title is one expectation.
    pub title: String,
    /// Where the file demands it.
    pub span: Span,
    /// Such as `expected [A, B], got [A] (missing B)`.
    pub text: String,
}

/// Everything the session demands and the run did not do, in the order of the file; empty if all is well.
#[must_use]
pub fn check(session: &Session, trace: &Trace) -> Vec<Miss> {
    let mut misses = Vec::new();
    for (turn, expect) in session.expects.iter().enumerate() {
        match Outcome::of(turn, trace) {
            Some(outcome) => held(turn, expect, &outcome, trace, &mut misses),
            None => misses.extend(session.turns.get(turn).map(|span| Miss {
                title: format!("turn {}", turn + 1),
                span: *span,
                text: "expected the user to say this, got no such turn".to_owned(),
            })),
        }
        let armed = session.scenario.turns.get(turn).map(|turn| &turn.faults);
        let spans = session.turn_faults.get(turn);
        if let (Some(armed), Some(spans)) = (armed, spans) {
            unfired(Some(turn), armed, spans, trace, &mut misses);
        }
    }
    for claim in &session.closed {
        let Subject::Closed(client) = claim.subject else { continue };
        let Some(client) = session.scenario.clients.get(client) else { continue };
        let title = format!("{}: {}", client.name, claim.subject);
        let found = claim.matcher.misses(&closed(&client.host(), trace)).into_iter();
        misses.extend(found.map(|(span, text)| Miss {
            title: title.clone(),
            span: span.unwrap_or(claim.span),
            text,
        }));
    }
    let armed = &session.scenario.faults;
    unfired(None, armed, &session.faults, trace, &mut misses);
    misses.sort_by_key(|miss| miss.span);
    misses
}

fn held(
    turn: usize,
    expect: &Expect,
    outcome: &Outcome<'_>,
    trace: &Trace,
    misses: &mut Vec<Miss>,
) {
    for claim in &expect.claims {
        let title = format!("turn {}: {}", turn + 1, claim.subject);
        if let Subject::SameAs(other) = claim.subject {
            let shown = Outcome::of(other, trace).map(|other| other.shown()).unwrap_or_default();
            misses.extend(unlike(other, &shown, &outcome.shown()).map(|text| Miss {
                title,
                span: claim.span,
                text,
            }));
            continue;
        }
        misses.extend(outcome.misses(claim).into_iter().map(|(span, text)| Miss {
            title: title.clone(),
            span,
            text,
        }));
    }
}

/// The reasons with which gateways closed the connections of a client until all was said. One that only answers the
/// client's own close is none.
pub(super) fn closed(client: &Host, trace: &Trace) -> Value {
    let mut left: BTreeSet<u64> = BTreeSet::new();
    let mut reasons = Vec::new();
    let told = trace.events.iter().take_while(|event| event.what != What::ScriptDone);
    for Event { host, what, .. } in told {
        let What::Received { conn, frame: Wire::Close { reason, .. } } = what else { continue };
        if matches!(host, Host::Gateway(_)) {
            left.insert(*conn);
        } else if host == client && !left.contains(conn) {
            reasons.push(Value::from(reason.as_str()));
        }
    }
    reasons.into()
}

fn unfired(
    turn: Option<usize>,
    armed: &[Armed],
    spans: &[Span],
    trace: &Trace,
    misses: &mut Vec<Miss>,
) {
    for (place, (armed, span)) in armed.iter().zip(spans).enumerate() {
        if schedule::began(trace, turn, place) {
            continue;
        }
        let what = if turn.is_some() { "turn" } else { "run" };
        let why = match &armed.at {
            Trigger::Frame { event, nth } => format!("no `{event}` #{nth} in this {what}"),
            Trigger::Elapsed(after) => format!("the {what} was over before {after:?}"),
        };
        misses.push(Miss {
            title: match turn {
                Some(turn) => format!("turn {}: fault {}", turn + 1, place + 1),
                None => format!("fault {}", place + 1),
            },
            span: *span,
            text: format!("fault never fired: {why}"),
        });
    }
}

/// Where what a turn showed parts from what another did.
fn unlike(other: usize, wanted: &[String], shown: &[String]) -> Option<String> {
    let number = other + 1;
    let mut pairs = wanted.iter().zip(shown);
    if let Some((want, got)) = pairs.find(|(want, got)| want != got) {
        return Some(format!("expected what turn {number} showed, `{want}`, got `{got}`"));
    }
    let (want, got) = (wanted.len(), shown.len());
    (want != got).then(|| format!("expected {want} things shown as in turn {number}, got {got}"))
}

/// What came of a turn.
pub(super) struct Outcome<'a> {
    /// What its speaker was shown, in order, repetitions included.
    frames: Vec<&'a LogFrame>,
    /// What an agent answered last.
    response: Option<&'a AgentResponse>,
}

impl<'a> Outcome<'a> {
    /// Absent if the turn was never said. A turn that was said again counts by its last attempt.
    pub(super) fn of(turn: usize, trace: &'a Trace) -> Option<Self> {
        let (host, id) = trace.events.iter().rev().find_map(|event| {
            if let What::Said { turn: said, message_id, .. } = &event.what
                && *said == turn
            {
                Some((&event.host, message_id))
            } else {
                None
            }
        })?;
        let mut frames = Vec::new();
        for Event { host: at, what, .. } in &trace.events {
            if let What::Shown { frame } = what
                && at == host
                && frame.in_reply_to == *id
            {
                frames.push(&**frame);
            } else if matches!(what, What::ViewReset) && at == host {
                frames.clear();
            }
        }
        Some(Self { frames, response: last_response(id, trace) })
    }

    fn misses(&self, claim: &Claim) -> Vec<(Span, String)> {
        if let Subject::Each(field) = &claim.subject {
            return self.each(field, claim);
        }
        match self.value(&claim.subject) {
            Ok(value) => claim
                .matcher
                .misses(&value)
                .into_iter()
                .map(|(span, text)| (span.unwrap_or(claim.span), text))
                .collect(),
            Err(why) => vec![(claim.span, format!("expected a value, got none: {why}"))],
        }
    }

    fn each(&self, field: &str, claim: &Claim) -> Vec<(Span, String)> {
        let cards = self.cards();
        if cards.is_empty() {
            let text = "expected listings, got none: nothing was shown";
            return vec![(claim.span, text.to_owned())];
        }
        let mut by_place: BTreeMap<Span, Vec<String>> = BTreeMap::new();
        for card in &cards {
            let value = card.get(field).unwrap_or(&Value::Null);
            let id = show(card.get("id").unwrap_or(&Value::Null));
            for (span, text) in claim.matcher.misses(value) {
                let texts = by_place.entry(span.unwrap_or(claim.span)).or_default();
                texts.push(format!("{id}: {text}"));
            }
        }
        let joined = by_place.into_iter().map(|(s, texts)| (s, texts.join("; ")));
        joined.collect()
    }

    /// The value a claim speaks of, null if there is none; or why the question makes no sense.
    pub(super) fn value(&self, subject: &Subject) -> Result<Value, String> {
        match subject {
            Subject::Agent => self.message("agent"),
            Subject::Intent => self.message("intent"),
            Subject::Reply => self.message("text"),
            Subject::Slot(name) => Ok(part(&json(&self.answer()?.state.slots), name)),
            Subject::RefersTo => Ok(json(&self.answer()?.refers_to)),
            Subject::Listings => Ok(if self.cards().is_empty() { Value::Null } else { self.ids() }),
            Subject::ListingIds => Ok(self.ids()),
            Subject::ListingCount => Ok(self.cards().len().into()),
            Subject::Each(field) => Ok(self.cards().iter().map(|card| part(card, field)).collect()),
            Subject::Relaxation => Ok(self.note().map_or(Value::Null, |note| json(&note.changes))),
            Subject::Stretched(name) => Ok(self.change(name)),
            Subject::Stretch(name, Side::From) => Ok(part(&self.change(name), "from")),
            Subject::Stretch(name, Side::To) => Ok(part(&self.change(name), "to")),
            Subject::Frames => Ok(self.events()),
            Subject::SameAs(_) => Ok(self.shown().into_iter().map(Value::from).collect()),
            Subject::ErrorCode => self.error("code"),
            Subject::ErrorRetryable => self.error("retryable"),
            Subject::Closed(_) => Err("it is no matter of a turn".to_owned()),
        }
    }

    /// What was shown in reply, in words.
    fn shown(&self) -> Vec<String> {
        let frames = self.frames.iter();
        let replies = frames.filter(|frame| !matches!(frame.body, LogBody::UserTurn { .. }));
        replies.map(|frame| body_words(&frame.body, "")).collect()
    }

    fn answer(&self) -> Result<&AgentResponse, String> {
        let none = || "no agent answered in this turn".to_owned();
        self.response.ok_or_else(none)
    }

    /// The frame that ended the turn, as JSON.
    fn end(&self) -> Result<Value, String> {
        let end = self.frames.iter().rfind(|frame| frame.body.is_final());
        end.map(|frame| json(&frame.body)).ok_or_else(|| "the turn has no end".to_owned())
    }

    fn message(&self, field: &str) -> Result<Value, String> {
        let end = self.end()?;
        if end.get("event") == Some(&Value::from("message")) {
            return Ok(part(&end, field));
        }
        let code = show(&part(&end, "code"));
        Err(format!("the turn ended in the error {code}"))
    }

    fn error(&self, field: &str) -> Result<Value, String> {
        let end = self.end()?;
        if end.get("event") == Some(&Value::from("error")) {
            return Ok(part(&end, field));
        }
        Err("the turn ended in a message".to_owned())
    }

    fn events(&self) -> Value {
        let events = self.frames.iter();
        events.map(|frame| part(&json(&frame.body), "event")).collect()
    }

    /// The listings shown last in the turn.
    fn cards(&self) -> Vec<Value> {
        let shown = self.frames.iter().rev().find_map(|frame| match &frame.body {
            LogBody::Recommendations { recommendations, .. } => Some(recommendations),
            LogBody::UserTurn { .. } | LogBody::Message { .. } | LogBody::Error { .. } => None,
        });
        shown.into_iter().flatten().map(json).collect()
    }

    fn ids(&self) -> Value {
        self.cards().iter().map(|card| part(card, "id")).collect()
    }

    fn note(&self) -> Option<&RelaxationNote> {
        self.frames.iter().rev().find_map(|frame| match &frame.body {
            LogBody::Recommendations { relaxation, .. } => relaxation.as_ref(),
            LogBody::UserTurn { .. } | LogBody::Message { .. } | LogBody::Error { .. } => None,
        })
    }

    fn change(&self, constraint: &str) -> Value {
        let changes = self.note().map(|note| note.changes.iter().map(json));
        let mut changes = changes.into_iter().flatten();
        let named = |change: &Value| change.get("constraint") == Some(&Value::from(constraint));
        changes.find(named).unwrap_or(Value::Null)
    }
}

/// The last good answer to a turn: connections carry one request at a time, and answers in their order.
fn last_response<'a>(id: &MessageId, trace: &'a Trace) -> Option<&'a AgentResponse> {
    let mut asked: BTreeMap<u64, &MessageId> = BTreeMap::new();
    let mut last = None;
    for event in &trace.events {
        if let What::Asked { conn, request } = &event.what {
            asked.insert(*conn, &request.message_id);
        } else if let What::Answered { conn, status, response } = &event.what
            && asked.remove(conn) == Some(id)
            && *status == 200
            && let Some(response) = response
        {
            last = Some(&**response);
        }
    }
    last
}

fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("contract types are plain data with string keys")
}

fn part(of: &Value, name: &str) -> Value {
    of.get(name).cloned().unwrap_or(Value::Null)
}
