//! What the sessions exercise between them, and what none does: intents, routes, stretched wishes, frames, close
//! codes, errors and faults.
//!
//! It reads traces and plays nothing. What there is to exercise is taken from the contract's own types, so a new
//! intent that no session shows is missed at once.

use crate::scenario::Kind;
use crate::session::names;
use crate::trace::{Trace, What, Wire};
use assistant::contract::agent::{Change, Intent, RelaxationNote};
use assistant::contract::close::CloseReason;
use assistant::contract::frame::{AgentName, ClientFrame, ErrorCode, LogBody, ServerFrame};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The file that holds what no session exercises yet, from the root of the project.
pub const LEVEL_FILE: &str = "sessions/coverage.json";

/// Names by what they are names of, such as `intent`.
pub type Items = BTreeMap<String, BTreeSet<String>>;

/// Everything that there is to exercise.
#[must_use]
pub fn all() -> Items {
    let mut frames = names::<LogBody>("event");
    frames.extend(names::<ServerFrame>("event"));
    let codes = CloseReason::ALL.into_iter().map(close_code);
    let kinds = Kind::ALL.into_iter().map(|kind| kind.name().to_owned());
    let rows = [
        ("intent", names::<Intent>("")),
        ("route", names::<AgentName>("")),
        ("relaxation", names::<Change>("constraint")),
        ("frame to a client", frames),
        ("frame of a client", names::<ClientFrame>("event")),
        ("error", names::<ErrorCode>("")),
        ("close code", codes.collect()),
        ("fault", kinds.collect()),
    ];
    rows.map(|(row, names)| (row.to_owned(), names.into_iter().collect())).into()
}

fn close_code(reason: CloseReason) -> String {
    format!("{} {}", reason.code(), reason.text())
}

/// What a run exercised.
#[must_use]
pub fn exercised(trace: &Trace) -> Items {
    let mut items = Items::new();
    for event in &trace.events {
        if let What::Shown { frame } = &event.what {
            shown(&frame.body, &mut items);
        } else if let What::Received { frame, .. } = &event.what {
            let is_client = matches!(event.host, crate::scenario::Host::Client(_));
            received(frame, is_client, &mut items);
        } else if let What::Injected { fault, .. } = &event.what {
            put("fault", fault.kind().name(), &mut items);
        }
    }
    items
}

fn shown(body: &LogBody, items: &mut Items) {
    match body {
        LogBody::Message { agent, intent, .. } => {
            put("route", &name(agent), items);
            put("intent", intent.as_str(), items);
        }
        LogBody::Recommendations { agent, relaxation, .. } => {
            put("route", &name(agent), items);
            for change in relaxation.iter().flat_map(|RelaxationNote { changes, .. }| changes) {
                put("relaxation", &tag(change, "constraint"), items);
            }
        }
        LogBody::Error { code, .. } => put("error", &name(code), items),
        LogBody::UserTurn { .. } => {}
    }
}

fn received(frame: &Wire, is_client: bool, items: &mut Items) {
    match frame {
        Wire::Text(text) => {
            let row = if is_client { "frame to a client" } else { "frame of a client" };
            let frame: Value = serde_json::from_str(text).unwrap_or_default();
            put(row, frame.get("event").and_then(Value::as_str).unwrap_or_default(), items);
        }
        Wire::Close { code, .. } => {
            let reason = CloseReason::ALL.into_iter().find(|reason| Some(reason.code()) == *code);
            if let Some(reason) = reason {
                put("close code", &close_code(reason), items);
            }
        }
        Wire::Binary(_) | Wire::Control(_) => {}
    }
}

/// A variant without fields by its name on the wire.
fn name<T: Serialize>(value: &T) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn tag<T: Serialize>(value: &T, tag: &str) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.get(tag).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn put(row: &str, item: &str, items: &mut Items) {
    if !item.is_empty() {
        items.entry(row.to_owned()).or_default().insert(item.to_owned());
    }
}

/// What the sessions of a project exercise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The sessions that exercise each thing.
    sessions: BTreeMap<(String, String), BTreeSet<String>>,
}

impl Coverage {
    /// Adds what one session exercises.
    pub fn add(&mut self, session: &str, items: &Items) {
        for (row, names) in items {
            for name in names {
                let key = (row.clone(), name.clone());
                self.sessions.entry(key).or_default().insert(session.to_owned());
            }
        }
    }

    /// What no session exercises.
    #[must_use]
    pub fn gaps(&self) -> Items {
        let mut gaps = all();
        for (row, names) in &mut gaps {
            names.retain(|name| !self.sessions.contains_key(&(row.clone(), name.clone())));
        }
        gaps.retain(|_, names| !names.is_empty());
        gaps
    }

    /// A line a thing: how many sessions exercise it, and one of them.
    ///
    /// # Panics
    /// Never: writing to a text cannot fail.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::new();
        for (row, names) in all() {
            let of_row = |name: &String| self.sessions.get(&(row.clone(), name.clone()));
            let covered = names.iter().filter(|name| of_row(name).is_some()).count();
            writeln!(text, "{row}: {covered} of {}", names.len()).expect("it is a String");
            for name in &names {
                let line = match of_row(name) {
                    Some(sessions) => {
                        let first = sessions.first().map(String::as_str).unwrap_or_default();
                        format!("{:4}  {name:24} {first}", sessions.len())
                    }
                    None => format!("none  {name}"),
                };
                writeln!(text, "  {line}").expect("it is a String");
            }
        }
        text
    }
}

/// How what is not exercised compares with what was recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Level {
    /// Not exercised, and not recorded as such: coverage has fallen.
    pub lost: Vec<String>,
    /// Recorded, and exercised by now, or gone: the record can be raised.
    pub won: Vec<String>,
}

impl Level {
    /// `recorded` is the text of [`LEVEL_FILE`].
    ///
    /// # Errors
    /// The text is none.
    pub fn of(gaps: &Items, recorded: &str) -> Result<Self, serde_json::Error> {
        let recorded: Items = serde_json::from_str(recorded)?;
        let flat = |items: &Items| -> BTreeSet<String> {
            let rows = items.iter();
            rows.flat_map(|(row, names)| names.iter().map(move |n| format!("{row} {n}"))).collect()
        };
        let (gaps, recorded) = (flat(gaps), flat(&recorded));
        let lost = gaps.difference(&recorded).cloned().collect();
        Ok(Self { lost, won: recorded.difference(&gaps).cloned().collect() })
    }

    /// The text of [`LEVEL_FILE`] for these gaps.
    ///
    /// # Panics
    /// Never: names are plain data.
    #[must_use]
    pub fn text(gaps: &Items) -> String {
        format!("{}\n", serde_json::to_string_pretty(gaps).expect("plain data"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::bench::healthy;

    #[test]
    fn a_run_exercises_what_it_showed_sent_and_suffered() {
        let items = exercised(&healthy().trace);
        let has = |row: &str, name: &str| items[row].contains(name);
        assert!(has("intent", "property_search") && has("route", "real_estate"), "{items:?}");
        assert!(has("relaxation", "price_max") && has("frame to a client", "ack"), "{items:?}");
        assert!(has("frame of a client", "hello") && has("fault", "cut"), "{items:?}");
        let all = all();
        for (row, names) in &items {
            assert!(names.is_subset(&all[row]), "{row}: {names:?}");
        }
    }

    #[test]
    fn what_nobody_exercises_is_a_gap_and_a_new_gap_is_a_loss() {
        let mut coverage = Coverage::default();
        assert_eq!(coverage.gaps(), all());
        coverage.add("demo", &exercised(&healthy().trace));
        let gaps = coverage.gaps();
        assert!(!gaps["intent"].contains("property_search") && gaps["intent"].contains("help"));
        let level = Level::of(&gaps, &Level::text(&gaps)).expect("a level");
        assert_eq!(level, Level::default());
        let lost = Level::of(&gaps, "{}").expect("a level").lost;
        assert!(lost.contains(&"intent help".to_owned()), "{lost:?}");
        let more = r#"{"intent": ["property_search"]}"#;
        let won = Level::of(&gaps, more).expect("a level").won;
        assert_eq!(won, ["intent property_search"]);
        assert!(Level::of(&gaps, "none").is_err());
        let table = coverage.table();
        assert!(table.contains("property_search          demo"), "{table}");
        assert!(table.contains("none  help"), "{table}");
    }
}
