//! `explain`: what happened before a violation that could matter for it.

use super::speech::say;
use super::{Engine, Verdict};
use clap::Args;
use rehearse::explain::explain;
use rehearse::oracle::Violation;
use rehearse::project::{Playable, Project};
use rehearse::rehearsal::{Rehearsal, RehearsalError};
use rehearse::report::verdicts::seconds;
use rehearse::scenario::{Scenario, chaos, default_world};
use rehearse::world::EngineKind;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A session or an artefact, which is played.
    #[arg(required_unless_present = "seed")]
    file: Option<PathBuf>,
    /// Another seed; without a file the world that is made from it.
    #[arg(long)]
    seed: Option<u64>,
    /// The world and the faults that a sweep makes of the seed, and not the default world.
    #[arg(long, requires = "seed", conflicts_with = "file")]
    chaos: bool,
    /// What plays it [default: turmoil; an artefact: the one that it was found with].
    #[arg(long, value_enum)]
    engine: Option<Engine>,
}

impl Explain {
    pub(crate) fn perform(
        &self,
        project: &Project,
        here: &Path,
    ) -> Result<Verdict, RehearsalError> {
        let (scenario, own) = self.scenario(project, here)?;
        let engine = self.engine.map_or(own, EngineKind::from);
        let rehearsal = Rehearsal::on(engine, project, &scenario)?;
        if rehearsal.violations.is_empty() {
            say("no oracle objects: there is nothing to explain");
            return Ok(Verdict::Clean);
        }
        let mut oracles: BTreeMap<&str, Vec<&Violation>> = BTreeMap::new();
        for violation in &rehearsal.violations {
            oracles.entry(violation.oracle).or_default().push(violation);
        }
        for (oracle, found) in oracles {
            let Some((first, others)) = found.split_first() else { continue };
            say(&format!("{oracle}  {}  {}\n", seconds(first.at_us), first.what));
            say(&explain(&rehearsal.trace, first).to_string());
            let more = others.len();
            say(&if more > 0 { format!("and {more} more of {oracle}\n") } else { String::new() });
        }
        Ok(Verdict::Violated)
    }

    /// What is to be played, and the engine that it was found with.
    fn scenario(
        &self,
        project: &Project,
        here: &Path,
    ) -> Result<(Scenario, EngineKind), RehearsalError> {
        let Some(file) = &self.file else {
            let make = if self.chaos { chaos } else { default_world };
            return Ok((make(self.seed.unwrap_or(0)), EngineKind::default()));
        };
        let file = here.join(file);
        let path = file.strip_prefix(project.root()).unwrap_or(&file);
        let (mut scenario, engine) = match project.playable(path)? {
            Playable::Session(session) => (session.scenario, EngineKind::default()),
            Playable::Artefact(artefact) => (artefact.scenario, artefact.failure.engine),
        };
        scenario.seed = self.seed.unwrap_or(scenario.seed);
        Ok((scenario, engine))
    }
}
