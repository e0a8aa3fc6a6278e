//! When attempts begin: the ladder, its jitter, parking, advice, and how fast they may follow each other.

use super::bench::{Bench, SECOND, advice, cases, off, welcome};
use assistant::client::{Input, ParkReason, Pause, State};
use assistant::config::client::{ClientPolicy, CountReset};
use proptest::prelude::*;
use std::time::Duration;

/// The steps of the ladder that a client climbs when every connection lives only so long, and its waits.
fn ladder(policy: &ClientPolicy, seed: u64, lives: &[Duration]) -> Vec<(u32, Duration)> {
    let mut bench = Bench::new(policy, seed);
    let mut steps = Vec::new();
    bench.step(Input::Connect);
    for life in lives {
        bench.up();
        bench.pass(*life);
        bench.ends(None);
        let State::Waiting { until, pause: Pause::Backoff { step }, .. } = bench.state() else {
            break;
        };
        steps.push((step, until - bench.now));
    }
    steps
}

fn steps(policy: &ClientPolicy, lives: &[Duration]) -> Vec<u32> {
    ladder(policy, 0, lives).into_iter().map(|(step, _)| step).collect()
}

/// How far apart the waits of a thousand clients at the cap lie, milliseconds.
fn spread_at_cap(policy: &ClientPolicy) -> u128 {
    let at_cap = |seed| ladder(policy, seed, &[SECOND; 6])[5].1.as_millis();
    let waits: Vec<u128> = (0..1000).map(at_cap).collect();
    waits.iter().max().unwrap() - waits.iter().min().unwrap()
}

/// When attempts begin while a network only fails and people press every button.
fn storm(policy: &ClientPolicy, seed: u64, acts: &[(u8, u64)]) -> Vec<Duration> {
    let mut bench = Bench::new(policy, seed);
    let mut begun = Vec::new();
    for (kind, millis) in acts {
        let until = bench.now + Duration::from_millis(*millis);
        while bench.client.deadline().is_some_and(|due| due <= until) {
            step(&mut bench, Input::Wake, &mut begun);
        }
        bench.now = until;
        match kind {
            0 => step(&mut bench, Input::Connect, &mut begun),
            1 => step(&mut bench, Input::Online, &mut begun),
            2 => step(&mut bench, Input::Visible, &mut begun),
            3 => step(&mut bench, Input::Offline, &mut begun),
            4 => step(&mut bench, Input::Close, &mut begun),
            5..8 => bench.grant(),
            8 => step_end(&mut bench, None, &mut begun),
            9 => bench.failed(),
            10..13 => bench.opened(),
            13..15 => bench.frame(welcome(25_000)),
            15 => bench.frame(advice(0, 0)),
            16 => step_end(&mut bench, Some(1012), &mut begun),
            _ => bench
                .frame(r#"{"event":"resume_failed","why":"epoch","head":1,"epoch":7}"#.to_owned()),
        }
    }
    begun
}

fn step(bench: &mut Bench, input: Input, begun: &mut Vec<Duration>) {
    if input == Input::Wake {
        bench.now = bench.now.max(bench.client.deadline().unwrap());
    }
    let before = bench.client.rum().attempts;
    bench.step(input);
    for _ in before..bench.client.rum().attempts {
        begun.push(bench.now);
    }
}

fn step_end(bench: &mut Bench, code: Option<u16>, begun: &mut Vec<Duration>) {
    let generation = bench.generation;
    step(bench, Input::SocketClosed { generation, code }, begun);
}

/// The first window in which more attempts begin than 1 + its length / 0.8 s.
fn too_many(begun: &[Duration]) -> Option<(Duration, Duration)> {
    // Such a window exists only if two neighbours already lie closer than 0.8 s.
    let close = |pair: &&[Duration]| pair[1] - pair[0] < Duration::from_millis(800);
    begun.windows(2).find(close).map(|pair| (pair[0], pair[1]))
}

fn storms() -> impl Strategy<Value = Vec<(u8, u64)>> {
    prop::collection::vec((0..18u8, prop_oneof![0..300u64, 0..1500u64, 0..20_000u64]), 1..120)
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn bo_no_reset_on_open_short_lives_climb_until_parked(
        lives in prop::collection::vec(0..10_000u64, 12),
    ) {
        let lives: Vec<Duration> = lives.into_iter().map(Duration::from_millis).collect();
        prop_assert_eq!(steps(&ClientPolicy::default(), &lives), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn bo_reset_after_stable_a_long_life_starts_at_step_zero(
        short in prop::collection::vec(0..10_000u64, 1..9), long in 10_000..30_000u64,
    ) {
        let lives: Vec<Duration> =
            short.iter().copied().chain([long]).map(Duration::from_millis).collect();
        let steps = steps(&ClientPolicy::default(), &lives);
        prop_assert_eq!(steps.len(), lives.len());
        prop_assert_eq!(steps.last(), Some(&0));
    }

    #[test]
    fn bo_jitter_at_cap_two_clients_share_no_schedule(a in any::<u64>(), b in any::<u64>()) {
        prop_assume!(a != b);
        let (policy, lives) = (ClientPolicy::default(), [SECOND; 10]);
        prop_assert_ne!(ladder(&policy, a, &lives), ladder(&policy, b, &lives));
    }

    #[test]
    fn bo_range_every_wait_lies_within_a_fifth_of_its_step(seed in any::<u64>()) {
        let nominal = [1000, 2000, 4000, 8000, 16_000, 16_000, 16_000, 16_000, 16_000];
        let waits = ladder(&ClientPolicy::default(), seed, &[SECOND; 10]);
        prop_assert_eq!(waits.len(), nominal.len());
        for ((_, wait), nominal) in waits.into_iter().zip(nominal) {
            let wait = wait.as_millis();
            prop_assert!(wait * 10 >= nominal * 8 && wait * 10 <= nominal * 12, "{} {}", wait, nominal);
        }
    }

    #[test]
    fn bo_bound_attempts_never_follow_each_other_too_fast(seed in any::<u64>(), acts in storms()) {
        let begun = storm(&ClientPolicy::default(), seed, &acts);
        prop_assert_eq!(too_many(&begun), None, "{:?}", begun);
    }

    #[test]
    fn bo_park_ten_failures_park_and_every_wake_is_one_attempt(
        seed in any::<u64>(), wakes in prop::collection::vec((0..4u8, 1000..100_000u64), 1..6),
    ) {
        let mut bench = Bench::new(&ClientPolicy::default(), seed);
        bench.step(Input::Connect);
        prop_assert_eq!(fail_until_parked(&mut bench), 10);
        for (number, (wake, later)) in wakes.into_iter().enumerate() {
            bench.pass(Duration::from_millis(later));
            let before = bench.client.rum().attempts;
            match wake {
                0 => bench.step(Input::Online),
                1 => bench.step(Input::Visible),
                2 => bench.say(number),
                _ => bench.step(Input::Connect),
            }
            prop_assert_eq!(bench.client.rum().attempts, before + 1);
            prop_assert_eq!(fail_until_parked(&mut bench), 10);
        }
    }

    #[test]
    fn bo_advice_is_kept_if_it_makes_sense_and_opens_no_closed_door(
        seed in any::<u64>(),
        bounds in prop_oneof![
            (0..90_000u64, 0..90_000u64), (any::<u64>(), any::<u64>()), (0..100u64, 0..100u64),
        ],
        code in prop::option::of(prop_oneof![1000..1016u16, 4400..4430u16, any::<u16>()]),
    ) {
        let (min, max) = bounds;
        let (mut advised, mut plain) = {
            let policy = ClientPolicy::default();
            (Bench::connected(&policy, seed), Bench::connected(&policy, seed))
        };
        advised.frame(advice(min, max));
        for bench in [&mut advised, &mut plain] {
            bench.pass(SECOND);
            bench.ends(code);
        }
        if min > max || max > 60_000 {
            prop_assert_eq!(advised.state(), plain.state(), "nonsense changes nothing");
            prop_assert_eq!(advised.client.rum().advice_ignored, 1);
        } else if let State::Waiting { .. } = plain.state() {
            let State::Waiting { until, pause: Pause::Advice, .. } = advised.state() else {
                return Err(TestCaseError::fail(format!("{:?}", advised.state())));
            };
            let wait = until.checked_sub(advised.now).expect("not before now");
            let bounds = Duration::from_millis(min)..=Duration::from_millis(max);
            prop_assert!(bounds.contains(&wait), "{:?}", wait);
        } else {
            prop_assert_eq!(advised.state(), plain.state(), "a final code stays final");
        }
    }
}

/// Lets every attempt fail, and counts them, the one under way included.
fn fail_until_parked(bench: &mut Bench) -> u64 {
    let before = bench.client.rum().attempts - 1;
    for _ in 0..60 {
        match bench.state() {
            State::Refreshing { .. } => bench.grant(),
            State::Connecting { .. } => bench.failed(),
            State::Waiting { .. } => {
                bench.wake();
            }
            State::Parked { why } => {
                assert_eq!(why, ParkReason::Attempts);
                assert_eq!(bench.client.deadline(), None);
                return bench.client.rum().attempts - before;
            }
            State::Idle
            | State::Connected
            | State::Offline
            | State::SignedOut { .. }
            | State::Stopped { .. }
            | State::Closed => panic!("{:?}", bench.state()),
        }
    }
    u64::MAX
}

#[test]
fn bo_jitter_at_cap_a_thousand_clients_spread_over_a_third_of_it() {
    assert!(spread_at_cap(&ClientPolicy::default()) >= 16_000 * 3 / 10);
}

#[test]
fn without_jitter_all_clients_share_one_schedule() {
    let policy = off(|p| p.jitter_percent = 0);
    assert_eq!(ladder(&policy, 1, &[SECOND; 10]), ladder(&policy, 2, &[SECOND; 10]));
    assert_eq!(spread_at_cap(&policy), 0);
}

#[test]
fn with_reset_on_open_the_ladder_is_never_climbed() {
    let policy = off(|p| p.count_reset = CountReset::OnOpen);
    assert_eq!(steps(&policy, &[SECOND; 12]), [0; 12]);
}

#[test]
fn without_a_most_a_client_never_parks() {
    let mut bench = Bench::new(&off(|p| p.attempts_max = None), 1);
    bench.step(Input::Connect);
    assert_eq!(fail_until_parked(&mut bench), u64::MAX);
}

#[test]
fn without_a_shortest_interval_attempts_follow_at_once() {
    // A retry, and then the network comes back; a server that sends everybody back at once.
    let online = [(0, 0), (5, 0), (9, 0), (3, 1500), (1, 1500), (3, 1), (1, 1)];
    let advised = [(0, 0), (5, 0), (10, 0), (13, 0), (15, 0), (16, 0), (3, 1), (1, 1)];
    let policy = off(|p| (p.attempt_interval, p.kick_interval) = (Duration::ZERO, Duration::ZERO));
    for acts in [&online[..], &advised[..]] {
        assert!(too_many(&storm(&policy, 1, acts)).is_some());
        assert_eq!(too_many(&storm(&ClientPolicy::default(), 1, acts)), None);
    }
    let policy = off(|p| p.attempt_interval = Duration::ZERO);
    assert!(too_many(&storm(&policy, 1, &advised)).is_some());
}

#[test]
fn without_belief_in_advice_clients_come_back_early() {
    let mut bench = Bench::connected(&off(|p| p.advice_max = Duration::ZERO), 1);
    bench.frame(advice(7000, 7000));
    bench.pass(SECOND);
    bench.ends(Some(1012));
    assert!(bench.client.deadline().unwrap() < bench.now + SECOND * 7);
}
