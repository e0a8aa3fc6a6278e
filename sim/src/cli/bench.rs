//! `bench`: how fast the engines are, and how long a simulated day takes.

use super::Verdict;
use super::speech::say;
use crate::Timer;
use rehearse::project::Project;
use rehearse::rehearsal::{Rehearsal, RehearsalError};
use rehearse::scenario::{day, default_world};
use rehearse::world::EngineKind;
use std::time::Duration;

/// How long each engine is measured at least.
const BENCH_AT_LEAST: Duration = Duration::from_secs(2);

/// How many violations of a bad day are told.
const TOLD_MAX: usize = 10;

/// Plays and judges the default world of one seed after the other on each engine, and then a day with many clients.
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
    let timer = Timer::start();
    let run = Rehearsal::on(EngineKind::Event, project, &day())?;
    let (simulated, wall) = (run.trace.duration().as_secs_f64(), timer.elapsed().as_secs_f64());
    let ratio = simulated / wall;
    say(&format!(
        "a day of 100 clients: {simulated:.0}s in {wall:.1}s, {ratio:.0}x, {} violations",
        run.violations.len()
    ));
    for violation in run.violations.iter().take(TOLD_MAX) {
        say(&format!("  {}: {}", violation.oracle, violation.what));
    }
    Ok(Verdict::of(&run))
}
