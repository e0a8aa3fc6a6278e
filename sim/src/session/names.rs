//! The names that a session file may use, taken from the contract's own types, and the nearest to a typo.
//!
//! It does not know where in a file a name stands.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

/// The schema of a type, in one piece.
pub(super) fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::default().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// The variant names of an enum; for a tagged one the values of `tag`.
pub(crate) fn names<T: JsonSchema>(tag: &str) -> Vec<String> {
    names_in(&schema::<T>(), tag)
}

/// The same, of a schema.
pub(super) fn names_in(schema: &Value, tag: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let variants = schema.get("oneOf").or_else(|| schema.get("anyOf"));
    let Some(variants) = variants.and_then(Value::as_array) else {
        let plain = schema.get("enum").and_then(Value::as_array);
        return plain.into_iter().flatten().filter_map(text).collect();
    };
    let mut found = Vec::new();
    for variant in variants {
        let tagged = variant.pointer(&format!("/properties/{tag}/const"));
        found.extend(tagged.or_else(|| variant.get("const")).and_then(text));
        let plain = variant.get("enum").and_then(Value::as_array);
        found.extend(plain.into_iter().flatten().filter_map(text));
    }
    found
}

/// What to say to somebody who wrote `name`: the nearest known name, or all of them.
pub(super) fn closest<S: AsRef<str>>(name: &str, known: &[S]) -> String {
    let near = known
        .iter()
        .map(AsRef::as_ref)
        .map(|other| (strsim::osa_distance(name, other), other))
        .min();
    match near {
        Some((steps, other)) if steps <= 1.max(name.chars().count() / 3) => {
            format!("did you mean `{other}`?")
        }
        Some(_) => {
            let mut all: Vec<&str> = known.iter().take(24).map(AsRef::as_ref).collect();
            if known.len() > all.len() {
                all.push("…");
            }
            format!("one of: {}", all.join(", "))
        }
        None => "there are none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assistant::contract::agent::{Change, Intent};
    use assistant::contract::frame::{ErrorCode, LogBody, ServerFrame};

    #[test]
    fn takes_the_names_from_the_contract() {
        assert!(names::<Intent>("").contains(&"schedule_visit".to_owned()));
        assert_eq!(names::<ErrorCode>(""), ["agent_unavailable", "agent_invalid"]);
        assert_eq!(names::<LogBody>("event"), ["user_turn", "recommendations", "message", "error"]);
        assert_eq!(names::<Change>("constraint").len(), 12);
        assert!(names::<ServerFrame>("event").contains(&"welcome".to_owned()));
    }

    #[test]
    fn offers_the_nearest_name_or_all() {
        assert_eq!(closest("sed", &["seed", "tags"]), "did you mean `seed`?");
        assert_eq!(closest("sede", &["seed", "tags"]), "did you mean `seed`?");
        assert_eq!(closest("zzzz", &["seed", "tags"]), "one of: seed, tags");
    }
}
