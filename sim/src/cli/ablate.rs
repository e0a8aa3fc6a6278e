//! `ablate`: every rule off, one at a time, until an oracle objects.

use super::speech::{progress, say};
use super::{Engine, Verdict};
use crate::Timer;
use clap::Args;
use rehearse::ablate::{RULES, Rule};
use rehearse::project::Project;
use rehearse::rehearsal::{Rehearsal, RehearsalError};
use rehearse::scenario::{Scenario, chaos};
use rehearse::shrink::shrink;

#[derive(Debug, Args)]
pub(crate) struct Ablate {
    /// Only the rules whose name contains this, such as `client.cursor`.
    rule: Option<String>,
    /// How many seeds are tried for a rule.
    #[arg(long, default_value_t = 300)]
    seeds: u64,
    /// What plays them.
    #[arg(long, value_enum, default_value_t = Engine::Event)]
    engine: Engine,
}

/// How a removed rule was noticed.
struct Noticed {
    oracle: &'static str,
    /// How many seeds it took.
    seeds: u64,
    /// How many faults are left of the scenario when it is shrunk.
    faults: usize,
}

impl Ablate {
    pub(crate) fn perform(&self, project: &Project) -> Result<Verdict, RehearsalError> {
        let timer = Timer::start();
        let wanted = |rule: &&Rule| self.rule.as_ref().is_none_or(|part| rule.name.contains(part));
        let rules: Vec<&Rule> = RULES.iter().filter(wanted).collect();
        let mut taken = Vec::new();
        say(&format!("{:34} | {:13} | seeds | faults when shrunk", "without", "noticed by"));
        for rule in &rules {
            let noticed = self.without(project, rule)?;
            progress("");
            say(&match &noticed {
                Some(Noticed { oracle, seeds, faults }) => {
                    format!("{:34} | {oracle:13} | {seeds:5} | {faults}", rule.name)
                }
                None => format!("{:34} | nobody", rule.name),
            });
            taken.extend(noticed.map(|noticed| noticed.seeds));
        }
        taken.sort_unstable();
        let median = taken.get(taken.len() / 2).copied().unwrap_or_default();
        let (caught, seconds) = (taken.len(), timer.elapsed().as_secs_f64());
        say(&format!(
            "{caught} of {} rules are missed when removed, in the median after {median} seeds ({seconds:.0}s)",
            rules.len()
        ));
        Ok(match (rules.is_empty(), caught == rules.len()) {
            (true, _) => Verdict::Unplayed,
            (false, true) => Verdict::Clean,
            (false, false) => Verdict::Violated,
        })
    }

    fn without(&self, project: &Project, rule: &Rule) -> Result<Option<Noticed>, RehearsalError> {
        for seed in 0..self.seeds {
            progress(&format!("without {}: seed {seed}", rule.name));
            let whole = chaos(seed);
            let without = rule.removed_from(&whole);
            let Some(oracle) = self.objection(project, &without)? else { continue };
            if self.objects(project, &whole, oracle)? {
                continue;
            }
            let fails = &mut |candidate: &Scenario| {
                Ok::<_, RehearsalError>(
                    self.objects(project, &rule.removed_from(candidate), oracle)?
                        && !self.objects(project, candidate, oracle)?,
                )
            };
            let faults = shrink(&whole, fails)?.armed().count();
            return Ok(Some(Noticed { oracle, seeds: seed + 1, faults }));
        }
        Ok(None)
    }

    /// The first oracle that objects to a scenario.
    fn objection(
        &self,
        project: &Project,
        scenario: &Scenario,
    ) -> Result<Option<&'static str>, RehearsalError> {
        let run = Rehearsal::on(self.engine.into(), project, scenario)?;
        Ok(run.violations.first().map(|violation| violation.oracle))
    }

    fn objects(
        &self,
        project: &Project,
        scenario: &Scenario,
        oracle: &str,
    ) -> Result<bool, RehearsalError> {
        let run = Rehearsal::on(self.engine.into(), project, scenario)?;
        Ok(run.violations.iter().any(|violation| violation.oracle == oracle))
    }
}
