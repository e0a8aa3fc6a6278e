//! The only file that knows the YAML parser: text in, values with places out, errors in our own words.
//!
//! It does not know what a session is.

use super::names::closest;
use serde::de::{DeserializeOwned, Deserializer};
use serde::{Deserialize, Serialize};
use serde_yaml::{Error, Location, Spanned};

/// A place in a session file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Span {
    /// Where it begins.
    pub start: usize,
    /// How long it is; mappings and lists have no length, only a beginning.
    pub len: usize,
}

impl Span {
    /// Line and column in `text`, both counted from 1, columns in characters.
    #[must_use]
    pub fn place(self, text: &str) -> (usize, usize) {
        let before = text.get(..self.start).unwrap_or(text);
        let line = before.matches('\n').count().saturating_add(1);
        let column = before.chars().rev().take_while(|&c| c != '\n').count().saturating_add(1);
        (line, column)
    }
}

/// A mistake in a session file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub span: Span,
    /// What is wrong, or was expected instead.
    pub text: String,
    /// What the author may have meant, or may choose from.
    pub advice: Option<String>,
}

impl Problem {
    pub(super) fn new(span: Span, text: impl Into<String>) -> Self {
        Self { span, text: text.into(), advice: None }
    }

    /// A name that is none of the known ones.
    pub(super) fn unknown<S: AsRef<str>>(kind: &str, name: &At<String>, known: &[S]) -> Self {
        Self {
            span: name.span,
            text: format!("unknown {kind} `{}`", name.value),
            advice: Some(closest(&name.value, known)),
        }
    }
}

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        Ok(Self {
            value: spanned.value,
            span: known(spanned.referenced).unwrap_or(Span { start: usize::MAX, len: 0 }),
        })
    }
}

/// For `deserialize_with`: a key that is there has a value; an empty one is an error, not an absent key.
pub(super) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Reads one document.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let options = serde_yaml::options! {
        strict_booleans: true,
        no_schema: true,
        with_snippet: false,
        budget: serde_yaml::budget! {
            max_nodes: 20_000,
            max_depth: 32,
            max_anchors: 32,
            max_aliases: 256,
            max_documents: 1,
        },
    };
    serde_yaml::from_str_with_options(text, options).map_err(|error| problem(&error, text))
}

fn known(location: Location) -> Option<Span> {
    let span = location.span();
    Some(Span {
        start: usize::try_from(span.byte_offset()?).ok()?,
        len: usize::try_from(span.byte_len()?).ok()?,
    })
}

/// The scanner knows only line and column of its errors.
fn by_line(location: Location, text: &str) -> Option<Span> {
    let line = usize::try_from(location.line().checked_sub(1)?).ok()?;
    let column = usize::try_from(location.column().checked_sub(1)?).ok()?;
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(before..)?;
    let within: usize = rest.chars().take(column).map(char::len_utf8).sum();
    Some(Span { start: before + within, len: 0 })
}

fn problem(error: &Error, text: &str) -> Problem {
    let location = error.location().unwrap_or(Location::UNKNOWN);
    let span =
        known(location).or_else(|| by_line(location, text)).unwrap_or(Span { start: 0, len: 0 });
    let at = |name: &String| At { value: name.clone(), span };
    if let Error::SerdeUnknownField { field, expected, .. } = error {
        Problem::unknown("key", &at(field), expected)
    } else if let Error::SerdeUnknownVariant { variant, expected, .. } = error {
        Problem::unknown("name", &at(variant), expected)
    } else {
        let text = words(error);
        let quoted = text.contains("quoted scalar");
        let advice = quoted.then(|| "is a quote that was opened further up not closed?".to_owned());
        Problem { advice, ..Problem::new(span, text) }
    }
}

fn words(error: &Error) -> String {
    if let Error::SerdeMissingField { field, .. } = error {
        format!("missing key `{field}` in the mapping that ends here")
    } else if let Error::DuplicateMappingKey { key, .. } = error {
        let key = key.as_deref().unwrap_or("this one");
        format!("duplicate key `{key}`")
    } else if let Error::QuotingRequired { value, .. } = error {
        format!("expected text, got `{value}`: quote it, or add the unit of a duration (`10ms`)")
    } else if let Error::InvalidScalar { ty, .. } = error {
        let unsigned = ty.starts_with('u');
        let kind = if unsigned { "a whole number" } else { ty };
        format!("expected {kind}")
    } else if let Error::Unexpected { expected, .. } = error {
        let kind = match *expected {
            "sequence start" => "a list",
            "mapping start" => "a mapping",
            "string scalar" => "text",
            other => other,
        };
        format!("expected {kind}")
    } else if let Error::SerdeInvalidType { unexpected, expected, .. } = error {
        format!("expected {expected}, got {unexpected}")
    } else if let Error::Budget { .. } = error {
        "expected one document of at most 20,000 nodes and 32 levels".to_owned()
    } else if let Error::NullIntoString { .. } = error {
        "expected text, got nothing".to_owned()
    } else {
        let message = error.to_string();
        let end = message.rfind(" at line ").unwrap_or(message.len());
        message.chars().take(end).collect()
    }
}
