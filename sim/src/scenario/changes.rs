//! A configuration in a file: only what differs from production, with lengths of time as people write them.
//!
//! An old file so plays with today's values wherever it says nothing, as a session does.

use super::{Config, length};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};
use std::time::Duration;

pub(super) fn serialize<S: Serializer>(config: &Config, to: S) -> Result<S::Ok, S::Error> {
    let [ours, usual] = [config, &Config::default()].map(serde_json::to_value);
    let (ours, usual) = (ours.map_err(S::Error::custom)?, usual.map_err(S::Error::custom)?);
    difference(ours, &usual).unwrap_or_else(|| json!({})).serialize(to)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Config, D::Error> {
    let changes = in_numbers(Value::deserialize(from)?);
    serde_json::from_value(changes).map_err(D::Error::custom)
}

/// What of `ours` is not as usual; nothing if all is.
fn difference(ours: Value, usual: &Value) -> Option<Value> {
    match ours {
        ours if ours == *usual => None,
        Value::Object(fields) if usual.is_object() && duration(&fields).is_none() => {
            let changed = fields.into_iter().filter_map(|(name, ours)| {
                let usual = usual.get(&name).unwrap_or(&Value::Null);
                difference(ours, usual).map(|changed| (name, changed))
            });
            Some(Value::Object(changed.collect()))
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => Some(in_words(ours)),
    }
}

/// A length of time in serde's own form.
fn duration(fields: &Map<String, Value>) -> Option<Duration> {
    let number = |name| fields.get(name).and_then(Value::as_u64);
    let nanos = u32::try_from(number("nanos")?).ok()?;
    (fields.len() == 2).then_some(Duration::new(number("secs")?, nanos))
}

fn in_words(value: Value) -> Value {
    match value {
        Value::Object(fields) => match duration(&fields) {
            Some(found) => Value::String(length::write(found)),
            None => fields.into_iter().map(|(name, value)| (name, in_words(value))).collect(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            value
        }
    }
}

/// No text of a configuration looks like a length of time without being one.
fn in_numbers(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, in_numbers(value))).collect()
        }
        Value::String(text) => match length::read(&text) {
            Some(found) => json!({ "secs": found.as_secs(), "nanos": found.subsec_nanos() }),
            None => Value::String(text),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assistant::config::client::{CloseCodes, CountReset, Rule};

    #[derive(Serialize, Deserialize)]
    struct Holder(#[serde(with = "super")] Config);

    #[test]
    fn only_what_differs_is_written_and_it_is_read_again() {
        let mut config = Config::default();
        assert_eq!(serde_json::to_string(&Holder(config.clone())).expect("plain"), "{}");
        config.client.cursor = Rule::Off;
        config.client.silence_grace = None;
        config.client.open_timeout = Some(Duration::from_millis(1_500));
        config.client.count_reset = CountReset::AfterStable(Duration::from_secs(3));
        config.client.close_codes = CloseCodes::RetryAll;
        config.client.window = usize::MAX;
        config.gateway.origins = vec!["https://a.example".to_owned()];
        config.rollout.percent = 10;
        let text = serde_json::to_string(&Holder(config.clone())).expect("plain");
        let expected = r#"{"gateway":{"origins":["https://a.example"]},"rollout":{"RE_AGENT_PERCENT":10},"client":{"count_reset":{"AfterStable":"3s"},"close_codes":"RetryAll","open_timeout":"1500ms","cursor":"Off","silence_grace":null,"window":18446744073709551615}}"#;
        assert_eq!(text, expected);
        let read: Holder = serde_json::from_str(&text).expect("as it was written");
        assert_eq!(read.0, config);
    }

    #[test]
    fn an_unknown_rule_is_refused() {
        let read = serde_json::from_str::<Holder>(r#"{"client":{"cursr":"Off"}}"#);
        let why = read.map(|_| ()).expect_err("it was read").to_string();
        assert!(why.contains("cursr"), "{why}");
    }
}
