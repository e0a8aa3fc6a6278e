//! `bless`: what a run came to becomes what a session expects, where that is a plain value.

use super::Verdict;
use super::speech::say;
use clap::Args;
use rehearse::project::Project;
use rehearse::rehearsal::{Rehearsal, RehearsalError};
use rehearse::report::verdicts::verdicts;
use rehearse::session::bless;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct Bless {
    /// Session files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Set by whatever runs a pipeline, in which nobody reads what is blessed.
    #[arg(long, env = "CI", hide = true)]
    ci: Option<String>,
}

impl Bless {
    pub(crate) fn perform(
        &self,
        project: &Project,
        here: &Path,
    ) -> Result<Verdict, RehearsalError> {
        if self.ci.as_ref().is_some_and(|ci| !ci.is_empty() && ci != "false") {
            say(
                "CI is set: expectations are blessed by somebody who reads them, on their own machine",
            );
            return Ok(Verdict::Unplayed);
        }
        let mut verdict = Verdict::Clean;
        for file in &self.files {
            let file = here.join(file);
            let path = file.strip_prefix(project.root()).unwrap_or(&file);
            verdict = verdict.max(one(project, path)?);
        }
        Ok(verdict)
    }
}

fn one(project: &Project, path: &Path) -> Result<Verdict, RehearsalError> {
    let session = project.session(path)?;
    let run = Rehearsal::of_session(project, &session)?;
    let shown = path.display();
    if !run.violations.is_empty() {
        say(&verdicts(&run.violations));
        say(&format!("{shown}: nothing is blessed while an oracle objects: mend that first"));
        return Ok(Verdict::Violated);
    }
    let blessed = bless(&session, &run.trace);
    for change in &blessed.changes {
        say(&format!("{shown}: {change}"));
    }
    for left in &blessed.left {
        say(&format!("{shown}: {left}"));
    }
    if blessed.changes.is_empty() {
        say(&format!("{shown}: nothing to bless"));
    } else {
        // Nothing is written that the reader would refuse.
        project.session_of(path, &blessed.text)?;
        project.write(path, &blessed.text)?;
        say(&format!(
            "{shown}: {} values blessed; read them: git diff {shown}",
            blessed.changes.len()
        ));
    }
    Ok(if blessed.left.is_empty() { Verdict::Clean } else { Verdict::Violated })
}
