//! `coverage`: what the sessions exercise, beside what they once did.

use super::Verdict;
use super::speech::say;
use clap::Args;
use rehearse::coverage::{Coverage, LEVEL_FILE, Level, exercised};
use rehearse::project::{Project, ProjectError};
use rehearse::rehearsal::{Rehearsal, RehearsalError};
use rehearse::world::EngineKind;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct ShowCoverage {
    /// Record what no session exercises: the gate fails if more is missing than this.
    #[arg(long)]
    record: bool,
}

impl ShowCoverage {
    pub(crate) fn perform(&self, project: &Project) -> Result<Verdict, RehearsalError> {
        let mut coverage = Coverage::default();
        for path in project.session_paths()? {
            let session = project.session(&path)?;
            let run = Rehearsal::on(EngineKind::Event, project, &session.scenario)?;
            coverage.add(&session.scenario.name, &exercised(&run.trace));
        }
        say(&coverage.table());
        if self.record {
            project.write(Path::new(LEVEL_FILE), &Level::text(&coverage.gaps()))?;
            say(&format!("recorded in {LEVEL_FILE}"));
        }
        held_to_level(project, &coverage)
    }
}

/// Says what is missing that was not, and what is not any more that was.
pub(crate) fn held_to_level(
    project: &Project,
    coverage: &Coverage,
) -> Result<Verdict, RehearsalError> {
    let recorded = project.text(Path::new(LEVEL_FILE))?;
    let level = Level::of(&coverage.gaps(), &recorded).map_err(|why| {
        let source = io::Error::new(io::ErrorKind::InvalidData, why);
        ProjectError::File { path: PathBuf::from(LEVEL_FILE), source }
    })?;
    for lost in &level.lost {
        say(&format!("no session exercises {lost} any more, or yet"));
    }
    if !level.won.is_empty() {
        let won = level.won.join(", ");
        say(&format!(
            "sessions now exercise {won}: record it with `cargo rehearse coverage --record`"
        ));
    }
    if level.lost.is_empty() {
        return Ok(Verdict::Clean);
    }
    say(&format!(
        "write a session for it, or record the gap: `cargo rehearse coverage --record` writes {LEVEL_FILE}"
    ));
    Ok(Verdict::Violated)
}
