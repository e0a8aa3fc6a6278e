//! Results as JUnit XML, the form that every CI system reads. It knows names, times and texts, and no more.
//!
//! # Design
//! Four elements and six attributes, written here: a library for them would bring clocks and identifiers that
//! no two runs share.

use std::fmt::Write as _;
use std::time::Duration;

/// Cases that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    /// Such as `gate`.
    pub name: String,
    /// In the order in which they shall stand.
    pub cases: Vec<Case>,
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// What it is found by, such as the name of a session.
    pub name: String,
    /// What sort of thing it is, such as `golden`.
    pub class: String,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As it must.
    Passed,
    /// Something was violated.
    Failed {
        /// In one line.
        message: String,
        /// Everything that a reader needs.
        text: String,
    },
    /// The case could not be tried.
    Broken {
        /// In one line.
        message: String,
        /// Everything that a reader needs.
        text: String,
    },
    /// It was left out on purpose.
    Skipped {
        /// Why.
        message: String,
    },
}

/// The text of a file with these suites.
///
/// # Panics
/// Never: writing to a text cannot fail.
#[must_use]
pub fn junit(suites: &[Suite]) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for Suite { name, cases } in suites {
        let count =
            |is: fn(&Outcome) -> bool| cases.iter().filter(|case| is(&case.outcome)).count();
        let failures = count(|outcome| matches!(outcome, Outcome::Failed { .. }));
        let errors = count(|outcome| matches!(outcome, Outcome::Broken { .. }));
        let skipped = count(|outcome| matches!(outcome, Outcome::Skipped { .. }));
        let time = seconds(cases.iter().map(|case| case.took).sum());
        let (name, tests) = (escaped(name), cases.len());
        writeln!(
            text,
            "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" \
             skipped=\"{skipped}\" time=\"{time}\">"
        )
        .expect("it is a String");
        cases.iter().for_each(|case| put(case, &mut text));
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn put(Case { name, class, took, outcome }: &Case, text: &mut String) {
    let (name, class, time) = (escaped(name), escaped(class), seconds(*took));
    let body = match outcome {
        Outcome::Passed => String::new(),
        Outcome::Failed { message, text } => element("failure", message, text),
        Outcome::Broken { message, text } => element("error", message, text),
        Outcome::Skipped { message } => element("skipped", message, ""),
    };
    let head = format!("    <testcase name=\"{name}\" classname=\"{class}\" time=\"{time}\"");
    match body.is_empty() {
        true => writeln!(text, "{head}/>"),
        false => writeln!(text, "{head}>\n      {body}\n    </testcase>"),
    }
    .expect("it is a String");
}

fn element(name: &str, message: &str, text: &str) -> String {
    format!("<{name} message=\"{}\">{}</{name}>", escaped(message), escaped(text))
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

/// A text as it may stand in an attribute or an element. XML has no way to say most control characters.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ if c.is_control() => escaped.push('\u{fffd}'),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, outcome: Outcome) -> Case {
        let (name, class) = (name.to_owned(), "golden".to_owned());
        Case { name, class, took: Duration::from_millis(1_250), outcome }
    }

    #[test]
    fn every_outcome_has_its_element_and_is_counted() {
        let [message, text] = ["2 < 3 & \"so\"", "line 1\nline 2\u{1b}[0m"].map(str::to_owned);
        let cases = vec![
            case("greeting", Outcome::Passed),
            case("search", Outcome::Failed { message: message.clone(), text: text.clone() }),
            case("typo", Outcome::Broken { message, text: String::new() }),
            case("later", Outcome::Skipped { message: "quarantined".to_owned() }),
        ];
        let name = "gate".to_owned();
        let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="gate" tests="4" failures="1" errors="1" skipped="1" time="5.000">
    <testcase name="greeting" classname="golden" time="1.250"/>
    <testcase name="search" classname="golden" time="1.250">
      <failure message="2 &lt; 3 &amp; &quot;so&quot;">line 1
line 2�[0m</failure>
    </testcase>
    <testcase name="typo" classname="golden" time="1.250">
      <error message="2 &lt; 3 &amp; &quot;so&quot;"></error>
    </testcase>
    <testcase name="later" classname="golden" time="1.250">
      <skipped message="quarantined"></skipped>
    </testcase>
  </testsuite>
</testsuites>
"#;
        assert_eq!(junit(&[Suite { name, cases }]), expected);
    }
}
