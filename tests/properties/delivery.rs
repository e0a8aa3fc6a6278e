//! What is shown, against a reference: a log, a cursor, and what waits beyond a hole.

use super::bench::{Bench, SECOND, cases, off, welcome};
use assistant::client::dedup::Seen;
use assistant::client::{Input, Output, State};
use assistant::config::client::{ClientPolicy, Rule};
use assistant::contract::frame::ClientFrame;
use assistant::contract::id::Cursor;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use std::collections::BTreeSet;
use std::time::Duration;

/// A frame of the log. All frames of a turn share one trace, and every seventh is of a newer server.
fn frame(thread: &str, epoch: u64, seq: u64) -> String {
    let turn = seq / 3;
    let body = if is_shown(seq) {
        r#""event":"message","agent":"general","intent":"greeting","text":"hi""#
    } else {
        r#""event":"sparkle""#
    };
    format!(
        r#"{{{body},"thread_id":"{thread}","epoch":{epoch},"seq":{seq},"in_reply_to":"m{turn}","meta":{{"trace":"x{turn}"}}}}"#
    )
}

fn is_shown(seq: u64) -> bool {
    !seq.is_multiple_of(7)
}

fn shown(out: &[Output]) -> Vec<(u64, u64)> {
    let mut shown = Vec::new();
    for output in out {
        if let Output::Show(frame) = output {
            shown.push((frame.epoch, frame.seq));
        }
    }
    shown
}

/// As many frames as may wait beyond a hole here.
const HELD_MAX: usize = 4;

#[derive(Debug, Clone)]
struct Model {
    epoch: u64,
    length: u64,
    cursor: Cursor,
    held: BTreeSet<u64>,
    /// The frame that the last act sent, if any.
    sent: u64,
    /// What the last act must have shown.
    shown: Vec<(u64, u64)>,
    /// Whether it must have ended the connection.
    ended: bool,
}

#[derive(Debug, Clone)]
enum Act {
    Append(u64),
    /// The place of a frame that arrives, from the first that is missing.
    Frame(i64),
    OtherEpoch,
    OtherThread,
    Ephemeral,
    Cut,
    Recreate,
}

struct Reference;

impl ReferenceStateMachine for Reference {
    type State = Model;
    type Transition = Act;

    fn init_state() -> BoxedStrategy<Model> {
        let (cursor, held, shown) = (Cursor::default(), BTreeSet::new(), Vec::new());
        Just(Model { epoch: 1, length: 0, cursor, held, sent: 0, shown, ended: false }).boxed()
    }

    fn transitions(_: &Model) -> BoxedStrategy<Act> {
        prop_oneof![
            6 => (1..6u64).prop_map(Act::Append),
            12 => Just(Act::Frame(0)),
            6 => (-3..7i64).prop_map(Act::Frame),
            1 => Just(Act::OtherEpoch),
            1 => Just(Act::OtherThread),
            1 => Just(Act::Ephemeral),
            2 => Just(Act::Cut),
            1 => Just(Act::Recreate),
        ]
        .boxed()
    }

    fn preconditions(model: &Model, act: &Act) -> bool {
        match act {
            Act::Frame(offset) => place(model, *offset).is_some(),
            // Without anything in hand there is no epoch to differ from.
            Act::OtherEpoch => model.cursor.seq > 0 || !model.held.is_empty(),
            Act::Append(_) | Act::OtherThread | Act::Ephemeral | Act::Cut | Act::Recreate => true,
        }
    }

    fn apply(mut model: Model, act: &Act) -> Model {
        model.shown.clear();
        model.ended = false;
        match act {
            Act::Append(frames) => model.length += frames,
            Act::Frame(offset) => arrive(&mut model, *offset),
            Act::OtherThread | Act::Ephemeral => {}
            Act::OtherEpoch | Act::Cut => end(&mut model),
            Act::Recreate => {
                end(&mut model);
                model.epoch += 1;
                model.length = 0;
                model.cursor = Cursor::default();
            }
        }
        model
    }
}

fn place(model: &Model, offset: i64) -> Option<u64> {
    let seq = (model.cursor.seq + 1).checked_add_signed(offset)?;
    (1..=model.length).contains(&seq).then_some(seq)
}

fn end(model: &mut Model) {
    model.ended = true;
    model.held.clear();
}

fn arrive(model: &mut Model, offset: i64) {
    let seq = place(model, offset).unwrap();
    model.sent = seq;
    if seq > model.cursor.seq + 1 {
        if !model.held.contains(&seq) && model.held.len() == HELD_MAX {
            return end(model);
        }
        model.held.insert(seq);
    } else if seq == model.cursor.seq + 1 {
        model.held.insert(seq);
        while model.held.remove(&(model.cursor.seq + 1)) {
            model.cursor = Cursor { epoch: model.epoch, seq: model.cursor.seq + 1 };
            if is_shown(model.cursor.seq) {
                model.shown.push((model.epoch, model.cursor.seq));
            }
        }
    }
}

struct Shown;

impl StateMachineTest for Shown {
    type SystemUnderTest = Bench;
    type Reference = Reference;

    fn init_test(_: &Model) -> Bench {
        let policy = off(|p| p.hole_frames_max = HELD_MAX);
        let mut bench = Bench::new(&policy, 1);
        bench.step(Input::Connect);
        bench.up();
        bench
    }

    fn apply(mut bench: Bench, model: &Model, act: Act) -> Bench {
        bench.pass(SECOND);
        bench.out.clear();
        match act {
            Act::Append(_) => {}
            Act::Frame(_) => bench.frame(frame("t", model.epoch, model.sent)),
            Act::OtherEpoch => bench.frame(frame("t", model.epoch + 100, model.cursor.seq + 1)),
            Act::OtherThread => bench.frame(frame("other", model.epoch, model.cursor.seq + 1)),
            Act::Ephemeral => {
                bench.frame(r#"{"event":"typing","in_reply_to":"m1"}"#.to_owned());
            }
            Act::Cut | Act::Recreate => {
                // Cut when it has held, so that nobody parks here.
                for _ in 0..10 {
                    bench.pass(SECOND);
                    bench.alive();
                }
                bench.ends(None);
            }
        }
        assert_eq!(shown(&bench.out), model.shown);
        assert_eq!(bench.state() != State::Connected, model.ended, "{:?}", bench.state());
        if model.ended {
            resume(&mut bench, model);
        }
        bench
    }

    fn check_invariants(bench: &Bench, model: &Model) {
        assert_eq!(bench.client.kept().cursor, model.cursor);
    }
}

/// The next connection, from hello to welcome, and past a refused resume.
fn resume(bench: &mut Bench, model: &Model) {
    for _ in 0..3 {
        if let State::Parked { .. } = bench.state() {
            bench.step(Input::Visible);
        }
        bench.open();
        let Some(cursor) = hello(&bench.out) else {
            panic!("no hello: {:?}", bench.out);
        };
        bench.frame(welcome(25_000));
        if cursor.epoch == 0 || cursor.epoch == model.epoch {
            assert_eq!(cursor, model.cursor);
            return;
        }
        let (head, epoch) = (model.length, model.epoch);
        bench.frame(format!(
            r#"{{"event":"resume_failed","why":"epoch","head":{head},"epoch":{epoch}}}"#
        ));
        assert!(bench.out.contains(&Output::ResumeRestarted));
    }
    panic!("it resumes with an epoch that is gone");
}

fn hello(out: &[Output]) -> Option<Cursor> {
    for output in out {
        if let Output::Transmit { frame: ClientFrame::Hello { cursor, .. }, .. } = output {
            return Some(*cursor);
        }
    }
    None
}

/// The reference of [`Seen`]: the last keys, oldest first, and what the last insertion answered.
#[derive(Debug, Clone)]
struct Keys {
    max: usize,
    keys: Vec<u16>,
    known: bool,
}

#[derive(Debug, Clone)]
enum Memory {
    Insert(u16),
    Clear,
}

struct LastKeys;

impl ReferenceStateMachine for LastKeys {
    type State = Keys;
    type Transition = Memory;

    fn init_state() -> BoxedStrategy<Keys> {
        let max = prop_oneof![Just(200usize), 0..12usize];
        max.prop_map(|max| Keys { max, keys: Vec::new(), known: false }).boxed()
    }

    fn transitions(keys: &Keys) -> BoxedStrategy<Memory> {
        let most = u16::try_from(keys.max + keys.max / 2 + 2).unwrap();
        prop_oneof![40 => (0..most).prop_map(Memory::Insert), 1 => Just(Memory::Clear)].boxed()
    }

    fn apply(mut model: Keys, act: &Memory) -> Keys {
        match act {
            Memory::Insert(key) => {
                model.known = model.keys.contains(key);
                model.keys.retain(|known| known != key);
                model.keys.push(*key);
                let excess = model.keys.len().saturating_sub(model.max);
                model.keys.drain(..excess);
            }
            Memory::Clear => model.keys.clear(),
        }
        model
    }
}

struct Remembered;

impl StateMachineTest for Remembered {
    type SystemUnderTest = Seen<u16>;
    type Reference = LastKeys;

    fn init_test(model: &Keys) -> Seen<u16> {
        Seen::new(model.max)
    }

    fn apply(mut seen: Seen<u16>, model: &Keys, act: Memory) -> Seen<u16> {
        match act {
            Memory::Insert(key) => assert_eq!(seen.insert(key), model.known),
            Memory::Clear => seen.clear(),
        }
        seen
    }

    fn check_invariants(seen: &Seen<u16>, model: &Keys) {
        assert_eq!(seen.len(), model.keys.len());
        assert_eq!(seen.is_empty(), model.keys.is_empty());
        assert!(seen.len() <= model.max);
    }
}

prop_state_machine! {
    #![proptest_config(cases(2000))]

    #[test]
    fn dd_exact_and_or_thread_the_client_shows_what_the_reference_shows(
        sequential 1..60 => Shown
    );

    #[test]
    fn dd_lru_equals_a_list_of_the_last_keys(sequential 1..400 => Remembered);
}

/// What is shown of a log that is replayed in full on a new connection after each cut.
fn replay(policy: &ClientPolicy, length: u64, cuts: &[u64]) -> Vec<u64> {
    let mut bench = Bench::new(policy, 1);
    let mut all = Vec::new();
    for cut in cuts.iter().map(|cut| *cut.min(&length)).chain([length]) {
        bench.pass(SECOND * 2);
        bench.step(Input::Connect);
        bench.up();
        for seq in 1..=cut {
            bench.frame(frame("t", 1, seq));
            all.extend(shown(&bench.out).into_iter().map(|(_, seq)| seq));
        }
        bench.step(Input::Close);
    }
    all
}

fn log(length: u64) -> Vec<u64> {
    (1..=length).filter(|seq| is_shown(*seq)).collect()
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn dd_exact_a_replay_of_any_length_shows_each_frame_once(
        length in 0..10_000u64, cuts in prop::collection::vec(0..10_000u64, 0..3),
    ) {
        prop_assert_eq!(replay(&ClientPolicy::default(), length, &cuts), log(length));
    }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn dd_no_false_drop_frames_that_share_a_trace_are_two(
        order in Just((1..=30u64).collect::<Vec<_>>()).prop_shuffle(), again in 0..30usize,
    ) {
        // Only the memory tells them apart, which may know nothing but their ids.
        let policy = off(|p| p.cursor = Rule::Off);
        let mut bench = Bench::connected(&policy, 1);
        let mut seen = Vec::new();
        for seq in order.iter().chain(&order[again..]) {
            bench.frame(frame("t", 1, *seq));
            seen.extend(shown(&bench.out).into_iter().map(|(_, seq)| seq));
        }
        let once: Vec<u64> = order.into_iter().filter(|seq| is_shown(*seq)).collect();
        prop_assert_eq!(seen, once);
    }

    #[test]
    fn rc_zero_a_resume_that_brings_nothing_succeeds_again_and_again(
        length in 0..6u64, times in 1..12usize, lives in 0..20u64,
    ) {
        let mut bench = Bench::new(&ClientPolicy::default(), 1);
        bench.step(Input::Connect);
        bench.up();
        (1..=length).for_each(|seq| bench.frame(frame("t", 1, seq)));
        let cursor = if length == 0 { Cursor::default() } else { Cursor { epoch: 1, seq: length } };
        for _ in 0..times {
            bench.pass(Duration::from_secs(lives));
            bench.ends(Some(1012));
            bench.open();
            prop_assert_eq!(hello(&bench.out), Some(cursor));
            bench.frame(welcome(25_000));
            bench.frame(format!(r#"{{"event":"resumed","from":{length},"to":{length},"recovered":true}}"#));
            prop_assert_eq!(bench.state(), State::Connected);
            prop_assert_eq!(shown(&bench.out), []);
        }
        bench.frame(frame("t", 1, length + 1));
        prop_assert_eq!(shown(&bench.out).len(), 1);
    }

    #[test]
    fn rc_epoch_no_two_epochs_are_ever_mixed(
        frames in prop::collection::vec((1..3u64, 1..8u64), 1..40),
    ) {
        let mut bench = Bench::connected(&ClientPolicy::default(), 1);
        let mut epochs = BTreeSet::new();
        for (epoch, seq) in frames {
            if bench.state() != State::Connected {
                bench.pass(SECOND * 20);
                bench.step(Input::Connect);
                bench.up();
            }
            bench.frame(frame("t", epoch, seq));
            epochs.extend(shown(&bench.out).into_iter().map(|(epoch, _)| epoch));
        }
        prop_assert!(epochs.len() <= 1, "{:?}", epochs);
    }
}

#[test]
fn without_a_cursor_a_memory_of_200_is_not_enough() {
    let policy = off(|p| p.cursor = Rule::Off);
    assert_eq!(replay(&policy, 150, &[100]).len(), log(150).len());
    assert!(replay(&policy, 300, &[300]).len() > log(300).len());
}

#[test]
fn without_a_memory_typing_is_announced_twice() {
    let typing = |policy: &ClientPolicy| {
        let mut bench = Bench::connected(policy, 1);
        let mut announced = 0;
        for _ in 0..2 {
            bench.frame(r#"{"event":"typing","in_reply_to":"m1"}"#.to_owned());
            announced += bench.out.len();
        }
        announced
    };
    assert_eq!(typing(&ClientPolicy::default()), 1);
    assert_eq!(typing(&off(|p| p.seen_max = 0)), 2);
}

#[test]
fn without_catchup_a_hole_is_never_asked_for() {
    let asked = |policy: &ClientPolicy| {
        let mut bench = Bench::connected(policy, 1);
        bench.frame(frame("t", 1, 3));
        bench.out.len()
    };
    assert_eq!(asked(&ClientPolicy::default()), 1);
    assert_eq!(asked(&off(|p| p.catchup = Rule::Off)), 0);
}
