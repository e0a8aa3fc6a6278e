//! The JSON Schema of session files, for editors: made from the types that read them and from the contract's
//! names, so that it cannot say anything else than the reader.
//!
//! It knows no catalogue: which listings and hosts there are is the reader's business.

use super::kind::{Field, Fields, Kind, close_reasons, fields, variants};
use super::model::{ListingsYaml, SessionYaml};
use super::names::names;
use super::yaml::At;
use crate::scenario::{DiskFailure, Intrusion, Misbehaviour};
use assistant::contract::agent::{Card, Change, Slots};
use assistant::contract::frame::{LogBody, ServerFrame};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// The schema of a session file: draft 07, which every editor knows.
///
/// # Panics
/// Never: a schema is plain data.
#[must_use]
pub fn schema() -> Value {
    let generator = SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<SessionYaml>().to_value();
    without_null(&mut schema);
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("title".to_owned(), "A golden session".into());
    }
    schema
}

/// A key that may be left out is not one that may stand there empty.
fn without_null(schema: &mut Value) {
    let null = json!({ "type": "null" });
    match schema {
        Value::Object(fields) => {
            if let Some(Value::Array(types)) = fields.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    fields.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(ways)) = fields.get_mut("anyOf") {
                ways.retain(|way| *way != null);
                if let [only] = ways.as_slice() {
                    let only = json!([only]);
                    fields.remove("anyOf");
                    fields.insert("allOf".to_owned(), only);
                }
            }
            if fields.get("default") == Some(&Value::Null) {
                fields.remove("default");
            }
            fields.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A length of time as text.
pub(super) struct Length;

impl JsonSchema for Length {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Length".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        made(
            json!({ "type": "string", "pattern": "^[0-9]+(ns|ms|s|m)$", "examples": ["150ms", "2s"] }),
        )
    }
}

pub(super) fn skew(_: &mut SchemaGenerator) -> Schema {
    let examples = ["90s", "-2m"];
    made(json!({ "type": "string", "pattern": "^-?[0-9]+(ms|s|m)$", "examples": examples }))
}

pub(super) fn pair(_: &mut SchemaGenerator) -> Schema {
    let host = json!({ "type": "string" });
    made(json!({ "type": "array", "items": host, "minItems": 2, "maxItems": 2 }))
}

pub(super) fn misbehaviour(_: &mut SchemaGenerator) -> Schema {
    words(&Misbehaviour::ALL)
}

pub(super) fn disk_failure(_: &mut SchemaGenerator) -> Schema {
    words(&[DiskFailure::Io, DiskFailure::Full])
}

pub(super) fn intrusion(_: &mut SchemaGenerator) -> Schema {
    words(&Intrusion::ALL)
}

fn words<T: Serialize>(all: &[T]) -> Schema {
    made(json!({ "enum": all }))
}

pub(super) fn vars(_: &mut SchemaGenerator) -> Schema {
    made(json!({
        "type": "object",
        "propertyNames": { "pattern": "^[A-Za-z0-9_]+$" },
        "additionalProperties": { "type": ["string", "number", "boolean"] },
    }))
}

pub(super) fn rollout(_: &mut SchemaGenerator) -> Schema {
    let enabled =
        json!({ "type": "boolean", "description": "Whether anybody is given the agent." });
    let about = "The share of users that are given it, percent.";
    let percent = json!({ "type": "integer", "minimum": 0, "description": about });
    made(json!({
        "type": "object",
        "additionalProperties": false,
        "properties": { "ENABLE_RE_AGENT": enabled, "RE_AGENT_PERCENT": percent },
    }))
}

pub(super) fn trigger_frame(_: &mut SchemaGenerator) -> Schema {
    let mut all = names::<LogBody>("event");
    all.extend(names::<ServerFrame>("event"));
    made(json!({ "enum": all }))
}

pub(super) fn agent(generator: &mut SchemaGenerator) -> Schema {
    of_body("message", "agent", generator)
}

pub(super) fn intent(generator: &mut SchemaGenerator) -> Schema {
    of_body("message", "intent", generator)
}

pub(super) fn reply(generator: &mut SchemaGenerator) -> Schema {
    of_body("message", "text", generator)
}

pub(super) fn error_code(generator: &mut SchemaGenerator) -> Schema {
    of_body("error", "code", generator)
}

pub(super) fn retryable(generator: &mut SchemaGenerator) -> Schema {
    of_body("error", "retryable", generator)
}

fn of_body(event: &str, field: &str, generator: &mut SchemaGenerator) -> Schema {
    let fields = variants::<LogBody>("event").remove(event).unwrap_or_default();
    let field = fields.get(field).expect("a field of the contract");
    made(of_field(field, generator))
}

pub(super) fn slots(generator: &mut SchemaGenerator) -> Schema {
    made(mapping(&fields::<Slots>(), generator))
}

pub(super) fn each(generator: &mut SchemaGenerator) -> Schema {
    made(mapping(&fields::<Card>(), generator))
}

pub(super) fn listings(generator: &mut SchemaGenerator) -> Schema {
    let mapping = generator.subschema_for::<ListingsYaml>();
    made(json!({ "anyOf": [{ "const": "unchanged" }, mapping] }))
}

pub(super) fn relaxation(generator: &mut SchemaGenerator) -> Schema {
    let changes = variants::<Change>("constraint").into_iter().map(|(name, sides)| {
        let sides = sides.into_iter().filter(|(side, _)| side == "from" || side == "to").collect();
        let mut stretch = mapping(&sides, generator);
        if let Some(fields) = stretch.as_object_mut() {
            fields.remove("minProperties");
        }
        (name, stretch)
    });
    let changes: Map<String, Value> = changes.collect();
    made(json!({ "anyOf": [{ "const": "none" }, object(&changes)] }))
}

pub(super) fn ids(generator: &mut SchemaGenerator) -> Schema {
    made(of_kind(&Kind::List(Kind::Text.into()), generator))
}

pub(super) fn refers_to(generator: &mut SchemaGenerator) -> Schema {
    ids(generator)
}

pub(super) fn count(generator: &mut SchemaGenerator) -> Schema {
    made(of_kind(&Kind::Number, generator))
}

pub(super) fn closed(generator: &mut SchemaGenerator) -> Schema {
    let reason = Kind::Name("close_reason".to_owned(), close_reasons());
    made(of_kind(&Kind::List(reason.into()), generator))
}

pub(super) fn frames(generator: &mut SchemaGenerator) -> Schema {
    let frame = Kind::Name("durable_frame".to_owned(), names::<LogBody>("event"));
    made(of_kind(&Kind::List(frame.into()), generator))
}

/// A mapping of which any fields may stand there, but one at least.
fn mapping(fields: &Fields, generator: &mut SchemaGenerator) -> Value {
    let properties = fields.iter().map(|(name, field)| {
        let mut schema = of_field(field, generator);
        if let Some(fields) = schema.as_object_mut().filter(|_| !field.about.is_empty()) {
            fields.insert("description".to_owned(), field.about.as_str().into());
        }
        (name.clone(), schema)
    });
    object(&properties.collect())
}

fn object(properties: &Map<String, Value>) -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "minProperties": 1,
        "properties": properties,
    })
}

fn of_field(field: &Field, generator: &mut SchemaGenerator) -> Value {
    let matcher = of_kind(&field.kind, generator);
    match field.optional {
        true => json!({ "anyOf": [matcher, { "const": "none" }] }),
        false => matcher,
    }
}

/// What may be said of a value of this kind: a value, or a mapping of operators. Defined once, by the kind's name.
fn of_kind(kind: &Kind, generator: &mut SchemaGenerator) -> Value {
    let value = of_value(kind, generator);
    let name = format!("{}_matcher", name_of(kind));
    if !generator.definitions().contains_key(&name) {
        let operators = kind.operators().iter();
        let operators =
            operators.map(|name| ((*name).to_owned(), operand(kind, name, generator))).collect();
        let matcher = json!({ "anyOf": [value, object(&operators)] });
        generator.definitions_mut().insert(name.clone(), matcher);
    }
    json!({ "$ref": format!("#/definitions/{name}") })
}

fn name_of(kind: &Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Number => "number".to_owned(),
        Kind::Bool => "truth".to_owned(),
        Kind::Name(what, _) => what.clone(),
        Kind::List(element) => format!("list_of_{}", name_of(element)),
    }
}

/// A value without operators; names are defined once.
fn of_value(kind: &Kind, generator: &mut SchemaGenerator) -> Value {
    match kind {
        Kind::Text => json!({ "type": "string", "not": { "const": "none" } }),
        Kind::Number => json!({ "anyOf": [{ "type": "number" }, variable()] }),
        Kind::Bool => json!({ "anyOf": [{ "type": "boolean" }, variable()] }),
        Kind::Name(what, names) => {
            let schema = json!({ "anyOf": [{ "enum": names }, variable()] });
            generator.definitions_mut().insert(what.clone(), schema);
            json!({ "$ref": format!("#/definitions/{what}") })
        }
        Kind::List(element) => json!({ "type": "array", "items": of_value(element, generator) }),
    }
}

fn operand(kind: &Kind, operator: &str, generator: &mut SchemaGenerator) -> Value {
    let element = if let Kind::List(element) = kind { element } else { kind };
    let (value, element_value) = (of_value(kind, generator), of_value(element, generator));
    let number = json!({ "anyOf": [{ "type": "number" }, variable()] });
    match operator {
        "gte" | "lte" => number,
        "between" => json!({ "type": "array", "items": number, "minItems": 2, "maxItems": 2 }),
        "one_of" => json!({ "type": "array", "items": value }),
        "any_order" => json!({ "type": "array", "items": element_value }),
        "regex" => json!({ "type": "string" }),
        // `contains` and `not_contains`.
        _ => {
            let is_text = matches!(element, Kind::Text);
            let part = if is_text { json!({ "type": "string" }) } else { element_value };
            json!({ "anyOf": [part, { "type": "array", "items": part, "minItems": 1 }] })
        }
    }
}

/// Nothing but a variable, which may be of any kind.
fn variable() -> Value {
    json!({ "type": "string", "pattern": "^[{][{][^{}]+[}][}]$" })
}

fn made(schema: Value) -> Schema {
    Schema::try_from(schema).expect("it is an object")
}
