//! Many seeds: which belong to whom, what came of each, and the table of all.
//!
//! A report of a seed is one JSON line, so that other processes may play it. It plays nothing itself.

use crate::artefact::Finding;
use crate::oracle::sometimes::{SOMETIMES, Sometimes, hit};
use crate::rehearsal::Rehearsal;
use crate::scenario::{Kind, Scenario};
use crate::schedule;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::str::FromStr;
use std::time::Duration;

/// A sweep of so many seeds must hit every point and see every kind of fault happen.
pub const PROVES_FROM: u64 = 1_000;

/// A range of seeds, without its end: `0..200`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    /// The first.
    pub from: u64,
    /// The first that is not meant.
    pub to: u64,
}

/// One of several parts of a sweep, counted from 1: `2/4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    number: u64,
    of: u64,
}

/// Why a text is no range and no shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPart {
    /// Not a range of seeds.
    #[error("expected a range such as 0..200")]
    Seeds,
    /// Not a shard.
    #[error("expected a shard such as 1/4, counted from 1")]
    Shard,
}

impl Seeds {
    /// The seeds of a shard: every so many.
    pub fn of_shard(self, shard: Shard) -> impl Iterator<Item = u64> {
        (self.from..self.to).filter(move |seed| seed % shard.of == shard.number - 1)
    }
}

impl FromStr for Seeds {
    type Err = BadPart;
    fn from_str(text: &str) -> Result<Self, BadPart> {
        let (from, to) = text.split_once("..").ok_or(BadPart::Seeds)?;
        let number = |text: &str| text.parse().map_err(|_| BadPart::Seeds);
        let (from, to) = (number(from)?, number(to)?);
        if from < to { Ok(Self { from, to }) } else { Err(BadPart::Seeds) }
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.from, self.to)
    }
}

impl Shard {
    /// All there is.
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    /// The shard `number`, from 1, of `of`.
    ///
    /// # Errors
    /// [`BadPart::Shard`].
    pub fn new(number: u64, of: u64) -> Result<Self, BadPart> {
        if (1..=of).contains(&number) { Ok(Self { number, of }) } else { Err(BadPart::Shard) }
    }

    /// The shard cut once more into `into` of the same size.
    #[must_use]
    pub fn cut(self, into: u64) -> Vec<Self> {
        let of = self.of * into.max(1);
        (0..into.max(1)).map(|part| Self { number: self.number + part * self.of, of }).collect()
    }
}

impl FromStr for Shard {
    type Err = BadPart;
    fn from_str(text: &str) -> Result<Self, BadPart> {
        let (number, of) = text.split_once('/').ok_or(BadPart::Shard)?;
        let number_of = |text: &str| text.parse().map_err(|_| BadPart::Shard);
        Self::new(number_of(number)?, number_of(of)?)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// What came of one seed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Simulated time, milliseconds.
    pub simulated_ms: u64,
    /// What oracles said.
    pub violations: Vec<Finding>,
    /// How often each kind of fault was scheduled, and how often it happened.
    pub faults: BTreeMap<Kind, (u64, u64)>,
    /// Which of [`SOMETIMES`] happened, by name.
    pub sometimes: Vec<String>,
}

impl Report {
    /// What came of the run of a scenario.
    #[must_use]
    pub fn of(scenario: &Scenario, rehearsal: &Rehearsal) -> Self {
        let simulated = rehearsal.trace.duration().as_millis();
        Self {
            seed: scenario.seed,
            simulated_ms: u64::try_from(simulated).unwrap_or(u64::MAX),
            violations: rehearsal.violations.iter().map(Finding::from).collect(),
            faults: schedule::tally(scenario, &rehearsal.trace),
            sometimes: hit(&rehearsal.trace).into_iter().map(str::to_owned).collect(),
        }
    }
}

/// What came of all seeds so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many were played.
    pub seeds: u64,
    /// In how many an oracle objected.
    pub failing: u64,
    simulated: Duration,
    faults: BTreeMap<Kind, (u64, u64)>,
    oracles: BTreeMap<String, u64>,
    sometimes: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, report: &Report) {
        self.seeds += 1;
        self.failing += u64::from(!report.violations.is_empty());
        self.simulated += Duration::from_millis(report.simulated_ms);
        for (kind, (scheduled, happened)) in &report.faults {
            let (all, of_them) = self.faults.entry(*kind).or_default();
            *all += scheduled;
            *of_them += happened;
        }
        for point in &report.sometimes {
            *self.sometimes.entry(point.clone()).or_default() += 1;
        }
        for finding in &report.violations {
            *self.oracles.entry(finding.oracle.clone()).or_default() += 1;
        }
    }

    /// What a sweep of so many seeds must have seen and has not: kinds of faults that never happened and points that
    /// were never hit, a sentence each. A small sweep owes nothing.
    #[must_use]
    pub fn never(&self) -> Vec<String> {
        if self.seeds < PROVES_FROM {
            return Vec::new();
        }
        let happened =
            |kind: &Kind| self.faults.get(kind).is_some_and(|(_, happened)| *happened > 0);
        let kinds = Kind::ALL.into_iter().filter(|kind| !happened(kind));
        let kinds = kinds.map(|kind| format!("no {kind} happened in {} seeds", self.seeds));
        let points = SOMETIMES.iter().filter(|point| !self.sometimes.contains_key(point.name));
        let points = points.map(|point| format!("never in {} seeds: {}", self.seeds, point.name));
        kinds.chain(points).collect()
    }

    /// A line a kind of fault, a line a thing that must happen sometimes, a line an oracle that objected, and the
    /// sum.
    ///
    /// # Panics
    /// Never: writing to a text cannot fail.
    #[must_use]
    pub fn table(&self, wall: Duration) -> String {
        let mut text = format!("{:12} | scheduled | happened\n", "fault");
        for kind in Kind::ALL {
            let (scheduled, happened) = self.faults.get(&kind).copied().unwrap_or_default();
            writeln!(text, "{kind:12} | {scheduled:9} | {happened:8}").expect("it is a String");
        }
        for Sometimes { name, .. } in SOMETIMES {
            match self.sometimes.get(*name) {
                Some(seeds) => writeln!(text, "{seeds:8} seeds: {name}"),
                None => writeln!(text, "   never: {name}"),
            }
            .expect("it is a String");
        }
        for (oracle, count) in &self.oracles {
            writeln!(text, "{oracle}: {count} violations").expect("it is a String");
        }
        let (simulated, seconds) = (self.simulated.as_secs_f64(), wall.as_secs_f64());
        let ratio = simulated / seconds.max(0.001);
        let clean = self.seeds - self.failing;
        write!(
            text,
            "{clean} of {} seeds clean: {simulated:.0}s simulated in {seconds:.1}s, {ratio:.0}x real time",
            self.seeds
        )
        .expect("it is a String");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn shards_share_the_seeds_and_leave_none_out() {
        let seeds: Seeds = "5..42".parse().expect("a range");
        let mut all = Vec::new();
        for number in 1..=3 {
            let shard = Shard::new(number, 3).expect("a shard");
            for part in shard.cut(4) {
                all.extend(seeds.of_shard(part));
            }
        }
        assert_eq!(all.len(), 37);
        assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), (5..42).collect());
        assert_eq!(seeds.of_shard(Shard::WHOLE).count(), 37);
    }

    #[test]
    fn parts_are_read_as_they_are_written() {
        assert_eq!("0..7".parse::<Seeds>().map(|seeds| seeds.to_string()), Ok("0..7".to_owned()));
        assert_eq!("2/4".parse::<Shard>().map(|shard| shard.to_string()), Ok("2/4".to_owned()));
        for text in ["7", "7..7", "8..7", "a..b", "-1..3", "1/2"] {
            assert_eq!(text.parse::<Seeds>(), Err(BadPart::Seeds), "{text}");
        }
        for text in ["1", "0/2", "3/2", "a/b", "1..2"] {
            assert_eq!(text.parse::<Shard>(), Err(BadPart::Shard), "{text}");
        }
    }

    #[test]
    fn reports_are_lines_and_add_up() {
        let finding =
            Finding { oracle: "dedup".to_owned(), at_us: 5, host: None, what: "x".to_owned() };
        let report = Report {
            seed: 3,
            simulated_ms: 62_000,
            violations: vec![finding],
            faults: BTreeMap::from([(Kind::Crash, (2, 1)), (Kind::HalfOpen, (1, 1))]),
            sometimes: vec!["a client was parked and woke".to_owned()],
        };
        let line = serde_json::to_string(&report).expect("plain data");
        assert_eq!(serde_json::from_str::<Report>(&line).expect("the same"), report);
        let mut tally = Tally::default();
        tally.add(&report);
        tally.add(&Report { violations: Vec::new(), ..report });
        let table = tally.table(Duration::from_secs(2));
        assert!(table.contains("crash        |         4 |        2\n"), "{table}");
        assert!(table.contains("\n       2 seeds: a client was parked and woke\n"), "{table}");
        assert!(table.contains("\n   never: a client was signed out\n"), "{table}");
        assert!(table.contains("\ndedup: 1 violations\n1 of 2 seeds clean: 124s"), "{table}");
        assert_eq!(tally.never(), [""; 0]);
        tally.seeds = PROVES_FROM;
        let never = tally.never();
        assert_eq!(never.len(), Kind::ALL.len() + SOMETIMES.len() - 3, "{never:#?}");
        assert!(never.contains(&"no hold happened in 1000 seeds".to_owned()), "{never:#?}");
        assert!(never.contains(&"never in 1000 seeds: a token was refused".to_owned()));
    }
}
