//! What follows each answer to an upgrade (B2), and that credentials that do not serve are not repeated.

use super::bench::{Bench, SECOND, cases, off};
use assistant::client::{Input, Output, Pause, SignOutReason, State, StopReason};
use assistant::config::client::{ClientPolicy, CloseCodes, Refreshing};
use proptest::prelude::*;
use std::ops::RangeInclusive;
use std::time::Duration;

/// What an answer means.
#[derive(Debug, Clone, Copy)]
enum Meaning {
    Token,
    Setup,
    Moment,
}

/// B2 for every status but 101.
const B2: &[(RangeInclusive<u16>, Meaning)] = &[
    (100..=399, Meaning::Moment),
    (400..=400, Meaning::Setup),
    (401..=401, Meaning::Token),
    (402..=402, Meaning::Setup),
    (403..=403, Meaning::Token),
    (404..=407, Meaning::Setup),
    (408..=408, Meaning::Moment),
    (409..=424, Meaning::Setup),
    (425..=425, Meaning::Moment),
    (426..=428, Meaning::Setup),
    (429..=429, Meaning::Moment),
    (430..=499, Meaning::Setup),
    (500..=599, Meaning::Moment),
];

/// `Retry-After` in seconds, the wait in milliseconds, and the rule.
const RETRY_AFTER: &[(Option<u64>, RangeInclusive<u128>, Pause)] = &[
    (None, 800..=1200, Pause::Backoff { step: 0 }),
    (Some(0), 800..=1200, Pause::Backoff { step: 0 }),
    (Some(7), 7000..=8400, Pause::RetryAfter),
    (Some(60), 60_000..=72_000, Pause::RetryAfter),
    (Some(u64::MAX), 60_000..=72_000, Pause::RetryAfter),
];

fn dialling(policy: &ClientPolicy, seed: u64) -> Bench {
    let mut bench = Bench::new(policy, seed);
    bench.step(Input::Connect);
    bench.grant();
    bench
}

#[test]
fn every_status_does_what_b2_says() {
    for (statuses, meaning) in B2 {
        for (status, (asked, wait, rule)) in
            statuses.clone().flat_map(|status| RETRY_AFTER.iter().map(move |row| (status, row)))
        {
            let mut bench = dialling(&ClientPolicy::default(), u64::from(status));
            bench.rejected(status, asked.map(Duration::from_secs));
            let state = bench.state();
            match meaning {
                Meaning::Setup => {
                    assert_eq!(state, State::Stopped { why: StopReason::Status(status) });
                }
                Meaning::Moment => {
                    let State::Waiting { until, pause, .. } = state else {
                        panic!("{status}: {state:?}");
                    };
                    let seen = (until - bench.now).as_millis();
                    assert!(wait.contains(&seen) && pause == *rule, "{status}: {state:?}");
                }
                Meaning::Token => {
                    // Fresh, at once; and then it is over.
                    assert!(matches!(state, State::Refreshing { .. }), "{status}: {state:?}");
                    bench.grant();
                    bench.rejected(status, asked.map(Duration::from_secs));
                    let why = SignOutReason::Status(status);
                    assert_eq!(bench.state(), State::SignedOut { why });
                    assert_eq!(bench.client.deadline(), None);
                }
            }
        }
    }
    let covered: usize = B2.iter().map(|(statuses, _)| statuses.len()).sum();
    assert_eq!(covered, 500);
}

/// How a gateway refuses a token.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    Status(u16),
    Code(u16),
}

/// How often a token is refused that never serves, whatever happens but an explicit connect.
fn refusals(policy: &ClientPolicy, refusal: Refusal, acts: &[u8]) -> usize {
    let mut bench = Bench::new(policy, 1);
    let mut refusals = 0;
    bench.step(Input::Connect);
    for (number, act) in acts.iter().enumerate() {
        bench.pass(SECOND);
        match act {
            0 => bench.step(Input::Online),
            1 => bench.step(Input::Visible),
            2 => bench.say(number),
            3 => bench.step(Input::Offline),
            4 => {
                bench.wake();
            }
            _ => match (bench.state(), refusal) {
                (State::Refreshing { .. }, _) => bench.grant(),
                (State::Connecting { .. }, Refusal::Status(status)) => {
                    refusals += 1;
                    bench.rejected(status, None);
                }
                (State::Connecting { .. }, Refusal::Code(code)) => {
                    refusals += 1;
                    bench.opened();
                    bench.ends(Some(code));
                }
                _resting => {}
            },
        }
    }
    refusals
}

/// Acts in which a client is left alone long enough to try again and again.
fn acts() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![1 => 0..4u8, 2 => Just(4u8), 8 => Just(5u8)], 10..80)
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn au_no_loop_a_token_that_never_serves_is_refused_twice_at_most(
        acts in acts(), forbidden in any::<bool>(),
    ) {
        let status = Refusal::Status(if forbidden { 403 } else { 401 });
        let policy = ClientPolicy::default();
        prop_assert!(refusals(&policy, status, &acts) <= 2);
        prop_assert!(refusals(&policy, Refusal::Code(4401), &acts) <= 1);
        prop_assert!(refusals(&policy, Refusal::Code(4410), &acts) <= 2);
    }

    #[test]
    fn au_fresh_every_attempt_has_a_token_of_its_own(
        seed in any::<u64>(), ends in prop::collection::vec((0..4u8, 0..20_000u64), 1..12),
    ) {
        prop_assert!(is_fresh(&ClientPolicy::default(), seed, &ends));
    }
}

/// Whether each token sent is the one granted after the last end.
fn is_fresh(policy: &ClientPolicy, seed: u64, ends: &[(u8, u64)]) -> bool {
    let mut bench = Bench::new(policy, seed);
    bench.step(Input::Connect);
    let mut sent: Vec<String> = Vec::new();
    for (end, life) in ends {
        bench.pass(SECOND);
        if let State::Parked { .. } = bench.state() {
            bench.step(Input::Visible);
        }
        if let State::Waiting { .. } = bench.state() {
            bench.wake();
        }
        if let State::Refreshing { .. } = bench.state() {
            bench.grant();
        }
        for output in &bench.out {
            if let Output::Open { token, .. } = output {
                sent.push(token.clone());
            }
        }
        match end {
            0 => bench.failed(),
            1 => bench.rejected(503, None),
            2 => {
                bench.up();
                bench.pass(Duration::from_millis(*life));
                bench.ends(None);
            }
            _ => {
                bench.opened();
                bench.ends(Some(1012));
            }
        }
    }
    let distinct: std::collections::BTreeSet<&String> = sent.iter().collect();
    distinct.len() == sent.len()
}

#[test]
fn with_a_refresh_at_the_start_only_old_tokens_are_sent() {
    for refreshing in [Refreshing::OnlyAtStart, Refreshing::Never] {
        let policy = ClientPolicy { refreshing, ..ClientPolicy::default() };
        assert!(!is_fresh(&policy, 1, &[(1, 0), (1, 0)]));
    }
}

#[test]
fn without_a_most_or_a_table_a_bad_token_is_tried_for_ever() {
    let acts = [5; 60];
    let policy = off(|p| p.forced_refreshes_max = u32::MAX);
    assert!(refusals(&policy, Refusal::Status(403), &acts) > 2);
    let policy = off(|p| p.close_codes = CloseCodes::RetryAll);
    assert!(refusals(&policy, Refusal::Code(4401), &[5, 5, 4, 5, 5, 4, 5, 5]) > 1);
}

#[test]
fn without_a_clamp_a_server_could_send_a_client_away_for_ever() {
    let mut bench = dialling(&off(|p| p.retry_after_max = Duration::MAX / 4), 1);
    bench.rejected(503, Some(Duration::from_secs(86_400)));
    assert!(bench.client.deadline().unwrap() > SECOND * 3600);
    let mut bench = dialling(&off(|p| p.retry_after_max = Duration::ZERO), 1);
    bench.rejected(503, Some(SECOND * 30));
    assert!(bench.client.deadline().unwrap() < SECOND * 2);
}
