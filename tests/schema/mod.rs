//! Compares a locked JSON Schema with today's: what can a peer no longer rely on?
//!
//! It knows the shapes that schemars writes, not JSON Schema as a whole: a keyword it has no rule for is
//! left to the review of the snapshot.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Which way a value travels: it decides whether a newly required field harms (the peer writes) or one
/// that is no longer required (the peer reads).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    FromClient,
    FromServer,
    /// Between parts that may each be older than the other.
    Both,
}

pub(crate) fn snapshots() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("snapshots")
}

/// The schema in `snapshots/SNAPSHOT.snap`, if it was ever locked.
pub(crate) fn locked(snapshot: &str) -> Option<Value> {
    let path = snapshots().join(format!("{snapshot}.snap"));
    let text = std::fs::read_to_string(path).ok()?;
    let (_, schema) = text.trim_start_matches("---\n").split_once("\n---\n")?;
    Some(serde_json::from_str(schema).expect("a locked schema is JSON"))
}

/// What `now` removes or narrows, each with the path of the field.
pub(crate) fn breaking_changes(before: &Value, now: &Value, flow: Flow) -> Vec<String> {
    let mut found = Vec::new();
    compare(before, now, flow, &mut Walk { path: "$".to_owned(), found: &mut found });
    found
}

struct Walk<'f> {
    path: String,
    found: &'f mut Vec<String>,
}

impl Walk<'_> {
    fn say(&mut self, what: &str) {
        self.found.push(format!("{} {what}", self.path));
    }

    fn into(&mut self, step: &str, visit: impl FnOnce(&mut Walk<'_>)) {
        let path = format!("{}.{step}", self.path);
        visit(&mut Walk { path, found: self.found });
    }
}

fn compare(before: &Value, now: &Value, flow: Flow, walk: &mut Walk<'_>) {
    for keyword in
        ["$ref", "const", "pattern", "format", "minimum", "maximum", "minItems", "maxItems"]
    {
        if before.get(keyword) != now.get(keyword) {
            let text =
                |schema: &Value| schema.get(keyword).map_or("nothing".to_owned(), Value::to_string);
            walk.say(&format!("had {keyword} {} and has {}", text(before), text(now)));
        }
    }
    for keyword in ["type", "enum"] {
        let (had, has) = (texts(before.get(keyword)), texts(now.get(keyword)));
        for gone in had.difference(&has) {
            walk.say(&format!("lost the {keyword} {gone}"));
        }
        if had.is_empty() && !has.is_empty() {
            walk.say(&format!("is now limited to the {keyword} {has:?}"));
        }
    }
    if now.get("additionalProperties") == Some(&Value::Bool(false))
        && before.get("additionalProperties") != now.get("additionalProperties")
    {
        walk.say("no longer takes unknown fields");
    }
    required(before, now, flow, walk);
    for keyword in ["properties", "$defs"] {
        for (name, schema) in before.get(keyword).and_then(Value::as_object).into_iter().flatten() {
            walk.into(name, |walk| match now.get(keyword).and_then(|map| map.get(name)) {
                Some(now) => compare(schema, now, flow, walk),
                None => walk.say("was removed"),
            });
        }
    }
    if let (Some(before), Some(now)) = (before.get("items"), now.get("items")) {
        walk.into("items", |walk| compare(before, now, flow, walk));
    }
    for keyword in ["oneOf", "anyOf"] {
        variants(before.get(keyword), now.get(keyword), flow, walk);
    }
}

fn required(before: &Value, now: &Value, flow: Flow, walk: &mut Walk<'_>) {
    let (had, has) = (texts(before.get("required")), texts(now.get("required")));
    if flow != Flow::FromServer {
        for field in has.difference(&had) {
            walk.into(field, |walk| walk.say("is newly required"));
        }
    }
    if flow != Flow::FromClient {
        for field in had.difference(&has) {
            if now.get("properties").and_then(|fields| fields.get(field)).is_some() {
                walk.into(field, |walk| walk.say("may now be missing"));
            }
        }
    }
}

/// Variants are found again by their label, wherever they stand.
fn variants(before: Option<&Value>, now: Option<&Value>, flow: Flow, walk: &mut Walk<'_>) {
    let list =
        |schema: Option<&Value>| schema.and_then(Value::as_array).cloned().unwrap_or_default();
    let now = list(now);
    for variant in list(before) {
        let name = label(&variant);
        walk.into(&name, |walk| match now.iter().find(|now| label(now) == name) {
            Some(now) => compare(&variant, now, flow, walk),
            None => walk.say("was removed"),
        });
    }
}

/// What tells a variant from its siblings: its constant, the constant of its tag, the type it refers to,
/// or its only field.
fn label(variant: &Value) -> String {
    let fields = || variant.get("properties").and_then(Value::as_object).into_iter().flatten();
    let tag = || fields().find_map(|(_, field)| field.get("const"));
    let own = variant.get("const").or_else(tag).or_else(|| variant.get("$ref"));
    let text = own.or_else(|| variant.get("type")).map(Value::to_string);
    match fields().next() {
        Some((name, _)) if own.is_none() => name.clone(),
        Some(_) | None => text.unwrap_or_default().replace('"', ""),
    }
}

/// A text or a list of texts as a set.
fn texts(value: Option<&Value>) -> BTreeSet<String> {
    match value {
        Some(Value::Array(list)) => list.iter().map(text).collect(),
        Some(one) => BTreeSet::from([text(one)]),
        None => BTreeSet::new(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Value {
        json!({
            "oneOf": [
                {"type": "object", "required": ["event", "seq"], "properties": {
                    "event": {"type": "string", "const": "ack"},
                    "seq": {"type": "integer", "minimum": 0},
                    "why": {"$ref": "#/$defs/Why"},
                    "names": {"type": "array", "items": {"type": ["string", "null"]}}}},
                {"type": "object", "required": ["event"], "properties": {
                    "event": {"type": "string", "const": "ping"}}}],
            "$defs": {"Why": {"type": "string", "enum": ["drain", "rate"]}}})
    }

    /// What is found after `value` was put at `pointer`, or what stands there was removed.
    fn doctored(pointer: &str, value: Option<Value>, flow: Flow) -> Vec<String> {
        let mut now = schema();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = now.pointer_mut(parent).unwrap();
        match (parent, value) {
            (Value::Object(map), Some(value)) => drop(map.insert(key.to_owned(), value)),
            (Value::Object(map), None) => drop(map.remove(key)),
            (Value::Array(list), Some(value)) => list.push(value),
            (Value::Array(list), None) => drop(list.remove(key.parse().unwrap())),
            _ => panic!("{pointer} leads nowhere"),
        }
        breaking_changes(&schema(), &now, flow)
    }

    #[test]
    fn names_the_path_of_everything_removed_or_narrowed() {
        let cases = [
            ("/oneOf/1", None, "$.ping was removed"),
            ("/oneOf/0/properties/seq", None, "$.ack.seq was removed"),
            ("/$defs/Why", None, "$.Why was removed"),
            ("/$defs/Why/enum/1", None, "$.Why lost the enum rate"),
            (
                "/oneOf/0/properties/seq/type",
                Some(json!("string")),
                "$.ack.seq lost the type integer",
            ),
            (
                "/oneOf/0/properties/seq/minimum",
                Some(json!(1)),
                "$.ack.seq had minimum 0 and has 1",
            ),
            (
                "/oneOf/0/properties/names/items/type/1",
                None,
                "$.ack.names.items lost the type null",
            ),
            (
                "/oneOf/0/properties/why/$ref",
                Some(json!("#/$defs/Other")),
                "$.ack.why had $ref \"#/$defs/Why\" and has \"#/$defs/Other\"",
            ),
            (
                "/oneOf/0/additionalProperties",
                Some(json!(false)),
                "$.ack no longer takes unknown fields",
            ),
            ("/oneOf/0/required/+", Some(json!("why")), "$.ack.why is newly required"),
            ("/oneOf/0/required/1", None, "$.ack.seq may now be missing"),
        ];
        for (pointer, value, expected) in cases {
            assert_eq!(doctored(pointer, value, Flow::Both), [expected]);
        }
    }

    #[test]
    fn what_is_required_matters_to_the_reader_or_the_writer_only() {
        let more = || Some(json!("why"));
        assert_eq!(doctored("/oneOf/0/required/+", more(), Flow::FromServer), [""; 0]);
        assert_eq!(doctored("/oneOf/0/required/1", None, Flow::FromClient), [""; 0]);
    }

    #[test]
    fn an_addition_breaks_nothing() {
        let variant = json!({"type": "object", "properties": {"event": {"const": "pong"}}});
        let cases = [
            ("/oneOf/0/properties/new", json!({"type": "string"})),
            ("/oneOf/+", variant),
            ("/$defs/Why/enum/+", json!("slow")),
            ("/$defs/New", json!({"type": "string"})),
        ];
        for (pointer, value) in cases {
            assert_eq!(doctored(pointer, Some(value), Flow::Both), [""; 0]);
        }
    }
}
