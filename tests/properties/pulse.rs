//! A silent server is noticed in time, a living one is never given up, and sleep is no silence (B7).

use super::bench::{Bench, SECOND, cases, off, welcome};
use assistant::client::{Input, Output, State};
use assistant::config::client::{ClientPolicy, Rule};
use proptest::prelude::*;
use std::time::Duration;

fn connected(policy: &ClientPolicy, heartbeat_ms: u64) -> Bench {
    let mut bench = Bench::new(policy, 1);
    bench.step(Input::Connect);
    bench.open();
    bench.frame(welcome(heartbeat_ms));
    bench
}

/// Lets time pass, with every timer on time; the time of an abort if there is one.
fn pass(bench: &mut Bench, length: Duration) -> Option<Duration> {
    let until = bench.now + length;
    while bench.client.deadline().is_some_and(|due| due <= until) {
        bench.wake();
        if aborts(bench) {
            return Some(bench.now);
        }
    }
    bench.now = until;
    None
}

fn aborts(bench: &Bench) -> bool {
    bench.out.iter().any(|output| matches!(output, Output::AbortSocket { .. }))
}

fn hear(bench: &mut Bench, kind: u8) {
    match kind {
        0 => bench.alive(),
        1 => bench.frame(r#"{"event":"ping","n":1}"#.to_owned()),
        2 => bench.frame(r#"{"event":"sparkle"}"#.to_owned()),
        _ => bench.frame("not json".to_owned()),
    }
}

/// How long after the last byte the client gives the connection up, while its app does this and that.
fn detected(policy: &ClientPolicy, heartbeat_ms: u64, acts: &[(u8, u64)]) -> Option<Duration> {
    let mut bench = connected(policy, heartbeat_ms);
    let heard = bench.now;
    for (number, (act, millis)) in acts.iter().chain(&[(9, 500_000)]).enumerate() {
        if let Some(at) = pass(&mut bench, Duration::from_millis(*millis)) {
            return Some(at - heard);
        }
        match act {
            0 => bench.say(number),
            1 => bench.step(Input::Visible),
            2 => bench.step(Input::Online),
            3 => bench.step(Input::Connect),
            _ => bench.step(Input::Wake),
        }
    }
    None
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn hb_detect_silence_is_noticed_within_heartbeat_and_fifteen_seconds(
        heartbeat_ms in prop_oneof![0..60_000u64, any::<u64>()],
        acts in prop::collection::vec((0..5u8, 0..20_000u64), 0..20),
    ) {
        let most = Duration::from_millis(heartbeat_ms.min(300_000)) + SECOND * 15;
        let seen = detected(&ClientPolicy::default(), heartbeat_ms, &acts);
        prop_assert!(seen.is_some_and(|seen| seen <= most), "{:?}", seen);
    }

    #[test]
    fn hb_no_false_a_server_that_says_something_in_time_is_kept(
        heartbeat_ms in 0..60_000u64,
        gaps in prop::collection::vec((0..4u8, 0.0..1.0f64), 1..40),
    ) {
        let mut bench = connected(&ClientPolicy::default(), heartbeat_ms);
        let most = Duration::from_millis(heartbeat_ms) + SECOND * 15 - Duration::from_millis(1);
        for (kind, share) in gaps {
            prop_assert_eq!(pass(&mut bench, most.mul_f64(share)), None);
            hear(&mut bench, kind);
            prop_assert_eq!(bench.state(), State::Connected);
        }
    }

    #[test]
    fn hb_no_false_a_machine_that_slept_asks_before_it_gives_up(
        heartbeat_ms in 0..60_000u64, slept in 5001..10_000_000u64, probing in any::<bool>(),
        times in 1..4u8, answer in 0..5000u64,
    ) {
        prop_assert!(survives_sleep(
            &ClientPolicy::default(), heartbeat_ms, slept, (probing, times), answer
        ));
    }
}

/// Whether a connection outlives a sleep, or several, if the server answers this soon after.
fn survives_sleep(
    policy: &ClientPolicy,
    heartbeat_ms: u64,
    slept: u64,
    (probing, times): (bool, u8),
    answer: u64,
) -> bool {
    let mut bench = connected(policy, heartbeat_ms);
    if probing {
        bench.wake();
    }
    for _ in 0..times {
        bench.now = bench.client.deadline().unwrap() + Duration::from_millis(slept);
        bench.step(Input::Wake);
        if aborts(&bench) {
            return false;
        }
    }
    let kept = pass(&mut bench, Duration::from_millis(answer)).is_none();
    bench.alive();
    kept && bench.state() == State::Connected
}

#[test]
fn without_a_watchdog_silence_is_never_noticed() {
    assert_eq!(detected(&off(|p| p.silence_grace = None), 25_000, &[]), None);
    // A server that claims a heartbeat of months switches it off too.
    assert_eq!(detected(&off(|p| p.heartbeat_max = Duration::MAX), u64::MAX, &[]), None);
}

#[test]
fn without_a_probe_or_a_look_at_the_clock_sleep_ends_the_connection() {
    let no_probe = off(|p| p.probe_timeout = Duration::ZERO);
    assert!(!survives_sleep(&no_probe, 25_000, 60_000, (false, 1), 1));
    let no_look = off(|p| p.clock_jump = None);
    assert!(!survives_sleep(&no_look, 25_000, 60_000, (true, 1), 1));
}

#[test]
fn without_answers_to_pings_the_server_hears_nothing() {
    let pongs = |policy: &ClientPolicy| {
        let mut bench = connected(policy, 25_000);
        hear(&mut bench, 1);
        bench.out.len()
    };
    assert_eq!(pongs(&ClientPolicy::default()), 1);
    assert_eq!(pongs(&off(|p| p.answer_pings = Rule::Off)), 0);
}
