//! Where two runs part: the first event that differs, from both sides, with everything that helps to find out why.
//!
//! It reads traces as text, an event a line, so that they may come from files and from other processes.

use crate::report::verdicts::seconds;
use serde_json::Value;

/// When and where an event happened, if the line is one.
fn moment(line: &str) -> Option<(u64, String)> {
    let event: Value = serde_json::from_str(line).ok()?;
    Some((event.get("at_us")?.as_u64()?, event.get("host")?.as_str()?.to_owned()))
}

/// The first event in which two traces differ, given as texts: when and where, from both sides, after the last one
/// they share and the last fault before. It says whether something else happened, or the same at another time or
/// place: then the order of things has changed, and not what they say.
#[must_use]
pub fn first_divergence(once: &str, again: &str) -> Option<String> {
    let mut lines = (once.lines(), again.lines());
    let (mut number, mut shared, mut fault) = (0, "nothing", "none");
    loop {
        number += 1;
        match (lines.0.next(), lines.1.next()) {
            (None, None) => return None,
            (Some(one), Some(other)) if one == other => {
                shared = one;
                if one.contains("\"what\":{\"injected\":") {
                    fault = one;
                }
            }
            (one, other) => {
                let what = difference(one.and_then(moment), other.and_then(moment));
                let [one, other] = [one, other].map(|line| line.unwrap_or("the end"));
                return Some(format!(
                    "event {number}{what}\n  last fault  {fault}\n  after       {shared}\n  \
                     once        {one}\n  again       {other}"
                ));
            }
        }
    }
}

/// In what two events differ, as the end of a sentence.
fn difference(one: Option<(u64, String)>, other: Option<(u64, String)>) -> String {
    let place = |(at, host): &(u64, String)| format!("at {} on {host}", seconds(*at));
    match (one, other) {
        (Some(one), Some(other)) if one == other => {
            format!(", {}: what happens there differs", place(&one))
        }
        (Some(one), Some(other)) => {
            format!(", {} once and {} again: the order differs", place(&one), place(&other))
        }
        (Some(only), None) => format!(", {}: it is there only once", place(&only)),
        (None, Some(only)) => format!(", {}: it is there only again", place(&only)),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::bench::healthy;
    use crate::trace::{Trace, What};

    fn told(change: impl FnOnce(&mut Trace)) -> String {
        let trace = healthy().trace;
        let mut other = trace.clone();
        change(&mut other);
        trace.first_divergence(&other).expect("they differ")
    }

    fn line(text: &str, name: &str) -> String {
        let found = text.lines().find_map(|line| line.trim_start().strip_prefix(name));
        found.expect("such a line").trim_start().to_owned()
    }

    #[test]
    fn the_same_is_no_divergence() {
        let trace = healthy().trace;
        assert_eq!(trace.first_divergence(&trace.clone()), None);
    }

    #[test]
    fn the_first_event_that_differs_is_told_from_both_sides() {
        let again = |event: &crate::trace::Event| matches!(&event.what, What::Said { turn: 1, .. });
        let place = healthy().trace.events.iter().position(again).expect("a second turn");
        let text = told(|other| other.events[place].at_us += 7_000);
        let head = text.lines().next().expect("a line");
        let number = place + 1;
        let expected = format!(
            "event {number}, at 0.021s on ana once and at 0.028s on ana again: the order differs"
        );
        assert_eq!(head, expected);
        assert!(line(&text, "last fault").contains("\"crash\""), "{text}");
        assert!(line(&text, "after").contains("\"shown\""), "{text}");
        assert!(line(&text, "once").contains("\"at_us\":21000"), "{text}");
        assert!(line(&text, "again").contains("\"at_us\":28000"), "{text}");

        let text = told(|other| other.events[place].what = What::ViewReset);
        assert!(text.contains(", at 0.021s on ana: what happens there differs\n"), "{text}");
        let text = told(|other| drop(other.events.pop()));
        assert!(text.contains(": it is there only once\n"), "{text}");
        assert_eq!(line(&text, "again"), "the end");
        let text = told(|other| other.events.clear());
        assert_eq!(
            (line(&text, "last fault"), line(&text, "after")),
            ("none".to_owned(), "nothing".to_owned())
        );
    }

    #[test]
    fn what_is_no_trace_is_compared_all_the_same() {
        let text = first_divergence("a\nb", "a\nc").expect("they differ");
        assert_eq!(
            text,
            "event 2\n  last fault  none\n  after       a\n  once        b\n  again       c"
        );
    }
}
