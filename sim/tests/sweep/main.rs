//! Generated scenarios: the promises hold in them, and one that is made to fail shrinks to what makes it fail.

mod strategy;

use assistant::config::client::{ClientPolicy, Rule};
use proptest::prelude::ProptestConfig;
use proptest::test_runner::{RngSeed, TestCaseError, TestError, TestRunner};
use rehearse::artefact::{Artefact, Failure, Finding};
use rehearse::oracle::Violation;
use rehearse::project::Project;
use rehearse::rehearsal::{Rehearsal, RehearsalError};
use rehearse::scenario::{Kind, Scenario, chaos};
use rehearse::shrink::shrink;
use rehearse::world::EngineKind;
use std::path::{Path, PathBuf};

fn project() -> Project {
    Project::around(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("it is around us")
}

/// What oracles say of a run on the fast engine.
fn violations(project: &Project, scenario: &Scenario) -> Result<Vec<Violation>, RehearsalError> {
    Ok(Rehearsal::on(EngineKind::Event, project, scenario)?.violations)
}

/// A failure as a file below `target/rehearse/`.
fn kept(project: &Project, scenario: Scenario, repeat: String) -> PathBuf {
    let found = violations(project, &scenario).expect("the harness works");
    let failure = Failure {
        commit: project.commit(),
        lockfile: project.lockfile(),
        engine: EngineKind::Event,
        repeat,
        violations: found.iter().map(Finding::from).collect(),
    };
    let name = scenario.name.clone();
    let text = Artefact { failure, scenario }.write();
    project.keep(&name, "artefact.yaml", &text).expect("a place to keep it")
}

#[test]
fn the_promises_hold_whatever_a_seed_makes_of_the_world() {
    let project = project();
    let mut failing = Vec::new();
    for seed in 0..24 {
        let scenario = chaos(seed);
        let found = violations(&project, &scenario).expect("the harness works");
        if let Some(first) = found.first() {
            let what = first.what.clone();
            let repeat = format!("cargo rehearse run --chaos --seed {seed} --engine event");
            let path = kept(&project, scenario, repeat);
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

/// So many cases, always the same ones unless the environment names a seed or a number.
fn cases(cases: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    let asked = default.cases != 256;
    let rng_seed = match default.rng_seed {
        RngSeed::Random if !asked => RngSeed::Fixed(1),
        RngSeed::Random => RngSeed::Random,
        RngSeed::Fixed(seed) => RngSeed::Fixed(seed),
    };
    // What is found is kept as an artefact, which plays without proptest.
    let (failure_persistence, max_shrink_iters) = (None, 400);
    let cases = if asked { default.cases } else { cases };
    ProptestConfig { cases, rng_seed, failure_persistence, max_shrink_iters, ..default }
}

/// Plays scenarios in which clients keep to this policy, until an oracle objects: then the smallest that was found is
/// kept, and told with its file.
fn hunt(name: &str, config: ProptestConfig, change: fn(&mut ClientPolicy)) -> Result<(), String> {
    let project = project();
    let with_policy = |mut scenario: Scenario| {
        change(&mut scenario.world.config.client);
        scenario.name = name.to_owned();
        scenario
    };
    let played = TestRunner::new(config).run(&strategy::scenarios(), |scenario| {
        let found = violations(&project, &with_policy(scenario));
        match found.expect("the harness works").first() {
            Some(first) => Err(TestCaseError::fail(format!("{}: {}", first.oracle, first.what))),
            None => Ok(()),
        }
    });
    match played {
        Ok(()) => Ok(()),
        Err(TestError::Abort(why)) => panic!("nothing was found out: {why}"),
        Err(TestError::Fail(why, scenario)) => {
            let repeat = format!("cargo rehearse run target/rehearse/{name}/artefact.yaml");
            let path = kept(&project, with_policy(scenario), repeat);
            Err(format!("{why}\n  cargo rehearse run {}", path.display()))
        }
    }
}

#[test]
fn the_promises_hold_in_whatever_scenario_proptest_makes() {
    let found = hunt("counterexample", cases(24), |_| {});
    assert_eq!(found, Ok(()));
}

#[test]
fn a_client_without_a_memory_is_a_counterexample_small_enough_to_read() {
    let config = ProptestConfig { cases: 200, rng_seed: RngSeed::Fixed(1), ..cases(200) };
    let found = hunt("counterexample-planted", config, |policy| {
        (policy.cursor, policy.seen_max) = (Rule::Off, 0);
    });
    let told = found.expect_err("nobody noticed");
    let path = Path::new("target/rehearse/counterexample-planted/artefact.yaml");
    assert!(told.ends_with(&format!("\n  cargo rehearse run {}", path.display())), "{told}");
    let artefact = project().artefact(path).expect("it can be read");
    assert_eq!(artefact.scenario.world.config.client.cursor, Rule::Off);
    let Artefact { failure, scenario } = &artefact;
    let found = violations(&project(), scenario).expect("the harness works");
    assert_eq!(failure.violations, found.iter().map(Finding::from).collect::<Vec<_>>());
    let size = (scenario.armed().count(), scenario.clients.len(), scenario.turns.len());
    assert!(size <= (1, 1, 3), "{}", artefact.write());
    assert!(artefact.write().lines().count() < 50, "{}", artefact.write());
}
