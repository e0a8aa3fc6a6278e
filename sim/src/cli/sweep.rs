//! `sweep`: many seeds on all cores, each worker a process of its own.
//!
//! A worker is this same command for a part of the seeds; it prints a line a seed. If one dies, the seed that
//! it was at is an error, and another goes on behind it.

use super::speech::{progress, say};
use super::{Engine, Verdict};
use crate::Timer;
use clap::Args;
use rehearse::artefact::{Artefact, Failure, Finding};
use rehearse::project::{Project, ProjectError};
use rehearse::rehearsal::{Rehearsal, RehearsalError};
use rehearse::scenario::chaos;
use rehearse::sweep::{BadPart, Report, Seeds, Shard, Tally};
use std::cell::RefCell;
use std::io;
use std::num::NonZero;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

#[derive(Debug, Args)]
pub(crate) struct Sweep {
    /// Which seeds, without the last.
    #[arg(long, default_value = "0..200")]
    seeds: Seeds,
    /// Only every n-th of them: `1/4` to `4/4` share them out between four machines.
    #[arg(long, conflicts_with = "shards")]
    shard: Option<Shard>,
    /// Into how many shards they are cut, if the place of this one is in `JOB_COMPLETION_INDEX`, from 0.
    #[arg(long, requires = "index")]
    shards: Option<u64>,
    /// Which of them this is, from 0.
    #[arg(long, env = "JOB_COMPLETION_INDEX", hide = true)]
    index: Option<u64>,
    /// How many processes play them [default: the cores].
    #[arg(long)]
    jobs: Option<u64>,
    /// Begin no seed after this many seconds, such as `60s`.
    #[arg(long, value_parser = seconds)]
    time: Option<Duration>,
    /// What plays them.
    #[arg(long, value_enum, default_value_t = Engine::Event)]
    engine: Engine,
    /// Play them in this process and print a line of JSON a seed.
    #[arg(long, hide = true)]
    worker: bool,
}

/// Every so many seeds are played twice, to see that they happen the same way again.
const TWICE_EVERY: u64 = 16;

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.strip_suffix('s').and_then(|number| number.parse().ok());
    let length = number.and_then(|number| Duration::try_from_secs_f64(number).ok());
    length.ok_or_else(|| "expected a number of seconds such as 60s".to_owned())
}

/// What is known so far, and where it is told.
struct Board<'p> {
    project: &'p Project,
    tally: Tally,
    broken: u64,
}

impl Sweep {
    pub(crate) fn perform(&self, project: &Project) -> Result<Verdict, RehearsalError> {
        let timer = Timer::start();
        let shard = match (self.shard, self.shards, self.index) {
            (Some(shard), _, _) => Ok(shard),
            (None, Some(of), Some(index)) => Shard::new(index.saturating_add(1), of),
            (None, _, _) => Ok(Shard::WHOLE),
        };
        let shard = shard.map_err(usage)?;
        if self.worker {
            return self.work(project, shard, &timer);
        }
        let cores = || std::thread::available_parallelism().map_or(1, NonZero::get);
        let jobs = self.jobs.unwrap_or_else(|| u64::try_from(cores()).unwrap_or(1));
        let board = RefCell::new(Board { project, tally: Tally::default(), broken: 0 });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(no_worker)?;
        let workers = shard.cut(jobs.clamp(1, 256)).into_iter();
        let workers = workers.map(|shard| self.watch(shard, &board, &timer));
        for watched in runtime.block_on(futures_util::future::join_all(workers)) {
            watched?;
        }
        progress("");
        let board = board.into_inner();
        say(&board.tally.table(timer.elapsed()));
        let never = board.tally.never();
        never.iter().for_each(|sentence| say(sentence));
        Ok(match board {
            Board { broken: 1.., .. } => Verdict::Unplayed,
            Board { tally: Tally { seeds: 0, .. }, .. } => Verdict::Unplayed,
            Board { tally: Tally { failing: 1.., .. }, .. } => Verdict::Violated,
            Board { .. } if !never.is_empty() => Verdict::Violated,
            Board { .. } => Verdict::Clean,
        })
    }

    /// Plays the seeds of a shard one after the other.
    fn work(
        &self,
        project: &Project,
        shard: Shard,
        timer: &Timer,
    ) -> Result<Verdict, RehearsalError> {
        for seed in self.seeds.of_shard(shard) {
            if self.is_over(timer) {
                break;
            }
            let scenario = chaos(seed);
            let rehearsal = Rehearsal::on(self.engine.into(), project, &scenario)?;
            let mut report = Report::of(&scenario, &rehearsal);
            if seed.is_multiple_of(TWICE_EVERY) {
                let again = Rehearsal::on(self.engine.into(), project, &scenario)?;
                let divergence = rehearsal.trace.first_divergence(&again.trace);
                report.violations.extend(divergence.map(Finding::of_divergence));
            }
            say(&serde_json::to_string(&report).expect("a report is plain data"));
        }
        Ok(Verdict::Clean)
    }

    fn is_over(&self, timer: &Timer) -> bool {
        self.time.is_some_and(|time| timer.elapsed() >= time)
    }

    /// Has a shard played and hears what comes of it.
    async fn watch(
        &self,
        shard: Shard,
        board: &RefCell<Board<'_>>,
        timer: &Timer,
    ) -> Result<(), RehearsalError> {
        let mut seeds = self.seeds;
        loop {
            let (done, status) = self.worker(seeds, shard, board, timer).await?;
            // Whatever is behind the last that came back is what it was at.
            seeds.from = done.map_or(seeds.from, |done| done + 1);
            let next = seeds.of_shard(shard).next();
            let Some(at) = next.filter(|_| !status.success()) else { return Ok(()) };
            say(&format!("seed {at}: the worker ended with {status}"));
            board.borrow_mut().broken += 1;
            seeds.from = at + 1;
            if seeds.of_shard(shard).next().is_none() {
                return Ok(());
            }
        }
    }

    /// One process; tells the last seed that it played and how it ended.
    async fn worker(
        &self,
        seeds: Seeds,
        shard: Shard,
        board: &RefCell<Board<'_>>,
        timer: &Timer,
    ) -> Result<(Option<u64>, ExitStatus), RehearsalError> {
        let mut command = Command::new(std::env::current_exe().map_err(no_worker)?);
        command.args(["sweep", "--worker", "--engine", self.engine.name()]);
        command.args(["--seeds", &seeds.to_string(), "--shard", &shard.to_string()]);
        if let Some(time) = self.time {
            let left = time.saturating_sub(timer.elapsed()).as_secs_f64();
            command.args(["--time", &format!("{left}s")]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(no_worker)?;
        let mut done = None;
        if let Some(output) = child.stdout.take() {
            let mut lines = BufReader::new(output).lines();
            while let Some(line) = lines.next_line().await.map_err(no_worker)? {
                let report: Report = serde_json::from_str(&line)
                    .map_err(|why| no_worker(io::Error::new(io::ErrorKind::InvalidData, why)))?;
                done = Some(report.seed);
                board.borrow_mut().hear(&report, self.engine)?;
            }
        }
        Ok((done, child.wait().await.map_err(no_worker)?))
    }
}

impl Board<'_> {
    fn hear(&mut self, report: &Report, engine: Engine) -> Result<(), RehearsalError> {
        self.tally.add(report);
        if let Some(first) = report.violations.first() {
            let (seed, name) = (report.seed, engine.name());
            let scenario = chaos(seed);
            let failure = Failure {
                commit: self.project.commit(),
                lockfile: self.project.lockfile(),
                engine: engine.into(),
                repeat: format!("cargo rehearse run --chaos --seed {seed} --engine {name}"),
                violations: report.violations.clone(),
            };
            let run = scenario.name.clone();
            let text = Artefact { failure, scenario }.write();
            let path = self.project.keep(&run, "artefact.yaml", &text)?;
            progress("");
            say(&format!("seed {seed}: {}: {}", first.oracle, first.what));
            say(&format!("  cargo rehearse run {}", path.display()));
        }
        let Tally { seeds, failing, .. } = self.tally;
        progress(&format!("{seeds} seeds played, {failing} failing"));
        Ok(())
    }
}

fn no_worker(source: io::Error) -> RehearsalError {
    ProjectError::File { path: PathBuf::from("a worker of the sweep"), source }.into()
}

fn usage(why: BadPart) -> RehearsalError {
    no_worker(io::Error::new(io::ErrorKind::InvalidInput, why))
}
