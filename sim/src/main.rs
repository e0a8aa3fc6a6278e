//! `cargo rehearse`: the release gate, single runs and sweeps. Exit 0 clean, 1 violation, 2 usage, unplayable
//! file or harness error.

mod cli;

use clap::{Parser, Subcommand};
use cli::Verdict;
use cli::ablate::Ablate;
use cli::bench::bench;
use cli::bless::Bless;
use cli::coverage::ShowCoverage;
use cli::diff::Diff;
use cli::explain::Explain;
use cli::gate::Gate;
use cli::lint::Lint;
use cli::list::List;
use cli::merge::Merge;
use cli::record::Record;
use cli::run::Run;
use cli::schema::schema;
use cli::shrink::Shrink;
use cli::speech::complain;
use cli::sweep::Sweep;
use cli::twin::twin;
use cli::watch::Watch;
use rehearse::project::{Project, ProjectError};
use rehearse::rehearsal::RehearsalError;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Rehearses the assistant: golden sessions and generated scenarios in a simulated network.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// Whether GitHub reads along: `true` in its jobs. Mistakes are then also told as annotations.
    #[arg(long, env = "GITHUB_ACTIONS", hide = true, global = true)]
    github_actions: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play every session and every regression twice here and once in a second process, judge it, play the sessions
    /// under generated faults, and end with a table. The release gate.
    Gate(Gate),
    /// Read every session and regression, play nothing, and tell all mistakes of all of them.
    Lint(Lint),
    /// Show the sessions with their tags, the last result, and what they exercise.
    List(List),
    /// Show what the sessions exercise between them, and what none does.
    Coverage(ShowCoverage),
    /// Play session files and artefacts, or the world of a seed, and print transcript and verdicts.
    Run(Run),
    /// Talk to the simulated assistant, and save what was said as a session that expects what was seen.
    Record(Record),
    /// Write what a run came to into a session, where it expects another plain value; matchers stay.
    Bless(Bless),
    /// Play what a saved file touches, again and again, until Ctrl-C.
    Watch(Watch),
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
    /// Write what is made of the session format anew: the JSON Schema that editors read, and the page for people.
    Schema,
    /// Measure the simulated time per wall time of the default world, on one core, and of a day of a hundred clients.
    Bench,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let github = arguments.github_actions.is_some_and(|value| value == "true");
    match perform(arguments.command, github) {
        Ok(Verdict::Clean) => ExitCode::SUCCESS,
        Ok(Verdict::Violated) => ExitCode::from(1),
        Ok(Verdict::Unplayed) => ExitCode::from(2),
        Err(error) => {
            complain(&error);
            ExitCode::from(2)
        }
    }
}

fn perform(command: Command, github: bool) -> Result<Verdict, RehearsalError> {
    let here = std::env::current_dir()
        .map_err(|source| ProjectError::File { path: PathBuf::from("."), source })?;
    let project = Project::around(&here)?;
    match command {
        Command::Gate(gate) => gate.perform(&project, &here, github),
        Command::Lint(lint) => lint.perform(&project, &here, github),
        Command::List(list) => list.perform(&project),
        Command::Coverage(coverage) => coverage.perform(&project),
        Command::Run(run) => run.perform(&project, &here),
        Command::Sweep(sweep) => sweep.perform(&project, &here),
        Command::Merge(merge) => merge.perform(&project, &here),
        Command::Record(record) => record.perform(&project),
        Command::Bless(bless) => bless.perform(&project, &here),
        Command::Watch(watch) => watch.perform(&project),
        Command::Shrink(shrink) => shrink.perform(&project, &here),
        Command::Ablate(ablate) => ablate.perform(&project),
        Command::Explain(explain) => explain.perform(&project, &here),
        Command::Diff(diff) => diff.perform(&project, &here),
        Command::Twin => twin(&project),
        Command::Schema => schema(&project),
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
