//! Plays one session or regression in every way that the gate demands.

use super::super::annotate::Mark;
use super::super::list::KeptResult;
use super::super::twin::elsewhere;
use super::row::Row;
use crate::Timer;
use rehearse::artefact::Artefact;
use rehearse::coverage::exercised;
use rehearse::project::{Playable, Project, ProjectError};
use rehearse::rehearsal::{Rehearsal, RehearsalError, told_calm};
use rehearse::report::transcript::schedule;
use rehearse::report::verdicts::verdicts;
use rehearse::scenario::{Place, Scenario, overlay};
use rehearse::schedule::began;
use rehearse::session::{Ink, Session, broken, failed};
use rehearse::world::EngineKind;
use std::path::Path;

/// What the schedules are played on.
const ENGINE: EngineKind = EngineKind::Event;
/// Of how many schedules of a session everything is told and kept; of the others only that they failed.
const TOLD_MAX: usize = 3;

/// Plays what it is given.
pub(crate) struct Player<'p> {
    pub(crate) project: &'p Project,
    pub(crate) ink: Ink,
    pub(crate) schedules: u64,
    pub(crate) keep: bool,
}

impl Player<'_> {
    /// A session or regression, as the gate demands.
    pub(crate) fn play(&self, path: &Path) -> Result<Row, RehearsalError> {
        let timer = Timer::start();
        let mut row = match self.project.playable(path) {
            Ok(Playable::Session(session)) => self.session(path, &session)?,
            Ok(Playable::Artefact(artefact)) => self.regression(path, &artefact)?,
            Err(ProjectError::Session(mistakes)) => {
                let mut row = Row::broken(path.to_owned(), "cannot be played");
                row.said = broken(&mistakes, self.ink);
                row.marks = Mark::of_broken(&mistakes);
                row
            }
            Err(error) => return Err(error.into()),
        };
        if row.marks.is_empty() && !row.wrong.is_empty() {
            row.marks.push(Mark::of_file(path, &row.result()));
        }
        let result = KeptResult { result: row.result(), exercised: row.exercised.clone() };
        if !row.broken {
            result.keep(self.project, &row.name)?;
        }
        row.took_ms = u64::try_from(timer.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(row)
    }

    /// Plays a session twice: once to judge it, once to see that it happens the same way again. Then under faults.
    fn session(&self, path: &Path, session: &Session) -> Result<Row, RehearsalError> {
        let scenario = &session.scenario;
        let rehearsal = Rehearsal::of_session(self.project, session)?;
        let mut row = self.row(path, scenario);
        if !rehearsal.misses.is_empty() {
            row.said.push_str(&failed(session, &rehearsal.misses, self.ink));
            row.marks = Mark::of_misses(session, &rehearsal.misses);
            row.wrong.push("claims missed".to_owned());
        }
        row.exercised = exercised(&rehearsal.trace);
        let again = Rehearsal::of_scenario(self.project, scenario)?;
        self.judge(&mut row, scenario, &[rehearsal, again])?;
        self.under_faults(&mut row, scenario)?;
        self.sweep(&mut row, session)?;
        if let Some(quarantine) = &session.quarantine {
            row.excuse(quarantine, &Project::today());
        }
        Ok(row)
    }

    /// Holds a session against its claims under the further seeds that it asks for.
    fn sweep(&self, row: &mut Row, session: &Session) -> Result<(), RehearsalError> {
        for scenario in session.sweep() {
            let run = Rehearsal::on(ENGINE, self.project, &scenario)?.held_against(session);
            if run.is_clean() {
                continue;
            }
            let seed = scenario.seed;
            let repeat =
                format!("cargo rehearse run {} --seed {seed} --engine event", row.path.display());
            run.keep(self.project, &scenario, &repeat)?;
            let (failed, verdicts) =
                (failed(session, &run.misses, self.ink), verdicts(&run.violations));
            row.said
                .push_str(&format!("with seed {seed}:\n{failed}{verdicts}  repeat  {repeat}\n"));
            row.wrong.push(format!("fails with seed {seed}"));
            return Ok(());
        }
        Ok(())
    }

    /// Plays what once failed, twice too; it must be clean, and all its faults must happen.
    fn regression(&self, path: &Path, artefact: &Artefact) -> Result<Row, RehearsalError> {
        let (scenario, engine) = (&artefact.scenario, artefact.failure.engine);
        let rehearsal = Rehearsal::of_artefact(engine, self.project, artefact)?;
        let mut row = self.row(path, scenario);
        for sentence in artefact.stale(&rehearsal.trace) {
            row.said.push_str(&format!("{}: {sentence}\n", path.display()));
            row.wrong = vec!["stale".to_owned()];
        }
        let again = Rehearsal::on(engine, self.project, scenario)?;
        self.judge(&mut row, scenario, &[rehearsal, again])?;
        Ok(row)
    }

    fn row(&self, path: &Path, scenario: &Scenario) -> Row {
        Row {
            path: path.to_owned(),
            name: scenario.name.clone(),
            turns: scenario.turns.len(),
            faults: scenario.armed().count(),
            ..Row::default()
        }
    }

    /// What is to be said of a scenario that was played twice.
    fn judge(
        &self,
        row: &mut Row,
        scenario: &Scenario,
        [rehearsal, again]: &[Rehearsal; 2],
    ) -> Result<(), RehearsalError> {
        let name = &scenario.name;
        if !rehearsal.violations.is_empty() {
            let verdicts = verdicts(&rehearsal.violations);
            row.said.push_str(&format!("session {name}\n{verdicts}"));
            row.wrong.push("oracles object".to_owned());
        }
        if let Some(divergence) = rehearsal.trace.first_divergence(&again.trace) {
            let text = format!("session {name} does not happen the same way twice\n{divergence}\n");
            row.said.push_str(&text);
            row.wrong.push("not deterministic".to_owned());
        }
        if let Some(text) = elsewhere(self.project, rehearsal.engine, scenario, &again.trace)? {
            row.said.push_str(&text);
            row.wrong.push("another process differs".to_owned());
        }
        let simulated = rehearsal.trace.duration().as_millis();
        row.simulated_ms = u64::try_from(simulated).unwrap_or(u64::MAX);
        if self.keep || !row.wrong.is_empty() {
            let repeat = format!("cargo rehearse run {}", row.path.display());
            rehearsal.keep(self.project, scenario, &repeat)?;
        }
        Ok(())
    }

    /// Plays a session under its own faults, and under more of them, and compares what its users are told with a
    /// run without any.
    fn under_faults(&self, row: &mut Row, session: &Scenario) -> Result<(), RehearsalError> {
        if self.schedules == 0 {
            return Ok(());
        }
        let told = told_calm(ENGINE, self.project, session)?;
        let mut failing = 0;
        for seed in 0..self.schedules {
            let scenario = overlay(session, seed);
            let run = Rehearsal::on(ENGINE, self.project, &scenario)?.held_beside(&told, &scenario);
            row.schedules.0 += 1;
            count(row, session, &scenario, &run);
            if run.is_clean() {
                row.schedules.1 += 1;
            } else {
                failing += 1;
            }
            let is_told = !run.is_clean() && failing <= TOLD_MAX;
            if self.keep || is_told {
                let repeat = format!("cargo rehearse run {} --schedule {seed}", row.path.display());
                let kept = run.keep(self.project, &scenario, &repeat)?;
                if is_told {
                    row.said.push_str(&words(seed, &scenario, &run));
                    row.said.push_str(&format!("  repeat  {repeat}\n"));
                    let shrink = format!("cargo rehearse shrink {}", kept.display());
                    row.said.push_str(&format!("  shrink  {shrink}/artefact.yaml\n"));
                }
            }
        }
        if failing > 0 {
            row.wrong.push(format!("{failing} of {} schedules differ", self.schedules));
        }
        Ok(())
    }
}

/// Counts the faults that were laid over a session: they stand behind its own.
fn count(row: &mut Row, session: &Scenario, scenario: &Scenario, run: &Rehearsal) {
    for Place { turn, index, armed } in scenario.armed() {
        let own = match turn.and_then(|turn| session.turns.get(turn)) {
            Some(turn) => turn.faults.len(),
            None => session.faults.len(),
        };
        if index >= own {
            let (scheduled, happened) = row.kinds.entry(armed.fault.kind()).or_default();
            *scheduled += 1;
            *happened += u64::from(began(&run.trace, turn, index));
        }
    }
}

/// What went wrong under a schedule, and the schedule.
fn words(seed: u64, scenario: &Scenario, run: &Rehearsal) -> String {
    let mut text = format!("{} is not itself under schedule {seed}:\n", scenario.name);
    text.push_str(&schedule(scenario));
    for violation in &run.violations {
        text.push_str(&format!("{}: {}\n", violation.oracle, violation.what));
    }
    text.push_str(run.difference.as_deref().unwrap_or_default());
    text
}
