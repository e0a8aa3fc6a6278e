//! One scenario, one trace: in one process and in two, whatever ran before and whatever the environment.

use rehearse::divergence::first_divergence;
use rehearse::project::Project;
use rehearse::rehearsal::Rehearsal;
use rehearse::scenario::{Armed, Fault, Host, Scenario, Trigger, chaos, default_world};
use rehearse::trace::Trace;
use rehearse::twin::{Twin, TwinError};
use rehearse::world::EngineKind;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A session in which much goes wrong.
const ROUGH: &str = r#"session: rough
about: Everything goes wrong once, and the users are served all the same.
tags: [faults]
seed: 11
world: { catalog: willamette }
clients:
  - { name: ana, user: u-1, thread: t-1 }
  - { name: ben, user: u-2, thread: t-2 }
turns:
  - user: "2 bed homes to buy in Portland under $400k"
    by: ana
    faults:
      - at: { frame: ack }
        do: { crash: { host: supervisor, down: 1s } }
      - at: { elapsed: 3s }
        do: { bounce: { host: gateway-1 } }
    expect: { agent: real_estate }
  - user: "Hello there"
    by: ben
    faults:
      - at: { elapsed: 0ms }
        do: { power_loss: { host: gateway-2, down: 5s } }
    expect: { agent: general }
"#;

fn project() -> Project {
    Project::around(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("it is around us")
}

const ENGINES: [EngineKind; 2] = [EngineKind::Turmoil, EngineKind::Event];

fn play(engine: EngineKind, project: &Project, scenario: &Scenario) -> Trace {
    Rehearsal::on(engine, project, scenario).expect("the harness works").trace
}

/// The default world of a seed, in which everything breaks once.
fn broken_world(seed: u64) -> Scenario {
    let mut scenario = default_world(seed);
    let down = Duration::from_secs(3);
    let ana = || Host::Client("ana".to_owned());
    let ben = || Host::Client("ben".to_owned());
    let faults = [
        Fault::Crash { host: Host::Supervisor, down },
        Fault::Partition { between: [ana(), Host::Gateway(1)], lasts: down },
        Fault::PowerLoss { host: Host::Gateway(2), down },
        Fault::Hold { between: [Host::Supervisor, Host::Agent], lasts: down },
        Fault::Cut { client: ana() },
        Fault::Bounce { host: Host::Gateway(1) },
        Fault::PowerLoss { host: Host::Supervisor, down },
        Fault::Crash { host: Host::Gateway(1), down },
        Fault::SlowReader { client: ben(), lasts: down },
        Fault::HalfOpen { client: ben(), lasts: down },
        Fault::Offline { client: ben(), lasts: down },
        Fault::Pause { host: ben(), lasts: down },
        Fault::Skew { host: Host::TokenService, by_ms: -2_000 },
    ];
    let times = (1..).map(|n| Duration::from_millis(n * 3_610));
    scenario.faults =
        times.zip(faults).map(|(at, fault)| Armed { at: Trigger::Elapsed(at), fault }).collect();
    scenario
}

fn happens_again(engine: EngineKind) {
    let project = project();
    for seed in 0..3 {
        let scenario = broken_world(seed);
        let once = play(engine, &project, &scenario);
        let mut other = default_world(seed + 100);
        for turns in [1, 2, 3, 5] {
            other.turns.truncate(turns);
            for engine in ENGINES {
                play(engine, &project, &other);
            }
            let again = play(engine, &project, &scenario);
            assert_eq!(once.first_divergence(&again), None, "seed {seed}");
            assert_eq!(once.hash(), again.hash());
        }
    }
}

#[test]
fn a_scenario_happens_the_same_way_again_whatever_ran_in_between() {
    happens_again(EngineKind::Turmoil);
}

#[test]
fn so_it_does_on_the_event_engine() {
    happens_again(EngineKind::Event);
}

/// A working copy with nothing but sessions, for what a process leaves behind.
fn working_copy(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let catalogs = root.join("sessions/catalogs");
    fs::create_dir_all(&catalogs).expect("a directory of our own");
    let text = project().catalog("willamette").expect("the catalogue").to_owned();
    fs::write(catalogs.join("willamette.csv"), text).expect("a file of our own");
    fs::write(root.join("sessions/rough.yaml"), ROUGH).expect("a file of our own");
    root
}

/// The hash that a process prints, and the trace that it keeps.
fn in_a_process(mut command: Command, root: &Path, arguments: &[&str]) -> (String, String) {
    let done = command.current_dir(root).arg("run").args(arguments).arg("--hash").output();
    let done = done.expect("the binary runs");
    let complaints = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_ne!(done.status.code(), Some(2), "{complaints}");
    let kept = fs::read_dir(root.join("target/rehearse")).expect("it kept something");
    let kept = kept.map(|entry| entry.expect("an entry").path().join("trace.jsonl"));
    let traces: Vec<_> = kept.map(|path| fs::read_to_string(path).expect("a trace")).collect();
    (String::from_utf8_lossy(&done.stdout).into_owned(), traces.concat())
}

fn rehearse() -> Command {
    Command::new(env!("CARGO_BIN_EXE_rehearse"))
}

/// Another environment: its size moves the stack.
fn abroad() -> Command {
    let mut command = rehearse();
    command.env("TZ", "Asia/Kathmandu").env("LANG", "tr_TR.UTF-8").env("LC_ALL", "tr_TR.UTF-8");
    command.env("BALLAST", "x".repeat(5_000));
    command
}

/// Without randomised addresses, where the system can do that.
fn fixed_addresses() -> Option<Command> {
    let setarch = || Command::new("setarch");
    let works = setarch().args(["-R", "true"]).status().is_ok_and(|status| status.success());
    let mut command = setarch();
    command.args(["-R", env!("CARGO_BIN_EXE_rehearse")]);
    works.then_some(command)
}

fn same_everywhere(name: &str, arguments: &[&str]) {
    let here = in_a_process(rehearse(), &working_copy(&format!("{name}-1")), arguments);
    let others = [Some(rehearse()), Some(abroad()), fixed_addresses()];
    for (number, command) in (2..).zip(others.into_iter().flatten()) {
        let there = in_a_process(command, &working_copy(&format!("{name}-{number}")), arguments);
        assert_eq!(first_divergence(&here.1, &there.1), None, "process {number}");
        assert_eq!(here.0, there.0, "process {number}");
    }
    assert_eq!(here.0.trim().len(), 64, "not a hash: {}", here.0);
}

#[test]
fn a_seed_happens_the_same_way_in_every_process() {
    same_everywhere("seed", &["--seed", "3"]);
    same_everywhere("seed-event", &["--seed", "3", "--engine", "event"]);
}

#[test]
fn a_session_with_faults_happens_the_same_way_in_every_process() {
    same_everywhere("session", &["sessions/rough.yaml"]);
    same_everywhere("session-event", &["sessions/rough.yaml", "--engine", "event"]);
}

#[test]
fn a_process_tells_the_hash_that_a_test_computes() {
    for (engine, name) in ENGINES.into_iter().zip(["turmoil", "event"]) {
        let root = working_copy(&format!("same-{name}"));
        let (hash, trace) = in_a_process(rehearse(), &root, &["--seed", "5", "--engine", name]);
        let ours = play(engine, &project(), &default_world(5));
        assert_eq!(first_divergence(&trace, &ours.to_text()), None);
        assert_eq!(hash.trim(), ours.hash());
    }
}

fn twin() -> Twin {
    Twin::new(Path::new(env!("CARGO_BIN_EXE_rehearse")), project().root())
}

#[test]
fn a_twin_in_other_surroundings_lives_through_the_same() {
    let project = project();
    for engine in ENGINES {
        for scenario in [broken_world(1), chaos(1), chaos(7)] {
            let trace = play(engine, &project, &scenario);
            let divergence = twin().divergence(engine, &scenario, &trace);
            assert_eq!(divergence.expect("it plays"), None, "{}", scenario.name);
        }
    }
}

#[test]
fn a_twin_that_lives_through_something_else_is_told_where_it_parts() {
    let (project, scenario) = (project(), broken_world(1));
    let trace = play(EngineKind::Event, &project, &scenario);
    let mut other = scenario.clone();
    let late = other.faults.last_mut().expect("it has faults");
    late.fault = Fault::Skew { host: Host::TokenService, by_ms: 2_000 };
    let divergence = twin().divergence(EngineKind::Event, &other, &trace).expect("it plays");
    let told = divergence.expect("it differs");
    let at = "at 46.930s on world: what happens there differs\n";
    assert!(
        told.contains(at) && told.contains("\"by_ms\":-2000") && told.contains("\"by_ms\":2000"),
        "{told}"
    );
    let fault = told.lines().find(|line| line.starts_with("  last fault  "));
    assert!(fault.is_some_and(|fault| fault.contains("{\"pause\":")), "{told}");
}

#[test]
fn a_twin_that_cannot_play_says_why() {
    let mut scenario = chaos(1);
    scenario.world.catalog = "atlantis".to_owned();
    let failed = twin().divergence(EngineKind::Event, &scenario, &Trace::default());
    let Err(TwinError::Failed(why)) = failed else { panic!("it played: {failed:?}") };
    assert!(why.contains("there is no catalogue `atlantis`"), "{why}");
}

/// A sweep on its way.
fn sweep(mut command: Command, root: &Path) -> Child {
    command.args(["sweep", "--seeds", "0..10", "--hash"]).current_dir(root);
    command.stdout(Stdio::piped()).spawn().expect("the binary runs")
}

#[test]
fn seeds_have_the_same_hashes_wherever_and_beside_whatever_they_are_played() {
    let here = project().root().to_owned();
    let there = working_copy("sweep");
    // The first alone, the others side by side.
    let hashes = |child: Child| {
        let output = child.wait_with_output().expect("it ends");
        String::from_utf8(output.stdout).expect("it says text")
    };
    let alone = hashes(sweep(rehearse(), &here));
    assert_eq!(alone.lines().count(), 10, "{alone}");
    let commands = [rehearse(), abroad(), rehearse(), abroad()];
    let roots = [&here, &here, &there, &there];
    let children: Vec<Child> =
        commands.into_iter().zip(roots).map(|(command, root)| sweep(command, root)).collect();
    for child in children {
        assert_eq!(first_divergence(&alone, &hashes(child)), None);
    }
}
