//! The user's turns: none vanishes, none is sent for ever, and none too fast for the server.

use super::bench::{Bench, SECOND, cases, off};
use assistant::client::{Input, Kept, Output, SendFailure, State};
use assistant::config::client::{ClientPolicy, Rule};
use assistant::contract::frame::ClientFrame;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

/// The turns that the last step sent.
fn said(bench: &Bench) -> Vec<usize> {
    let mut said = Vec::new();
    for output in &bench.out {
        if let Output::Transmit { frame: ClientFrame::UserMessage { message_id, .. }, .. } = output
        {
            said.push(message_id.as_str()[1..].parse().unwrap());
        }
    }
    said
}

fn ack(bench: &mut Bench, turn: usize) {
    bench.frame(format!(r#"{{"event":"ack","message_id":"m{turn}","seq":{turn}}}"#));
}

/// How often each turn is sent, if the gateway closes whenever one of them comes, and what fails.
fn poisoned(
    policy: &ClientPolicy,
    code: u16,
    turns: usize,
    poison: usize,
) -> (BTreeMap<usize, usize>, Vec<(String, SendFailure)>) {
    let (mut sent, mut failed) = (BTreeMap::new(), Vec::new());
    let mut bench = Bench::new(policy, 1);
    for turn in 1..=turns {
        bench.say(turn);
    }
    for _ in 0..12 {
        bench.pass(SECOND * 2);
        bench.step(Input::Connect);
        bench.up();
        let mut arrived: std::collections::VecDeque<usize> = said(&bench).into();
        while let Some(turn) = arrived.pop_front() {
            *sent.entry(turn).or_default() += 1;
            // Everything after the poison in the stream is lost, though it was sent.
            if turn == poison {
                arrived.drain(..).for_each(|turn| *sent.entry(turn).or_default() += 1);
                bench.ends(Some(code));
                for output in &bench.out {
                    if let Output::Failed { message_id, why } = output {
                        failed.push((message_id.to_string(), *why));
                    }
                }
            } else {
                ack(&mut bench, turn);
                arrived.extend(said(&bench));
            }
        }
        if bench.state() == State::Connected {
            bench.ends(None);
        }
    }
    (sent, failed)
}

/// A gateway's bucket, which never waits: it closes with 4429.
struct Bucket {
    frames: f64,
    at: Duration,
}

impl Bucket {
    const BURST: f64 = 40.0;
    const PER_SECOND: f64 = 20.0;

    fn full(at: Duration) -> Self {
        Self { frames: Self::BURST, at }
    }

    /// Takes the frames of the last step; false if the gateway would close.
    fn takes(&mut self, bench: &Bench) -> bool {
        let passed = (bench.now - self.at).as_secs_f64();
        self.frames = (self.frames + passed * Self::PER_SECOND).min(Self::BURST);
        self.at = bench.now;
        let sent = bench.out.iter().filter(|out| matches!(out, Output::Transmit { .. })).count();
        self.frames -= f64::from(u32::try_from(sent).unwrap());
        self.frames >= 0.0
    }
}

/// Whether a gateway keeps the connection of a client whose user is in a hurry, and how long the turns
/// take to get out after the last is written.
fn hurry(policy: &ClientPolicy, acts: &[(u8, u64)]) -> (bool, Duration) {
    let mut bench = Bench::new(policy, 1);
    let (mut kept, mut seq, mut wanted, mut sent) = (true, 0, 0, 0);
    bench.step(Input::Connect);
    bench.grant();
    bench.opened();
    let mut bucket = Bucket::full(bench.now);
    kept &= bucket.takes(&bench);
    bench.frame(super::bench::welcome(25_000));
    kept &= bucket.takes(&bench);
    for (act, millis) in acts {
        run(&mut bench, Duration::from_millis(*millis), &mut bucket, (&mut sent, &mut kept));
        match act {
            0 => bench.frame(r#"{"event":"ping","n":1}"#.to_owned()),
            1 => {
                seq += 2;
                bench.frame(format!(
                    r#"{{"event":"sparkle","thread_id":"t","epoch":1,"seq":{seq}}}"#
                ));
            }
            turns => {
                for _ in 0..*turns {
                    wanted += 1;
                    bench.say(wanted);
                    kept &= count(&mut bench, &mut bucket, &mut sent);
                }
                continue;
            }
        }
        kept &= count(&mut bench, &mut bucket, &mut sent);
    }
    let written = bench.now;
    for _ in 0..600 {
        if sent == wanted {
            break;
        }
        run(&mut bench, Duration::from_millis(100), &mut bucket, (&mut sent, &mut kept));
    }
    (kept && sent == wanted, bench.now - written)
}

/// The gateway takes what came, and acknowledges it at once, so that the window is always open.
fn count(bench: &mut Bench, bucket: &mut Bucket, sent: &mut usize) -> bool {
    let mut kept = bucket.takes(bench);
    let mut turns = said(bench);
    while let Some(turn) = turns.pop() {
        *sent += 1;
        ack(bench, turn);
        kept &= bucket.takes(bench);
        turns.extend(said(bench));
    }
    kept
}

fn run(
    bench: &mut Bench,
    length: Duration,
    bucket: &mut Bucket,
    (sent, kept): (&mut usize, &mut bool),
) {
    let until = bench.now + length;
    while bench.client.deadline().is_some_and(|due| due <= until) {
        bench.wake();
        *kept &= count(bench, bucket, sent);
    }
    bench.now = until;
    bench.alive();
}

fn hurries() -> impl Strategy<Value = Vec<(u8, u64)>> {
    // A server that asks does so five times a second at most; a user may paste fifty turns at once.
    let server = (0..2u8, 200..3000u64);
    let user = (2..50u8, prop_oneof![Just(0u64), 0..2000u64]);
    prop::collection::vec(prop_oneof![server, user], 1..10)
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn ak_poison_a_turn_at_which_the_gateway_closes_is_sent_again_once_at_most(
        turns in 1..6usize, at in any::<prop::sample::Index>(), too_big in any::<bool>(),
    ) {
        let (poison, code) = (at.index(turns) + 1, if too_big { 1009 } else { 4400 });
        let (sent, failed) = poisoned(&ClientPolicy::default(), code, turns, poison);
        prop_assert!(sent[&poison] <= 2, "{:?}", sent);
        // The guilty one alone fails, and the others all get through.
        prop_assert_eq!(failed, [(format!("m{poison}"), SendFailure::Poison)]);
        prop_assert_eq!(sent.len(), turns);
    }

    #[test]
    fn bp_rate_no_user_is_fast_enough_to_be_closed_for_it(acts in hurries()) {
        let turns: u32 = acts.iter().filter(|act| act.0 > 1).map(|act| u32::from(act.0)).sum();
        let (kept, took) = hurry(&ClientPolicy::default(), &acts);
        prop_assert!(kept);
        // At half the server's rate at least, but for what asked in between.
        prop_assert!(took <= SECOND * (turns + 20) / 10 + SECOND, "{:?}", took);
    }

    #[test]
    fn ak_once_what_nobody_could_take_is_reported_when_its_time_is_over(
        seed in any::<u64>(), turns in 1..20usize, later in 300..100_000u64,
    ) {
        prop_assert_eq!(unheard(&ClientPolicy::default(), seed, turns, later), turns);
    }

    #[test]
    fn ak_once_a_restart_at_any_time_keeps_every_turn_in_its_order(
        steps in prop::collection::vec((0..5u8, 0..30_000u64), 1..40),
    ) {
        let mut bench = Bench::connected(&ClientPolicy::default(), 1);
        let (mut open, mut number) = (Vec::new(), 0);
        for (step, millis) in steps {
            bench.pass(Duration::from_millis(millis % 1000));
            match step {
                0..2 => {
                    number += 1;
                    open.push(number);
                    bench.say(number);
                }
                2 if !open.is_empty() && bench.state() == State::Connected => {
                    ack(&mut bench, open.remove(0));
                }
                3 => bench = restarted(&bench),
                _ => bench.ends(None),
            }
            let kept: Vec<String> =
                bench.client.kept().outbox.iter().map(|turn| turn.message_id.to_string()).collect();
            let wanted: Vec<String> = open.iter().map(|number| format!("m{number}")).collect();
            prop_assert_eq!(kept, wanted);
        }
    }
}

/// A later instance, from what the earlier one has written down.
fn restarted(bench: &Bench) -> Bench {
    let json = serde_json::to_string(&bench.client.kept()).unwrap();
    let kept: Kept = serde_json::from_str(&json).unwrap();
    let mut later = Bench::new(&ClientPolicy::default(), 2);
    later.client.restore(kept.clone());
    assert_eq!(later.client.kept(), kept);
    later.step(Input::Connect);
    later.up();
    later
}

/// How many turns are reported as expired when somebody wakes a client whose network is dead.
fn unheard(policy: &ClientPolicy, seed: u64, turns: usize, later: u64) -> usize {
    let mut bench = Bench::new(policy, seed);
    bench.step(Input::Connect);
    (1..=turns).for_each(|turn| bench.say(turn));
    while bench.client.deadline().is_some() {
        if let State::Refreshing { .. } = bench.state() {
            bench.grant();
        } else if let State::Connecting { .. } = bench.state() {
            bench.failed();
        } else {
            bench.wake();
        }
    }
    bench.pass(Duration::from_secs(later));
    bench.step(Input::Visible);
    let expired = |out: &&Output| matches!(out, Output::Failed { why: SendFailure::Expired, .. });
    bench.out.iter().filter(expired).count()
}

#[test]
fn without_a_bound_poison_is_sent_for_ever() {
    let policy = off(|p| p.poison_resends_max = None);
    for code in [1009, 4400] {
        let (sent, failed) = poisoned(&policy, code, 1, 1);
        assert!(sent[&1] > 2 && failed.is_empty());
    }
}

#[test]
fn without_pace_the_gateway_closes() {
    let acts = [(49, 0), (49, 0)];
    assert!(hurry(&ClientPolicy::default(), &acts).0);
    assert!(!hurry(&off(|p| p.pace_percent = 0), &acts).0);
    // The whole limit leaves no room for frames that cannot wait.
    assert!(!hurry(&off(|p| p.pace_percent = 100), &[(49, 0), (0, 200), (0, 200)]).0);
}

#[test]
fn without_expiry_nothing_is_ever_reported() {
    assert_eq!(unheard(&off(|p| p.outbox_expiry = None), 1, 3, 1000), 0);
}

#[test]
fn without_a_resend_a_turn_is_lost_with_its_connection() {
    let mut bench = Bench::connected(&off(|p| p.resend = Rule::Off), 1);
    bench.say(1);
    bench.ends(None);
    bench.up();
    assert!(said(&bench).is_empty());
}
