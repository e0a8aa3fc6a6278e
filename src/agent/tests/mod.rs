//! Tests of the agent as a whole: conversations in text, and properties over generated searches.

mod dialogue;
mod plain;
mod properties;
mod relaxation;
mod wild;

use crate::agent::{Catalog, respond};
use crate::contract::agent::{
    AGENT_CONTRACT, Action, AgentRequest, AgentResponse, AgentState, Slots,
};
use crate::contract::id::{ListingId, MessageId, ThreadId};

/// The catalogue of the golden sessions.
fn willamette() -> Catalog {
    let text = include_str!("../../../sessions/catalogs/willamette.csv");
    Catalog::read(text.as_bytes()).unwrap().0
}

/// One turn.
fn turn(catalog: &Catalog, text: &str, state: AgentState) -> AgentResponse {
    let request = AgentRequest {
        version: AGENT_CONTRACT,
        thread_id: ThreadId::new("t").unwrap(),
        message_id: MessageId::new("m").unwrap(),
        text: text.to_owned(),
        heard: vec![],
        today: "2026-08-10".to_owned(),
        state,
    };
    respond(catalog, &request)
}

/// A catalogue with a map: towns near and far, and two of one name.
fn quarry_bay() -> Catalog {
    let text = include_str!("../../../sessions/catalogs/quarry-bay.csv");
    Catalog::read(text.as_bytes()).unwrap().0
}

/// A transcript: `>` lines are the user; below each stand intent and status, the reply, the cards, the
/// relaxation and what was spoken of; the last line holds the slots. Replayed, it must come out the same.
fn check(transcript: &str) {
    replay(&willamette(), AgentState::default(), transcript);
}

/// The same for a conversation in Quarry Bay with these slots.
fn check_from(slots: Slots, transcript: &str) {
    replay(&quarry_bay(), AgentState { slots, ..AgentState::default() }, transcript);
}

fn replay(catalog: &Catalog, mut state: AgentState, transcript: &str) {
    let expected: Vec<_> =
        transcript.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut lines = Vec::new();
    for text in expected.iter().filter_map(|line| line.strip_prefix("> ")) {
        let response = turn(catalog, text, state);
        lines.push(format!("> {text}"));
        lines.extend(rendered(&response));
        state = response.state;
    }
    lines.push(format!("= {}", slots(&state.slots)));
    let (got, expected) = (lines.join("\n"), expected.join("\n"));
    assert!(got == expected, "expected\n{expected}\n\ngot\n{got}");
}

fn rendered(response: &AgentResponse) -> Vec<String> {
    let status = serde_json::to_value(response.status).unwrap();
    let head = format!("{} {}", response.intent.as_str(), status.as_str().unwrap());
    let mut lines = vec![head];
    lines.extend(wrapped(&response.text));
    for action in &response.actions {
        let Action::ShowListings { listings, total, relaxation } = action;
        let ids: Vec<_> = listings
            .iter()
            .map(|card| match card.notes.as_slice() {
                [] => card.id.to_string(),
                notes => format!("{} ({})", card.id, notes.join(", ")),
            })
            .collect();
        lines.push(format!("show {} of {total}", ids.join(" ")));
        if let Some(note) = relaxation {
            lines.push(format!("relaxed to find {}", note.count));
            let change = |change| serde_json::to_string(change).unwrap().replace('"', "");
            lines.extend(note.changes.iter().map(change));
        }
    }
    if !response.refers_to.is_empty() {
        let ids: Vec<_> = response.refers_to.iter().map(ListingId::as_str).collect();
        lines.push(format!("about {}", ids.join(" ")));
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// Words in lines of at most 90 characters.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < 90 => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

fn slots(slots: &Slots) -> String {
    serde_json::to_string(slots).unwrap().replace('"', "")
}
