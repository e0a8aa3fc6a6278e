//! `diff`: where two runs part.

use super::speech::say;
use super::{Engine, Verdict};
use clap::Args;
use rehearse::divergence::first_divergence;
use rehearse::project::{Playable, Project};
use rehearse::rehearsal::{Rehearsal, RehearsalError};
use rehearse::world::EngineKind;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// A trace (`trace.jsonl`), or a session or an artefact, which is played.
    once: PathBuf,
    /// Another, or the same again.
    again: PathBuf,
    /// What plays it [default: turmoil; an artefact: the one that it was found with].
    #[arg(long, value_enum)]
    engine: Option<Engine>,
}

impl Diff {
    pub(crate) fn perform(
        &self,
        project: &Project,
        here: &Path,
    ) -> Result<Verdict, RehearsalError> {
        let once = self.events(project, &here.join(&self.once))?;
        let again = self.events(project, &here.join(&self.again))?;
        match first_divergence(&once, &again) {
            None => {
                say(&format!("the same, event by event: {} events", once.lines().count()));
                Ok(Verdict::Clean)
            }
            Some(divergence) => {
                say(&divergence);
                Ok(Verdict::Violated)
            }
        }
    }

    /// The text of a trace, an event a line.
    fn events(&self, project: &Project, file: &Path) -> Result<String, RehearsalError> {
        if file.extension().is_some_and(|ending| ending == "jsonl") {
            return Ok(project.text(file)?);
        }
        let path = file.strip_prefix(project.root()).unwrap_or(file);
        let (scenario, own) = match project.playable(path)? {
            Playable::Session(session) => (session.scenario, EngineKind::default()),
            Playable::Artefact(artefact) => (artefact.scenario, artefact.failure.engine),
        };
        let engine = self.engine.map_or(own, EngineKind::from);
        Ok(Rehearsal::on(engine, project, &scenario)?.trace.to_text())
    }
}
