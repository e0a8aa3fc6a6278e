//! Whether the files in `deploy/sweep/` still say what these commands understand: they are tried nowhere else.

use crate::{Arguments, Command};
use clap::Parser as _;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// A file that runs a sweep in parts.
const FILES: [&str; 3] = ["shards.yaml", "merge.yaml", "github.yaml"];

fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/sweep").join(name);
    std::fs::read_to_string(path).expect("the file is there")
}

/// The command lines of a file for one of its shards, without the word that starts the program. A job of Kubernetes
/// counts its pods from 0, and tells each its place.
fn commands(text: &str, shard: u64) -> Vec<Vec<String>> {
    let file: Value = serde_yaml::from_str(text).expect("it is YAML");
    let mut commands = Vec::new();
    let containers = file.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    for container in containers.into_iter().flatten() {
        assert_eq!(container["command"], Value::from(vec!["rehearse"]));
        let words = container["args"].as_array().expect("arguments").iter();
        let words = words.map(|word| word.as_str().expect("a text"));
        let place = shard.to_string();
        let mut words: Vec<String> =
            words.map(|word| word.replace("$(JOB_COMPLETION_INDEX)", &place)).collect();
        if file["spec"]["completionMode"] == "Indexed" {
            words.push(format!("--index={place}"));
        }
        commands.push(words);
    }
    for job in file["jobs"].as_object().into_iter().flat_map(|jobs| jobs.values()) {
        let steps = job["steps"].as_array().expect("steps").iter();
        for line in steps.filter_map(|step| step["run"].as_str()) {
            let line = line.replace("${{ matrix.shard }}", &(shard + 1).to_string());
            let words = line.strip_prefix("cargo rehearse ").expect("a command of ours");
            commands.push(words.split_whitespace().map(str::to_owned).collect());
        }
    }
    commands
}

/// How many shards a file starts.
fn shards(text: &str) -> u64 {
    let file: Value = serde_yaml::from_str(text).expect("it is YAML");
    match (&file["spec"]["completions"], &file["jobs"]["shard"]["strategy"]["matrix"]["shard"]) {
        (Value::Number(pods), _) => pods.as_u64().expect("a count"),
        (_, Value::Array(runners)) => u64::try_from(runners.len()).expect("a count"),
        (_, _) => 1,
    }
}

/// What is wrong with files that together play a sweep and merge it.
fn faults(texts: &[&str]) -> Vec<String> {
    let (mut faults, mut sweeps, mut merged) = (Vec::new(), Vec::new(), BTreeSet::new());
    for text in texts {
        let all = (0..shards(text)).flat_map(|shard| commands(text, shard));
        for words in all {
            let line = words.join(" ");
            match Arguments::try_parse_from([vec!["rehearse".to_owned()], words].concat()) {
                Ok(Arguments { command: Command::Sweep(sweep), .. }) => sweeps.push(sweep),
                Ok(Arguments { command: Command::Merge(merge), .. }) => merged.extend(merge.files),
                Ok(Arguments { command, .. }) => faults.push(format!("`{line}` is {command:?}")),
                Err(why) => faults.push(format!("`{line}`: {why}")),
            }
        }
    }
    let mut written = BTreeSet::new();
    let mut parts = BTreeSet::new();
    for sweep in &sweeps {
        written.extend(sweep.json.clone());
        match sweep.shard() {
            Ok(shard) => drop(parts.insert((shard.number(), shard.of()))),
            Err(why) => faults.push(why.to_string()),
        }
    }
    let of = parts.first().map_or(0, |(_, of)| *of);
    if parts != (1..=of).map(|number| (number, of)).collect() || sweeps.len() != parts.len() {
        faults.push(format!("the shards are {parts:?}"));
    }
    if written != merged {
        faults.push(format!("written are {written:?}, merged are {merged:?}"));
    }
    faults
}

#[test]
fn what_is_deployed_plays_every_shard_once_and_merges_all() {
    let [pods, merge, runners] = FILES.map(text);
    assert_eq!(faults(&[&pods, &merge]), Vec::<String>::new());
    assert_eq!(faults(&[&runners]), Vec::<String>::new());
}

#[test]
fn what_the_commands_do_not_understand_or_leave_out_is_told() {
    let [pods, merge, runners] = FILES.map(text);
    let told = |texts: &[&str], why: &str| {
        let faults = faults(texts);
        assert!(faults.iter().any(|fault| fault.contains(why)), "{why} in {faults:#?}");
    };
    let changed = |text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    };
    told(&[&changed(&pods, "--seeds", "--seedz"), &merge], "unexpected argument '--seedz'");
    told(&[&changed(&pods, "--shards=8", "--shards=7"), &merge], "expected a shard");
    told(&[&changed(&pods, "completions: 8", "completions: 7"), &merge], "the shards are");
    told(&[&pods, &changed(&merge, "- /results/shard-3.json", "")], "merged are");
    told(&[&changed(&runners, "sweep --seeds", "swept --seeds")], "unrecognized subcommand");
    told(&[&changed(&runners, "[1, 2, 3, 4]", "[1, 2, 3]")], "the shards are");
}
