//! A session in the making: what was said so far, and a file that expects of it what was seen.
//!
//! It plays nothing and writes no file: it makes the text of one, which the reader of sessions reads like any other.

use super::check::Outcome;
use super::expect::{Side, Subject};
use super::kind::fields;
use super::{SCHEMA_FILE, Session};
use crate::artefact::emit::{document, flow};
use crate::trace::Trace;
use assistant::contract::agent::Slots;
use serde_json::{Map, Value, json};

/// Something that was said, and what went wrong meanwhile.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// What.
    pub text: String,
    /// What happens as the turn begins: each is what stands behind `do` in a session file.
    pub faults: Vec<Value>,
}

/// A session that is not saved yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Its name, with the folders below `sessions/`.
    pub name: String,
    /// A sentence on what it proves.
    pub about: String,
    /// Words to choose it by.
    pub tags: Vec<String>,
    /// The seed of its run.
    pub seed: u64,
    /// The listings.
    pub catalog: String,
    /// What was said.
    pub said: Vec<Said>,
}

/// How wide an expectation may be to stand in one line.
const WIDTH: usize = 88;

impl Draft {
    /// The file that this shall become, from the root of the project.
    #[must_use]
    pub fn path(&self) -> String {
        format!("sessions/{}.yaml", self.name)
    }

    /// The text of the file. Where there is no expectation, the turn only has to end.
    #[must_use]
    pub fn text(&self, expects: &[Value]) -> String {
        let up = "../".repeat(self.name.matches('/').count() + 1);
        let stem = self.name.rsplit('/').next().unwrap_or(&self.name);
        let mut head = Map::new();
        head.insert("session".to_owned(), stem.into());
        head.insert("about".to_owned(), self.about.as_str().into());
        head.insert("tags".to_owned(), json!(self.tags));
        head.insert("seed".to_owned(), self.seed.into());
        head.insert("world".to_owned(), json!({ "catalog": self.catalog }));
        let mut text = format!("# yaml-language-server: $schema={up}{SCHEMA_FILE}\n");
        text.push_str(&document(&Value::Object(head)));
        text.push_str("turns:\n");
        for (place, said) in self.said.iter().enumerate() {
            text.push_str(&format!("  - user: {}\n", Value::from(said.text.as_str())));
            if !said.faults.is_empty() {
                text.push_str("    faults:\n");
            }
            for fault in &said.faults {
                text.push_str("      - at: { elapsed: 0ms }\n");
                text.push_str(&format!("        do: {}\n", flow(fault)));
            }
            let nothing = json!({ "frames": { "contains": "user_turn" } });
            let expect = expects.get(place).unwrap_or(&nothing);
            let line = flow(expect);
            if line.chars().count() <= WIDTH {
                text.push_str(&format!("    expect: {line}\n"));
            } else {
                text.push_str("    expect:\n");
                for line in document(expect).lines() {
                    text.push_str(&format!("      {line}\n"));
                }
            }
        }
        text
    }
}

/// What each turn of a run came to, as plain expectations.
#[must_use]
pub fn observed(session: &Session, trace: &Trace) -> Vec<Value> {
    let mut slots = Map::new();
    let turns = 0..session.scenario.turns.len();
    let expects = turns.map(|turn| match Outcome::of(turn, trace) {
        Some(outcome) => expectation(&outcome, &mut slots),
        None => json!({}),
    });
    expects.collect()
}

/// `slots` are those before the turn, and become those after it.
fn expectation(outcome: &Outcome<'_>, slots: &mut Map<String, Value>) -> Value {
    let mut expect = Map::new();
    let value = |subject: &Subject| outcome.value(subject).unwrap_or(Value::Null);
    let mut put = |name: &str, value: Value| {
        let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !is_empty {
            expect.insert(name.to_owned(), value);
        }
    };
    put("agent", value(&Subject::Agent));
    put("intent", value(&Subject::Intent));
    put("slots", changed(outcome, slots));
    if value(&Subject::Listings).is_null() {
        let by_agent = value(&Subject::Agent) == "real_estate";
        put("listings", if by_agent { "unchanged".into() } else { Value::Null });
    } else {
        put("listings", json!({ "ids": value(&Subject::ListingIds) }));
        put("relaxation", stretches(outcome));
    }
    put("refers_to", value(&Subject::RefersTo));
    if let Ok(code) = outcome.value(&Subject::ErrorCode) {
        put("error", json!({ "code": code, "retryable": value(&Subject::ErrorRetryable) }));
    }
    Value::Object(expect)
}

/// The slots that are others than before.
fn changed(outcome: &Outcome<'_>, slots: &mut Map<String, Value>) -> Value {
    let mut changed = Map::new();
    for name in fields::<Slots>().into_keys() {
        let Ok(now) = outcome.value(&Subject::Slot(name.clone())) else { return Value::Null };
        let before = slots.insert(name.clone(), now.clone()).unwrap_or(Value::Null);
        let is_nothing = |value: &Value| value.is_null() || *value == json!([]);
        if before == now || is_nothing(&before) && is_nothing(&now) {
            continue;
        }
        changed.insert(name, if now.is_null() { "none".into() } else { now });
    }
    if changed.is_empty() { Value::Null } else { changed.into() }
}

/// Every wish that was stretched, with both ends where there are any; `none` if there is none.
fn stretches(outcome: &Outcome<'_>) -> Value {
    let Ok(Value::Array(changes)) = outcome.value(&Subject::Relaxation) else {
        return "none".into();
    };
    let mut stretches = Map::new();
    for change in changes {
        let Some(name) = change.get("constraint").and_then(Value::as_str) else { continue };
        let mut ends = Map::new();
        for (word, side) in [("from", Side::From), ("to", Side::To)] {
            let end = outcome.value(&Subject::Stretch(name.to_owned(), side));
            if let Some(end) = end.ok().filter(|end| !end.is_null()) {
                ends.insert(word.to_owned(), end);
            }
        }
        stretches.insert(name.to_owned(), ends.into());
    }
    stretches.into()
}

/// What `:fault partition 5s` and the like mean, as it stands behind `do` in a session file: the kind, then the
/// hosts and the length where they are not the usual ones. A mapping as in a session file is taken as it is.
///
/// # Errors
/// What may be said instead.
pub fn fault(words: &str) -> Result<Value, String> {
    let words = words.trim();
    if words.contains(':') {
        let inner = words.strip_prefix('{').and_then(|words| words.strip_suffix('}'));
        let text = format!("do: {{ {} }}", inner.unwrap_or(words));
        let read = super::json(&text).map_err(|problem| problem.text)?;
        return Ok(read.get("do").cloned().unwrap_or(Value::Null));
    }
    let mut words = words.split_whitespace();
    let kind = words.next().unwrap_or_default();
    let is_length =
        |word: &&str| crate::scenario::length::read(word.trim_start_matches('-')).is_some();
    let (lengths, hosts): (Vec<&str>, Vec<&str>) = words.partition(is_length);
    let lasts = lengths.first().copied().unwrap_or("5s");
    let host = |usual: &'static str| hosts.first().copied().unwrap_or(usual).to_owned();
    let between = match hosts.as_slice() {
        [one, other, ..] => json!([one, other]),
        [one] => json!([one, "gateway-1"]),
        [] => json!(["user", "gateway-1"]),
    };
    let fields = match kind {
        "crash" | "power_loss" => json!({ "host": host("supervisor"), "down": lasts }),
        "bounce" => json!({ "host": host("gateway-1") }),
        "partition" | "hold" => json!({ "between": between, "lasts": lasts }),
        "cut" => json!({ "client": host("user") }),
        "slow_reader" | "half_open" | "offline" => {
            json!({ "client": host("user"), "lasts": lasts })
        }
        "pause" => json!({ "host": host("user"), "lasts": lasts }),
        "misbehave" => json!({ "host": host("agent"), "how": "refuse", "lasts": lasts }),
        "bad_disk" => json!({ "host": host("supervisor"), "how": "full", "lasts": lasts }),
        "skew" => json!({ "host": host("supervisor"), "by": lasts }),
        _ => return Err(FAULTS.to_owned()),
    };
    Ok(json!({ kind: fields }))
}

/// What may stand behind `:fault`.
pub const FAULTS: &str = "\
one of crash, power_loss, bounce, partition, hold, cut, slow_reader, half_open, offline, pause, misbehave,
bad_disk and skew, then hosts and a length if they shall not be the usual ones (`crash agent 2s`); or a fault as
in a session file (`crash: { host: agent, down: 2s }`)";
