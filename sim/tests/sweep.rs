//! Generated scenarios: the promises hold in them, and one that is made to fail shrinks to what makes it fail.

use assistant::config::client::Rule;
use rehearse::artefact::{Artefact, Failure, Finding};
use rehearse::oracle::Violation;
use rehearse::project::Project;
use rehearse::rehearsal::{Rehearsal, RehearsalError};
use rehearse::scenario::{Kind, Scenario, chaos};
use rehearse::shrink::shrink;
use rehearse::world::EngineKind;
use std::path::Path;

fn project() -> Project {
    Project::around(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("it is around us")
}

/// What oracles say of a run on the fast engine.
fn violations(project: &Project, scenario: &Scenario) -> Result<Vec<Violation>, RehearsalError> {
    Ok(Rehearsal::on(EngineKind::Event, project, scenario)?.violations)
}

#[test]
fn the_promises_hold_whatever_a_seed_makes_of_the_world() {
    let project = project();
    let mut failing = Vec::new();
    for seed in 0..24 {
        let scenario = chaos(seed);
        let found = violations(&project, &scenario).expect("the harness works");
        if let Some(first) = found.first() {
            let failure = Failure {
                commit: project.commit(),
                lockfile: project.lockfile(),
                engine: EngineKind::Event,
                repeat: format!("cargo rehearse run --chaos --seed {seed} --engine event"),
                violations: found.iter().map(Finding::from).collect(),
            };
            let (name, what) = (scenario.name.clone(), first.what.clone());
            let text = Artefact { failure, scenario }.write();
            let path = project.keep(&name, "artefact.yaml", &text).expect("a place to keep it");
            failing.push(format!("{}: {what}", path.display()));
        }
    }
    assert!(failing.is_empty(), "{failing:#?}");
}

/// The first seed in which clients that show whatever comes, as often as it comes, are caught.
fn planted(project: &Project) -> Scenario {
    let mut scenarios = (0..50).map(chaos).map(|mut scenario| {
        let policy = &mut scenario.world.config.client;
        (policy.cursor, policy.seen_max) = (Rule::Off, 0);
        scenario
    });
    let found = scenarios.find(|scenario| {
        scenario.armed().count() > 5 && shows_twice(project, scenario).expect("the harness works")
    });
    found.expect("some seed sends a frame twice")
}

fn shows_twice(project: &Project, scenario: &Scenario) -> Result<bool, RehearsalError> {
    Ok(violations(project, scenario)?.iter().any(|violation| violation.oracle == "dedup"))
}

#[test]
fn a_client_without_a_memory_is_caught_and_what_catches_it_is_small() {
    let project = project();
    let scenario = planted(&project);
    let mut trials = 0;
    let small = shrink(&scenario, &mut |candidate| {
        trials += 1;
        shows_twice(&project, candidate)
    });
    let small = small.expect("the harness works");
    let kinds: Vec<Kind> = small.armed().map(|place| place.armed.fault.kind()).collect();
    let size = (kinds.len(), small.clients.len(), small.turns.len());
    assert!(size <= (1, 1, 2), "{trials} trials: {kinds:?}\n{small:#?}");
    assert_eq!(small.world.config.client.cursor, Rule::Off, "production fails as well");
    assert!(shows_twice(&project, &small).expect("the harness works"));
}
