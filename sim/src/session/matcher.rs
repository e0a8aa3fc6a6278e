//! What an expectation may say about one value: equal, absent, or operators that must all hold.
//!
//! It does not know which value it is held against.

use super::model::Pairs;
use super::names::closest;
use super::yaml::{At, Problem, Span};
use regex::Regex;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use std::fmt;

/// A value, a list or a mapping of operators, as it stands in the file.
#[derive(Debug, Clone)]
pub(super) enum Raw {
    Scalar(Value),
    List(Vec<At<Self>>),
    Map(Vec<(At<String>, At<Self>)>),
}

/// What a value must be.
#[derive(Debug, Clone)]
pub enum Matcher {
    /// `none`: there is no value.
    Absent,
    /// There is one.
    Present,
    /// The same value; lists in the same order, numbers by their amount.
    Equal(Value),
    /// All of these, in the order of the file.
    All(Vec<(Span, Test)>),
}

/// One operator.
#[derive(Debug, Clone)]
pub enum Test {
    /// `gte`
    AtLeast(Number),
    /// `lte`
    AtMost(Number),
    /// `between`, both ends included.
    Between(Number, Number),
    /// `one_of`
    OneOf(Vec<Value>),
    /// `contains`: every one of these parts of the text, or elements of the list.
    Contains(Vec<Value>),
    /// `not_contains`: none of them.
    ContainsNone(Vec<Value>),
    /// `regex`: found anywhere in the text.
    Regex(Regex),
    /// `any_order`: the same elements.
    AnyOrder(Vec<Value>),
}

const OPERATORS: [&str; 8] =
    ["gte", "lte", "between", "one_of", "contains", "not_contains", "regex", "any_order"];

impl Matcher {
    /// Reads a matcher; the first mistake in it.
    pub(super) fn read(raw: &At<Raw>) -> Result<Self, Problem> {
        match &raw.value {
            Raw::Scalar(Value::Null) => Err(Problem::new(
                raw.span,
                "expected a value, got nothing; `none` stands for an absent value",
            )),
            Raw::Scalar(Value::String(word)) if word == "none" => Ok(Self::Absent),
            Raw::Scalar(value) => Ok(Self::Equal(value.clone())),
            Raw::List(_) => plain(raw).map(Self::Equal),
            Raw::Map(pairs) if pairs.is_empty() => Err(Problem::new(
                raw.span,
                format!("expected an operator: {}", OPERATORS.join(", ")),
            )),
            Raw::Map(pairs) => pairs
                .iter()
                .map(|(name, operand)| Ok((name.span, Test::read(name, operand)?)))
                .collect::<Result<_, _>>()
                .map(Self::All),
        }
    }

    /// What does not hold, and which operator said so; empty if all is well. `None` is the whole matcher.
    pub(super) fn misses(&self, got: &Value) -> Vec<(Option<Span>, String)> {
        match self {
            Self::Absent if got.is_null() => Vec::new(),
            Self::Absent => vec![(None, format!("expected none, got {}", show(got)))],
            Self::Present if got.is_null() => vec![(None, "expected one, got nothing".to_owned())],
            Self::Present => Vec::new(),
            Self::Equal(want) if same(want, got) => Vec::new(),
            Self::Equal(want) => vec![(None, unequal(want, got))],
            Self::All(tests) => tests
                .iter()
                .filter(|(_, test)| !test.holds(got))
                .map(|(span, test)| (Some(*span), format!("expected {test}, got {}", show(got))))
                .collect(),
        }
    }
}

impl At<Raw> {
    /// What to say where `what` was expected and this stands.
    pub(super) fn instead_of(&self, what: &str) -> Problem {
        let got = match &self.value {
            Raw::Scalar(Value::Null) => "nothing".to_owned(),
            Raw::Scalar(Value::String(text)) => format!("`{text}`"),
            Raw::Scalar(value) => format!("`{value}`"),
            Raw::List(_) => "a list".to_owned(),
            Raw::Map(_) => "a mapping".to_owned(),
        };
        Problem::new(self.span, format!("expected {what}, got {got}"))
    }
}

impl Test {
    fn read(name: &At<String>, operand: &At<Raw>) -> Result<Self, Problem> {
        match name.value.as_str() {
            "gte" => number(operand).map(Self::AtLeast),
            "lte" => number(operand).map(Self::AtMost),
            "between" => match &operand.value {
                Raw::List(ends) => match ends.as_slice() {
                    [low, high] => Ok(Self::Between(number(low)?, number(high)?)),
                    _ => Err(operand.instead_of("[low, high]")),
                },
                Raw::Scalar(_) | Raw::Map(_) => Err(operand.instead_of("[low, high]")),
            },
            "one_of" => list(operand).map(Self::OneOf),
            "any_order" => list(operand).map(Self::AnyOrder),
            "contains" => one_or_more(operand).map(Self::Contains),
            "not_contains" => one_or_more(operand).map(Self::ContainsNone),
            "regex" => regex(operand).map(Self::Regex),
            unknown => Err(Problem {
                span: name.span,
                text: format!("unknown operator `{unknown}`"),
                advice: Some(closest(unknown, &OPERATORS)),
            }),
        }
    }

    fn holds(&self, got: &Value) -> bool {
        let amount = got.as_f64();
        let within = |low: &Number, high: &Number| {
            amount.is_some_and(|n| {
                low.as_f64().is_some_and(|low| low <= n)
                    && high.as_f64().is_some_and(|high| n <= high)
            })
        };
        match self {
            Self::AtLeast(low) => amount.is_some_and(|n| low.as_f64().is_some_and(|low| low <= n)),
            Self::AtMost(high) => {
                amount.is_some_and(|n| high.as_f64().is_some_and(|high| n <= high))
            }
            Self::Between(low, high) => within(low, high),
            Self::OneOf(wanted) => wanted.iter().any(|want| same(want, got)),
            Self::Contains(parts) => parts.iter().all(|part| has(got, part)),
            Self::ContainsNone(parts) => !got.is_null() && !parts.iter().any(|part| has(got, part)),
            Self::Regex(regex) => got.as_str().is_some_and(|text| regex.is_match(text)),
            Self::AnyOrder(wanted) => got
                .as_array()
                .is_some_and(|items| items.len() == wanted.len() && left(wanted, items).is_empty()),
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |values: &[Value]| values.iter().map(show).collect::<Vec<_>>().join(", ");
        match self {
            Self::AtLeast(low) => write!(f, "at least {low}"),
            Self::AtMost(high) => write!(f, "at most {high}"),
            Self::Between(low, high) => write!(f, "{low} to {high}"),
            Self::OneOf(values) => write!(f, "one of {}", shown(values)),
            Self::Contains(parts) => write!(f, "to contain {}", shown(parts)),
            Self::ContainsNone(parts) => write!(f, "not to contain {}", shown(parts)),
            Self::Regex(regex) => write!(f, "a match of /{regex}/"),
            Self::AnyOrder(values) => write!(f, "[{}] in any order", shown(values)),
        }
    }
}

fn plain(raw: &At<Raw>) -> Result<Value, Problem> {
    match &raw.value {
        Raw::Scalar(Value::Null) => Err(raw.instead_of("a value")),
        Raw::Scalar(value) => Ok(value.clone()),
        Raw::List(items) => items.iter().map(plain).collect(),
        Raw::Map(_) => Err(raw.instead_of("a value")),
    }
}

fn list(raw: &At<Raw>) -> Result<Vec<Value>, Problem> {
    match &raw.value {
        Raw::List(items) => items.iter().map(plain).collect(),
        Raw::Scalar(_) | Raw::Map(_) => Err(raw.instead_of("a list")),
    }
}

fn one_or_more(raw: &At<Raw>) -> Result<Vec<Value>, Problem> {
    match &raw.value {
        Raw::List(items) if items.is_empty() => {
            Err(Problem::new(raw.span, "an empty list demands nothing"))
        }
        Raw::List(_) => list(raw),
        Raw::Scalar(_) | Raw::Map(_) => plain(raw).map(|value| vec![value]),
    }
}

fn number(raw: &At<Raw>) -> Result<Number, Problem> {
    match &raw.value {
        Raw::Scalar(Value::Number(number)) => Ok(number.clone()),
        Raw::Scalar(_) | Raw::List(_) | Raw::Map(_) => Err(raw.instead_of("a number")),
    }
}

fn regex(raw: &At<Raw>) -> Result<Regex, Problem> {
    let Raw::Scalar(Value::String(text)) = &raw.value else {
        return Err(raw.instead_of("a regular expression"));
    };
    Regex::new(text).map_err(|error| {
        let why = error.to_string();
        let why = why.lines().last().unwrap_or_default();
        let why = why.trim_start_matches("error: ");
        Problem::new(raw.span, format!("not a regular expression: {why}"))
    })
}

/// Equality by amount: `2` in a file is `2.0` on the wire.
fn same(want: &Value, got: &Value) -> bool {
    match (want, got) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (want, got) => want == got,
    }
}

fn has(got: &Value, part: &Value) -> bool {
    match (got, part) {
        (Value::Array(items), part) => items.iter().any(|item| same(part, item)),
        (Value::String(text), Value::String(part)) => text.contains(part),
        (_, _) => false,
    }
}

/// What remains of `from` when each element of `taken` is taken out once.
fn left<'a>(from: &'a [Value], taken: &[Value]) -> Vec<&'a Value> {
    let mut taken: Vec<&Value> = taken.iter().collect();
    from.iter()
        .filter(|value| {
            let found = taken.iter().position(|other| same(value, other));
            found.map(|place| taken.swap_remove(place)).is_none()
        })
        .collect()
}

fn unequal(want: &Value, got: &Value) -> String {
    let mut text = format!("expected {}, got {}", show(want), show(got));
    if let (Value::Array(want), Value::Array(got)) = (want, got) {
        let shown = |values: Vec<&Value>| {
            let shown: Vec<_> = values.into_iter().map(show).collect();
            shown.join(", ")
        };
        let (missing, extra) = (shown(left(want, got)), shown(left(got, want)));
        let parts = match (missing.is_empty(), extra.is_empty()) {
            (true, true) => "another order".to_owned(),
            (false, true) => format!("missing {missing}"),
            (true, false) => format!("extra {extra}"),
            (false, false) => format!("missing {missing}; extra {extra}"),
        };
        text = format!("{text} ({parts})");
    }
    text
}

/// A value as a reader wants it: names bare, texts in quotes, nothing as a word.
pub(super) fn show(value: &Value) -> String {
    let name = |c: char| c.is_ascii_alphanumeric() || "._:-".contains(c);
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) if !text.is_empty() && text.chars().all(name) => text.clone(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(show).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Raw;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value, a list or a mapping of operators")
            }
            fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
                Ok(Raw::Scalar(value.into()))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
                Ok(Raw::Scalar(value.into()))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
                Ok(Raw::Scalar(value.into()))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
                Ok(Raw::Scalar(value.into()))
            }
            fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
                Ok(Raw::Scalar(value.into()))
            }
            fn visit_unit<E>(self) -> Result<Raw, E> {
                Ok(Raw::Scalar(Value::Null))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Raw, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Raw::List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Raw, A::Error> {
                let Pairs(pairs) = Pairs::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Raw::Map(pairs))
            }
        }
        deserializer.deserialize_any(Visit)
    }
}
