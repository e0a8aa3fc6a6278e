//! The texts that a session is made of: its own file and the fragments that it uses. A place is one number over
//! all of them, so that nobody but this file has to know which text something stands in.

use super::yaml::Span;
use std::collections::BTreeMap;

/// The fragments that a session may use: path and text, by name.
pub type Fragments = BTreeMap<String, (String, String)>;

/// A file of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file, as it was named by the caller.
    pub path: String,
    /// What it says; without a byte order mark.
    pub text: String,
    /// Places in it count from here.
    offset: usize,
}

/// All files of a session, its own first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// A session without fragments.
    #[must_use]
    pub fn new(path: &str, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self(vec![Source { path: path.to_owned(), text: text.to_owned(), offset: 0 }])
    }

    /// Adds a file and returns its text behind so many empty lines that its places count on.
    pub(super) fn add(&mut self, path: &str, text: &str) -> String {
        let ends = self.0.iter().map(|source| source.offset + source.text.len());
        let offset = ends.max().unwrap_or(0) + 2;
        self.0.push(Source { path: path.to_owned(), text: text.to_owned(), offset });
        format!("{}{text}", "\n".repeat(offset))
    }

    /// The file that a place is in, and the place within it.
    ///
    /// # Panics
    /// Never: a session has a file.
    #[must_use]
    pub fn locate(&self, span: Span) -> (&Source, Span) {
        let found = self.0.iter().rev().find(|source| source.offset <= span.start);
        let source = found.or(self.0.first()).expect("a session has a file");
        (source, Span { start: span.start.saturating_sub(source.offset), len: span.len })
    }

    /// Every file, that of the session first.
    pub fn files(&self) -> impl Iterator<Item = &Source> {
        self.0.iter()
    }

    /// What stands at a place.
    pub(super) fn slice(&self, span: Span) -> &str {
        let (source, span) = self.locate(span);
        let end = span.start.saturating_add(span.len);
        source.text.get(span.start..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_in_the_file_that_it_is_in() {
        let mut sources = Sources::new("a.yaml", "\u{feff}one two");
        let padded = sources.add("b.yaml", "three four");
        let span = |start, len| Span { start, len };
        assert_eq!(sources.slice(span(4, 3)), "two");
        let four = padded.find("four").expect("it is there");
        let (source, place) = sources.locate(span(four, 4));
        assert_eq!((source.path.as_str(), place), ("b.yaml", span(6, 4)));
        assert_eq!(sources.slice(span(four, 4)), "four");
        assert_eq!(sources.locate(span(7, 0)).0.path, "a.yaml");
    }
}
