//! `cargo rehearse`: the release gate, single runs and sweeps. Exit 0 clean, 1 violation, 2 usage, unplayable
//! file or harness error.

mod cli;

use clap::{Parser, Subcommand};
use cli::Verdict;
use cli::ablate::Ablate;
use cli::diff::Diff;
use cli::explain::Explain;
use cli::gate::{bench, gate};
use cli::merge::Merge;
use cli::run::Run;
use cli::shrink::Shrink;
use cli::speech::complain;
use cli::sweep::Sweep;
use cli::twin::twin;
use rehearse::project::{Project, ProjectError};
use rehearse::rehearsal::RehearsalError;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Rehearses the assistant: golden sessions and generated scenarios in a simulated network.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play every session and every regression twice here and once in a second process, judge it, and end with a table. The release gate.
    Gate,
    /// Play session files and artefacts, or the world of a seed, and print transcript and verdicts.
    Run(Run),
    /// Play the chaotic worlds of many seeds, and keep those that fail as artefacts.
    Sweep(Sweep),
    /// Add the shards of a sweep up, which other machines have played: one table, one verdict.
    Merge(Merge),
    /// Find the smallest scenario that fails as an artefact does.
    Shrink(Shrink),
    /// Remove one rule of the assistant at a time and see how soon an oracle objects.
    Ablate(Ablate),
    /// Show what happened before a violation that could matter for it.
    Explain(Explain),
    /// Show the first event in which two runs differ.
    Diff(Diff),
    /// Play the artefact on the input and print its trace: the second process of a run.
    #[command(hide = true)]
    Twin,
    /// Measure the simulated time per wall time of the default world, on one core.
    Bench,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match perform(arguments.command) {
        Ok(Verdict::Clean) => ExitCode::SUCCESS,
        Ok(Verdict::Violated) => ExitCode::from(1),
        Ok(Verdict::Unplayed) => ExitCode::from(2),
        Err(error) => {
            complain(&error);
            ExitCode::from(2)
        }
    }
}

fn perform(command: Command) -> Result<Verdict, RehearsalError> {
    let here = std::env::current_dir()
        .map_err(|source| ProjectError::File { path: PathBuf::from("."), source })?;
    let project = Project::around(&here)?;
    match command {
        Command::Gate => gate(&project),
        Command::Run(run) => run.perform(&project, &here),
        Command::Sweep(sweep) => sweep.perform(&project, &here),
        Command::Merge(merge) => merge.perform(&project, &here),
        Command::Shrink(shrink) => shrink.perform(&project, &here),
        Command::Ablate(ablate) => ablate.perform(&project),
        Command::Explain(explain) => explain.perform(&project, &here),
        Command::Diff(diff) => diff.perform(&project, &here),
        Command::Twin => twin(&project),
        Command::Bench => bench(&project),
    }
}

/// Measures the harness itself.
#[expect(clippy::disallowed_types, reason = "how long a run takes is a fact about this machine")]
pub(crate) struct Timer(std::time::Instant);

#[expect(clippy::disallowed_types, reason = "how long a run takes is a fact about this machine")]
impl Timer {
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
