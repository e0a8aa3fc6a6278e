//! Commands for whoever keeps the sessions: what they say of the files, and of what those exercise.

use rehearse::coverage::{LEVEL_FILE, all};
use rehearse::project::Project;
use std::path::Path;
use std::process::Command;

fn project() -> Project {
    Project::around(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("it is around us")
}

/// The exit code of `rehearse`, and everything that it said.
fn rehearse(arguments: &[&str], github: bool) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rehearse"));
    command.current_dir(project().root()).env_remove("GITHUB_ACTIONS").args(arguments);
    if github {
        command.env("GITHUB_ACTIONS", "true");
    }
    let output = command.output().expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).expect("it says text"))
}

fn written(name: &str, text: &str) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).expect("a place to write");
    path.to_str().expect("a path in UTF-8").to_owned()
}

#[test]
fn lint_finds_nothing_in_this_tree() {
    let (code, said) = rehearse(&["lint"], false);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("files without a mistake"), "{said}");
}

#[test]
fn lint_tells_all_mistakes_of_all_files_and_annotates_them_where_github_reads() {
    let one = written("one.yaml", "session: one\nseed: 1\nturns:\n  - user: hi\n  - user: ho\n");
    let two = written("two.yaml", "session: two\nsed: 1\n");
    let (code, said) = rehearse(&["lint", &one, &two, "sessions/greeting.yaml"], false);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("one.yaml:4:11]") && said.contains("one.yaml:5:11]"), "{said}");
    assert!(said.contains("did you mean `seed`?") && said.contains("1 of 3 files"), "{said}");
    assert!(!said.contains("::error"), "{said}");
    let (_, said) = rehearse(&["lint", &one], true);
    let mark = format!("::error file={one},line=5,col=11,title=cannot be played::a turn without");
    assert!(
        said.contains("one.yaml,line=5,col=11,title=cannot be played::a turn without"),
        "{mark}\n{said}"
    );
}

#[test]
fn the_gate_annotates_a_claim_that_was_missed() {
    let text = "session: wrong\nseed: 1\nturns:\n  - user: hello\n    expect: { intent: thanks }\n";
    let file = written("wrong.yaml", text);
    let (code, said) = rehearse(&["gate", "--schedules", "0", "--jobs", "1", &file], true);
    assert_eq!(code, Some(1), "{said}");
    let place = "wrong.yaml,line=5,col=23,title=turn 1%3A intent::expected thanks, got greeting";
    assert!(said.contains(place), "{said}");
}

#[test]
fn list_shows_a_session_with_its_tags_and_its_last_result() {
    let (code, said) = rehearse(&["gate", "--schedules", "0", "sessions/two-tabs.yaml"], false);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = rehearse(&["list", "--tag", "tabs", "--covers"], false);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("two-tabs") && said.contains("  ok\n"), "{said}");
    assert!(said.contains("    intent: ") && !said.contains("agent-down"), "{said}");
}

#[test]
fn coverage_has_not_fallen_below_what_is_recorded() {
    let (code, said) = rehearse(&["coverage"], false);
    assert_eq!(code, Some(0), "{said}");
    for (row, names) in all() {
        let head = format!("\n{row}: ");
        assert!(format!("\n{said}").contains(&head), "no {head} in:\n{said}");
        for name in names {
            assert!(said.contains(&name), "no {name} in:\n{said}");
        }
    }
    let recorded = project().text(Path::new(LEVEL_FILE)).expect("it is checked in");
    assert!(!said.contains("record it with"), "{recorded}\n{said}");
}
