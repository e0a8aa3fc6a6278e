//! `gate` and `bench`: everything that must hold before a release, and how fast the engines are.

use super::Verdict;
use super::speech::{ink, say};
use super::twin::elsewhere;
use crate::Timer;
use rehearse::project::{Project, ProjectError};
use rehearse::rehearsal::{Rehearsal, RehearsalError};
use rehearse::report::verdicts::verdicts;
use rehearse::scenario::{Scenario, default_world};
use rehearse::session::{Session, broken, failed};
use rehearse::world::EngineKind;
use std::io::stdout;
use std::path::Path;
use std::time::Duration;

/// One line of the gate's table.
struct Row {
    session: String,
    turns: usize,
    faults: usize,
    simulated: Duration,
    result: String,
}

/// Plays every session three times: to judge it, and to see that it happens the same way again, here and in another
/// process.
pub(crate) fn gate(project: &Project) -> Result<Verdict, RehearsalError> {
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
                    result: "cannot be played".to_owned(),
                }
            }
            Err(error) => return Err(error.into()),
        };
        rows.push(row);
    }
    for path in project.regression_paths()? {
        rows.push(regression(project, &path)?);
    }
    if rows.iter().any(|row| row.result != "ok") {
        verdict = Verdict::Violated;
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
    let mut wrong = Vec::new();
    if !rehearsal.misses.is_empty() {
        say(&failed(session, &rehearsal.misses, ink(&stdout())));
        wrong.push("claims missed");
    }
    let again = Rehearsal::of_scenario(project, scenario)?;
    if let Some(divergence) = elsewhere(project, EngineKind::default(), scenario, &again.trace)? {
        say(&divergence);
        wrong.push("another process differs");
    }
    row(project, scenario, &[rehearsal, again], wrong)
}

/// Plays what once failed, twice too; it must be clean, and all its faults must happen.
fn regression(project: &Project, path: &Path) -> Result<Row, RehearsalError> {
    let artefact = project.artefact(path)?;
    let (scenario, engine) = (&artefact.scenario, artefact.failure.engine);
    let rehearsal = Rehearsal::on(engine, project, scenario)?;
    let mut wrong = Vec::new();
    for sentence in artefact.stale(&rehearsal.trace) {
        say(&format!("{}: {sentence}", path.display()));
        wrong.push("stale");
    }
    wrong.dedup();
    let again = Rehearsal::on(engine, project, scenario)?;
    if let Some(divergence) = elsewhere(project, engine, scenario, &again.trace)? {
        say(&divergence);
        wrong.push("another process differs");
    }
    row(project, scenario, &[rehearsal, again], wrong)
}

/// The line of a scenario that was played twice.
fn row(
    project: &Project,
    scenario: &Scenario,
    [rehearsal, again]: &[Rehearsal; 2],
    mut wrong: Vec<&str>,
) -> Result<Row, RehearsalError> {
    let name = &scenario.name;
    if !rehearsal.violations.is_empty() {
        say(&format!("session {name}\n{}", verdicts(&rehearsal.violations)));
        wrong.push("oracles object");
    }
    if let Some(divergence) = rehearsal.trace.first_divergence(&again.trace) {
        say(&format!("session {name} does not happen the same way twice\n{divergence}"));
        wrong.push("not deterministic");
    }
    if !wrong.is_empty() {
        rehearsal.keep(project, scenario)?;
    }
    Ok(Row {
        session: name.clone(),
        turns: scenario.turns.len(),
        faults: scenario.armed().count(),
        simulated: rehearsal.trace.duration(),
        result: if wrong.is_empty() { "ok".to_owned() } else { wrong.join(", ") },
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
    text.push_str(&format!(
        "{clean} of {} sessions and regressions clean in {seconds:.1}s",
        rows.len()
    ));
    text
}

/// How long each engine is measured at least.
const BENCH_AT_LEAST: Duration = Duration::from_secs(2);

/// Plays and judges the default world of one seed after the other on each engine.
pub(crate) fn bench(project: &Project) -> Result<Verdict, RehearsalError> {
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
