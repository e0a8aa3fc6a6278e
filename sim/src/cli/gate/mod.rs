//! `gate`: everything that must hold before a release. Every session is played twice, held against its claims
//! and the oracles, and then played under generated faults; every regression is played twice. Together they must
//! exercise as much as they once did.

mod play;
mod row;
mod workers;

use super::Verdict;
use super::annotate::Mark;
use super::coverage::held_to_level;
use super::speech::{ink, say};
use crate::Timer;
use clap::Args;
use rehearse::coverage::Coverage;
use rehearse::project::Project;
use rehearse::rehearsal::RehearsalError;
use rehearse::report::junit::{Suite, junit};
use rehearse::session::Ink;
use row::{Row, table};
use std::io::stdout;
use std::num::NonZero;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct Gate {
    /// Sessions and regressions [default: all].
    files: Vec<PathBuf>,
    /// Under how many generated schedules of faults each session is played; what its users are told must not change.
    #[arg(long, default_value_t = 25)]
    schedules: u64,
    /// How many processes play them [default: the cores].
    #[arg(long)]
    jobs: Option<usize>,
    /// Keep transcript, trace, scenario and how to repeat it of clean runs too.
    #[arg(long)]
    keep: bool,
    /// Write the results to this file as JUnit XML, a case a session.
    #[arg(long)]
    junit: Option<PathBuf>,
    /// Play the files in this process and print a line of JSON each.
    #[arg(long, hide = true)]
    worker: bool,
    /// What a worker says is for a terminal.
    #[arg(long, hide = true)]
    colour: bool,
}

impl Gate {
    pub(crate) fn perform(
        &self,
        project: &Project,
        here: &Path,
        github: bool,
    ) -> Result<Verdict, RehearsalError> {
        let timer = Timer::start();
        let paths = self.paths(project, here)?;
        if self.worker {
            let ink = if self.colour { Ink::Colour } else { Ink::Plain };
            let player = self.player(project, ink);
            for path in &paths {
                let row = player.play(path)?;
                say(&serde_json::to_string(&row).expect("a row is plain data"));
            }
            return Ok(Verdict::Clean);
        }
        if paths.is_empty() {
            say("there is no session to play");
            return Ok(Verdict::Violated);
        }
        let rows = self.play(project, &paths)?;
        say(&table(&rows, self.schedules, timer.elapsed()));
        if let Some(file) = &self.junit {
            let cases = rows.iter().map(Row::case).collect();
            let suite = Suite { name: "gate".to_owned(), cases };
            project.write(&here.join(file), &junit(&[suite]))?;
        }
        if github {
            rows.iter().flat_map(|row| &row.marks).for_each(Mark::tell);
        }
        let mut verdict = rows.iter().map(Row::verdict).max().unwrap_or(Verdict::Clean);
        if self.files.is_empty() {
            let mut coverage = Coverage::default();
            let of_sessions = rows.iter().filter(|row| !row.exercised.is_empty());
            of_sessions.for_each(|row| coverage.add(&row.name, &row.exercised));
            verdict = verdict.max(held_to_level(project, &coverage)?);
        }
        Ok(verdict)
    }

    fn paths(&self, project: &Project, here: &Path) -> Result<Vec<PathBuf>, RehearsalError> {
        if self.files.is_empty() {
            let mut paths = project.session_paths()?;
            paths.extend(project.regression_paths()?);
            return Ok(paths);
        }
        let files = self.files.iter().map(|file| {
            let file = here.join(file);
            file.strip_prefix(project.root()).map(Path::to_owned).unwrap_or(file)
        });
        Ok(files.collect())
    }

    fn player<'p>(&self, project: &'p Project, ink: Ink) -> play::Player<'p> {
        play::Player { project, ink, schedules: self.schedules, keep: self.keep }
    }

    /// A row a path, in their order, however many processes share them.
    fn play(&self, project: &Project, paths: &[PathBuf]) -> Result<Vec<Row>, RehearsalError> {
        let cores = || std::thread::available_parallelism().map_or(1, NonZero::get);
        let jobs = self.jobs.unwrap_or_else(cores).clamp(1, paths.len().max(1));
        let ink = ink(&stdout());
        let mut rows = Vec::new();
        if jobs == 1 {
            let player = self.player(project, ink);
            for path in paths {
                let row = player.play(path)?;
                row.tell();
                rows.push(row);
            }
        } else {
            rows = workers::play(self, paths, jobs, ink)?;
        }
        let place = |row: &Row| paths.iter().position(|path| *path == row.path);
        rows.sort_by_key(place);
        Ok(rows)
    }
}
