//! A sweep as a test report: cases whose names stay the same from run to run, so that a CI system can compare them.
//!
//! # Design
//! A case a seed would be thousands of lines that nobody reads, and names that mean something else at the next
//! commit. An oracle, a kind of fault and a thing that must happen sometimes keep their names; the seeds stand in
//! the text of a case that failed.

use super::junit::{Case, Outcome, Suite};
use super::verdicts::seconds;
use crate::oracle::ORACLES;
use crate::oracle::sometimes::{SOMETIMES, Sometimes};
use crate::scenario::Kind;
use crate::schedule::Counts;
use crate::shards::Results;
use crate::sweep::PROVES_FROM;
use std::time::Duration;

/// How many seeds a failed case tells of.
const TOLD_MAX: usize = 20;

/// The cases of a sweep, or of a shard of one.
#[must_use]
pub fn suites(results: &Results) -> Vec<Suite> {
    let mut oracles: Vec<Case> = ORACLES
        .iter()
        .map(|oracle| case("oracle", oracle.name, judged(results, oracle.name)))
        .collect();
    // No oracle, but reported like one: a seed that does not happen the same way twice.
    oracles.push(case("oracle", "determinism", judged(results, "determinism")));
    let took = Duration::from_millis(results.wall_ms);
    let played = Case { took, ..case("sweep", "every seed is played", played(results)) };
    let kinds = Kind::ALL.into_iter().map(|kind| case("fault", kind.name(), bites(results, kind)));
    let points =
        SOMETIMES.iter().map(|point| case("sometimes", point.name, happened(results, point)));
    vec![
        suite("sweep", vec![played]),
        suite("oracles", oracles),
        suite("faults", kinds.collect()),
        suite("sometimes", points.collect()),
    ]
}

fn suite(name: &str, cases: Vec<Case>) -> Suite {
    Suite { name: name.to_owned(), cases }
}

fn case(class: &str, name: &str, outcome: Outcome) -> Case {
    let (name, class) = (name.to_owned(), class.to_owned());
    Case { name, class, took: Duration::ZERO, outcome }
}

/// In which seeds an oracle objected.
fn judged(results: &Results, oracle: &str) -> Outcome {
    let mut told = Vec::new();
    for report in &results.reports {
        if let Some(first) = report.violations.iter().find(|finding| finding.oracle == oracle) {
            let (at, again) = (seconds(first.at_us), results.repeat(report.seed));
            told.push(format!("seed {}: {at}  {}\n  {again}", report.seed, first.what));
        }
    }
    match told.len() {
        0 => Outcome::Passed,
        seeds => Outcome::Failed { message: format!("objects in {seeds} seeds"), text: some(told) },
    }
}

fn played(results: &Results) -> Outcome {
    let told = results.unplayed.iter().map(|unplayed| {
        format!("seed {}: {}\n  {}", unplayed.seed, unplayed.why, results.repeat(unplayed.seed))
    });
    let told: Vec<String> = told.collect();
    match (told.len(), results.reports.len()) {
        (0, 0) => {
            let message = "no seed was played".to_owned();
            Outcome::Broken { message, text: String::new() }
        }
        (0, _) => Outcome::Passed,
        (seeds, _) => {
            let message = format!("{seeds} seeds could not be played");
            Outcome::Broken { message, text: some(told) }
        }
    }
}

fn bites(results: &Results, kind: Kind) -> Outcome {
    let rows = results.reports.iter().flat_map(|report| &report.faults);
    let mut counts = Counts::default();
    rows.filter(|row| row.kind == kind).for_each(|row| counts.add(row.counts));
    let Counts { scheduled, bit, .. } = counts;
    match bit {
        0 => never(results, format!("scheduled {scheduled} times, never bit")),
        1.. => Outcome::Passed,
    }
}

fn happened(results: &Results, point: &Sometimes) -> Outcome {
    let is_hit = |name: &String| name == point.name;
    match results.reports.iter().any(|report| report.sometimes.iter().any(is_hit)) {
        true => Outcome::Passed,
        false => never(results, "never happened".to_owned()),
    }
}

/// A few seeds owe nothing.
fn never(results: &Results, message: String) -> Outcome {
    match u64::try_from(results.reports.len()) {
        Ok(PROVES_FROM..) => Outcome::Failed { message, text: String::new() },
        Ok(_) | Err(_) => Outcome::Skipped { message },
    }
}

fn some(mut told: Vec<String>) -> String {
    let left = told.len().saturating_sub(TOLD_MAX);
    told.truncate(TOLD_MAX);
    if left > 0 {
        told.push(format!("and {left} more"));
    }
    told.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artefact::Finding;
    use crate::schedule::{Place, Struck};
    use crate::shards::Unplayed;
    use crate::sweep::{Report, Shard};
    use crate::world::EngineKind;

    fn struck(kind: Kind, counts: Counts) -> Struck {
        Struck { kind, place: Place::Client, counts }
    }

    fn results(seeds: u64) -> Results {
        let what = "ana showed frame 2 of t-ana again".to_owned();
        let finding = Finding { oracle: "dedup".to_owned(), at_us: 1_056_000, host: None, what };
        let report = |seed| Report {
            seed,
            hash: String::new(),
            simulated_ms: 1,
            violations: vec![finding.clone()],
            faults: vec![
                struck(Kind::Cut, Counts { scheduled: 3, in_turn: 1, bit: 1, ..Counts::default() }),
                struck(Kind::Hold, Counts { scheduled: 2, ..Counts::default() }),
            ],
            sometimes: vec![SOMETIMES[0].name.to_owned()],
        };
        Results {
            commit: None,
            lockfile: None,
            engine: EngineKind::Event,
            seeds: "0..40".parse().expect("a range"),
            shard: Shard::WHOLE,
            time_ms: None,
            wall_ms: 2_500,
            reports: (0..seeds).map(report).collect(),
            unplayed: Vec::new(),
        }
    }

    fn outcome(results: &Results, name: &str) -> Outcome {
        let mut cases = suites(results).into_iter().flat_map(|suite| suite.cases);
        cases.find(|case| case.name == name).expect("the case").outcome
    }

    #[test]
    fn an_oracle_that_objects_is_a_failed_case_with_seeds_and_how_to_see_them_again() {
        let Outcome::Failed { message, text } = outcome(&results(22), "dedup") else {
            panic!("it passed");
        };
        assert_eq!(message, "objects in 22 seeds");
        let first = "seed 0: 1.056s  ana showed frame 2 of t-ana again\n  \
                     cargo rehearse run --chaos --seed 0 --engine event\nseed 1: ";
        assert!(text.starts_with(first) && text.ends_with("\nand 2 more"), "{text}");
        assert_eq!(outcome(&results(22), "order"), Outcome::Passed);
        assert_eq!(outcome(&results(22), "determinism"), Outcome::Passed);
    }

    #[test]
    fn a_fault_that_never_happens_and_a_seed_that_is_not_played_are_no_passed_cases() {
        let mut results = results(2);
        assert_eq!(outcome(&results, "every seed is played"), Outcome::Passed);
        assert_eq!(outcome(&results, "cut"), Outcome::Passed);
        assert_eq!(outcome(&results, SOMETIMES[0].name), Outcome::Passed);
        let never = |message: &str| Outcome::Skipped { message: message.to_owned() };
        assert_eq!(outcome(&results, "hold"), never("scheduled 4 times, never bit"));
        assert_eq!(outcome(&results, SOMETIMES[1].name), never("never happened"));
        results.unplayed = vec![Unplayed { seed: 7, why: "its worker died".to_owned() }];
        let Outcome::Broken { message, text } = outcome(&results, "every seed is played") else {
            panic!("it passed");
        };
        assert_eq!(message, "1 seeds could not be played");
        assert!(
            text.starts_with("seed 7: its worker died\n  cargo rehearse run --chaos"),
            "{text}"
        );
        results.unplayed.clear();
        results.reports.clear();
        let nothing = outcome(&results, "every seed is played");
        assert!(matches!(nothing, Outcome::Broken { .. }), "{nothing:?}");
    }
}
