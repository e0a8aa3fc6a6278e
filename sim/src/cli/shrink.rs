//! `shrink`: the smallest scenario that fails as an artefact does.

use super::Verdict;
use super::speech::{progress, say};
use crate::Timer;
use clap::Args;
use rehearse::artefact::{Artefact, Failure, Finding};
use rehearse::project::Project;
use rehearse::rehearsal::{Rehearsal, RehearsalError};
use rehearse::scenario::Scenario;
use rehearse::shrink::shrink;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct Shrink {
    /// An artefact; the smaller one is written beside it, as `NAME.shrunk.yaml`.
    file: PathBuf,
}

impl Shrink {
    pub(crate) fn perform(
        &self,
        project: &Project,
        here: &Path,
    ) -> Result<Verdict, RehearsalError> {
        let file = here.join(&self.file);
        let path = file.strip_prefix(project.root()).unwrap_or(&file);
        let artefact = project.artefact(path)?;
        let timer = Timer::start();
        let play = |candidate: &Scenario| {
            let (failure, scenario) = (artefact.failure.clone(), candidate.clone());
            let engine = failure.engine;
            Rehearsal::of_artefact(engine, project, &Artefact { failure, scenario })
        };
        let rehearsal = play(&artefact.scenario)?;
        // What the file speaks of, if that still fails; several oracles may see one failure.
        let found = &rehearsal.violations;
        let mut told = artefact.failure.violations.iter();
        let same = told.find_map(|told| found.iter().find(|found| found.oracle == told.oracle));
        let Some(first) = same.or(found.first()) else {
            say("no oracle objects any more: there is nothing to shrink");
            return Ok(Verdict::Unplayed);
        };
        let oracle = first.oracle;
        let mut tried = 0_u32;
        let mut small = shrink(&artefact.scenario, &mut |candidate| {
            let run = play(candidate)?;
            let fails = run.violations.iter().any(|violation| violation.oracle == oracle);
            tried += 1;
            progress(&format!("{tried} tried, the last with {}", size(candidate)));
            Ok::<_, RehearsalError>(fails)
        })?;
        progress("");
        let run = play(&small)?;
        let Artefact { failure, scenario } = &artefact;
        let to = path.with_extension("shrunk.yaml");
        small.name = format!("{}-shrunk", scenario.name);
        let violations = run.violations.iter().map(Finding::from).collect();
        let repeat = format!("cargo rehearse run {}", to.display());
        let (commit, lockfile) = (project.commit(), project.lockfile());
        let failure = Failure { commit, lockfile, repeat, violations, ..failure.clone() };
        say(&format!("before  {}", size(scenario)));
        say(&format!("after   {}", size(&small)));
        say(&format!(
            "{oracle} still objects; without any one fault, client or turn it is silent ({tried} tried in {:.1}s)",
            timer.elapsed().as_secs_f64()
        ));
        let artefact = Artefact { failure, scenario: small };
        project.write(&to, &artefact.write())?;
        say(&format!("kept in {}", to.display()));
        Ok(Verdict::Violated)
    }
}

fn size(scenario: &Scenario) -> String {
    let (faults, clients) = (scenario.armed().count(), scenario.clients.len());
    format!("{faults} faults, {clients} clients, {} turns", scenario.turns.len())
}
