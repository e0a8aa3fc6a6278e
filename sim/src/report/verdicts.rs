//! The table of verdicts: every oracle with its question and what it found.
//!
//! It knows nothing of the run but the violations.

use crate::oracle::{ORACLES, Oracle, Violation};
use std::fmt::Write as _;

/// A heading, a line an oracle, and below it a line a violation.
///
/// # Panics
/// Never: writing to a text cannot fail.
#[must_use]
pub fn verdicts(violations: &[Violation]) -> String {
    let width = |column: fn(&Oracle) -> &str| {
        let widths = ORACLES.iter().map(|oracle| column(oracle).len());
        widths.max().unwrap_or_default()
    };
    let (name, asks) = (width(|oracle| oracle.name), width(|oracle| oracle.asks));
    let mut text = format!("{:name$} | {:asks$} | verdict\n", "oracle", "question");
    for oracle in ORACLES {
        let own: Vec<_> =
            violations.iter().filter(|violation| violation.oracle == oracle.name).collect();
        let verdict = match own.len() {
            0 => "ok".to_owned(),
            1 => "1 violation".to_owned(),
            n => format!("{n} violations"),
        };
        let (word, question) = (oracle.name, oracle.asks);
        writeln!(text, "{word:name$} | {question:asks$} | {verdict}").expect("writing to a String");
        for violation in own {
            let at = seconds(violation.at_us);
            writeln!(text, "{:name$}   {at}  {}", "", violation.what).expect("writing to a String");
        }
    }
    let known = |name: &str| ORACLES.iter().any(|oracle| oracle.name == name);
    for Violation { oracle, what, .. } in violations.iter().filter(|v| !known(v.oracle)) {
        writeln!(text, "{oracle}: {what}").expect("writing to a String");
    }
    text
}

/// Simulated time, to the millisecond.
#[must_use]
pub fn seconds(us: u64) -> String {
    format!("{}.{:03}s", us / 1_000_000, us / 1_000 % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{bench, judge};
    use crate::trace::What;

    #[test]
    fn shows_every_question_of_a_clean_run() {
        let text = verdicts(&[]);
        assert_eq!(text.lines().count(), ORACLES.len() + 1);
        assert!(text.lines().skip(1).all(|line| line.ends_with("| ok")), "{text}");
    }

    #[test]
    fn shows_what_is_no_oracle_s_business_too() {
        let text = verdicts(&[crate::transparent::violation("-  turn 1  Hello")]);
        assert!(text.contains("transparent: users are not told"), "{text}");
    }

    #[test]
    fn shows_each_violation_below_its_oracle() {
        let mut run = bench::healthy();
        run.repeat(|event| matches!(&event.what, What::Shown { frame } if frame.seq == 2));
        run.log().pop();
        let text = verdicts(&judge(&run.scenario, &run.trace));
        assert_eq!(text, include_str!("verdicts.txt"));
    }
}
