//! The contract is locked: the schema of every type that crosses a process stands in `snapshots/`.
//!
//! A change that only adds is reviewed like any snapshot. One that removes or narrows what a peer may rely
//! on is refused as a breaking change, before insta can offer to accept it.

mod schema;

use assistant::contract::agent::{AgentRequest, AgentResponse};
use assistant::contract::frame::{ClientFrame, ServerFrame};
use assistant::contract::thread::{Accepted, OpenThread, SubmitTurn, TailLine, ThreadHead};
use assistant::contract::token::{Granted, Refresh, RevocationLine, Revoke};
use jsonschema::validator_for;
use schema::{Flow, breaking_changes, locked};
use schemars::{JsonSchema, schema_for};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A locked type.
struct Locked {
    /// Its snapshot is `contract__NAME.snap`.
    name: &'static str,
    /// Who may rely on what.
    flow: Flow,
    /// Whether unknown fields are refused.
    strict: bool,
    schema: Value,
    /// Whether serde accepts a value.
    accepts: fn(&Value) -> bool,
    /// Values that are right.
    examples: Vec<Value>,
}

fn lock<T: JsonSchema + DeserializeOwned>(
    name: &'static str,
    flow: Flow,
    examples: Value,
) -> Locked {
    let Value::Array(examples) = examples else {
        panic!("{name}: the examples are no list");
    };
    Locked {
        name,
        flow,
        strict: true,
        schema: schema_for!(T).to_value(),
        accepts: |value| serde_json::from_value::<T>(value.clone()).is_ok(),
        examples,
    }
}

/// What a newer server adds is ignored.
fn tolerant(locked: Locked) -> Locked {
    Locked { strict: false, ..locked }
}

fn contract() -> Vec<Locked> {
    let mut all = client_contract();
    all.extend(agent_contract());
    all.extend(thread_contract());
    all
}

/// A listing and a relaxation.
fn values() -> (Value, Value) {
    let card = json!({"id": "L-1", "title": "Flat", "listing_type": "rent", "price": 1500,
        "beds": 0, "baths": 1.5, "state": "OR", "address": "1 Elm St", "phone": "555-0100",
        "property_type": "condo", "pets": "both", "parking": true, "laundry": false,
        "furnished": true, "year_built": 1987, "available": "2026-03-01", "deposit": 900,
        "notes": ["pets not stated"]});
    let relaxation = json!({"count": 2, "changes": [
        {"constraint": "price_max", "from": 1, "to": 2},
        {"constraint": "city", "from": "Portland", "to": ["Salem"]},
        {"constraint": "beds_exact", "from": 2, "to": [1, 3]},
        {"constraint": "sqft_min", "from": 900, "to": 850},
        {"constraint": "state", "from": "OR", "to": ["WA"]},
        {"constraint": "laundry"}, {"constraint": "furnished"}, {"constraint": "pets"},
        {"constraint": "parking"}]});
    (card, relaxation)
}

fn client_contract() -> Vec<Locked> {
    let (card, relaxation) = values();
    vec![
        lock::<ClientFrame>("client_frame", Flow::FromClient, client_frames()),
        tolerant(lock::<ServerFrame>(
            "server_frame",
            Flow::FromServer,
            server_frames(&card, &relaxation),
        )),
        lock::<Refresh>("refresh", Flow::FromClient, json!([{"refresh_token": "r"}])),
        tolerant(lock::<Granted>(
            "granted",
            Flow::FromServer,
            json!([{"access_token": "a", "expires_in": 60},
                {"access_token": "a", "expires_in": 60, "refresh_token": "r"}]),
        )),
        lock::<Revoke>("revoke", Flow::FromClient, json!([{"refresh_token": "r"}])),
    ]
}

fn agent_contract() -> Vec<Locked> {
    let (card, relaxation) = values();
    let slots = json!({"listing_type": "buy", "city": "Salem", "price_max": 9, "hard": ["city"],
        "state": "OR", "beds_exact": 2, "sqft_min": 700, "property_type": "condo", "pets": "any",
        "laundry": true, "furnished": false});
    let state = json!({"slots": slots, "shown": ["L-1"], "seen": ["L-1"],
        "pending": {"relaxation": {"slots": slots}}});
    vec![
        lock::<AgentRequest>(
            "agent_request",
            Flow::Both,
            json!([{"version": 1, "thread_id": "t-1", "message_id": "m-1", "text": "hi",
             "today": "2026-03-01", "state": state}]),
        ),
        lock::<AgentResponse>(
            "agent_response",
            Flow::Both,
            json!([{"version": 1, "status": "done", "intent": "refine", "text": "ok", "refers_to": [],
             "actions": [{"show_listings": {"listings": [card], "total": 1,
                "relaxation": relaxation}}], "state": state}]),
        ),
    ]
}

fn thread_contract() -> Vec<Locked> {
    vec![
        lock::<OpenThread>(
            "open_thread",
            Flow::Both,
            json!([{"user": "u-1"}, {"user": "u-1", "client_id": "c-1"}]),
        ),
        lock::<ThreadHead>(
            "thread_head",
            Flow::Both,
            json!([{"thread_id": "t-1", "epoch": 7, "head": 0},
                {"thread_id": "t-1", "epoch": 7, "head": 0, "claim": 3}]),
        ),
        lock::<SubmitTurn>(
            "submit_turn",
            Flow::Both,
            json!([{"user": "u-1", "message_id": "m-1", "text": "hi"}]),
        ),
        lock::<Accepted>("accepted", Flow::Both, json!([{"message_id": "m-1", "seq": 1}])),
        lock::<TailLine>(
            "tail_line",
            Flow::Both,
            json!([{"level": {"head": 3}}, {"frame": user_turn()}, {"superseded": {}}]),
        ),
        lock::<RevocationLine>(
            "revocation_line",
            Flow::Both,
            json!([{"revoked": {"session": "s-1", "until": 1_800_000_000}}, {"beat": {}}]),
        ),
    ]
}

fn client_frames() -> Value {
    json!([{"event": "hello", "protocol": 1, "client_id": "c-1", "thread_id": "t-1",
         "cursor": {"epoch": 0, "seq": 0}},
        {"event": "user_message", "message_id": "m-1", "text": "hi"},
        {"event": "pong", "n": 1},
        {"event": "auth", "token": "x"},
        {"event": "catchup", "after": 3}])
}

fn user_turn() -> Value {
    json!({"thread_id": "t-1", "epoch": 7, "seq": 1, "in_reply_to": "m-1",
        "meta": {"trace": "f-1"}, "event": "user_turn", "message_id": "m-1", "text": "hi"})
}

/// The same place in the log with another content.
fn durable(body: &Value) -> Value {
    let mut frame = user_turn();
    let fields = frame.as_object_mut().expect("an object");
    fields.remove("message_id");
    fields.remove("text");
    fields.extend(body.as_object().expect("an object").clone());
    frame
}

fn server_frames(card: &Value, relaxation: &Value) -> Value {
    json!([{"event": "welcome", "connection_id": "k-1", "heartbeat_ms": 25000,
         "limits": {"message_bytes_max": 65536, "text_chars_max": 4000}},
        {"event": "welcome", "connection_id": "k-1", "heartbeat_ms": 25000,
         "limits": {"message_bytes_max": 65536, "text_chars_max": 4000,
            "frames_burst_max": 40, "frames_per_second_max": 20}},
        {"event": "resumed", "from": 1, "to": 3, "recovered": true},
        {"event": "resume_failed", "why": "epoch", "head": 3, "epoch": 7},
        {"event": "ack", "message_id": "m-1", "seq": 1},
        {"event": "typing", "in_reply_to": "m-1"},
        {"event": "reconnect_advice", "why": "drain", "min_ms": 0, "max_ms": 5000},
        {"event": "ping", "n": 1},
        user_turn(),
        durable(&json!({"event": "recommendations", "agent": "real_estate",
            "recommendations": [card], "relaxation": relaxation})),
        durable(&json!({"event": "message", "agent": "general", "intent": "greeting",
            "text": "hi"})),
        durable(&json!({"event": "error", "code": "agent_invalid", "message": "sorry",
            "retryable": true}))])
}

#[test]
fn nothing_was_removed_or_narrowed_since_the_schemas_were_locked() {
    let mut breaking = Vec::new();
    for Locked { name, flow, schema, .. } in contract() {
        if let Some(before) = locked(&format!("contract__{name}")) {
            let changes = breaking_changes(&before, &schema, flow);
            breaking.extend(changes.into_iter().map(|change| format!("  {name}: {change}")));
        }
    }
    assert!(breaking.is_empty(), "breaking change of the contract:\n{}", breaking.join("\n"));
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(schema::snapshots());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for Locked { name, schema, .. } in contract() {
            let text = serde_json::to_string_pretty(&schema).expect("plain JSON");
            insta::assert_snapshot!(format!("contract__{name}"), text);
        }
    });
}

#[test]
fn every_example_is_accepted_by_its_schema_and_by_serde() {
    for locked in contract() {
        let validator = validator_for(&locked.schema).expect("a schema");
        for example in &locked.examples {
            let name = locked.name;
            assert!((locked.accepts)(example), "{name}: serde refuses {example}");
            if let Err(error) = validator.validate(example) {
                panic!("{name}: the schema refuses {example}: {error}");
            }
        }
    }
}

#[test]
fn a_missing_field_or_a_wrong_type_is_refused_by_the_schema_exactly_if_serde_refuses_it() {
    for locked in contract() {
        let validator = validator_for(&locked.schema).expect("a schema");
        let mut refused = 0;
        for broken in locked.examples.iter().flat_map(broken) {
            let (name, valid) = (locked.name, validator.is_valid(&broken));
            assert_eq!(valid, (locked.accepts)(&broken), "{name}: {broken}");
            refused += usize::from(!valid);
        }
        assert!(refused > locked.examples.len(), "{} refuses too little", locked.name);
    }
}

#[test]
fn an_unknown_field_is_refused_unless_a_newer_server_may_send_it() {
    for locked in contract() {
        let validator = validator_for(&locked.schema).expect("a schema");
        for example in &locked.examples {
            let mut more = example.clone();
            more["surprise"] = json!(true);
            let name = locked.name;
            assert_eq!(validator.is_valid(&more), !locked.strict, "{name}: {more}");
            assert_eq!((locked.accepts)(&more), !locked.strict, "{name}: {more}");
        }
    }
}

/// The example without each of its fields, and with each of another type.
fn broken(example: &Value) -> Vec<Value> {
    let fields = example.as_object().expect("an object");
    let without = fields.keys().map(|field| {
        let mut less = fields.clone();
        less.remove(field);
        Value::Object(less)
    });
    let mistyped = fields.iter().map(|(field, value)| {
        let wrong = if value.is_object() { json!(7) } else { json!({"wrong": 7}) };
        let mut other = fields.clone();
        other.insert(field.clone(), wrong);
        Value::Object(other)
    });
    without.chain(mistyped).collect()
}
