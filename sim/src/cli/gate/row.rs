//! What came of one session: a line of the gate's table, of a worker's output, and a case of the JUnit file.

use super::super::Verdict;
use super::super::annotate::Mark;
use super::super::speech::say;
use rehearse::coverage::Items;
use rehearse::report::junit::{Case, Outcome};
use rehearse::scenario::Kind;
use rehearse::session::Quarantine;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// What came of one session or regression.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// The file.
    pub(crate) path: PathBuf,
    /// The session.
    pub(crate) name: String,
    /// How much is said in it.
    pub(crate) turns: usize,
    /// How many faults it has of its own.
    pub(crate) faults: usize,
    /// Simulated time of its own run.
    pub(crate) simulated_ms: u64,
    /// Wall time of all its runs.
    pub(crate) took_ms: u64,
    /// Under how many schedules it was played, and told its users the same.
    pub(crate) schedules: (u64, u64),
    /// How often each kind of fault was laid over it, and how often it happened.
    pub(crate) kinds: BTreeMap<Kind, (u64, u64)>,
    /// What is wrong, a few words each; empty if nothing is.
    pub(crate) wrong: Vec<String>,
    /// Whether it could not be played at all.
    pub(crate) broken: bool,
    /// Why what is wrong counts for nothing; empty if it counts.
    pub(crate) excuse: String,
    /// Everything that a reader needs who is to mend it.
    pub(crate) said: String,
    /// Where in the file something is wrong.
    pub(crate) marks: Vec<Mark>,
    /// What its own run exercised.
    pub(crate) exercised: Items,
}

impl Row {
    /// Of a file that could not be played.
    pub(crate) fn broken(path: PathBuf, wrong: &str) -> Self {
        let name = path.display().to_string();
        Self { path, name, wrong: vec![wrong.to_owned()], broken: true, ..Self::default() }
    }

    /// A quarantine excuses what is wrong, until it is over; then it is wrong itself.
    pub(crate) fn excuse(&mut self, quarantine: &Quarantine, today: &str) {
        if quarantine.is_over(today) {
            self.wrong.push(format!("the quarantine is over: it was {quarantine}"));
        } else {
            self.excuse = quarantine.to_string();
        }
    }

    pub(crate) fn result(&self) -> String {
        let wrong = if self.wrong.is_empty() { "ok".to_owned() } else { self.wrong.join(", ") };
        if self.excuse.is_empty() { wrong } else { format!("{}: {wrong}", self.excuse) }
    }

    /// Whether nothing is wrong, or what is counts for nothing.
    pub(crate) fn is_clean(&self) -> bool {
        self.wrong.is_empty() || !self.excuse.is_empty()
    }

    pub(crate) fn verdict(&self) -> Verdict {
        match (self.is_clean(), self.broken) {
            (true, _) => Verdict::Clean,
            (false, true) => Verdict::Unplayed,
            (false, false) => Verdict::Violated,
        }
    }

    /// Says what a person needs to know of it before the table.
    pub(crate) fn tell(&self) {
        if !self.said.is_empty() {
            say(&self.said);
        }
    }

    pub(crate) fn case(&self) -> Case {
        let (message, text) = (self.result(), self.said.clone());
        let outcome = match self.verdict() {
            Verdict::Clean if !self.excuse.is_empty() => Outcome::Skipped { message },
            Verdict::Clean => Outcome::Passed,
            Verdict::Violated => Outcome::Failed { message, text },
            Verdict::Unplayed => Outcome::Broken { message, text },
        };
        let folder = self.path.parent().map(|folder| folder.display().to_string());
        let (name, class) = (self.name.clone(), folder.unwrap_or_default());
        Case { name, class, took: Duration::from_millis(self.took_ms), outcome }
    }
}

/// All rows, what the schedules came to, and the sum.
pub(crate) fn table(rows: &[Row], schedules: u64, wall: Duration) -> String {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0).max("session".len());
    let mut text =
        format!("\n{:width$} | turns | faults | simulated | schedules | result\n", "session");
    for row in rows {
        let Row { name, turns, faults, schedules: (played, same), .. } = row;
        let simulated = Duration::from_millis(row.simulated_ms).as_secs_f64();
        let under = if *played == 0 { "-".to_owned() } else { format!("{same}/{played}") };
        let result = row.result();
        text.push_str(&format!(
            "{name:width$} | {turns:5} | {faults:6} | {simulated:8.1}s | {under:>9} | {result}\n"
        ));
    }
    let mut kinds: BTreeMap<Kind, (u64, u64)> = BTreeMap::new();
    for (kind, (scheduled, happened)) in rows.iter().flat_map(|row| &row.kinds) {
        let (all, of_them) = kinds.entry(*kind).or_default();
        *all += scheduled;
        *of_them += happened;
    }
    if schedules > 0 && !kinds.is_empty() {
        let kinds = kinds.iter().map(|(kind, (all, of_them))| format!("{kind} {of_them}/{all}"));
        let kinds: Vec<String> = kinds.collect();
        text.push_str("faults laid over them that happened, of those scheduled:\n");
        for line in kinds.chunks(6) {
            text.push_str(&format!("  {}\n", line.join(", ")));
        }
    }
    let clean = rows.iter().filter(|row| row.is_clean()).count();
    let (all, seconds) = (rows.len(), wall.as_secs_f64());
    let runs: u64 = rows.iter().map(|row| row.schedules.0).sum();
    text.push_str(&format!(
        "{clean} of {all} sessions and regressions clean, {runs} schedules played, in {seconds:.1}s"
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarantine_excuses_until_it_is_over() {
        let [issue, owner, until] = ["GW-412", "ana", "2026-12-31"].map(str::to_owned);
        let quarantine = Quarantine { issue, owner, until };
        let mut row = Row { wrong: vec!["claims missed".to_owned()], ..Row::default() };
        assert_eq!(row.verdict(), Verdict::Violated);
        row.excuse(&quarantine, "2026-12-31");
        assert_eq!(row.verdict(), Verdict::Clean);
        assert!(matches!(row.case().outcome, Outcome::Skipped { .. }));
        assert!(row.result().contains("GW-412, ana): claims missed"), "{}", row.result());
        let mut row = Row::default();
        row.excuse(&quarantine, "2027-01-01");
        assert_eq!(row.verdict(), Verdict::Violated);
        assert!(row.result().starts_with("the quarantine is over"), "{}", row.result());
    }
}
