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
        let Artefact { failure, scenario } = project.artefact(path)?;
        let timer = Timer::start();
        let rehearsal = Rehearsal::on(failure.engine, project, &scenario)?;
        let Some(first) = rehearsal.violations.first() else {
            say("no oracle objects any more: there is nothing to shrink");
            return Ok(Verdict::Unplayed);
        };
        let oracle = first.oracle;
        let mut tried = 0_u32;
        let mut small = shrink(&scenario, &mut |candidate| {
            let run = Rehearsal::on(failure.engine, project, candidate)?;
            let fails = run.violations.iter().any(|violation| violation.oracle == oracle);
            tried += 1;
            progress(&format!("{tried} tried, the last with {}", size(candidate)));
            Ok::<_, RehearsalError>(fails)
        })?;
        progress("");
        let run = Rehearsal::on(failure.engine, project, &small)?;
        let to = path.with_extension("shrunk.yaml");
        small.name = format!("{}-shrunk", scenario.name);
        let violations = run.violations.iter().map(Finding::from).collect();
        let repeat = format!("cargo rehearse run {}", to.display());
        let (commit, lockfile) = (project.commit(), project.lockfile());
        let failure = Failure { commit, lockfile, repeat, violations, ..failure };
        say(&format!("before  {}", size(&scenario)));
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
