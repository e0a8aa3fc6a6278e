//! What users are told under faults: the same as without, unless something is broken; then it is found and shrunk.

use assistant::config::client::Rule;
use rehearse::artefact::{Artefact, Failure, Finding};
use rehearse::project::Project;
use rehearse::rehearsal::{Rehearsal, told_calm};
use rehearse::scenario::{Scenario, overlay};
use rehearse::transparent::TRANSPARENT;
use rehearse::world::EngineKind;
use std::path::Path;
use std::process::Command;

const ENGINE: EngineKind = EngineKind::Event;

fn project() -> Project {
    Project::around(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("it is around us")
}

/// A session whose client shows whatever comes, as often as it comes.
fn planted(project: &Project) -> Scenario {
    let session = project.session(Path::new("sessions/happy-search.yaml")).expect("a session");
    let mut scenario = session.scenario;
    let policy = &mut scenario.world.config.client;
    (policy.cursor, policy.seen_max) = (Rule::Off, 0);
    scenario
}

/// The first schedules under which users are told something else.
fn differing(project: &Project, scenario: &Scenario) -> Option<(Scenario, Rehearsal)> {
    let calm = told_calm(ENGINE, project, scenario).expect("the harness works");
    (0..25).map(|seed| overlay(scenario, seed)).find_map(|scenario| {
        let run = Rehearsal::on(ENGINE, project, &scenario).expect("the harness works");
        let run = run.held_beside(&calm, &scenario);
        run.difference.is_some().then_some((scenario, run))
    })
}

#[test]
fn a_client_that_shows_what_it_has_shown_is_found_kept_and_shrunk() {
    let project = project();
    let (mut scenario, run) = differing(&project, &planted(&project)).expect("a difference");
    assert!(run.difference.is_some_and(|difference| difference.contains("\n+")));
    scenario.name = "planted-transparency".to_owned();
    let failure = Failure {
        commit: None,
        lockfile: None,
        engine: ENGINE,
        repeat: "by hand".to_owned(),
        violations: vec![Finding {
            oracle: TRANSPARENT.to_owned(),
            at_us: 0,
            host: None,
            what: "planted".to_owned(),
        }],
    };
    // Only what is told shall be judged: the oracles see this one too.
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted-transparency.yaml");
    let artefact = Artefact { failure, scenario };
    std::fs::write(&path, artefact.write()).expect("a place to write");
    let run = Rehearsal::of_artefact(ENGINE, &project, &artefact).expect("the harness works");
    assert!(run.violations.iter().any(|violation| violation.oracle == TRANSPARENT));

    let mut command = Command::new(env!("CARGO_BIN_EXE_rehearse"));
    let output = command.arg("shrink").arg(&path).output().expect("it starts");
    let said = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("transparent still objects"), "{said}");
    let small = path.with_extension("shrunk.yaml");
    let text = std::fs::read_to_string(&small).expect("it was written");
    let small = Artefact::read("small.yaml", &text).expect("it can be read");
    assert!(small.scenario.armed().count() <= 2, "{text}");
}

#[test]
fn the_same_session_with_a_sound_client_is_told_the_same() {
    let project = project();
    let session = project.session(Path::new("sessions/happy-search.yaml")).expect("a session");
    assert!(differing(&project, &session.scenario).is_none());
}

#[test]
fn the_gate_writes_a_case_a_session_and_keeps_what_it_is_told_to() {
    let junit = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gate.xml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_rehearse"));
    command.args(["gate", "--schedules", "2", "--jobs", "2", "--keep", "--junit"]).arg(&junit);
    let root = project().root().to_owned();
    command.current_dir(&root).args(["sessions/greeting.yaml", "sessions/two-tabs.yaml"]);
    let output = command.output().expect("it starts");
    let said = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("2 of 2 sessions and regressions clean, 4 schedules played"), "{said}");
    let xml = std::fs::read_to_string(&junit).expect("it was written");
    for name in ["greeting", "two-tabs"] {
        assert!(
            xml.contains(&format!("<testcase name=\"{name}\" classname=\"sessions\"")),
            "{xml}"
        );
        for file in ["transcript.txt", "trace.jsonl", "artefact.yaml", "repro.txt"] {
            for run in [name.to_owned(), format!("{name}-chaos-1")] {
                let kept = root.join("target/rehearse").join(run).join(file);
                assert!(kept.is_file(), "{}", kept.display());
            }
        }
    }
}

#[test]
fn a_file_that_cannot_be_played_is_a_broken_case_and_hides_no_other() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (typo, junit) = (folder.join("typo.yaml"), folder.join("typo.xml"));
    std::fs::write(&typo, "session: typo\nsed: 3\n").expect("a place to write");
    let mut command = Command::new(env!("CARGO_BIN_EXE_rehearse"));
    command.args(["gate", "--schedules", "0", "--jobs", "1", "--junit"]).arg(&junit).arg(&typo);
    command.current_dir(project().root()).arg("sessions/greeting.yaml");
    let output = command.output().expect("it starts");
    let said = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("did you mean `seed`?") && said.contains("1 of 2"), "{said}");
    let xml = std::fs::read_to_string(&junit).expect("it was written");
    assert!(xml.contains("errors=\"1\"") && xml.contains("<error message="), "{xml}");
}
