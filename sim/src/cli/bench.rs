//! `bench`: how fast the engines are.

use super::Verdict;
use super::speech::say;
use crate::Timer;
use rehearse::project::Project;
use rehearse::rehearsal::{Rehearsal, RehearsalError};
use rehearse::scenario::default_world;
use rehearse::world::EngineKind;
use std::time::Duration;

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
