//! `lint`: every mistake of every file, and nothing played.

use super::Verdict;
use super::annotate::Mark;
use super::speech::{ink, say};
use crate::Timer;
use clap::Args;
use rehearse::project::{Project, ProjectError};
use rehearse::rehearsal::RehearsalError;
use rehearse::session::broken;
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
        if files.is_empty() {
            files = project.session_paths()?;
            files.extend(project.regression_paths()?);
        }
        for file in &files {
            let file = here.join(file);
            let path = file.strip_prefix(project.root()).unwrap_or(&file);
            match project.playable(path) {
                Ok(_) => {}
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
        let (all, seconds) = (files.len(), timer.elapsed().as_secs_f64());
        say(&format!("{} of {all} files without a mistake, in {seconds:.2}s", all - bad));
        Ok(if bad == 0 { Verdict::Clean } else { Verdict::Violated })
    }
}
