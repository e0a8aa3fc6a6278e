//! Golden sessions: a conversation, its faults and what must come of it, in one YAML file.
//!
//! A session file turns into a [`Scenario`](crate::scenario::Scenario) and a list of claims; after the run the
//! claims are held against the [`Trace`](crate::trace::Trace). This room plays nothing and reads no file:
//! it gets text and traces, and returns values and diagnostics.
//!
//! # Design
//! The mistakes of an author are found before anything is played, all of those that parse at once, each
//! with the place in the file. Expectations are a flat list of claims (what, where, matcher) rather than a
//! struct per key: every key then counts, fails and is reported alike.

mod bless;
mod cast;
mod check;
mod diagnose;
mod draft;
mod expect;
mod fault_model;
mod faults;
mod file;
mod kind;
mod matcher;
mod model;
mod names;
mod quarantine;
mod reference;
mod schema;
mod source;
mod vars;
mod yaml;

pub use bless::{Blessed, bless};
pub use check::{Miss, check};
pub use diagnose::{Ink, broken, failed};
pub use draft::{Draft, FAULTS, Said, fault, observed};
pub use expect::{Claim, Expect, Side, Subject};
pub use file::{Broken, Catalogs, Session};
pub use matcher::{Matcher, Test};
pub(crate) use names::names;
pub use quarantine::Quarantine;
pub use reference::{REFERENCE_FILE, reference};
pub use schema::schema;
pub use source::{Fragments, Source, Sources};
pub(crate) use yaml::parse;
pub use yaml::{Problem, Span};

/// The file that holds [`schema()`], from the root of the project.
pub const SCHEMA_FILE: &str = "schema/session.v1.json";

/// The text of that file.
///
/// # Panics
/// Never: a schema is plain data.
#[must_use]
pub fn schema_text() -> String {
    format!("{:#}\n", schema())
}

/// A YAML document as JSON.
///
/// # Errors
/// [`Problem`]: it is none.
pub fn json(text: &str) -> Result<serde_json::Value, Problem> {
    parse(text)
}

#[cfg(test)]
mod tests {
    mod broken;
    mod cast;
    mod claims;
    mod reuse;
}
