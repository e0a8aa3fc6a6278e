//! The format of session files is locked like a contract: its schema, what editors are given of it, and what an
//! author is told of each kind of mistake.

mod schema;

use jsonschema::{Validator, validator_for};
use rehearse::project::{Project, ProjectError};
use rehearse::session::{Ink, REFERENCE_FILE, SCHEMA_FILE, broken, json, reference, schema_text};
use schema::{Flow, breaking_changes, locked};
use serde_json::Value;
use std::path::Path;

fn project() -> Project {
    Project::around(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("a project")
}

fn generated() -> Value {
    rehearse::session::schema()
}

fn validator() -> Validator {
    validator_for(&generated()).expect("a schema")
}

fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(schema::snapshots());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

/// What the schema has against a text; empty if it is content.
fn objections(validator: &Validator, text: &str) -> Vec<String> {
    match json(text) {
        Ok(value) => validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect(),
        Err(problem) => vec![problem.text],
    }
}

#[test]
fn nothing_that_a_session_may_say_was_removed_or_narrowed_since_the_schema_was_locked() {
    if let Some(before) = locked("format__session") {
        let changes = breaking_changes(&before, &generated(), Flow::FromClient);
        assert!(changes.is_empty(), "breaking change of the format:\n{}", changes.join("\n"));
    }
    let text = serde_json::to_string_pretty(&generated()).expect("plain JSON");
    settings().bind(|| insta::assert_snapshot!("format__session", text));
}

#[test]
fn editors_are_given_the_schema_of_today() {
    let text = project().text(Path::new(SCHEMA_FILE)).expect("it is checked in");
    let advice = "is stale: write it anew with `cargo rehearse schema`, and commit it";
    assert!(text == schema_text(), "{SCHEMA_FILE} {advice}");
}

#[test]
fn people_are_given_the_reference_of_today() {
    let text = project().text(Path::new(REFERENCE_FILE)).expect("it is checked in");
    let advice = "is stale: write it anew with `cargo rehearse schema`, and commit it";
    assert!(text == reference(), "{REFERENCE_FILE} {advice}");
}

#[test]
fn every_key_of_the_schema_is_explained() {
    fn unexplained(path: &str, schema: &Value, found: &mut Vec<String>) {
        let Some(fields) = schema.as_object() else { return };
        for (name, value) in fields {
            if name == "properties" && !path.ends_with("/properties") {
                for (key, property) in value.as_object().into_iter().flatten() {
                    let is_explained = property.get("description").is_some()
                        || schema.pointer("/required/0") == Some(&Value::from(key.as_str()))
                        || property.pointer("/allOf/0/$ref").is_some();
                    // Operators and slots are explained by their kind, or by the contract.
                    if !is_explained && !path.contains("anyOf") {
                        found.push(format!("{path}/{key}"));
                    }
                }
            }
            let below = format!("{path}/{name}");
            match value {
                Value::Array(items) => {
                    let items = items.iter().enumerate();
                    items.for_each(|(n, item)| unexplained(&format!("{below}/{n}"), item, found));
                }
                Value::Object(_) => unexplained(&below, value, found),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
    }
    let mut found = Vec::new();
    unexplained("", &generated(), &mut found);
    found.retain(|path| !path.contains("/slots/") && !path.contains("/each/"));
    assert!(found.is_empty(), "without a description:\n{}", found.join("\n"));
}

#[test]
fn every_session_binds_the_schema_and_fits_it() {
    let (project, validator) = (project(), validator());
    let paths = project.session_paths().expect("sessions");
    assert!(paths.len() >= 30, "only {} sessions", paths.len());
    for path in paths {
        let text = project.text(&path).expect("a session");
        let up = "../".repeat(path.components().count() - 1);
        let first = format!("# yaml-language-server: $schema={up}{SCHEMA_FILE}\n");
        assert!(text.starts_with(&first), "{} does not begin with\n{first}", path.display());
        let objections = objections(&validator, &text);
        assert!(objections.is_empty(), "{}:\n{}", path.display(), objections.join("\n"));
    }
}

/// Who refuses a broken file: the schema already, or only the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refuses {
    Schema,
    ReaderOnly,
}
use Refuses::{ReaderOnly, Schema};

/// The files in `tests/broken/`, one a kind of mistake.
const BROKEN: &[(&str, Refuses)] = &[
    ("unknown-key", Schema),
    ("duplicate-key", Schema),
    ("not-yaml", Schema),
    ("missing-key", Schema),
    ("wrong-type", Schema),
    ("wrong-name", ReaderOnly),
    ("no-turns", Schema),
    ("no-expect", Schema),
    ("empty-expect", Schema),
    ("unknown-agent", Schema),
    ("unknown-intent", Schema),
    ("unknown-slot", Schema),
    ("unknown-listing", ReaderOnly),
    ("unknown-catalog", ReaderOnly),
    ("unknown-operator", Schema),
    ("unfit-operator", Schema),
    ("unfit-value", Schema),
    ("bad-regex", ReaderOnly),
    ("bad-duration", Schema),
    ("unknown-fault", Schema),
    ("unknown-host", ReaderOnly),
    ("fault-without-frame", ReaderOnly),
    ("frame-of-the-run", ReaderOnly),
    ("unknown-client", ReaderOnly),
    ("unknown-variable", ReaderOnly),
    ("unused-variable", ReaderOnly),
    ("unknown-fragment", ReaderOnly),
    ("bad-quarantine", Schema),
    ("same-as-a-later-turn", ReaderOnly),
    ("late-speaker", ReaderOnly),
    ("copy-of-another-thread", ReaderOnly),
    ("unknown-close-reason", Schema),
];

#[test]
fn an_author_is_told_where_and_what_is_wrong_and_what_to_do() {
    let project = project();
    for (name, _) in BROKEN {
        let path = format!("tests/broken/{name}.yaml");
        let error = project.session(Path::new(&path)).expect_err(&path);
        let ProjectError::Session(mistakes) = error else { panic!("{path}: {error}") };
        let told = broken(&mistakes, Ink::Plain);
        settings().bind(|| insta::assert_snapshot!(format!("format__{name}"), told));
    }
}

#[test]
fn the_schema_refuses_what_it_can() {
    let (project, validator) = (project(), validator());
    for (name, refuses) in BROKEN {
        let text = project.text(Path::new(&format!("tests/broken/{name}.yaml"))).expect("a file");
        let objections = objections(&validator, &text);
        assert_eq!(!objections.is_empty(), *refuses == Schema, "{name}: {objections:#?}");
    }
    let files = std::fs::read_dir(project.root().join("tests/broken")).expect("a folder");
    assert_eq!(files.count(), BROKEN.len(), "a file in tests/broken that nobody reads");
}
