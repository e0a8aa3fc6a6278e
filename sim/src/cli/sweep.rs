//! `sweep`: many seeds on all cores, each worker a process of its own.
//!
//! A worker is this same command for a part of the seeds; it prints a line a seed. If one dies, or takes too long
//! over a seed and is killed, the seed that it was at is an error, and another goes on behind it.

use super::speech::{progress, say};
use super::{Engine, Verdict};
use crate::Timer;
use clap::Args;
use rehearse::artefact::{Artefact, Failure, Finding};
use rehearse::project::{Project, ProjectError};
use rehearse::rehearsal::{Rehearsal, RehearsalError};
use rehearse::report::junit::junit;
use rehearse::report::seeds::suites;
use rehearse::scenario::chaos;
use rehearse::shards::{Results, Unplayed};
use rehearse::sweep::{BadPart, Report, Seeds, Shard, Tally};
use std::cell::RefCell;
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

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
    /// Give a seed up that takes longer, such as `60s`, and go on with the next.
    #[arg(long, value_parser = seconds, default_value = "60s")]
    seed_limit: Duration,
    /// What plays them.
    #[arg(long, value_enum, default_value_t = Engine::Event)]
    engine: Engine,
    /// Write what came of each seed to a file that `merge` reads.
    #[arg(long)]
    pub(super) json: Option<PathBuf>,
    /// Write a test report: a case an oracle, a kind of fault, a thing that must happen sometimes.
    #[arg(long)]
    junit: Option<PathBuf>,
    /// Print the hash of each seed's trace instead of the table.
    #[arg(long)]
    hash: bool,
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
    results: Results,
}

impl Sweep {
    pub(crate) fn perform(
        &self,
        project: &Project,
        here: &Path,
    ) -> Result<Verdict, RehearsalError> {
        let timer = Timer::start();
        let shard = self.shard().map_err(usage)?;
        if self.worker {
            return self.work(project, shard, &timer);
        }
        let cores = || std::thread::available_parallelism().map_or(1, NonZero::get);
        let jobs = self.jobs.unwrap_or_else(|| u64::try_from(cores()).unwrap_or(1));
        let results = self.nothing_yet(project, shard);
        let board = RefCell::new(Board { project, tally: Tally::default(), results });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(no_worker)?;
        let workers = shard.cut(jobs.clamp(1, 256)).into_iter();
        let workers = workers.map(|shard| self.watch(shard, &board, &timer));
        for watched in runtime.block_on(futures_util::future::join_all(workers)) {
            watched?;
        }
        progress("");
        let Board { mut results, .. } = board.into_inner();
        results.sort();
        results.wall_ms = milliseconds(timer.elapsed());
        if let Some(file) = &self.json {
            let text = serde_json::to_string(&results).expect("results are plain data");
            project.write(&here.join(file), &text)?;
        }
        if self.hash {
            results
                .reports
                .iter()
                .for_each(|Report { seed, hash, .. }| say(&format!("{seed} {hash}")));
            return Ok(verdict(&results));
        }
        conclude(project, &results, self.junit.as_ref().map(|file| here.join(file)))
    }

    /// Which part of the seeds is meant.
    pub(super) fn shard(&self) -> Result<Shard, BadPart> {
        match (self.shard, self.shards, self.index) {
            (Some(shard), _, _) => Ok(shard),
            (None, Some(of), Some(index)) => Shard::new(index.saturating_add(1), of),
            (None, _, _) => Ok(Shard::WHOLE),
        }
    }

    fn nothing_yet(&self, project: &Project, shard: Shard) -> Results {
        Results {
            commit: project.commit(),
            lockfile: project.lockfile(),
            engine: self.engine.into(),
            seeds: self.seeds,
            shard,
            time_ms: self.time.map(milliseconds),
            wall_ms: 0,
            reports: Vec::new(),
            unplayed: Vec::new(),
        }
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
        while let Some(first) = seeds.of_shard(shard).next() {
            let mut worker = self.worker(seeds, shard, timer)?;
            let (done, end) = self.listen(&mut worker, board).await?;
            // Whatever is behind the last that came back is what it was at.
            seeds.from = done.map_or(first, |done| done + 1);
            let (Some(why), Some(at)) = (end, seeds.of_shard(shard).next()) else { break };
            board.borrow_mut().give_up(Unplayed { seed: at, why });
            seeds.from = at + 1;
        }
        Ok(())
    }

    /// A process that plays what is left of a shard.
    fn worker(&self, seeds: Seeds, shard: Shard, timer: &Timer) -> Result<Child, RehearsalError> {
        let mut command = Command::new(std::env::current_exe().map_err(no_worker)?);
        command.args(["sweep", "--worker", "--engine", self.engine.name()]);
        command.args(["--seeds", &seeds.to_string(), "--shard", &shard.to_string()]);
        if let Some(time) = self.time {
            let left = time.saturating_sub(timer.elapsed()).as_secs_f64();
            command.args(["--time", &format!("{left}s")]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        command.spawn().map_err(no_worker)
    }

    /// Hears a worker out; tells the last seed that it played, and what became of it if it did not come to its end.
    async fn listen(
        &self,
        worker: &mut Child,
        board: &RefCell<Board<'_>>,
    ) -> Result<(Option<u64>, Option<String>), RehearsalError> {
        let mut done = None;
        if let Some(output) = worker.stdout.take() {
            let mut lines = BufReader::new(output).lines();
            loop {
                let Ok(line) = timeout(self.seed_limit, lines.next_line()).await else {
                    worker.kill().await.map_err(no_worker)?;
                    let limit = self.seed_limit;
                    return Ok((
                        done,
                        Some(format!("it took longer than {limit:?} and was killed")),
                    ));
                };
                let Some(line) = line.map_err(no_worker)? else { break };
                let report: Report = serde_json::from_str(&line)
                    .map_err(|why| no_worker(io::Error::new(io::ErrorKind::InvalidData, why)))?;
                done = Some(report.seed);
                board.borrow_mut().hear(report, self.engine)?;
            }
        }
        let status = worker.wait().await.map_err(no_worker)?;
        Ok((done, (!status.success()).then(|| format!("its worker ended with {status}"))))
    }
}

impl Board<'_> {
    fn hear(&mut self, report: Report, engine: Engine) -> Result<(), RehearsalError> {
        self.tally.add(&report);
        if let Some(first) = report.violations.first() {
            let seed = report.seed;
            let scenario = chaos(seed);
            let failure = Failure {
                commit: self.results.commit.clone(),
                lockfile: self.results.lockfile.clone(),
                engine: engine.into(),
                repeat: self.results.repeat(seed),
                violations: report.violations.clone(),
            };
            let run = scenario.name.clone();
            let text = Artefact { failure, scenario }.write();
            let path = self.project.keep(&run, "artefact.yaml", &text)?;
            progress("");
            say(&format!("seed {seed}: {}: {}", first.oracle, first.what));
            say(&format!("  cargo rehearse run {}", path.display()));
        }
        self.results.reports.push(report);
        let Tally { seeds, failing, .. } = self.tally;
        progress(&format!("{seeds} seeds played, {failing} failing"));
        Ok(())
    }

    fn give_up(&mut self, unplayed: Unplayed) {
        let Unplayed { seed, why } = &unplayed;
        progress("");
        say(&format!("seed {seed}: {why}\n  {}", self.results.repeat(*seed)));
        self.results.unplayed.push(unplayed);
    }
}

/// Tells what came of a whole sweep, or of a shard, to people and in a test report.
pub(super) fn conclude(
    project: &Project,
    results: &Results,
    report: Option<PathBuf>,
) -> Result<Verdict, RehearsalError> {
    if let Some(file) = report {
        project.write(&file, &junit(&suites(results)))?;
    }
    let tally = results.tally();
    say(&tally.table(Duration::from_millis(results.wall_ms)));
    tally.never().iter().for_each(|sentence| say(sentence));
    Ok(verdict(results))
}

fn verdict(results: &Results) -> Verdict {
    match results.tally() {
        _ if !results.unplayed.is_empty() => Verdict::Unplayed,
        Tally { seeds: 0, .. } => Verdict::Unplayed,
        Tally { failing: 1.., .. } => Verdict::Violated,
        tally if !tally.never().is_empty() => Verdict::Violated,
        Tally { .. } => Verdict::Clean,
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn no_worker(source: io::Error) -> RehearsalError {
    ProjectError::File { path: PathBuf::from("a worker of the sweep"), source }.into()
}

fn usage(why: BadPart) -> RehearsalError {
    no_worker(io::Error::new(io::ErrorKind::InvalidInput, why))
}
