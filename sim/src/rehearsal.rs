//! From a scenario to a judged run: the world, the oracles and the session's own claims in a row.

use crate::oracle::{self, Violation};
use crate::project::{Project, ProjectError};
use crate::report::transcript::transcript;
use crate::scenario::Scenario;
use crate::session::{self, Miss, Session};
use crate::trace::Trace;
use crate::twin::TwinError;
use crate::world::{self, EngineKind, WorldError};
use std::path::PathBuf;

/// A run and what is to be said about it.
#[derive(Debug)]
pub struct Rehearsal {
    /// What happened.
    pub trace: Trace,
    /// What must never happen, and did.
    pub violations: Vec<Violation>,
    /// What the session claims, and did not happen.
    pub misses: Vec<Miss>,
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
        Ok(Self { trace, violations, misses: Vec::new() })
    }

    /// Plays a golden session on the reference engine, judges it, and holds its claims against what
    /// happened.
    ///
    /// # Errors
    /// [`RehearsalError`]: the harness could not do its work.
    pub fn of_session(project: &Project, session: &Session) -> Result<Self, RehearsalError> {
        Ok(Self::of_scenario(project, &session.scenario)?.held_against(session))
    }

    /// The same run, held against the claims of a session.
    #[must_use]
    pub fn held_against(self, session: &Session) -> Self {
        Self { misses: session::check(session, &self.trace), ..self }
    }

    /// Whether everything was as it must be.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty() && self.misses.is_empty()
    }

    /// Writes transcript and trace below `target/rehearse/` and returns their directory.
    ///
    /// # Errors
    /// [`ProjectError::File`].
    pub fn keep(&self, project: &Project, scenario: &Scenario) -> Result<PathBuf, ProjectError> {
        let (name, text) = (&scenario.name, transcript(scenario, &self.trace));
        project.keep(name, "trace.jsonl", &self.trace.to_text())?;
        let path = project.keep(name, "transcript.txt", &text)?;
        Ok(path.parent().map_or_else(PathBuf::new, PathBuf::from))
    }
}
