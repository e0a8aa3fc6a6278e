//! The commands as a person gives them: what they print, what they leave, and how they end.

use assistant::config::client::Rule;
use rehearse::artefact::{Artefact, Failure};
use rehearse::scenario::{Armed, Fault, Host, Pace, Scenario, Trigger, Turn, WorldSpec, chaos};
use rehearse::world::EngineKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
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

/// A file of this test alone, as text for a command line.
fn scratch(name: &str) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    path.into_os_string().into_string().expect("a path in UTF-8")
}

#[test]
fn shards_that_were_played_apart_are_merged_and_nothing_else_is() {
    let shard = |number: &str, seeds: &str| {
        let file = scratch(&format!("shard-{number}-of-{seeds}.json"));
        let part = format!("{number}/2");
        let (code, said) =
            rehearse(&["sweep", "--seeds", seeds, "--shard", &part, "--json", &file]);
        assert_eq!(code, Some(0), "{said}");
        file
    };
    let (one, two, other) = (shard("1", "0..6"), shard("2", "0..6"), shard("2", "0..8"));
    let junit = scratch("merged.xml");
    let (code, said) = rehearse(&["merge", &two, &one, "--junit", &junit]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("\n6 of 6 seeds clean: "), "{said}");
    let report = std::fs::read_to_string(&junit).expect("it was written");
    assert!(
        report.contains("<testcase name=\"dedup\" classname=\"oracle\" time=\"0.000\"/>"),
        "{report}"
    );

    for (files, why) in [
        (&[&one, &one][..], "are both shard 1/2"),
        (&[&one], "shard 2/2 is missing"),
        (&[&one, &other], "the range of seeds is 0..6 in one and 0..8 in the other"),
        (&[&junit], "expected value"),
    ] {
        let files: Vec<&str> =
            std::iter::once("merge").chain(files.iter().map(|f| f.as_str())).collect();
        let (code, said) = rehearse(&files);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn a_sweep_tells_the_hashes_that_single_runs_have() {
    let (code, said) = rehearse(&["sweep", "--seeds", "3..6", "--hash", "--jobs", "2"]);
    assert_eq!(code, Some(0), "{said}");
    let (_, hash) = rehearse(&["run", "--chaos", "--seed", "4", "--engine", "event", "--hash"]);
    assert_eq!(said.lines().nth(1), Some(format!("4 {}", hash.trim()).as_str()), "{said}");
    assert_eq!(said.lines().count(), 3);
}

#[test]
fn a_seed_over_its_limit_is_given_up_and_the_next_one_begun() {
    let junit = scratch("hung.xml");
    let arguments =
        ["sweep", "--seeds", "0..3", "--jobs", "1", "--seed-limit", "0s", "--junit", &junit];
    let (code, said) = rehearse(&arguments);
    assert_eq!(code, Some(2), "{said}");
    for seed in 0..3 {
        let told =
            format!("seed {seed}: it took longer than 0ns and was killed\n  cargo rehearse run");
        assert!(said.contains(&told), "{said}");
    }
    let report = std::fs::read_to_string(&junit).expect("it was written");
    assert!(report.contains("<error message=\"3 seeds could not be played\">seed 0: "), "{report}");
}

/// The worker of a sweep, as soon as it has one; absent where the system does not tell.
fn worker_of(sweep: u32) -> Option<String> {
    let path = format!("/proc/{sweep}/task/{sweep}/children");
    let is_worker = |child: &str| {
        let command = std::fs::read_to_string(format!("/proc/{child}/cmdline"));
        command.is_ok_and(|command| command.split('\0').any(|word| word == "--worker"))
    };
    loop {
        let children = std::fs::read_to_string(&path).ok()?;
        if let Some(child) = children.split_whitespace().find(|child| is_worker(child)) {
            return Some(child.to_owned());
        }
    }
}

#[test]
fn a_worker_that_hangs_costs_one_seed() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rehearse"));
    command.args(["sweep", "--seeds", "0..40", "--jobs", "1", "--seed-limit", "5s"]);
    let sweep = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let worker = worker_of(sweep.id());
    let stop = |worker| Command::new("kill").args(["-STOP", worker]).status();
    let stopped = worker.as_deref().map(stop);
    let output = sweep.wait_with_output().expect("it ends");
    let Some(stopped) = stopped else { return };
    assert!(stopped.is_ok_and(|status| status.success()), "it was over before it hung");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said.matches("it took longer than 5s and was killed").count(), 1, "{said}");
    assert!(said.contains("\n39 of 39 seeds clean: "), "{said}");
    assert_eq!(output.status.code(), Some(2), "{said}");
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
