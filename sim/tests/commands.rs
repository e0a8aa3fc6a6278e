//! The commands as a person gives them: what they print, what they leave, and how they end.

use assistant::config::client::Rule;
use rehearse::artefact::{Artefact, Failure};
use rehearse::scenario::{Armed, Fault, Host, Pace, Scenario, Trigger, Turn, WorldSpec, chaos};
use rehearse::world::EngineKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The exit code of `rehearse`, and everything that it said.
fn rehearse(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rehearse"));
    let output = command.args(arguments).output().expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).expect("it says text"))
}

/// An artefact of clients that show whatever comes, as often as it comes.
fn planted(name: &str, mut scenario: Scenario) -> PathBuf {
    let policy = &mut scenario.world.config.client;
    (policy.cursor, policy.seen_max) = (Rule::Off, 0);
    let failure = Failure {
        commit: None,
        lockfile: None,
        engine: EngineKind::Event,
        repeat: "by hand".to_owned(),
        violations: Vec::new(),
    };
    scenario.name = format!("planted-{name}");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, Artefact { failure, scenario }.write()).expect("a place to write");
    path
}

#[test]
fn a_sweep_plays_every_seed_once_however_many_processes_share_them() {
    for jobs in ["1", "3"] {
        let (code, said) = rehearse(&["sweep", "--seeds", "0..7", "--jobs", jobs]);
        assert!(said.contains("\n7 of 7 seeds clean: "), "{said}");
        assert_eq!(code, Some(0), "{said}");
    }
    let (code, said) = rehearse(&["sweep", "--seeds", "0..7", "--shard", "2/4"]);
    assert!(said.contains("\n2 of 2 seeds clean: "), "{said}");
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_sweep_of_nothing_is_no_clean_sweep() {
    for arguments in [
        &["sweep", "--seeds", "7..7"][..],
        &["sweep", "--seeds", "0..2", "--shard", "3/2"],
        &["sweep", "--seeds", "0..2", "--shard", "4/4"],
        &["sweep", "--seeds", "0..2", "--time", "0s"],
    ] {
        let (code, said) = rehearse(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {said}");
    }
}

#[test]
fn an_artefact_is_played_shrunk_and_compared() {
    let file = planted("twice.yaml", chaos(4));
    let file = file.to_str().expect("a path in UTF-8");
    let (code, said) = rehearse(&["run", file]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("dedup"), "{said}");

    let (code, said) = rehearse(&["shrink", file]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("without any one fault, client or turn it is silent"), "{said}");
    let small = file.replace(".yaml", ".shrunk.yaml");
    let text = std::fs::read_to_string(&small).expect("it was written");
    let artefact = Artefact::read(&small, &text).expect("it can be read");
    assert!(artefact.scenario.armed().count() <= 1, "{text}");
    assert_eq!(rehearse(&["run", &small]).0, Some(1));

    assert_eq!(rehearse(&["diff", &small, &small]).0, Some(0));
    let (code, said) = rehearse(&["diff", file, &small]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.starts_with("event "), "{said}");
}

/// Ana is sent a frame twice. Ben, who talks about something else, is slow.
fn two_strangers() -> Scenario {
    let mut scenario = chaos(4);
    let ben = scenario.clients.iter().map(|client| client.name.as_str()).nth(1);
    assert_eq!(ben, Some("ben"));
    scenario.clients.truncate(2);
    let says = |client, pause, faults| Turn {
        client,
        text: "Hello there".to_owned(),
        pause: Duration::from_secs(pause),
        faults,
    };
    let host = |name: &str| Host::Client(name.to_owned());
    let at = Trigger::Frame { event: "message".to_owned(), nth: 1 };
    let twice = Armed { at, fault: Fault::Duplicate { client: host("ana") } };
    let at = Trigger::Elapsed(Duration::from_secs(2));
    let lasts = Duration::from_secs(1);
    let slow = Armed { at, fault: Fault::SlowReader { client: host("ben"), lasts } };
    for (client, thread) in scenario.clients.iter_mut().zip(["t-ana", "t-ben"]) {
        client.thread = thread.to_owned();
    }
    scenario.turns = vec![says(0, 3, vec![twice]), says(1, 1, vec![]), says(0, 9, vec![])];
    Scenario { world: WorldSpec::default(), faults: vec![slow], pace: Pace::Apart, ..scenario }
}

#[test]
fn a_violation_is_explained_by_what_could_matter_for_it() {
    let file = planted("strangers.yaml", two_strangers());
    let (code, said) = rehearse(&["explain", file.to_str().expect("a path in UTF-8")]);
    assert_eq!(code, Some(1), "{said}");
    let fault = "fault: deliver a frame to ana twice";
    assert!(
        said.starts_with("dedup  ") && said.contains(&format!("  world      {fault}\n")),
        "{said}"
    );
    assert!(
        said.contains(&format!("events could matter; last fault before: {fault} at ")),
        "{said}"
    );
    assert!(said.contains("says turn 1 as ana-1-1: Hello there"), "{said}");
    assert!(!said.contains("ben"), "{said}");

    let (code, said) = rehearse(&["explain", "--chaos", "--seed", "3", "--engine", "event"]);
    assert_eq!(
        (code, said.as_str()),
        (Some(0), "no oracle objects: there is nothing to explain\n")
    );
    assert_eq!(rehearse(&["explain"]).0, Some(2));
}

#[test]
fn a_file_that_cannot_be_played_is_told_with_its_place() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("broken.yaml");
    std::fs::write(&file, "scenario:\n  sead: 3\n").expect("a place to write");
    let (code, said) = rehearse(&["run", file.to_str().expect("a path in UTF-8")]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("cannot be played") && said.contains("sead"), "{said}");
}
