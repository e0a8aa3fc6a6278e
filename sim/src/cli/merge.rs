//! `merge`: the shards of a sweep, played elsewhere, as one table with one verdict.

use super::Verdict;
use super::speech::say;
use super::sweep::conclude;
use clap::Args;
use rehearse::project::{Project, ProjectError};
use rehearse::rehearsal::RehearsalError;
use rehearse::shards::{Results, merge};
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct Merge {
    /// What `sweep --json` wrote, a file a shard.
    #[arg(required = true)]
    pub(super) files: Vec<PathBuf>,
    /// Write a test report of all together.
    #[arg(long)]
    junit: Option<PathBuf>,
}

impl Merge {
    pub(crate) fn perform(
        &self,
        project: &Project,
        here: &Path,
    ) -> Result<Verdict, RehearsalError> {
        let mut parts = Vec::new();
        for file in &self.files {
            let path = here.join(file);
            let results: Results = serde_json::from_str(&project.text(&path)?)
                .map_err(|why| unusable(file, io::ErrorKind::InvalidData, why.to_string()))?;
            parts.push((file.display().to_string(), results));
        }
        let whole = merge(parts).map_err(|why| {
            unusable(Path::new("these shards"), io::ErrorKind::InvalidInput, why.to_string())
        })?;
        for report in whole.reports.iter().filter(|report| !report.violations.is_empty()) {
            for finding in report.violations.iter().take(1) {
                say(&format!("seed {}: {}: {}", report.seed, finding.oracle, finding.what));
                say(&format!("  {}", whole.repeat(report.seed)));
            }
        }
        for unplayed in &whole.unplayed {
            say(&format!(
                "seed {}: {}\n  {}",
                unplayed.seed,
                unplayed.why,
                whole.repeat(unplayed.seed)
            ));
        }
        conclude(project, &whole, self.junit.as_ref().map(|file| here.join(file)))
    }
}

fn unusable(path: &Path, kind: io::ErrorKind, why: String) -> RehearsalError {
    let source = io::Error::new(kind, why);
    ProjectError::File { path: path.to_owned(), source }.into()
}
