//! `twin`: the second process of a run, which another one starts and compares with itself.

use super::Verdict;
use super::speech::say;
use rehearse::artefact::Artefact;
use rehearse::project::{Project, ProjectError};
use rehearse::rehearsal::{Rehearsal, RehearsalError};
use rehearse::scenario::Scenario;
use rehearse::trace::Trace;
use rehearse::twin::Twin;
use rehearse::world::EngineKind;
use std::io::{self, Read as _};
use std::path::PathBuf;

/// Plays a scenario once more in another process; if that one parts from what happened here, tells where.
pub(crate) fn elsewhere(
    project: &Project,
    engine: EngineKind,
    scenario: &Scenario,
    trace: &Trace,
) -> Result<Option<String>, RehearsalError> {
    let exe = std::env::current_exe()
        .map_err(|source| ProjectError::File { path: PathBuf::from("this program"), source })?;
    let twin = Twin::new(&exe, project.root());
    let divergence = twin.divergence(engine, scenario, trace)?;
    let name = &scenario.name;
    Ok(divergence
        .map(|text| format!("{name} does not happen the same way in another process\n{text}")))
}

/// Plays the artefact on the input and prints what happened, an event a line, whatever the oracles say of it.
pub(crate) fn twin(project: &Project) -> Result<Verdict, RehearsalError> {
    let mut text = String::new();
    let path = PathBuf::from("the input");
    let read = io::stdin().read_to_string(&mut text);
    read.map_err(|source| ProjectError::File { path: path.clone(), source })?;
    let artefact = Artefact::read(&path.to_string_lossy(), &text)
        .map_err(|broken| ProjectError::Session(Box::new(broken)))?;
    let engine = artefact.failure.engine;
    let rehearsal = Rehearsal::on(engine, project, &artefact.scenario)?;
    say(rehearsal.trace.to_text().trim_end());
    Ok(Verdict::Clean)
}
