//! `lint`: every mistake of every file, and nothing played.

use super::Verdict;
use super::annotate::Mark;
use super::speech::{ink, say};
use crate::Timer;
use clap::Args;
use rehearse::project::{Playable, Project, ProjectError};
use rehearse::rehearsal::RehearsalError;
use rehearse::session::{Quarantine, broken};
use std::collections::BTreeSet;
use std::io::stdout;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// Sessions and regressions [default: all].
    files: Vec<PathBuf>,
}

impl Lint {
    pub(crate) fn perform(
        &self,
        project: &Project,
        here: &Path,
        github: bool,
    ) -> Result<Verdict, RehearsalError> {
        let (timer, mut files, mut bad) = (Timer::start(), self.files.clone(), 0_usize);
        let mut used = BTreeSet::new();
        if files.is_empty() {
            files = project.session_paths()?;
            files.extend(project.regression_paths()?);
        }
        for file in &files {
            let file = here.join(file);
            let path = file.strip_prefix(project.root()).unwrap_or(&file);
            match project.playable(path) {
                Ok(Playable::Session(session)) => {
                    let over = |q: &&Quarantine| q.is_over(&Project::today());
                    if let Some(over) = session.quarantine.as_ref().filter(over) {
                        bad += 1;
                        let text = format!("the quarantine is over: it was {over}");
                        say(&format!("{}: {text}", path.display()));
                        if github {
                            Mark::of_file(path, &text).tell();
                        }
                    }
                    used.extend(session.uses);
                }
                Ok(Playable::Artefact(_)) => {}
                Err(ProjectError::Session(mistakes)) => {
                    bad += 1;
                    say(&broken(&mistakes, ink(&stdout())));
                    if github {
                        Mark::of_broken(&mistakes).iter().for_each(Mark::tell);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        if self.files.is_empty() {
            for (name, (path, _)) in project.fragments()? {
                if !used.contains(&name) {
                    bad += 1;
                    files.push(PathBuf::from(&path));
                    say(&format!("{path}: no session uses this fragment: use it, or delete it"));
                }
            }
        }
        let (all, seconds) = (files.len(), timer.elapsed().as_secs_f64());
        say(&format!("{} of {all} files without a mistake, in {seconds:.2}s", all - bad));
        Ok(if bad == 0 { Verdict::Clean } else { Verdict::Violated })
    }
}
