//! A session whose plain expectations are those of a run, in the text that its author wrote: comments and layout
//! stay, and so does everything that is more than a value.
//!
//! # Design
//! Places are bytes of the file, so a value is replaced where it stands. A library that edits YAML would write the
//! same bytes, and would need the paths that the reader has already turned into places.

use super::check::{Miss, Outcome, check, closed};
use super::expect::{Claim, Subject};
use super::file::Session;
use super::matcher::Matcher;
use super::yaml::Span;
use crate::artefact::emit::flow;
use crate::trace::Trace;
use serde_json::Value;

/// What became of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blessed {
    /// The text of its file.
    pub text: String,
    /// What was replaced: `line 3: [A, B] -> [A]`.
    pub changes: Vec<String>,
    /// What was not, and why.
    pub left: Vec<String>,
}

/// Replaces the plain values of a session that a run did not meet by those that it came to.
#[must_use]
pub fn bless(session: &Session, trace: &Trace) -> Blessed {
    let own = session.sources.files().next().map(|own| own.text.clone()).unwrap_or_default();
    let misses = check(session, trace);
    let (mut edits, mut left) = (Vec::new(), Vec::new());
    for Miss { title, span, text } in &misses {
        match edit(session, trace, *span, &own) {
            Ok(edit) => edits.push(edit),
            Err(why) => left.push(format!("{title}: {text}; left as it is: {why}")),
        }
    }
    edits.sort_by_key(|edit| edit.from);
    edits.dedup();
    let changes = edits.iter().map(|edit| {
        let (line, _) = Span { start: edit.from, len: 0 }.place(&own);
        let before = own.get(edit.from..edit.to).unwrap_or_default();
        format!("line {line}: {before} -> {}", edit.value)
    });
    let changes = changes.collect();
    let mut text = own.clone();
    for Edit { from, to, value } in edits.into_iter().rev() {
        text.replace_range(from..to, &value);
    }
    Blessed { text, changes, left }
}

/// A piece of text and what shall stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edit {
    from: usize,
    to: usize,
    value: String,
}

/// The edit that mends a miss, or why there is none.
fn edit(session: &Session, trace: &Trace, span: Span, own: &str) -> Result<Edit, &'static str> {
    let claims = session.expects.iter().enumerate();
    let claims = claims.flat_map(|(turn, expect)| expect.claims.iter().map(move |c| (turn, c)));
    let mut claims = claims.chain(session.closed.iter().map(|claim| (0, claim)));
    let found = claims.find(|(_, claim)| claim.span == span);
    let (turn, claim) = found.ok_or("it is a matcher, or a fault; change it by hand")?;
    if span.start >= own.len() {
        return Err("it stands in a fragment, which others use too");
    }
    let Claim { subject, matcher, .. } = claim;
    match matcher {
        Matcher::Equal(_) => {}
        Matcher::Absent | Matcher::Present | Matcher::All(_) => {
            return Err("it is more than a value; change it by hand");
        }
    }
    if let Subject::Each(_) = subject {
        return Err("it speaks of several listings");
    }
    let value = if let Subject::Closed(client) = subject {
        let client = session.scenario.clients.get(*client);
        client.map(|client| closed(&client.host(), trace))
    } else {
        Outcome::of(turn, trace).and_then(|outcome| outcome.value(subject).ok())
    };
    let value = value.filter(|value| !value.is_null()).ok_or("there is no value to put there")?;
    let to = end(own, span).ok_or("it goes over several lines; put it in one, in brackets")?;
    if own.get(span.start..to).is_some_and(|text| text.contains("{{")) {
        return Err("it says a variable");
    }
    Ok(Edit { from: span.start, to, value: written(&value) })
}

fn written(value: &Value) -> String {
    let is_name = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    match value {
        // Listings are written bare, as everywhere.
        Value::Array(items) if items.iter().all(|item| item.as_str().is_some_and(is_name)) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Array(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Object(_) => flow(value),
    }
}

/// Where a scalar or a list in brackets ends, if it ends in its line.
fn end(text: &str, span: Span) -> Option<usize> {
    let rest = text.get(span.start..)?;
    let line = rest.lines().next()?;
    if !line.starts_with('[') {
        return (span.len > 0 && span.len <= line.len()).then_some(span.start + span.len);
    }
    let (mut depth, mut quote) = (0_usize, None);
    for (place, c) in line.char_indices() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') if depth == 1 => return Some(span.start + place + 1),
            (None, ']') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_it_ends() {
        let text = "a: [x, \"]\", [y]] # no\nb: [x,\n  y]\nc: 'it is' # so\n";
        let found = |piece: &str, len| {
            let start = text.find(piece).expect("it is there");
            end(text, Span { start, len }).map(|to| &text[start..to])
        };
        assert_eq!(found("[x, \"", 1), Some("[x, \"]\", [y]]"));
        assert_eq!(found("[x,\n", 1), None);
        assert_eq!(found("'it is'", 7), Some("'it is'"));
        assert_eq!(found("c:", 0), None);
    }
}
