//! Two engines, one truth: what users are told and what oracles say does not depend on what plays the world.

use rehearse::oracle::Violation;
use rehearse::project::Project;
use rehearse::rehearsal::Rehearsal;
use rehearse::report::transcript::transcript;
use rehearse::scenario::{Armed, Crowd, Fault, Host, Scenario, Trigger, default_world};
use rehearse::session::Miss;
use rehearse::trace::{Trace, What};
use rehearse::world::EngineKind;
use std::path::Path;
use std::time::Duration;

fn project() -> Project {
    Project::around(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("it is around us")
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

/// What a run comes to: the transcript, the verdicts, and the claims that were missed.
type Outcome = (String, Vec<Violation>, Vec<Miss>);

fn outcome(scenario: &Scenario, run: Rehearsal) -> Outcome {
    (transcript(scenario, &run.trace), run.violations, run.misses)
}

#[test]
fn every_session_comes_to_the_same_on_both_engines() {
    let project = project();
    let paths = project.session_paths().expect("there are sessions");
    assert!(paths.len() >= 10, "only {} sessions", paths.len());
    for path in paths {
        let session = project.session(&path).expect("a good session");
        let [reference, fast] = [EngineKind::Turmoil, EngineKind::Event].map(|engine| {
            let run = Rehearsal::on(engine, &project, &session.scenario);
            let run = run.expect("the harness works").held_against(&session);
            outcome(&session.scenario, run)
        });
        assert_eq!(fast, reference, "{}", path.display());
    }
}

#[test]
fn default_worlds_come_to_the_same_on_both_engines() {
    let project = project();
    for seed in 0..6 {
        let scenario = default_world(seed);
        let [reference, fast] = [EngineKind::Turmoil, EngineKind::Event].map(|engine| {
            let run = Rehearsal::on(engine, &project, &scenario).expect("the harness works");
            outcome(&scenario, run)
        });
        assert_eq!(fast, reference, "seed {seed}");
    }
}

fn count(trace: &Trace, wanted: impl Fn(&Host, &What) -> bool) -> usize {
    trace.events.iter().filter(|event| wanted(&event.host, &event.what)).count()
}

#[test]
fn a_thousand_clients_live_through_the_drain_of_a_gateway() {
    let crowd = Crowd {
        clients: 1_000,
        arrive_over: seconds(20),
        turn_every: Some(seconds(30)),
        lasts: seconds(60),
    };
    let mut scenario = crowd.scenario(1);
    let fault = Fault::Bounce { host: Host::Gateway(1) };
    scenario.faults = vec![Armed { at: Trigger::Elapsed(seconds(30)), fault }];
    let run = Rehearsal::on(EngineKind::Event, &project(), &scenario).expect("the harness works");
    assert!(run.is_clean(), "{:#?}", run.violations.iter().take(10).collect::<Vec<_>>());
    let told = |host: &Host, what: &What| {
        let why = "{\"event\":\"reconnect_advice\"";
        let advice = |frame: &rehearse::trace::Wire| matches!(frame, rehearse::trace::Wire::Text(text) if text.starts_with(why));
        matches!(host, Host::Client(_))
            && matches!(what, What::Received { frame, .. } if advice(frame))
    };
    assert!(count(&run.trace, told) >= 500, "hardly anybody was told of the drain");
    let starts =
        |host: &Host, what: &What| *host == Host::Gateway(1) && matches!(what, What::Started);
    assert_eq!(count(&run.trace, starts), 2);
}
