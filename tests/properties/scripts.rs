//! Every invariant under the same thousands of random scripts; each script is played once, before all judges.

use super::bench::{cases, off};
use super::world::{World, acts, violations};
use assistant::config::client::{ClientPolicy, CloseCodes, Refreshing, Rule};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::LazyLock;

const CASES: u32 = 8000;

/// The invariants that any of the scripts breaks.
static BROKEN: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let broken = RefCell::new(BTreeSet::new());
    let judged = TestRunner::new(cases(CASES)).run(&acts(), |script| {
        for violation in violations(&ClientPolicy::default(), &script) {
            broken.borrow_mut().insert(invariant(&violation).to_owned());
        }
        Ok(())
    });
    judged.expect("nothing fails before the end");
    broken.into_inner()
});

/// A violation begins with the name of its invariant.
fn invariant(violation: &str) -> &str {
    violation.split(' ').next().unwrap_or_default()
}

/// Fails with the smallest script that breaks the invariant, if one does.
fn holds(name: &str) {
    if !BROKEN.contains(name) {
        return;
    }
    let smallest = TestRunner::new(cases(CASES)).run(&acts(), |script| {
        let mut broken = violations(&ClientPolicy::default(), &script);
        broken.retain(|line| invariant(line) == name);
        prop_assert!(broken.is_empty(), "{broken:#?}");
        Ok(())
    });
    panic!("{}", smallest.expect_err("the same scripts break it again"));
}

macro_rules! under_any_script {
    ($($test:ident: $name:literal,)*) => {
        $(#[test] fn $test() {
            holds($name);
        })*

        /// What the scripts judge.
        const JUDGED: &[&str] = &[$($name),*];
    };
}

under_any_script! {
    bo_range_every_delay_lies_in_the_jitter_of_its_step: "BO-RANGE",
    bo_bound_no_attempt_follows_another_too_fast: "BO-BOUND",
    bo_park_a_parked_client_has_no_timer_and_wakes_once: "BO-PARK",
    bo_advice_the_delay_lies_in_the_advice: "BO-ADVICE",
    bo_offline_nothing_is_tried_without_a_network: "BO-OFFLINE",
    cc_never_no_attempt_follows_a_final_code: "CC-NEVER",
    cc_1000_intent_work_is_not_stranded: "CC-1000-INTENT",
    cc_no_illegal_send_the_codes_on_the_wire_are_legal: "CC-NO-ILLEGAL-SEND",
    sw_one_at_most_one_socket_is_connecting_or_open: "SW-ONE",
    sw_stale_an_older_generation_changes_nothing: "SW-STALE",
    sw_no_zombie_timer_after_the_end: "SW-NO-ZOMBIE-TIMER",
    sw_close_wins_until_the_next_connect: "SW-CLOSE-WINS",
    sw_open_again_a_connect_after_the_end_connects: "SW-OPEN-AGAIN",
    sw_liveness_in_a_fair_world_every_client_connects: "SW-LIVENESS",
    dd_exact_every_frame_is_shown_at_most_once: "DD-EXACT",
    dd_no_false_drop_the_next_frame_is_shown_at_once: "DD-NO-FALSE-DROP",
    or_thread_frames_are_shown_without_holes: "OR-THREAD",
    rc_complete_in_a_fair_world_the_whole_log_is_shown: "RC-COMPLETE",
    rc_epoch_no_two_epochs_are_mixed: "RC-EPOCH",
    ak_fifo_turns_stand_in_the_log_in_the_order_sent: "AK-FIFO",
    ak_once_a_turn_is_acked_or_failed_exactly_once: "AK-ONCE",
    ak_poison_a_turn_that_closes_is_sent_twice_at_most: "AK-POISON",
    au_fresh_the_token_is_newer_than_the_last_end: "AU-FRESH",
    au_single_flight_at_most_one_refresh_is_in_flight: "AU-SINGLE-FLIGHT",
    mt_client_attempts_and_closes_add_up: "MT-CLIENT",
}

/// What a few hundred fixed scripts break under this policy.
fn broken(policy: &ClientPolicy) -> BTreeSet<String> {
    let mut runner = TestRunner::deterministic();
    let mut broken = BTreeSet::new();
    for _ in 0..400 {
        let script = acts().new_tree(&mut runner).unwrap().current();
        for violation in violations(policy, &script) {
            broken.insert(invariant(&violation).to_owned());
        }
    }
    broken
}

#[test]
fn without_a_rule_the_invariant_that_it_guards_breaks() {
    type Change = fn(&mut ClientPolicy);
    let cases: &[(&str, Change)] = &[
        ("SW-STALE", |p| p.check_generation = Rule::Off),
        ("SW-ONE", |p| p.check_generation = Rule::Off),
        ("CC-NEVER", |p| p.close_codes = CloseCodes::RetryAll),
        ("CC-1000-INTENT", |p| p.normal_retries_max = 0),
        ("OR-THREAD", |p| p.cursor = Rule::Off),
        ("DD-EXACT", |p| (p.cursor, p.seen_max) = (Rule::Off, 0)),
        ("RC-EPOCH", |p| p.cursor = Rule::Off),
        ("BO-BOUND", |p| p.attempt_interval = std::time::Duration::ZERO),
        ("BO-ADVICE", |p| p.advice_max = std::time::Duration::ZERO),
        ("BO-OFFLINE", |p| p.heed_offline = Rule::Off),
        ("AK-ONCE", |p| (p.resend, p.outbox_expiry) = (Rule::Off, None)),
        ("AU-FRESH", |p| p.refreshing = Refreshing::OnlyAtStart),
        ("SW-LIVENESS", |p| p.refresh_timeout = None),
        ("SW-LIVENESS", |p| p.open_timeout = None),
        ("SW-LIVENESS", |p| p.welcome_timeout = None),
    ];
    for (name, change) in cases {
        let broken = broken(&off(*change));
        assert!(broken.contains(*name), "{name} holds without the rule: {broken:?}");
    }
}

#[test]
fn nothing_is_judged_that_is_not_tested() {
    let policy = off(|p| {
        (p.check_generation, p.cursor, p.close_codes) =
            (Rule::Off, Rule::Off, CloseCodes::RetryAll);
    });
    let unknown: Vec<String> =
        broken(&policy).into_iter().filter(|name| !JUDGED.contains(&name.as_str())).collect();
    assert_eq!(unknown, [""; 0]);
}

#[test]
fn the_scripts_reach_every_corner() {
    let mut runner = TestRunner::deterministic();
    let mut reached = BTreeSet::new();
    for _ in 0..400 {
        let script = acts().new_tree(&mut runner).unwrap().current();
        let mut world = World::new(&ClientPolicy::default());
        script.iter().for_each(|act| world.act(act));
        reached.extend(world.reached);
    }
    for corner in [
        "Connected",
        "Parked",
        "SignedOut",
        "Stopped",
        "Offline",
        "Waiting",
        "Advice",
        "Show",
        "Acked",
        "Failed",
        "ResumeRestarted",
        "Catchup",
        "Auth",
        "Restart",
        "another epoch",
        "stale",
        "duplicate",
        "poison",
    ] {
        assert!(reached.contains(corner), "never reached: {corner}; only {reached:?}");
    }
}
