//! What kind of value an expectation is held against, taken from the contract's schemas, and what fits it.
//!
//! It knows neither subjects nor traces: a claim that can never hold is refused before anything is played.

use super::matcher::{Matcher, Raw};
use super::names::{names_in, schema};
use super::yaml::{At, Problem};
use assistant::contract::close::CloseReason;
use schemars::JsonSchema;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// The plain fields of a struct or a variant, by name. Objects are left out: a session cannot write them.
pub(super) type Fields = BTreeMap<String, Field>;

/// What stands in a field.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) kind: Kind,
    /// Whether it may be absent, which a session writes as `none`.
    pub(super) optional: bool,
    /// What it holds, in a sentence; empty if the contract does not say.
    pub(super) about: String,
}

/// A kind of value.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Text,
    Number,
    Bool,
    /// One of these names; what they name comes first.
    Name(String, Vec<String>),
    List(Box<Self>),
}

/// Why a gateway closes a connection, by the words on the wire.
pub(super) fn close_reasons() -> Vec<String> {
    CloseReason::ALL.into_iter().map(|reason| reason.text().to_owned()).collect()
}

/// The fields of a struct.
pub(super) fn fields<T: JsonSchema>() -> Fields {
    fields_in(&schema::<T>())
}

/// The fields of each variant of an enum, by the value of `tag`.
pub(super) fn variants<T: JsonSchema>(tag: &str) -> BTreeMap<String, Fields> {
    let schema = schema::<T>();
    let variants = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    let named = variants.filter_map(|variant| {
        let name = variant.pointer(&format!("/properties/{tag}/const"))?.as_str()?;
        Some((name.to_owned(), fields_in(variant)))
    });
    named.collect()
}

fn fields_in(schema: &Value) -> Fields {
    let required = schema.get("required").and_then(Value::as_array);
    let required: Vec<&str> = required.into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema.get("properties").and_then(Value::as_object);
    let plain = properties.into_iter().flatten().filter_map(|(name, schema)| {
        let kind = Kind::of(name, schema)?;
        let optional = !required.contains(&name.as_str());
        let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        Some((name.clone(), Field { kind, optional, about: about.to_owned() }))
    });
    plain.collect()
}

impl Field {
    /// Reads what a session says of such a field; mistakes go to `problems`.
    pub(super) fn read(&self, raw: &At<Raw>, problems: &mut Vec<Problem>) -> Option<Matcher> {
        let matcher = Matcher::read(raw).map_err(|problem| problems.push(problem)).ok()?;
        match &matcher {
            Matcher::Absent if self.optional => {}
            Matcher::Absent => problems.push(Problem {
                advice: Some("`none` stands for what may be absent, and this never is".to_owned()),
                ..raw.instead_of(&self.kind.to_string())
            }),
            Matcher::Present | Matcher::Equal(_) | Matcher::All(_) => {
                self.kind.check(raw, problems);
            }
        }
        Some(matcher)
    }
}

impl Kind {
    fn of(name: &str, schema: &Value) -> Option<Self> {
        let schema = schema.pointer("/anyOf/0").unwrap_or(schema);
        let names = names_in(schema, "");
        if !names.is_empty() {
            return Some(Self::Name(name.to_owned(), names));
        }
        let types = schema.get("type")?;
        match types.as_str().or_else(|| types.get(0)?.as_str())? {
            "string" => Some(Self::Text),
            "integer" | "number" => Some(Self::Number),
            "boolean" => Some(Self::Bool),
            "array" => Self::of(name, schema.get("items")?).map(|kind| Self::List(kind.into())),
            _ => None,
        }
    }

    pub(super) fn operators(&self) -> &'static [&'static str] {
        match self {
            Self::Text | Self::Name(..) => &["one_of", "contains", "not_contains", "regex"],
            Self::Number => &["gte", "lte", "between", "one_of"],
            Self::Bool => &["one_of"],
            Self::List(_) => &["one_of", "contains", "not_contains", "any_order"],
        }
    }

    /// What does not fit a value of this kind, in something that is a matcher.
    fn check(&self, raw: &At<Raw>, problems: &mut Vec<Problem>) {
        let Raw::Map(operators) = &raw.value else {
            return self.check_value(raw, problems);
        };
        let element = if let Self::List(element) = self { element } else { self };
        for (name, operand) in operators {
            let fitting = self.operators();
            match (name.value.as_str(), &operand.value) {
                (operator, _) if !fitting.contains(&operator) => problems.push(Problem {
                    span: name.span,
                    text: format!("expected an operator for {self}, got `{operator}`"),
                    advice: Some(format!("one of: {}", fitting.join(", "))),
                }),
                ("one_of", Raw::List(items)) => {
                    items.iter().for_each(|item| self.check_value(item, problems));
                }
                ("any_order" | "contains" | "not_contains", Raw::List(items)) => {
                    items.iter().for_each(|item| element.check_value(item, problems));
                }
                ("contains" | "not_contains", _) => element.check_value(operand, problems),
                (_, _) => {} // The operands of the others are of one kind, and have been read.
            }
        }
    }

    fn check_value(&self, raw: &At<Raw>, problems: &mut Vec<Problem>) {
        match (self, &raw.value) {
            (Self::Text, Raw::Scalar(Value::String(_)))
            | (Self::Number, Raw::Scalar(Value::Number(_)))
            | (Self::Bool, Raw::Scalar(Value::Bool(_))) => {}
            (Self::Name(what, known), Raw::Scalar(Value::String(name))) => {
                if !known.contains(name) {
                    let name = At { value: name.clone(), span: raw.span };
                    problems.push(Problem::unknown(what, &name, known));
                }
            }
            (Self::List(element), Raw::List(items)) => {
                items.iter().for_each(|item| element.check_value(item, problems));
            }
            (Self::Text, Raw::Scalar(_)) => problems
                .push(Problem { advice: Some("quote it".to_owned()), ..raw.instead_of("text") }),
            (_, _) => problems.push(raw.instead_of(&self.to_string())),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Number => "a number",
            Self::Bool => "true or false",
            Self::Name(..) => "a name",
            Self::List(_) => "a list",
        })
    }
}
