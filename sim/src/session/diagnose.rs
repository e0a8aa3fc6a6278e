//! Mistakes and misses as a person reads them: the line of the file, a caret, and what to type next.

use super::check::Miss;
use super::file::{Broken, Session};
use super::source::{Source, Sources};
use super::yaml::Span;
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Whether a text is for a terminal that shows colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// With escape codes.
    Colour,
    /// Without.
    Plain,
}

/// Everything that is wrong with a session file or an artefact.
#[must_use]
pub fn broken(broken: &Broken, ink: Ink) -> String {
    let count = match broken.problems.len() {
        1 => "1 mistake".to_owned(),
        n => format!("{n} mistakes"),
    };
    let mut text = format!("{} cannot be played: {count}\n", broken.path);
    for problem in &broken.problems {
        text.push_str(&mark(
            &broken.sources,
            (&problem.text, problem.advice.as_deref()),
            (problem.span, None),
            ink,
        ));
    }
    text
}

/// Everything a run did not do, and how to run it again.
#[must_use]
pub fn failed(session: &Session, misses: &[Miss], ink: Ink) -> String {
    let name = &session.scenario.name;
    let claims: BTreeSet<&str> = misses.iter().map(|miss| miss.title.as_str()).collect();
    let mut text = format!(
        "session {name} failed: {} of {} expectations\n",
        claims.len(),
        session.expectations()
    );
    for miss in misses {
        text.push_str(&mark(
            &session.sources,
            (&miss.title, None),
            (miss.span, Some(&miss.text)),
            ink,
        ));
    }
    let path = &session.path;
    writeln!(text, "\n  reproduce   cargo rehearse run {path}").expect("writing to a String");
    writeln!(text, "  transcript  target/rehearse/{name}/transcript.txt")
        .expect("writing to a String");
    text
}

/// One mark in the margin of a file. Lines are never wrapped: a command must survive copying.
fn mark(
    sources: &Sources,
    (title, advice): (&str, Option<&str>),
    (span, label): (Span, Option<&str>),
    ink: Ink,
) -> String {
    let (Source { path, text: source, .. }, span) = sources.locate(span);
    let label = LabeledSpan::new(label.map(str::to_owned), span.start, span.len);
    let mut diagnostic = MietteDiagnostic::new(title).with_label(label);
    diagnostic.help = advice.map(str::to_owned);
    let named = NamedSource::new(path, source.clone());
    let report = miette::Report::new(diagnostic).with_source_code(named);
    let theme = match ink {
        Ink::Colour => GraphicalTheme::unicode(),
        Ink::Plain => GraphicalTheme::unicode_nocolor(),
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_wrap_lines(false)
        .with_context_lines(1)
        .with_links(false);
    let mut text = String::new();
    handler.render_report(&mut text, report.as_ref()).expect("writing to a String");
    text
}
