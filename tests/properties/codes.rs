//! What follows each close code, stated here once more and independently of the contract's table, and tried
//! on every one of the 65,536 values (B1).

use super::bench::{Bench, SECOND, cases, off, welcome};
use assistant::client::{Input, ParkReason, Pause, SignOutReason, State, StopReason};
use assistant::config::client::{ClientPolicy, CloseCodes, Rule};
use proptest::prelude::*;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How the next attempt begins.
#[derive(Debug, Clone, Copy)]
enum Next {
    /// At random within five seconds, then by the ladder.
    Announced,
    /// By the ladder.
    Ladder,
    /// At random within these seconds, however often.
    Within(u64, u64),
    /// At once, with a fresh token.
    Fresh,
}

/// Where the client ends when it has tried often enough.
#[derive(Debug, Clone, Copy)]
enum End {
    Normal,
    Stopped,
    SignedOut,
    Parked,
    /// By the number of failed attempts alone.
    Attempts,
    /// Never.
    None,
}

/// Codes, how the next attempt begins, how many follow in a row, and the end.
type Row = (RangeInclusive<u16>, Next, u32, End);

const NEVER: (Next, u32) = (Next::Ladder, 0);
const TEN: u32 = 9;

/// B1 while work is pending. Without it 1000 is final at once, and nothing else differs.
const B1: &[Row] = &[
    (0..=999, Next::Announced, 3, End::Parked),
    (1000..=1000, Next::Ladder, 1, End::Normal),
    (1001..=1001, Next::Announced, TEN, End::Attempts),
    (1002..=1002, Next::Announced, 3, End::Parked),
    (1003..=1003, NEVER.0, NEVER.1, End::Stopped),
    (1004..=1004, Next::Announced, 3, End::Parked),
    (1005..=1005, Next::Announced, TEN, End::Attempts),
    (1006..=1006, Next::Ladder, TEN, End::Attempts),
    (1007..=1008, NEVER.0, NEVER.1, End::Stopped),
    (1009..=1009, Next::Announced, 1, End::Stopped),
    (1010..=1010, NEVER.0, NEVER.1, End::Stopped),
    (1011..=1011, Next::Announced, TEN, End::Attempts),
    (1012..=1012, Next::Within(0, 5), u32::MAX, End::None),
    (1013..=1013, Next::Within(10, 20), TEN, End::Attempts),
    (1014..=1014, Next::Announced, TEN, End::Attempts),
    (1015..=1015, Next::Ladder, TEN, End::Attempts),
    (1016..=2999, Next::Announced, 3, End::Parked),
    (3000..=3000, NEVER.0, NEVER.1, End::SignedOut),
    (3001..=3002, Next::Announced, TEN, End::Attempts),
    (3003..=3003, NEVER.0, NEVER.1, End::Stopped),
    (3004..=3999, Next::Announced, TEN, End::Attempts),
    (4000..=4399, Next::Announced, 3, End::Parked),
    (4400..=4400, NEVER.0, NEVER.1, End::Stopped),
    (4401..=4401, NEVER.0, NEVER.1, End::SignedOut),
    (4402..=4402, Next::Announced, 3, End::Parked),
    (4403..=4403, NEVER.0, NEVER.1, End::Stopped),
    (4404..=4407, Next::Announced, 3, End::Parked),
    (4408..=4408, Next::Announced, TEN, End::Attempts),
    (4409..=4409, NEVER.0, NEVER.1, End::Stopped),
    (4410..=4410, Next::Fresh, 1, End::SignedOut),
    (4411..=4411, Next::Announced, TEN, End::Attempts),
    (4412..=4428, Next::Announced, 3, End::Parked),
    (4429..=4429, Next::Within(5, 10), TEN, End::Attempts),
    (4430..=4498, Next::Announced, 3, End::Parked),
    (4499..=4499, Next::Announced, TEN, End::Attempts),
    (4500..=4999, NEVER.0, NEVER.1, End::Stopped),
    (5000..=65535, Next::Announced, 3, End::Parked),
];

/// The phase of the connection that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Open, and not welcomed.
    Greeting,
    /// Welcomed for less than ten seconds.
    Unstable,
    /// Welcomed for ten seconds.
    Stable,
}

const PHASES: [Phase; 3] = [Phase::Greeting, Phase::Unstable, Phase::Stable];

/// Whether a turn waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Pending,
    None,
}

fn ends_after(bench: &mut Bench, phase: Phase, code: Option<u16>) {
    bench.open();
    if phase != Phase::Greeting {
        bench.frame(welcome(25_000));
    }
    bench.pass(if phase == Phase::Stable { SECOND * 10 } else { SECOND });
    bench.ends(code);
}

/// What is wrong with the state after so many ends in a row, if anything.
fn wrong(bench: &Bench, row: &Row, code: u16, times: u32) -> Option<String> {
    let (_, next, most, end) = row;
    let state = bench.state();
    let right = if times > *most {
        match end {
            End::Normal => state == State::Stopped { why: StopReason::Normal },
            End::Stopped => state == State::Stopped { why: StopReason::Code(code) },
            End::SignedOut => state == State::SignedOut { why: SignOutReason::Code(code) },
            End::Parked => state == State::Parked { why: ParkReason::Code(code) },
            End::Attempts => state == State::Parked { why: ParkReason::Attempts },
            End::None => false,
        }
    } else {
        goes_on(bench, *next, times)
    };
    let silent = bench.client.deadline().is_none();
    let resting = !matches!(state, State::Waiting { .. } | State::Refreshing { .. });
    (!right || silent != resting).then(|| format!("{code}, end {times}: {state:?}"))
}

fn goes_on(bench: &Bench, next: Next, times: u32) -> bool {
    let State::Waiting { until, pause, .. } = bench.state() else {
        return matches!(next, Next::Fresh) && matches!(bench.state(), State::Refreshing { .. });
    };
    let wait = until - bench.now;
    let step = times - 1;
    let nominal = Duration::from_secs([1, 2, 4, 8, 16][usize::try_from(step.min(4)).unwrap()]);
    let (from, to, rule) = match next {
        Next::Announced if times == 1 => (Duration::ZERO, SECOND * 5, Pause::Spread),
        Next::Announced | Next::Ladder => {
            (nominal * 8 / 10, nominal * 12 / 10, Pause::Backoff { step })
        }
        Next::Within(from, to) => {
            let rule = if from == 0 { Pause::Spread } else { Pause::Floor };
            (Duration::from_secs(from), Duration::from_secs(to), rule)
        }
        Next::Fresh => return false,
    };
    (from..=to).contains(&wait) && pause == rule
}

/// Plays one code in one phase to its end, or for a while if there is none.
fn play(row: &Row, code: u16, phase: Phase, work: Work) -> Option<String> {
    let mut bench = Bench::new(&ClientPolicy::default(), u64::from(code));
    bench.step(Input::Connect);
    if work == Work::Pending {
        bench.say(1);
    }
    let mut row = row.clone();
    if code == 1000 && work == Work::None {
        row.2 = 0;
    }
    for times in 1..=row.2.saturating_add(1).min(12) {
        ends_after(&mut bench, phase, Some(code));
        // A connection that has held starts every count again.
        let counted = if phase == Phase::Stable { 1 } else { times };
        if let Some(wrong) = wrong(&bench, &row, code, counted) {
            return Some(wrong);
        }
        if phase == Phase::Stable && (times == 2 || row.2 == 0) {
            break;
        }
    }
    None
}

fn row(code: u16) -> &'static Row {
    let rows: Vec<&Row> = B1.iter().filter(|row| row.0.contains(&code)).collect();
    assert_eq!(rows.len(), 1, "{code}");
    rows[0]
}

#[test]
fn cc_total_every_code_in_every_phase_does_what_b1_says() {
    for code in 0..=u16::MAX {
        let row = row(code);
        for phase in PHASES {
            for work in [Work::None, Work::Pending] {
                assert_eq!(play(row, code, phase, work), None, "{phase:?} {work:?}");
            }
        }
    }
}

#[test]
fn cc_total_no_code_at_all_is_1006() {
    let mut bench = Bench::new(&ClientPolicy::default(), 1);
    bench.step(Input::Connect);
    for times in 1..=10 {
        ends_after(&mut bench, Phase::Unstable, None);
        assert_eq!(wrong(&bench, row(1006), 1006, times), None);
    }
}

fn never() -> impl Strategy<Value = u16> {
    let never = B1.iter().filter(|row| row.2 == 0).map(|row| row.0.clone().boxed());
    proptest::strategy::Union::new(never)
}

/// Lets everybody but the app that connects try to wake a client, and counts the attempts that follow.
fn attempts_after(policy: &ClientPolicy, code: u16, wakes: &[u8]) -> u64 {
    let mut bench = Bench::connected(policy, 1);
    bench.say(1);
    bench.ends(Some(code));
    let before = bench.client.rum().attempts;
    for (number, wake) in wakes.iter().enumerate() {
        bench.pass(SECOND * 60);
        match wake {
            0 => bench.step(Input::Online),
            1 => bench.step(Input::Visible),
            2 => bench.step(Input::Offline),
            3 => bench.say(number + 2),
            4 => bench.frame(welcome(25_000)),
            _ => bench.step(Input::Wake),
        }
    }
    bench.client.rum().attempts - before + u64::from(bench.client.deadline().is_some())
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn cc_never_nothing_but_a_connect_follows_a_final_code(
        code in never(), wakes in prop::collection::vec(0..6u8, 0..12),
    ) {
        prop_assert_eq!(attempts_after(&ClientPolicy::default(), code, &wakes), 0);
    }

    #[test]
    fn cc_1000_intent_an_end_that_nobody_asked_for_does_not_strand_work(
        seed in any::<u64>(), phase in 0..3usize, answered in any::<bool>(),
    ) {
        let mut bench = Bench::new(&ClientPolicy::default(), seed);
        bench.step(Input::Connect);
        bench.say(1);
        bench.open();
        if PHASES[phase] != Phase::Greeting {
            bench.frame(welcome(25_000));
            if answered {
                // Acknowledged, but not answered: work is pending still.
                bench.frame(r#"{"event":"ack","message_id":"m1","seq":1}"#.to_owned());
            }
        }
        bench.pass(if PHASES[phase] == Phase::Stable { SECOND * 10 } else { SECOND });
        bench.ends(Some(1000));
        let goes_on = matches!(bench.state(), State::Waiting { pause: Pause::Backoff { .. }, .. });
        prop_assert!(goes_on, "{:?}", bench.state());
    }
}

#[test]
fn cc_never_4409_of_an_older_connection_changes_nothing() {
    let mut bench = Bench::connected(&ClientPolicy::default(), 1);
    let older = bench.generation;
    bench.ends(None);
    bench.up();
    bench.step(Input::SocketClosed { generation: older, code: Some(4409) });
    assert_eq!(bench.state(), State::Connected);
    bench.ends(Some(4409));
    assert_eq!(bench.state(), State::Stopped { why: StopReason::Code(4409) });
}

#[test]
fn without_the_table_final_codes_are_retried() {
    let policy = off(|p| p.close_codes = CloseCodes::RetryAll);
    assert!(attempts_after(&policy, 4403, &[]) > 0);
    assert!(attempts_after(&policy, 4401, &[]) > 0);
}

#[test]
fn without_a_retry_1000_strands_work() {
    let mut bench = Bench::connected(&off(|p| p.normal_retries_max = 0), 1);
    bench.say(1);
    bench.ends(Some(1000));
    assert_eq!(bench.state(), State::Stopped { why: StopReason::Normal });
}

#[test]
fn with_counted_restarts_a_client_parks_in_a_long_deploy() {
    let mut bench = Bench::connected(&off(|p| p.count_restarts = Rule::On), 1);
    for _ in 0..9 {
        bench.ends(Some(1012));
        bench.up();
    }
    bench.ends(Some(1012));
    assert_eq!(bench.state(), State::Parked { why: ParkReason::Attempts });
}
