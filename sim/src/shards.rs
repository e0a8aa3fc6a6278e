//! What a shard of a sweep leaves behind for machines, and how all shards are one sweep again.
//!
//! It is one JSON document. Shards are only added up if together they are exactly the sweep that was asked for: the
//! same code, the same seeds, each shard once. It reads no file and plays nothing.

use crate::sweep::{Report, Seeds, Shard, Tally};
use crate::world::EngineKind;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// What came of the seeds of a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// The commit of the project; absent if there is no git, as in an image.
    pub commit: Option<String>,
    /// SHA-256 of its `Cargo.lock`, hexadecimal; absent if there is none.
    pub lockfile: Option<String>,
    /// What played them.
    pub engine: EngineKind,
    /// The seeds of all shards together.
    pub seeds: Seeds,
    /// Which of them were meant.
    pub shard: Shard,
    /// After which time no seed was begun any more, milliseconds; absent if all were to be played.
    pub time_ms: Option<u64>,
    /// How long it took, milliseconds; of several shards the longest.
    pub wall_ms: u64,
    /// What came of each seed that was played, in their order.
    pub reports: Vec<Report>,
    /// The seeds at which a worker died or was killed, in their order.
    pub unplayed: Vec<Unplayed>,
}

/// A seed that nobody knows anything of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unplayed {
    /// The seed.
    pub seed: u64,
    /// What became of its worker.
    pub why: String,
}

/// Why shards are not one sweep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unmergeable {
    /// There is none.
    #[error("there is nothing to merge: name the files that `sweep --json` wrote")]
    Nothing,
    /// Two were not of the same sweep.
    #[error(
        "{one} and {other} are not of one sweep: the {what} is {ours} in one and {theirs} in the other; \
         play all shards of one checkout with the same options"
    )]
    Differs {
        /// A file.
        one: String,
        /// Another.
        other: String,
        /// In what they differ.
        what: &'static str,
        /// What it is in the one.
        ours: String,
        /// What it is in the other.
        theirs: String,
    },
    /// The same shard twice.
    #[error("{one} and {other} are both shard {shard}: leave one out")]
    Twice {
        /// A file.
        one: String,
        /// Another.
        other: String,
        /// The shard.
        shard: Shard,
    },
    /// A shard that is not there.
    #[error("shard {0} is missing: play it, or name its file as well")]
    Missing(Shard),
    /// A file that does not hold what it says.
    #[error("{file} is no result of shard {shard}: seed {seed} {fault}; play that shard again")]
    Seed {
        /// The file.
        file: String,
        /// The shard.
        shard: Shard,
        /// A seed.
        seed: u64,
        /// What is wrong with it.
        fault: &'static str,
    },
}

impl Results {
    /// How to see a seed again.
    #[must_use]
    pub fn repeat(&self, seed: u64) -> String {
        let engine = match self.engine {
            EngineKind::Turmoil => "turmoil",
            EngineKind::Event => "event",
        };
        format!("cargo rehearse run --chaos --seed {seed} --engine {engine}")
    }

    /// Everything that was played, counted.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        self.reports.iter().for_each(|report| tally.add(report));
        tally
    }

    /// Brings what came in any order into the order of seeds.
    pub fn sort(&mut self) {
        self.reports.sort_by_key(|report| report.seed);
        self.unplayed.sort_by_key(|unplayed| unplayed.seed);
    }

    /// Whether it holds each seed of its shard once, and no other.
    fn check(&self, file: &str) -> Result<(), Unmergeable> {
        let wrong = |seed, fault| {
            let (file, shard) = (file.to_owned(), self.shard);
            Err(Unmergeable::Seed { file, shard, seed, fault })
        };
        let mut open: BTreeSet<u64> = self.seeds.of_shard(self.shard).collect();
        let unplayed = self.unplayed.iter().map(|unplayed| unplayed.seed);
        for seed in self.reports.iter().map(|report| report.seed).chain(unplayed) {
            if !open.remove(&seed) {
                return match self.seeds.of_shard(self.shard).any(|own| own == seed) {
                    true => wrong(seed, "stands in it twice"),
                    false => wrong(seed, "is not of it"),
                };
            }
        }
        match open.first() {
            Some(seed) if self.time_ms.is_none() => wrong(*seed, "is missing"),
            Some(_) | None => Ok(()),
        }
    }
}

/// All shards of a sweep, by the names of their files, as one.
///
/// # Errors
/// [`Unmergeable`]: together they are not exactly one sweep.
pub fn merge(parts: Vec<(String, Results)>) -> Result<Results, Unmergeable> {
    let mut parts = parts.into_iter();
    let (first, mut whole) = parts.next().ok_or(Unmergeable::Nothing)?;
    whole.check(&first)?;
    let mut files = BTreeMap::from([(whole.shard.number(), first.clone())]);
    for (file, part) in parts {
        same((&first, &whole), (&file, &part))?;
        part.check(&file)?;
        if let Some(one) = files.insert(part.shard.number(), file.clone()) {
            return Err(Unmergeable::Twice { one, other: file, shard: part.shard });
        }
        whole.wall_ms = whole.wall_ms.max(part.wall_ms);
        whole.reports.extend(part.reports);
        whole.unplayed.extend(part.unplayed);
    }
    let of = whole.shard.of();
    let missing = (1..=of).find(|number| !files.contains_key(number));
    if let Some(shard) = missing.and_then(|number| Shard::new(number, of).ok()) {
        return Err(Unmergeable::Missing(shard));
    }
    whole.shard = Shard::WHOLE;
    whole.sort();
    Ok(whole)
}

/// Whether two are of one sweep.
fn same(
    (one, ours): (&str, &Results),
    (other, theirs): (&str, &Results),
) -> Result<(), Unmergeable> {
    let differs = |what, [ours, theirs]: [String; 2]| match ours == theirs {
        true => Ok(()),
        false => {
            let (one, other) = (one.to_owned(), other.to_owned());
            Err(Unmergeable::Differs { one, other, what, ours, theirs })
        }
    };
    let both = [ours, theirs];
    differs("commit", both.map(|results| or_unknown(results.commit.as_deref())))?;
    differs("lockfile", both.map(|results| or_unknown(results.lockfile.as_deref())))?;
    differs("engine", both.map(|results| format!("{:?}", results.engine).to_lowercase()))?;
    differs("range of seeds", both.map(|results| results.seeds.to_string()))?;
    differs("number of shards", both.map(|results| results.shard.of().to_string()))?;
    differs("time limit", both.map(|results| or_unknown(results.time_ms)))
}

fn or_unknown(value: Option<impl Display>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artefact::Finding;

    fn report(seed: u64) -> Report {
        let what = "ana showed frame 2 of t-ana again".to_owned();
        let finding = Finding { oracle: "dedup".to_owned(), at_us: 5, host: None, what };
        Report {
            seed,
            hash: format!("{seed:064x}"),
            simulated_ms: 60_000,
            violations: if seed == 5 { vec![finding] } else { Vec::new() },
            faults: Vec::new(),
            sometimes: Vec::new(),
        }
    }

    /// Shard `number` of three of the seeds 3 to 9; nobody knows anything of seed 7.
    fn part(number: u64) -> (String, Results) {
        let seeds: Seeds = "3..10".parse().expect("a range");
        let shard = Shard::new(number, 3).expect("a shard");
        let (unplayed, played): (Vec<_>, Vec<_>) = seeds.of_shard(shard).partition(|s| *s == 7);
        let why = "took longer than 60s".to_owned();
        let results = Results {
            commit: Some("0e1f".to_owned()),
            lockfile: None,
            engine: EngineKind::Event,
            seeds,
            shard,
            time_ms: None,
            wall_ms: 10 + number,
            reports: played.into_iter().map(report).collect(),
            unplayed: unplayed
                .into_iter()
                .map(|seed| Unplayed { seed, why: why.clone() })
                .collect(),
        };
        (format!("{number}.json"), results)
    }

    fn parts() -> Vec<(String, Results)> {
        (1..=3).map(part).collect()
    }

    fn refused(change: impl FnOnce(&mut Vec<(String, Results)>)) -> String {
        let mut parts = parts();
        change(&mut parts);
        merge(parts).expect_err("it was merged").to_string()
    }

    #[test]
    fn shards_in_any_order_are_the_sweep_that_was_asked_for() {
        let mut parts = parts();
        parts.rotate_left(1);
        let text = serde_json::to_string(&parts[1].1).expect("plain data");
        assert_eq!(serde_json::from_str::<Results>(&text).expect("the same"), parts[1].1);
        let whole = merge(parts).expect("it is one sweep");
        let seeds: Vec<u64> = whole.reports.iter().map(|report| report.seed).collect();
        assert_eq!(seeds, [3, 4, 5, 6, 8, 9]);
        assert_eq!((whole.shard, whole.wall_ms, whole.unplayed.len()), (Shard::WHOLE, 13, 1));
        let tally = whole.tally();
        assert_eq!((tally.seeds, tally.failing), (6, 1));
    }

    #[test]
    fn what_is_not_one_sweep_is_refused() {
        assert!(refused(Vec::clear).starts_with("there is nothing to merge"));
        let text = refused(|parts| parts[1].1.commit = Some("beef".to_owned()));
        let expected =
            "1.json and 2.json are not of one sweep: the commit is 0e1f in one and beef in the";
        assert!(text.starts_with(expected), "{text}");
        let text = refused(|parts| parts[2].1.lockfile = Some("beef".to_owned()));
        assert!(text.contains("the lockfile is unknown in one and beef in"), "{text}");
        let text = refused(|parts| parts[2].1.engine = EngineKind::Turmoil);
        assert!(text.contains("the engine is event in one and turmoil in"), "{text}");
        let text = refused(|parts| parts[2].1.seeds.to = 11);
        assert!(text.contains("the range of seeds is 3..10 in one and 3..11 in"), "{text}");
        let text = refused(|parts| parts[2].1.shard = Shard::WHOLE);
        assert!(text.contains("the number of shards is 3 in one and 1 in"), "{text}");
        let text = refused(|parts| parts[2].1.time_ms = Some(9));
        assert!(text.contains("the time limit is unknown in one and 9 in"), "{text}");
    }

    #[test]
    fn shards_that_overlap_or_lack_something_are_refused() {
        let text = refused(|parts| drop(parts.remove(1)));
        assert!(text.starts_with("shard 2/3 is missing"), "{text}");
        let text = refused(|parts| parts.push(("again.json".to_owned(), part(2).1)));
        assert_eq!(text, "2.json and again.json are both shard 2/3: leave one out");
        let text = refused(|parts| drop(parts[0].1.reports.remove(1)));
        assert!(text.starts_with("1.json is no result of shard 1/3: seed 6 is missing"), "{text}");
        let text = refused(|parts| parts[2].1.reports.push(report(4)));
        assert!(text.contains("seed 4 is not of it"), "{text}");
        let text = refused(|parts| parts[2].1.reports.push(report(5)));
        assert!(text.contains("seed 5 stands in it twice"), "{text}");
        let mut parts = parts();
        parts.iter_mut().for_each(|(_, part)| part.time_ms = Some(9));
        parts[0].1.reports.pop();
        assert_eq!(merge(parts).expect("time was up").tally().seeds, 5);
    }
}
