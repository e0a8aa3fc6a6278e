//! YAML for people: what fits stands in one line, and quotes only where they are needed.
//!
//! Writes what serde made of a value; the parser of the project only reads.

use crate::scenario::length;
use serde_json::{Map, Value};

/// How wide a line may be.
const WIDTH: usize = 100;

/// A mapping as a block, however short it is; anything else as one line.
pub(crate) fn document(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(fields) => mapping(fields, 0, &mut text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            text.push_str(&flow(value));
            text.push('\n');
        }
    }
    text
}

/// The first line goes on where `text` ends, the others are indented.
fn mapping(fields: &Map<String, Value>, indent: usize, text: &mut String) {
    for (place, (name, value)) in fields.iter().enumerate() {
        if place > 0 {
            text.push_str(&" ".repeat(indent));
        }
        text.push_str(&scalar(name));
        text.push(':');
        below(value, indent, name.len() + 1, text);
    }
}

/// A value behind its name, in this line if it fits.
fn below(value: &Value, indent: usize, used: usize, text: &mut String) {
    let line = flow(value);
    match value {
        Value::Object(fields) if !fits(&line, indent + used) => {
            text.push('\n');
            text.push_str(&" ".repeat(indent + 2));
            mapping(fields, indent + 2, text);
        }
        Value::Array(items) if !items.is_empty() && holds_values(items) => {
            text.push('\n');
            for item in items {
                text.push_str(&" ".repeat(indent + 2));
                text.push('-');
                entry(item, indent + 4, text);
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            text.push(' ');
            text.push_str(&line);
            text.push('\n');
        }
    }
}

/// A value of a list, in one line if it fits.
fn entry(value: &Value, indent: usize, text: &mut String) {
    let line = flow(value);
    text.push(' ');
    match value {
        Value::Object(fields) if !fits(&line, indent) => mapping(fields, indent, text),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            text.push_str(&line);
            text.push('\n');
        }
    }
}

fn fits(line: &str, used: usize) -> bool {
    line.chars().count() + used < WIDTH
}

/// Whether a list reads better with an item a line.
fn holds_values(items: &[Value]) -> bool {
    items.iter().any(|item| item.is_object() || item.is_array())
}

pub(crate) fn flow(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => scalar(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let field =
                |(name, value): (&String, &Value)| format!("{}: {}", scalar(name), flow(value));
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("{{ {} }}", fields.join(", "))
        }
    }
}

/// Words that are no text in some YAML or other.
const RESERVED: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// A text without quotes if it can only be read as that text. In quotes, JSON is YAML.
fn scalar(text: &str) -> String {
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
        && !RESERVED.contains(&text.to_ascii_lowercase().as_str());
    match is_word || length::read(text).is_some() {
        true => text.to_owned(),
        false => Value::from(text).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::parse;
    use serde_json::json;

    #[test]
    fn short_things_stand_in_one_line_and_text_is_quoted_where_it_must_be() {
        let value = json!({
            "name": "chaos-7",
            "none": [],
            "words": ["a", "Off", "1500ms", "1e5", "a: b", "quote \" it\n", "naïve"],
            "turns": [
                { "say": "x".repeat(60), "do": { "crash": { "host": "agent", "down": "2s" } } },
                { "say": "", "nth": u64::MAX, "rest": null },
            ],
        });
        let x = "x".repeat(60);
        let expected = format!(
            r#"name: chaos-7
none: []
words: [a, "Off", 1500ms, "1e5", "a: b", "quote \" it\n", "naïve"]
turns:
  - say: {x}
    do: {{ crash: {{ host: agent, down: 2s }} }}
  - {{ say: "", nth: 18446744073709551615, rest: null }}
"#
        );
        assert_eq!(document(&value), expected);
        let read: Value = parse(&expected).expect("it is YAML");
        assert_eq!(read, value);
    }
}
