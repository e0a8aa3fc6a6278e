//! Places in files as GitHub annotates them. It knows what a place is, not what is wrong there.

use super::speech::say;
use rehearse::session::{Broken, Miss, Session};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Something wrong at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mark {
    file: String,
    /// From 1.
    line: usize,
    /// From 1.
    column: usize,
    title: String,
    text: String,
}

impl Mark {
    /// Every mistake of a file.
    pub(crate) fn of_broken(Broken { sources, problems, .. }: &Broken) -> Vec<Self> {
        let marks = problems.iter().map(|problem| {
            let (source, span) = sources.locate(problem.span);
            let (line, column) = span.place(&source.text);
            let advice = problem.advice.iter().map(|advice| format!("; {advice}"));
            let text = std::iter::once(problem.text.clone()).chain(advice).collect();
            let (file, title) = (source.path.clone(), "cannot be played".to_owned());
            Self { file, line, column, title, text }
        });
        marks.collect()
    }

    /// Every expectation of a session that was missed.
    pub(crate) fn of_misses(session: &Session, misses: &[Miss]) -> Vec<Self> {
        let marks = misses.iter().map(|miss| {
            let (source, span) = session.sources.locate(miss.span);
            let (line, column) = span.place(&source.text);
            let (file, title, text) = (source.path.clone(), miss.title.clone(), miss.text.clone());
            Self { file, line, column, title, text }
        });
        marks.collect()
    }

    /// A file as a whole.
    pub(crate) fn of_file(path: &Path, text: &str) -> Self {
        let (file, title) = (path.display().to_string(), "failed".to_owned());
        Self { file, line: 1, column: 1, title, text: text.to_owned() }
    }

    /// Says it as GitHub wants to hear it.
    pub(crate) fn tell(&self) {
        say(&self.command());
    }

    fn command(&self) -> String {
        let Self { file, line, column, title, text } = self;
        let (file, title, text) = (property(file), property(title), escaped(text));
        format!("::error file={file},line={line},col={column},title={title}::{text}")
    }
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearse::session::Catalogs;

    #[test]
    fn a_mistake_is_told_with_its_place_in_one_line() {
        let text = "session: a\nseed: 1\nturns:\n  - user: hi\n    pause: 100%,\n    expect: {}\n";
        let broken = Session::read("sessions/a.yaml", text, &Catalogs::new());
        let marks = Mark::of_broken(&broken.expect_err("mistakes"));
        let told: Vec<String> = marks.iter().map(Mark::command).collect();
        assert_eq!(
            told[0],
            "::error file=sessions/a.yaml,line=5,col=12,title=cannot be played::expected a duration \
             such as 150ms, 2s or 1m, got `100%25,`"
        );
        let whole = Mark::of_file(Path::new("a:b,c.yaml"), "one\ntwo").command();
        assert_eq!(whole, "::error file=a%3Ab%2Cc.yaml,line=1,col=1,title=failed::one%0Atwo");
    }
}
