//! From a scenario to a judged run: the world, the oracles, the session's own claims, and what users are told
//! without faults, in a row.

use crate::artefact::{Artefact, Failure, Finding};
use crate::oracle::{self, Violation};
use crate::project::{Project, ProjectError};
use crate::report::transcript::transcript;
use crate::scenario::{Scenario, calm};
use crate::session::{self, Miss, Session};
use crate::trace::Trace;
use crate::transparent::{self, TRANSPARENT, Told, told};
use crate::twin::TwinError;
use crate::world::{self, EngineKind, WorldError};
use std::path::PathBuf;

/// A run and what is to be said about it.
#[derive(Debug)]
pub struct Rehearsal {
    /// What played it.
    pub engine: EngineKind,
    /// What happened.
    pub trace: Trace,
    /// What must never happen, and did.
    pub violations: Vec<Violation>,
    /// What the session claims, and did not happen.
    pub misses: Vec<Miss>,
    /// How what users were told differs from what they are told without faults, as a diff of lines.
    pub difference: Option<String>,
}

/// Why there was no run.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// A file.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The second process of a run.
    #[error(transparent)]
    Twin(#[from] TwinError),
    /// The world.
    #[error("the world broke")]
    World(#[from] WorldError),
    /// The scenario's catalogue.
    #[error("there is no catalogue `{0}` in sessions/catalogs")]
    NoCatalog(String),
}

impl Rehearsal {
    /// Plays a scenario on the reference engine and judges it.
    ///
    /// # Errors
    /// [`RehearsalError`]: the harness could not do its work.
    pub fn of_scenario(project: &Project, scenario: &Scenario) -> Result<Self, RehearsalError> {
        Self::on(EngineKind::default(), project, scenario)
    }

    /// Plays a scenario and judges it.
    ///
    /// # Errors
    /// [`RehearsalError`]: the harness could not do its work.
    pub fn on(
        engine: EngineKind,
        project: &Project,
        scenario: &Scenario,
    ) -> Result<Self, RehearsalError> {
        let name = &scenario.world.catalog;
        let catalog =
            project.catalog(name).ok_or_else(|| RehearsalError::NoCatalog(name.clone()))?;
        let trace = world::run(scenario, catalog, engine)?;
        let violations = oracle::judge(scenario, &trace);
        Ok(Self { engine, trace, violations, misses: Vec::new(), difference: None })
    }

    /// Plays a golden session on the reference engine, judges it, and holds its claims against what
    /// happened.
    ///
    /// # Errors
    /// [`RehearsalError`]: the harness could not do its work.
    pub fn of_session(project: &Project, session: &Session) -> Result<Self, RehearsalError> {
        Ok(Self::of_scenario(project, &session.scenario)?.held_against(session))
    }

    /// Plays a failure again and judges it in the way that it failed: one of transparency also beside its calm run.
    ///
    /// # Errors
    /// [`RehearsalError`]: the harness could not do its work.
    pub fn of_artefact(
        engine: EngineKind,
        project: &Project,
        artefact: &Artefact,
    ) -> Result<Self, RehearsalError> {
        let scenario = &artefact.scenario;
        let findings = artefact.failure.violations.iter();
        let run = Self::on(engine, project, scenario)?;
        if findings.clone().any(|finding| finding.oracle == TRANSPARENT) {
            let calm = told_calm(engine, project, scenario)?;
            return Ok(run.held_beside(&calm, scenario));
        }
        Ok(run)
    }

    /// The same run, held against the claims of a session.
    #[must_use]
    pub fn held_against(self, session: &Session) -> Self {
        Self { misses: session::check(session, &self.trace), ..self }
    }

    /// The same run, held beside what users are told without faults.
    #[must_use]
    pub fn held_beside(mut self, calm: &Told, scenario: &Scenario) -> Self {
        self.difference = calm.difference(&told(scenario, &self.trace));
        self.violations.extend(self.difference.as_deref().map(transparent::violation));
        self
    }

    /// Whether everything was as it must be.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty() && self.misses.is_empty()
    }

    /// Writes transcript, trace, the whole scenario, how to play it again, and what was told otherwise than
    /// without faults, below `target/rehearse/`, and returns their directory. `repeat` is a command.
    ///
    /// # Errors
    /// [`ProjectError::File`].
    pub fn keep(
        &self,
        project: &Project,
        scenario: &Scenario,
        repeat: &str,
    ) -> Result<PathBuf, ProjectError> {
        let (name, text) = (&scenario.name, transcript(scenario, &self.trace));
        let failure = Failure {
            commit: project.commit(),
            lockfile: project.lockfile(),
            engine: self.engine,
            repeat: repeat.to_owned(),
            violations: self.violations.iter().map(Finding::from).collect(),
        };
        let artefact = Artefact { failure, scenario: scenario.clone() };
        project.keep(name, "trace.jsonl", &self.trace.to_text())?;
        project.keep(name, "artefact.yaml", &artefact.write())?;
        project.keep(name, "repro.txt", &format!("{repeat}\n"))?;
        if let Some(difference) = &self.difference {
            project.keep(name, "difference.txt", difference)?;
        }
        let path = project.keep(name, "transcript.txt", &text)?;
        Ok(path.parent().map_or_else(PathBuf::new, PathBuf::from))
    }
}

/// What users of a scenario are told if none of its faults happens.
///
/// # Errors
/// [`RehearsalError`]: the harness could not do its work.
pub fn told_calm(
    engine: EngineKind,
    project: &Project,
    scenario: &Scenario,
) -> Result<Told, RehearsalError> {
    let calm = calm(scenario);
    Ok(told(&calm, &Rehearsal::on(engine, project, &calm)?.trace))
}
