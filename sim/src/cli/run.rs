//! `run`: one scenario after the other, with transcript and verdicts.

use super::speech::{complain, ink, say};
use super::{Engine, Verdict};
use crate::Timer;
use clap::Args;
use rehearse::project::{Playable, Project};
use rehearse::rehearsal::{Rehearsal, RehearsalError};
use rehearse::report::transcript::transcript;
use rehearse::report::verdicts::verdicts;
use rehearse::scenario::{Scenario, chaos, default_world};
use rehearse::session::{Session, failed};
use rehearse::world::EngineKind;
use std::io::stdout;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Session files and artefacts; none for a world made from the seed.
    files: Vec<PathBuf>,
    /// The seed; files have their own.
    #[arg(long)]
    seed: Option<u64>,
    /// Play the world and the faults that a sweep makes of the seed, and not the default world: three clients
    /// that talk for a simulated minute, while nothing goes wrong.
    #[arg(long, conflicts_with = "files")]
    chaos: bool,
    /// Print nothing but the hash of each trace.
    #[arg(long)]
    hash: bool,
    /// What plays it [default: turmoil; an artefact: the one that it was found with].
    #[arg(long, value_enum)]
    engine: Option<Engine>,
}

impl Run {
    pub(crate) fn perform(
        &self,
        project: &Project,
        here: &Path,
    ) -> Result<Verdict, RehearsalError> {
        let mut verdict = Verdict::Clean;
        if self.files.is_empty() {
            let make = if self.chaos { chaos } else { default_world };
            let (scenario, engine) = (make(self.seed.unwrap_or(0)), self.engine(None));
            verdict = self.play(project, &scenario, engine, None)?;
        }
        for file in &self.files {
            verdict = verdict.max(self.play_file(project, &here.join(file))?);
        }
        Ok(verdict)
    }

    fn engine(&self, own: Option<EngineKind>) -> EngineKind {
        self.engine.map(EngineKind::from).or(own).unwrap_or_default()
    }

    /// A file that cannot be played is told and hides no other.
    fn play_file(&self, project: &Project, file: &Path) -> Result<Verdict, RehearsalError> {
        let path = file.strip_prefix(project.root()).unwrap_or(file);
        match project.playable(path) {
            Ok(Playable::Session(mut session)) => {
                session.scenario.seed = self.seed.unwrap_or(session.scenario.seed);
                self.play(project, &session.scenario, self.engine(None), Some(&session))
            }
            Ok(Playable::Artefact(mut artefact)) => {
                artefact.scenario.seed = self.seed.unwrap_or(artefact.scenario.seed);
                let engine = self.engine(Some(artefact.failure.engine));
                self.play(project, &artefact.scenario, engine, None)
            }
            Err(error) => {
                complain(&error.into());
                Ok(Verdict::Unplayed)
            }
        }
    }

    fn play(
        &self,
        project: &Project,
        scenario: &Scenario,
        engine: EngineKind,
        session: Option<&Session>,
    ) -> Result<Verdict, RehearsalError> {
        let timer = Timer::start();
        let mut rehearsal = Rehearsal::on(engine, project, scenario)?;
        if let Some(session) = session {
            rehearsal = rehearsal.held_against(session);
        }
        self.tell(project, scenario, &rehearsal, timer.elapsed())?;
        if let Some(session) = session.filter(|_| !rehearsal.misses.is_empty() && !self.hash) {
            say(&failed(session, &rehearsal.misses, ink(&stdout())));
        }
        Ok(Verdict::of(&rehearsal))
    }

    fn tell(
        &self,
        project: &Project,
        scenario: &Scenario,
        rehearsal: &Rehearsal,
        wall: Duration,
    ) -> Result<(), RehearsalError> {
        let kept = rehearsal.keep(project, scenario)?;
        if self.hash {
            say(&rehearsal.trace.hash());
        } else {
            let simulated = rehearsal.trace.duration().as_secs_f64();
            let ratio = simulated / wall.as_secs_f64();
            say(&transcript(scenario, &rehearsal.trace));
            say(&verdicts(&rehearsal.violations));
            say(&format!(
                "simulated   {simulated:.1}s in {:.3}s, {ratio:.0}x real time",
                wall.as_secs_f64()
            ));
            say(&format!("trace       {}", rehearsal.trace.hash()));
            say(&format!("kept in     {}", kept.display()));
        }
        Ok(())
    }
}
