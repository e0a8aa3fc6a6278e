//! The reference of the session format for people, made from the same schema that editors are given.
//!
//! It knows JSON Schema as far as ours goes.

use super::kind::Kind;
use super::schema::schema;
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// The file that holds [`reference()`], from the root of the project.
pub const REFERENCE_FILE: &str = "docs/session-format.md";

const HEAD: &str = "\
# The session format

One YAML file below `sessions/` is one session, named after itself. This page is made from the types that read it
(`cargo rehearse schema`); `docs/first-session.md` shows how one comes about.

A mapping is a subset: what it does not mention is free. A list is exact and ordered. A key that is not here, a key that stands
there twice, a variable that is not defined, a turn that expects nothing and a fault that never happens are mistakes.
";

/// The parts of a session in the order in which one reads them: the definition and its heading.
const PARTS: [(&str, &str); 11] = [
    ("", "Session"),
    ("SweepYaml", "`sweep`"),
    ("QuarantineYaml", "`quarantine`"),
    ("WorldYaml", "`world`"),
    ("ClientYaml", "`clients`"),
    ("TurnYaml", "`turns`"),
    ("ExpectYaml", "`expect`"),
    ("ListingsYaml", "`listings`"),
    ("ErrorYaml", "`error`"),
    ("ArmedYaml", "`faults`"),
    ("TriggerYaml", "`at`"),
];

/// The text of that file.
///
/// # Panics
/// Never: writing to a text cannot fail.
#[must_use]
pub fn reference() -> String {
    let schema = schema();
    let mut text = HEAD.to_owned();
    for (name, heading) in PARTS {
        let pointer = if name.is_empty() { String::new() } else { format!("/definitions/{name}") };
        let part = schema.pointer(&pointer).cloned().unwrap_or_default();
        write!(text, "\n## {heading}\n\n{}\n\n", about(&part)).expect("it is a String");
        text.push_str(&keys(&part, &schema));
    }
    text.push_str("\n## `do`\n\nWhat goes wrong: one of these.\n\n");
    let faults = schema.pointer("/definitions/FaultYaml/oneOf").and_then(Value::as_array);
    for fault in faults.into_iter().flatten() {
        text.push_str(&fault_line(fault));
    }
    text.push_str(&matchers());
    text
}

fn about(schema: &Value) -> &str {
    schema.get("description").and_then(Value::as_str).unwrap_or_default()
}

/// A table of the keys of a mapping.
fn keys(part: &Value, schema: &Value) -> String {
    let required = part.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut text = "| key | value | |\n|---|---|---|\n".to_owned();
    for (name, property) in properties(part) {
        let must = if required.contains(&name.as_str().into()) { " **Needed.**" } else { "" };
        let (kind, about) = (kind(property, schema), about(property));
        writeln!(text, "| `{name}` | {kind} | {about}{must} |").expect("it is a String");
    }
    text
}

fn properties(part: &Value) -> impl Iterator<Item = (&String, &Value)> {
    part.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

/// What may stand behind a key, in a few words.
fn kind(property: &Value, schema: &Value) -> String {
    if let Some(name) = reference_in(property) {
        return named(&name, schema);
    }
    if property.get("pattern").is_some() && property.get("examples").is_some() {
        return "a length of time".to_owned();
    }
    if let Some(ways) = property.get("anyOf").and_then(Value::as_array) {
        let ways: Vec<String> = ways.iter().map(|way| kind(way, schema)).collect();
        return ways.join(", or ");
    }
    if let Some(word) = property.get("const").and_then(Value::as_str) {
        return format!("`{word}`");
    }
    if let Some(names) = property.get("enum") {
        return words(names);
    }
    let inner: Vec<String> = properties(property).map(|(name, _)| format!("`{name}`")).collect();
    match property.get("type").and_then(Value::as_str).unwrap_or_default() {
        "string" => "text".to_owned(),
        "integer" | "number" => "a number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "array" => {
            let items = property.get("items").map(|items| kind(items, schema));
            format!("a list of {}", items.unwrap_or_default())
        }
        _ if inner.is_empty() => "a mapping".to_owned(),
        _ => format!("a mapping of {}", inner.join(", ")),
    }
}

fn words(names: &Value) -> String {
    let names = names.as_array().into_iter().flatten().filter_map(Value::as_str);
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The definition that a schema is, also behind the wrapping that gives it a description.
fn reference_in(property: &Value) -> Option<String> {
    let direct = property.get("$ref").or_else(|| property.pointer("/allOf/0/$ref"));
    let name = direct?.as_str()?.strip_prefix("#/definitions/")?;
    Some(name.to_owned())
}

fn named(name: &str, schema: &Value) -> String {
    if let Some((_, heading)) = PARTS.iter().find(|(part, _)| *part == name) {
        return format!("a mapping: see {heading}");
    }
    if name == "FaultYaml" {
        return "a mapping: see `do`".to_owned();
    }
    let Some(kind) = name.strip_suffix("_matcher") else {
        let names = schema.pointer(&format!("/definitions/{name}/anyOf/0/enum"));
        return names.map_or_else(|| name.replace('_', " "), words);
    };
    let element = kind.strip_prefix("list_of_");
    let one = match element.unwrap_or(kind) {
        "text" => "text".to_owned(),
        "number" => "a number".to_owned(),
        "truth" => "true or false".to_owned(),
        name => named(name, schema),
    };
    let value = if element.is_some() { format!("a list of {one}") } else { one };
    format!("{value}; or a matcher")
}

/// A fault with its parameters.
fn fault_line(fault: &Value) -> String {
    let mut text = String::new();
    for (name, body) in properties(fault) {
        let parts: Vec<String> = properties(body)
            .map(|(name, part)| {
                let names = part.get("enum").map(|names| format!(" ({})", words(names)));
                format!("`{name}`{}", names.unwrap_or_default())
            })
            .collect();
        let (about, parts) = (about(fault), parts.join(", "));
        writeln!(text, "- `{name}`: {parts}. {about}").expect("it is a String");
    }
    text
}

fn matchers() -> String {
    let mut text =
        "\n## Matchers\n\nA mapping whose keys are operators; all of them must hold.\n\n"
            .to_owned();
    let kinds = [
        ("numbers", Kind::Number),
        ("text, and names", Kind::Text),
        ("true or false", Kind::Bool),
        ("lists", Kind::List(Kind::Text.into())),
    ];
    for (name, kind) in kinds {
        let operators: Vec<String> =
            kind.operators().iter().map(|operator| format!("`{operator}`")).collect();
        writeln!(text, "- {name}: {}", operators.join(", ")).expect("it is a String");
    }
    text.push_str(
        "\n`between` takes both ends; `contains` and `not_contains` one thing or a list of them; `regex` is found anywhere;\n\
         `any_order` is the whole list. `none` is a slot, or a field of a listing, that is absent.\n",
    );
    text
}
