//! `cargo rehearse`: the release gate and single runs. Exit 0 clean, 1 violation, 2 usage, unplayable file or
//! harness error.

use clap::{Args, Parser, Subcommand, ValueEnum};
use rehearse::project::{Project, ProjectError};
use rehearse::rehearsal::{Rehearsal, RehearsalError};
use rehearse::report::transcript::transcript;
use rehearse::report::verdicts::verdicts;
use rehearse::scenario::{Scenario, default_world};
use rehearse::session::{Ink, Session, broken, failed};
use rehearse::world::EngineKind;
use std::io::{IsTerminal, stderr, stdout};
use std::path::{Path, PathBuf};
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
    /// Play every session twice, judge it, and end with a table. The release gate.
    Gate,
    /// Play session files, or the default world of a seed, and print transcript and verdicts.
    Run(Run),
    /// Measure the simulated time per wall time of the default world, on one core.
    Bench,
}

#[derive(Debug, Args)]
struct Run {
    /// Session files; none for the default world: three clients that talk for a simulated minute.
    files: Vec<PathBuf>,
    /// The seed; session files have their own.
    #[arg(long)]
    seed: Option<u64>,
    /// Print nothing but the hash of each trace.
    #[arg(long)]
    hash: bool,
    /// What plays it.
    #[arg(long, value_enum, default_value_t = Engine::Turmoil)]
    engine: Engine,
}

/// The engines by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// The reference: a runtime a host, time in ticks.
    Turmoil,
    /// The fast one: from event to event.
    Event,
}

impl From<Engine> for EngineKind {
    fn from(engine: Engine) -> Self {
        match engine {
            Engine::Turmoil => Self::Turmoil,
            Engine::Event => Self::Event,
        }
    }
}

/// How a command ended, if the harness did its work; of several runs the worst counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Clean,
    Violated,
    /// A file could not be played.
    Unplayed,
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
        Command::Bench => bench(&project),
    }
}

fn ink(stream: &impl IsTerminal) -> Ink {
    match stream.is_terminal() {
        true => Ink::Colour,
        false => Ink::Plain,
    }
}

impl Run {
    fn perform(&self, project: &Project, here: &Path) -> Result<Verdict, RehearsalError> {
        let mut verdict = Verdict::Clean;
        if self.files.is_empty() {
            let scenario = default_world(self.seed.unwrap_or(0));
            let timer = Timer::start();
            let rehearsal = Rehearsal::on(self.engine.into(), project, &scenario)?;
            let wall = timer.elapsed();
            verdict = verdict.max(self.tell(project, &scenario, &rehearsal, wall)?);
        }
        for file in &self.files {
            verdict = verdict.max(self.play(project, &here.join(file))?);
        }
        Ok(verdict)
    }

    /// A file that cannot be played is told and hides no other.
    fn play(&self, project: &Project, file: &Path) -> Result<Verdict, RehearsalError> {
        let path = file.strip_prefix(project.root()).unwrap_or(file);
        let mut session = match project.session(path) {
            Ok(session) => session,
            Err(error) => {
                complain(&error.into());
                return Ok(Verdict::Unplayed);
            }
        };
        session.scenario.seed = self.seed.unwrap_or(session.scenario.seed);
        let timer = Timer::start();
        let rehearsal = Rehearsal::on(self.engine.into(), project, &session.scenario)?;
        let rehearsal = rehearsal.held_against(&session);
        let wall = timer.elapsed();
        let verdict = self.tell(project, &session.scenario, &rehearsal, wall)?;
        if !rehearsal.misses.is_empty() && !self.hash {
            say(&failed(&session, &rehearsal.misses, ink(&stdout())));
        }
        Ok(verdict)
    }

    fn tell(
        &self,
        project: &Project,
        scenario: &Scenario,
        rehearsal: &Rehearsal,
        wall: Duration,
    ) -> Result<Verdict, RehearsalError> {
        let kept = rehearsal.keep(project, scenario)?;
        if self.hash {
            say(&rehearsal.trace.hash());
        } else {
            let simulated = rehearsal.trace.duration().as_secs_f64();
            let ratio = simulated / wall.as_secs_f64();
            say(&transcript(scenario, &rehearsal.trace));
            say(&verdicts(&rehearsal.violations));
            say(&format!(
                "simulated   {simulated:.1}s in {:.3}s, {ratio:.0}x real time",
                wall.as_secs_f64()
            ));
            say(&format!("trace       {}", rehearsal.trace.hash()));
            say(&format!("kept in     {}", kept.display()));
        }
        Ok(Verdict::of(rehearsal))
    }
}

impl Verdict {
    fn of(rehearsal: &Rehearsal) -> Self {
        match rehearsal.is_clean() {
            true => Self::Clean,
            false => Self::Violated,
        }
    }
}

/// One line of the gate's table.
struct Row {
    session: String,
    turns: usize,
    faults: usize,
    simulated: Duration,
    result: String,
}

/// Plays every session twice: once to judge it, once to see that it happens the same way again.
fn gate(project: &Project) -> Result<Verdict, RehearsalError> {
    let timer = Timer::start();
    let (mut rows, mut verdict) = (Vec::new(), Verdict::Clean);
    for path in project.session_paths()? {
        let row = match project.session(&path) {
            Ok(session) => rehearse(project, &session)?,
            Err(ProjectError::Session(mistakes)) => {
                say(&broken(&mistakes, ink(&stdout())));
                Row {
                    session: path.display().to_string(),
                    turns: 0,
                    faults: 0,
                    simulated: Duration::ZERO,
                    result: "not a session".to_owned(),
                }
            }
            Err(error) => return Err(error.into()),
        };
        if row.result != "ok" {
            verdict = Verdict::Violated;
        }
        rows.push(row);
    }
    say(&table(&rows, timer.elapsed()));
    if rows.is_empty() {
        say("there is no session to play");
        return Ok(Verdict::Violated);
    }
    Ok(verdict)
}

fn rehearse(project: &Project, session: &Session) -> Result<Row, RehearsalError> {
    let scenario = &session.scenario;
    let rehearsal = Rehearsal::of_session(project, session)?;
    let again = Rehearsal::of_scenario(project, scenario)?;
    let mut faults = Vec::new();
    if !rehearsal.misses.is_empty() {
        say(&failed(session, &rehearsal.misses, ink(&stdout())));
        faults.push("claims missed");
    }
    if !rehearsal.violations.is_empty() {
        say(&format!("session {}\n{}", scenario.name, verdicts(&rehearsal.violations)));
        faults.push("oracles object");
    }
    if let Some(divergence) = rehearsal.trace.first_divergence(&again.trace) {
        say(&format!("session {} does not happen the same way twice\n{divergence}", scenario.name));
        faults.push("not deterministic");
    }
    if !faults.is_empty() {
        rehearsal.keep(project, scenario)?;
    }
    let armed = scenario.turns.iter().map(|turn| turn.faults.len()).sum::<usize>();
    Ok(Row {
        session: scenario.name.clone(),
        turns: scenario.turns.len(),
        faults: armed + scenario.faults.len(),
        simulated: rehearsal.trace.duration(),
        result: if faults.is_empty() { "ok".to_owned() } else { faults.join(", ") },
    })
}

fn table(rows: &[Row], wall: Duration) -> String {
    let width = rows.iter().map(|row| row.session.len()).max().unwrap_or(0).max("session".len());
    let mut text = format!("\n{:width$} | turns | faults | simulated | result\n", "session");
    for Row { session, turns, faults, simulated, result } in rows {
        let simulated = simulated.as_secs_f64();
        text.push_str(&format!(
            "{session:width$} | {turns:5} | {faults:6} | {simulated:8.1}s | {result}\n"
        ));
    }
    let clean = rows.iter().filter(|row| row.result == "ok").count();
    let seconds = wall.as_secs_f64();
    text.push_str(&format!("{clean} of {} sessions clean in {seconds:.1}s", rows.len()));
    text
}

/// How long each engine is measured at least.
const BENCH_AT_LEAST: Duration = Duration::from_secs(2);

/// Plays and judges the default world of one seed after the other on each engine.
fn bench(project: &Project) -> Result<Verdict, RehearsalError> {
    for (name, engine) in [("event", EngineKind::Event), ("turmoil", EngineKind::Turmoil)] {
        let (timer, mut simulated) = (Timer::start(), Duration::ZERO);
        for seed in 0.. {
            simulated += Rehearsal::on(engine, project, &default_world(seed))?.trace.duration();
            if timer.elapsed() >= BENCH_AT_LEAST {
                break;
            }
        }
        let ratio = simulated.as_secs_f64() / timer.elapsed().as_secs_f64();
        say(&format!("{name:7} {ratio:.0}x"));
    }
    Ok(Verdict::Clean)
}

/// Measures the harness itself.
#[expect(clippy::disallowed_types, reason = "how long a run takes is a fact about this machine")]
struct Timer(std::time::Instant);

#[expect(clippy::disallowed_types, reason = "how long a run takes is a fact about this machine")]
impl Timer {
    fn start() -> Self {
        Self(std::time::Instant::now())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

#[expect(clippy::print_stdout, reason = "what the commands are for")]
fn say(text: &str) {
    println!("{text}");
}

/// Prints an error and its causes.
#[expect(clippy::print_stderr, reason = "the last words of a command")]
fn complain(error: &RehearsalError) {
    if let RehearsalError::Project(ProjectError::Session(mistakes)) = error {
        eprintln!("{}", broken(mistakes, ink(&stderr())));
        return;
    }
    eprintln!("error: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
}
