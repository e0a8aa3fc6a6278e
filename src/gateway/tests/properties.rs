//! What holds whatever happens to a connection. Each invariant also judges a doctored run, which breaks it.

use super::script::text;
use super::world::{Doctor, Verdict, acts, run};
use crate::contract::frame::ServerFrame;
use crate::gateway::port::Output;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

fn honest(_out: &mut Vec<Output>) {}

/// Verdicts of eight hundred fixed scripts.
fn verdicts(doctor: Doctor) -> Vec<Verdict> {
    let mut runner = TestRunner::deterministic();
    let script = |_| acts().new_tree(&mut runner).unwrap().current();
    (0..800).map(script).map(|script| run(&script, doctor)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_script_breaks_an_invariant(script in acts()) {
        let broken = run(&script, honest).broken;
        prop_assert!(broken.is_empty(), "{broken:#?}");
    }
}

#[test]
fn the_scripts_reach_every_corner() {
    let verdicts = verdicts(honest);
    let count = |corner| verdicts.iter().filter(|v| v.seen.contains(corner)).count();
    for corner in [
        "a catchup during a replay",
        "a frame again",
        "a frame beyond a hole",
        "a frame of another epoch",
        "a replay of some frames",
        "a turn with others behind it",
        "advice auth",
        "advice drain",
        "advice overload",
        "advice rate",
        "advice slow",
        "close 1003",
        "close 1012",
        "close 1013",
        "close 4400",
        "close 4401",
        "close 4403",
        "close 4408",
        "close 4409",
        "close 4410",
        "close 4411",
        "close 4429",
        "ping",
        "reauthorize",
        "resume_failed Ahead",
        "resume_failed Epoch",
        "typing",
    ] {
        assert!(count(corner) >= 3, "{corner} is in {} of 800 scripts", count(corner));
    }
}

fn is_resumed(output: &Output) -> bool {
    text(output).starts_with("resumed")
}

fn is_log(output: &Output) -> bool {
    text(output).starts_with("log")
}

/// A machine with this fault, and the invariant that notices.
const FAULTS: [(&str, Doctor, &str); 10] = [
    ("leaves a frame out", |out| out.retain(|o| text(o) != "log 7/3"), "RC-ALL-OR-NOTHING"),
    ("sends a frame twice", |out| twice(out, is_log), "RC-ALL-OR-NOTHING"),
    ("says resumed twice", |out| twice(out, is_resumed), "RC-ALL-OR-NOTHING"),
    ("says resumed before the last frame", |out| out.sort_by_key(is_log), "RC-ALL-OR-NOTHING"),
    ("never says resumed", |out| out.retain(|o| !is_resumed(o)), "RC-ALL-OR-NOTHING"),
    ("lets another epoch in", rename_epoch, "RC-EPOCH"),
    ("speaks after its close", |out| out.sort_by_key(|o| !text(o).starts_with("close")), "SILENT"),
    ("submits twice", |out| twice(out, |o| text(o).starts_with("submit")), "AK-FIFO"),
    ("reads on beyond what it sent", follow_later, "FOLLOW"),
    ("forgets to close", |out| out.retain(|o| !text(o).starts_with("close")), "DEADLINE"),
];

fn twice(out: &mut Vec<Output>, chosen: fn(&Output) -> bool) {
    if let Some(at) = out.iter().position(chosen) {
        let again = match &out[at] {
            Output::Send(frame) => Output::Send(frame.clone()),
            Output::Submit { thread, turn } => {
                Output::Submit { thread: thread.clone(), turn: turn.clone() }
            }
            Output::Open { .. }
            | Output::Follow { .. }
            | Output::Reauthorize { .. }
            | Output::Answered(_)
            | Output::Close(_) => return,
        };
        out.insert(at, again);
    }
}

fn rename_epoch(out: &mut Vec<Output>) {
    for output in out {
        if let Output::Send(ServerFrame::Log(frame)) = output {
            frame.epoch += 1;
        }
    }
}

fn follow_later(out: &mut Vec<Output>) {
    for output in out {
        if let Output::Follow { after, .. } = output {
            *after += 1;
        }
    }
}

#[test]
fn every_fault_is_noticed_by_its_invariant() {
    for (fault, doctor, invariant) in FAULTS {
        let noticed = verdicts(doctor)
            .iter()
            .filter(|verdict| verdict.broken.iter().any(|line| line.starts_with(invariant)))
            .count();
        assert!(noticed >= 10, "{invariant} noticed only {noticed} times a machine that {fault}");
    }
}
