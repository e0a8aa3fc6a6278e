//! The commands as a person gives them: what they print, what they leave, and how they end.

use assistant::config::client::Rule;
use rehearse::artefact::{Artefact, Failure};
use rehearse::scenario::chaos;
use rehearse::world::EngineKind;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The exit code of `rehearse`, and everything that it said.
fn rehearse(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rehearse"));
    let output = command.args(arguments).output().expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).expect("it says text"))
}

/// An artefact of clients that show whatever comes, as often as it comes.
fn planted(name: &str) -> PathBuf {
    let mut scenario = chaos(4);
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
    let file = planted("twice.yaml");
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

#[test]
fn a_file_that_cannot_be_played_is_told_with_its_place() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("broken.yaml");
    std::fs::write(&file, "scenario:\n  sead: 3\n").expect("a place to write");
    let (code, said) = rehearse(&["run", file.to_str().expect("a path in UTF-8")]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("cannot be played") && said.contains("sead"), "{said}");
}
