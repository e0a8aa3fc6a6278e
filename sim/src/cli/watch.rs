//! `watch`: whoever saves a session, a fragment or a catalogue sees at once what comes of it.

use super::Verdict;
use super::speech::{ink, say};
use clap::Args;
use notify::{RecursiveMode, Watcher as _};
use rehearse::project::{Project, ProjectError};
use rehearse::rehearsal::{Rehearsal, RehearsalError};
use rehearse::report::verdicts::verdicts;
use rehearse::session::{broken, failed};
use std::collections::BTreeSet;
use std::io::{self, stdout};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

/// Editors save in several steps; what follows within this time is one save.
const ONE_SAVE: Duration = Duration::from_millis(150);

#[derive(Debug, Args)]
pub(crate) struct Watch {}

impl Watch {
    pub(crate) fn perform(&self, project: &Project) -> Result<Verdict, RehearsalError> {
        let folder = project.root().join("sessions");
        let (saved, saves) = mpsc::channel();
        let mut watcher =
            notify::recommended_watcher(saved).map_err(|why| unwatched(&folder, why))?;
        let watched = watcher.watch(&folder, RecursiveMode::Recursive);
        watched.map_err(|why| unwatched(&folder, why))?;
        say("watching sessions/; Ctrl-C ends it");
        while let Ok(first) = saves.recv() {
            let mut events = vec![first];
            while let Ok(next) = saves.recv_timeout(ONE_SAVE) {
                events.push(next);
            }
            let changes = events.into_iter().flatten().filter(|event| !event.kind.is_access());
            let paths: BTreeSet<PathBuf> = changes.flat_map(|event| event.paths).collect();
            // Catalogues are read once, so a save may need a project of its own.
            let project = Project::around(project.root())?;
            for path in touched(&project, &paths)? {
                play(&project, &path)?;
            }
        }
        Ok(Verdict::Clean)
    }
}

fn unwatched(folder: &Path, why: notify::Error) -> RehearsalError {
    ProjectError::File { path: folder.to_owned(), source: io::Error::other(why) }.into()
}

/// The sessions that these files have a part in.
fn touched(project: &Project, saved: &BTreeSet<PathBuf>) -> Result<Vec<PathBuf>, ProjectError> {
    let is_saved = |path: &Path| saved.contains(&project.root().join(path));
    let mut touched = Vec::new();
    for path in project.session_paths()? {
        let parts = match project.session(&path) {
            Ok(session) => {
                let fragments = session.uses.iter().map(|name| format!("_fragments/{name}.yaml"));
                let catalog = format!("catalogs/{}.csv", session.scenario.world.catalog);
                fragments.chain([catalog]).map(|part| Path::new("sessions").join(part)).collect()
            }
            // A mistake may be in anything that it uses.
            Err(ProjectError::Session(mistakes)) => {
                let files = mistakes.sources.files();
                files.map(|source| PathBuf::from(&source.path)).collect::<Vec<_>>()
            }
            Err(error) => return Err(error),
        };
        if is_saved(&path) || parts.iter().any(|part| is_saved(part)) {
            touched.push(path);
        }
    }
    Ok(touched)
}

fn play(project: &Project, path: &Path) -> Result<(), RehearsalError> {
    let session = match project.session(path) {
        Ok(session) => session,
        Err(ProjectError::Session(mistakes)) => {
            say(&broken(&mistakes, ink(&stdout())));
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let run = Rehearsal::of_session(project, &session)?;
    if run.is_clean() {
        say(&format!("{}: ok, {} expectations", path.display(), session.expectations()));
        return Ok(());
    }
    run.keep(project, &session.scenario, &format!("cargo rehearse run {}", path.display()))?;
    if !run.misses.is_empty() {
        say(&failed(&session, &run.misses, ink(&stdout())));
    }
    if !run.violations.is_empty() {
        say(&verdicts(&run.violations));
    }
    Ok(())
}
