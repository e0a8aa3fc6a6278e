//! `run`: one scenario after the other, with transcript and verdicts.

use super::speech::{complain, ink, say};
use super::{Engine, Verdict};
use crate::Timer;
use clap::Args;
use rehearse::project::{Playable, Project};
use rehearse::rehearsal::{Rehearsal, RehearsalError, told_calm};
use rehearse::report::transcript::transcript;
use rehearse::report::verdicts::verdicts;
use rehearse::scenario::{Scenario, chaos, default_world, overlay};
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
    /// Play session files under this schedule of the faults that the gate draws for them, on the event engine, and
    /// compare what users are told with a run without faults.
    #[arg(long, requires = "files", conflicts_with = "seed")]
    schedule: Option<u64>,
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
            let chaos = if self.chaos { " --chaos" } else { "" };
            let repeat = format!("cargo rehearse run{chaos} --seed {}", scenario.seed);
            let (timer, run) = (Timer::start(), Rehearsal::on(engine, project, &scenario)?);
            self.tell(project, (&scenario, &repeat), &run, timer.elapsed())?;
            verdict = Verdict::of(&run);
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
        let repeat = format!("cargo rehearse run {}", path.display());
        match project.playable(path) {
            Ok(Playable::Session(mut session)) => {
                session.scenario.seed = self.seed.unwrap_or(session.scenario.seed);
                match self.schedule {
                    Some(seed) => self.play_under_faults(project, &session.scenario, seed, &repeat),
                    None => self.play(project, &session, &repeat),
                }
            }
            Ok(Playable::Artefact(mut artefact)) => {
                artefact.scenario.seed = self.seed.unwrap_or(artefact.scenario.seed);
                let engine = self.engine(Some(artefact.failure.engine));
                let timer = Timer::start();
                let run = Rehearsal::of_artefact(engine, project, &artefact)?;
                self.tell(project, (&artefact.scenario, &repeat), &run, timer.elapsed())?;
                Ok(Verdict::of(&run))
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
        session: &Session,
        repeat: &str,
    ) -> Result<Verdict, RehearsalError> {
        let timer = Timer::start();
        let run = Rehearsal::on(self.engine(None), project, &session.scenario)?;
        let run = run.held_against(session);
        self.tell(project, (&session.scenario, repeat), &run, timer.elapsed())?;
        if !run.misses.is_empty() && !self.hash {
            say(&failed(session, &run.misses, ink(&stdout())));
        }
        Ok(Verdict::of(&run))
    }

    fn play_under_faults(
        &self,
        project: &Project,
        session: &Scenario,
        seed: u64,
        repeat: &str,
    ) -> Result<Verdict, RehearsalError> {
        let engine = self.engine(Some(EngineKind::Event));
        let (timer, scenario) = (Timer::start(), overlay(session, seed));
        let calm = told_calm(engine, project, session)?;
        let run = Rehearsal::on(engine, project, &scenario)?.held_beside(&calm, &scenario);
        let repeat = format!("{repeat} --schedule {seed}");
        self.tell(project, (&scenario, &repeat), &run, timer.elapsed())?;
        Ok(Verdict::of(&run))
    }

    fn tell(
        &self,
        project: &Project,
        (scenario, repeat): (&Scenario, &str),
        rehearsal: &Rehearsal,
        wall: Duration,
    ) -> Result<(), RehearsalError> {
        let kept = rehearsal.keep(project, scenario, repeat)?;
        if self.hash {
            say(&rehearsal.trace.hash());
        } else {
            let simulated = rehearsal.trace.duration().as_secs_f64();
            let ratio = simulated / wall.as_secs_f64();
            say(&transcript(scenario, &rehearsal.trace));
            say(&verdicts(&rehearsal.violations));
            if let Some(difference) = &rehearsal.difference {
                say(difference);
            }
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
