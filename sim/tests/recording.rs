//! Sessions that are made by talking, mended by blessing, and played as they are saved.
//!
//! Everything happens in a project of its own, so that no other test sees half a session.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A project with this project's catalogues and no session.
fn scratch(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if root.exists() {
        fs::remove_dir_all(&root).expect("it was ours");
    }
    let to = root.join("sessions/catalogs");
    fs::create_dir_all(&to).expect("a place to write");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sessions/catalogs");
    for entry in fs::read_dir(from).expect("there are catalogues") {
        let entry = entry.expect("a catalogue");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("it can be copied");
    }
    root
}

fn command(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rehearse"));
    command.current_dir(root).env_remove("CI").env_remove("GITHUB_ACTIONS").args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The exit code of `rehearse`, and what it said to these lines.
fn rehearse(root: &Path, arguments: &[&str], lines: &[&str]) -> (Option<i32>, String) {
    let mut child = command(root, arguments).spawn().expect("it starts");
    let mut input = child.stdin.take().expect("a pipe");
    // Who has ended does not listen.
    drop(input.write_all(lines.join("\n").as_bytes()));
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).expect("it says text"))
}

/// Ten conversations.
const TALKS: [&[&str]; 10] = [
    &["Hello", "Thanks", "Bye"],
    &[
        "2 bed homes to buy in Salem under 400k",
        "show me more",
        "Does the second one have parking?",
    ],
    &["3 bedroom house to buy in Bend under 450k", "yes please"],
    &["3 bedroom house to buy in Bend under 450k", "no", "something cheaper"],
    &["1 bedroom to rent in Eugene", ":fault cut", "Are pets allowed in the first one?"],
    &[
        ":fault crash supervisor 2s",
        "2 bed homes to buy in Portland under 400k",
        "compare the first two",
    ],
    &[
        "2 bed homes to buy in Portland under 400k",
        ":fault offline 10s",
        "I like the second one",
        "No",
    ],
    &["furnished 2 bed home to buy in Salem under 400k", ":undo", "a home", "to rent, in Salem"],
    &["asdf", "What can you do?", "qwer"],
    &[
        ":fault misbehave: { host: agent, how: drift, lasts: 3s }",
        "homes to buy in Eugene from 690k",
        "ok",
    ],
];

#[test]
fn what_is_recorded_is_green_without_an_edit() {
    let root = scratch("recordings");
    for (number, talk) in TALKS.iter().enumerate() {
        let name = format!("talk-{number}");
        let lines = [talk, &[":about A talk.", ":save"][..]].concat();
        let (code, said) = rehearse(&root, &["record", &name], &lines);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(&format!("saved as sessions/{name}.yaml")), "{said}");
        let file = format!("sessions/{name}.yaml");
        let (code, said) = rehearse(&root, &["run", &file], &[]);
        assert_eq!(code, Some(0), "{said}");
        let text = fs::read_to_string(root.join(&file)).expect("it was saved");
        let said: Vec<&&str> = talk.iter().filter(|line| !line.starts_with(':')).collect();
        let undone = talk.iter().filter(|line| **line == ":undo").count();
        assert_eq!(text.matches("  - user:").count(), said.len() - undone, "{text}");
        assert_eq!(
            text.contains("faults:"),
            talk.iter().any(|l| l.starts_with(":fault")),
            "{text}"
        );
    }
    let (code, said) = rehearse(&root, &["lint"], &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("10 of 10 files"), "{said}");
}

#[test]
fn nothing_is_saved_unasked_or_over_something() {
    let root = scratch("unsaved");
    for lines in
        [&["Hello", ":quit"][..], &["Hello"], &[":save"], &[":nonsense", ":fault nonsense"]]
    {
        let (code, said) = rehearse(&root, &["record", "talk"], lines);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("nothing was saved"), "{said}");
        assert!(!root.join("sessions/talk.yaml").exists());
    }
    fs::write(root.join("sessions/talk.yaml"), "mine").expect("a place to write");
    let (code, said) = rehearse(&root, &["record", "talk"], &["Hello", ":save"]);
    assert_eq!(code, Some(2), "{said}");
    assert_eq!(fs::read_to_string(root.join("sessions/talk.yaml")).expect("mine"), "mine");
}

const STALE: &str = "# Kept.
session: stale
seed: 3
turns:
  - user: \"2 bed homes to buy in Portland under 400k\"   # so it was
    expect:
      agent:   general            # wrong
      slots: { price_max: 1, city: { one_of: [Salem] } }
      listings: { ids: [L-0001,   L-0009] }  # another list
      reply: { contains: Portland }
";

#[test]
fn bless_replaces_values_and_keeps_comments_layout_and_matchers() {
    let root = scratch("blessed");
    let path = root.join("sessions/stale.yaml");
    fs::write(&path, STALE).expect("a place to write");
    let mut ci = command(&root, &["bless", "sessions/stale.yaml"]);
    let output = ci.env("CI", "true").output().expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(fs::read_to_string(&path).expect("as it was"), STALE);

    let (code, said) = rehearse(&root, &["bless", "sessions/stale.yaml"], &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("line 7: general -> real_estate"), "{said}");
    assert!(
        said.contains("turn 1: slots.city: expected one of Salem, got Portland; left"),
        "{said}"
    );
    let expected = STALE
        .replace("general ", "real_estate ")
        .replace("price_max: 1", "price_max: 400000")
        .replace("[L-0001,   L-0009]", "[L-0001, L-0002, L-0003]");
    assert_eq!(fs::read_to_string(&path).expect("it is there"), expected);

    let mended = expected.replace("[Salem]", "[Salem, Portland]");
    fs::write(&path, mended).expect("a place to write");
    let (code, said) = rehearse(&root, &["bless", "sessions/stale.yaml"], &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("nothing to bless"), "{said}");
    assert_eq!(rehearse(&root, &["run", "sessions/stale.yaml"], &[]).0, Some(0));
}

#[test]
fn watch_plays_what_was_saved() {
    let root = scratch("watched");
    let mut child = command(&root, &["watch"]).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut next = || lines.next().expect("it says something").expect("text");
    assert!(next().starts_with("watching"));
    let path = root.join("sessions/stale.yaml");
    fs::write(&path, STALE).expect("a place to write");
    assert_eq!(next(), "session stale failed: 4 of 5 expectations");
    let sound = "session: stale\nseed: 3\nturns:\n  - user: Hi\n    expect: { intent: greeting }\n";
    fs::write(&path, sound).expect("a place to write");
    let ok = (0..200).map(|_| next()).find(|line| line.contains(": ok"));
    assert_eq!(ok.expect("it is played"), "sessions/stale.yaml: ok, 1 expectations");
    child.kill().expect("it lives");
    child.wait().expect("it ends");
}
