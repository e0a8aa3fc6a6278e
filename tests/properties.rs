//! Properties of the client machine under any input, in any order. Each is named by its invariant, and for
//! those that guard a rule of the policy, a run without the rule must break it.
//!
//! A random script of acts drives the machine through a plausible shell and gateway ([`World`]), which write
//! down every broken invariant. Nothing here is a clock, a socket or a thread.

#[cfg(test)]
mod world;

#[cfg(test)]
mod client {
    use super::world::{Act, Dial, Gateway, Token, World, acts, client, violations};
    use assistant::client::dedup::Seen;
    use assistant::client::{Input, Output, Pause, State};
    use assistant::config::client::{ClientPolicy, CloseCodes, CountReset, Rule};
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{FileFailurePersistence, TestRunner};
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    fn config() -> ProptestConfig {
        let path = "tests/proptest-regressions.txt";
        ProptestConfig {
            cases: 192,
            failure_persistence: Some(Box::new(FileFailurePersistence::Direct(path))),
            ..ProptestConfig::default()
        }
    }

    /// How many of two hundred fixed scripts break the invariant under this policy.
    fn broken(policy: &ClientPolicy, invariant: &str) -> usize {
        let mut runner = TestRunner::deterministic();
        let breaks = |_: &u32| {
            let script = acts().new_tree(&mut runner).unwrap().current();
            violations(policy, &script).iter().any(|line| line.starts_with(invariant))
        };
        (0..200).filter(breaks).count()
    }

    macro_rules! under_any_script {
        ($($name:ident: $invariant:literal,)*) => {
            proptest! {
                #![proptest_config(config())]
                $(#[test] fn $name(script in acts()) {
                    let broken = violations(&ClientPolicy::default(), &script);
                    let broken: Vec<&String> =
                        broken.iter().filter(|line| line.starts_with($invariant)).collect();
                    prop_assert!(broken.is_empty(), "{broken:#?}");
                })*
            }
        };
    }

    under_any_script! {
        bo_range_every_delay_lies_in_the_jitter_of_its_step: "BO-RANGE",
        bo_park_a_parked_client_has_no_timer_and_wakes_once: "BO-PARK",
        cc_never_no_attempt_follows_a_final_code: "CC-NEVER",
        sw_one_at_most_one_socket_is_connecting_or_open: "SW-ONE",
        sw_stale_an_older_generation_changes_nothing: "SW-STALE",
        sw_close_wins_until_the_next_connect: "SW-CLOSE-WINS",
        dd_exact_every_frame_is_shown_at_most_once: "DD-EXACT",
        or_thread_frames_are_shown_without_holes: "OR-THREAD",
        ak_fifo_turns_stand_in_the_log_in_the_order_sent: "AK-FIFO",
        ak_once_a_turn_is_acked_or_failed_at_most_once: "AK-ONCE",
        au_single_flight_at_most_one_refresh_is_in_flight: "AU-SINGLE-FLIGHT",
        mt_client_attempts_and_closes_add_up: "MT-CLIENT",
    }

    #[test]
    fn without_the_generation_check_stale_inputs_are_believed() {
        let policy = ClientPolicy { check_generation: Rule::Off, ..ClientPolicy::default() };
        assert!(broken(&policy, "SW-STALE") > 0);
        assert!(broken(&policy, "SW-ONE") > 0);
    }

    #[test]
    fn without_the_table_final_codes_are_retried() {
        let policy = ClientPolicy { close_codes: CloseCodes::RetryAll, ..ClientPolicy::default() };
        assert!(broken(&policy, "CC-NEVER") > 0);
    }

    #[test]
    fn without_a_cursor_holes_are_shown() {
        let policy = ClientPolicy { cursor: Rule::Off, ..ClientPolicy::default() };
        assert!(broken(&policy, "OR-THREAD") > 0);
    }

    #[test]
    fn without_cursor_and_memory_frames_are_shown_twice() {
        let policy = ClientPolicy { cursor: Rule::Off, seen_max: 0, ..ClientPolicy::default() };
        assert!(broken(&policy, "DD-EXACT") > 0);
    }

    #[test]
    fn the_scripts_reach_every_corner() {
        let mut runner = TestRunner::deterministic();
        let mut reached = std::collections::BTreeSet::new();
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
            "Show",
            "Acked",
            "ResumeRestarted",
            "Catchup",
            "Auth",
            "stale",
            "duplicate",
        ] {
            assert!(reached.contains(corner), "never reached: {corner}; only {reached:?}");
        }
    }

    /// The steps of the ladder that a client climbs when every connection lives only so long.
    fn ladder(policy: &ClientPolicy, seed: u64, lives: &[Duration]) -> Vec<(u32, Duration)> {
        let mut client = client(policy, seed);
        let (mut now, mut steps, mut out) = (Duration::ZERO, Vec::new(), Vec::new());
        client.step(now, Input::Connect, &mut out);
        for life in lives {
            let Some(Output::Refresh { generation }) =
                out.iter().find(|output| matches!(output, Output::Refresh { .. })).cloned()
            else {
                break;
            };
            let (token, expires_in) = ("t".to_owned(), SECOND);
            client.step(now, Input::TokenGranted { generation, token, expires_in }, &mut out);
            client.step(now, Input::SocketOpened { generation }, &mut out);
            let text = super::world::welcome();
            client.step(now, Input::Frame { generation, text }, &mut out);
            now += *life;
            out.clear();
            client.step(now, Input::SocketClosed { generation, code: None }, &mut out);
            if let State::Waiting { until, pause: Pause::Backoff { step }, .. } = client.state() {
                steps.push((step, until - now));
                now = until;
                client.step(now, Input::Wake, &mut out);
            }
        }
        steps
    }

    fn steps(policy: &ClientPolicy, lives: &[Duration]) -> Vec<u32> {
        ladder(policy, 0, lives).into_iter().map(|(step, _)| step).collect()
    }

    proptest! {
        #![proptest_config(config())]

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
        fn dd_lru_equals_a_list_of_the_last_keys(
            keys in prop::collection::vec(0..300u16, 0..2000), max in 1..200usize,
        ) {
            let (mut seen, mut model) = (Seen::new(max), Vec::new());
            for key in keys {
                let place = model.iter().position(|known| *known == key);
                if let Some(place) = place {
                    model.remove(place);
                }
                model.push(key);
                if model.len() > max {
                    model.remove(0);
                }
                prop_assert_eq!(seen.insert(key), place.is_some());
                prop_assert_eq!(seen.len(), model.len());
            }
        }

        #[test]
        fn dd_exact_a_replay_of_any_length_shows_each_frame_once(
            length in 0..3000usize, cuts in prop::collection::vec(0..3000usize, 0..4),
        ) {
            let shown = replay(&ClientPolicy::default(), length, &cuts);
            prop_assert_eq!(shown, (1..=length).collect::<Vec<_>>());
        }
    }

    #[test]
    fn with_reset_on_open_the_ladder_is_never_climbed() {
        let policy = ClientPolicy { count_reset: CountReset::OnOpen, ..ClientPolicy::default() };
        assert_eq!(steps(&policy, &[SECOND; 12]), [0; 12]);
    }

    #[test]
    fn without_jitter_all_clients_share_one_schedule() {
        let policy = ClientPolicy { jitter_percent: 0, ..ClientPolicy::default() };
        assert_eq!(ladder(&policy, 1, &[SECOND; 10]), ladder(&policy, 2, &[SECOND; 10]));
    }

    #[test]
    fn a_memory_of_200_is_no_cursor() {
        let policy = ClientPolicy { cursor: Rule::Off, ..ClientPolicy::default() };
        assert_eq!(replay(&policy, 150, &[100]).len(), 150);
        assert_eq!(replay(&policy, 300, &[300]).len(), 600);
    }

    /// What is shown of a log that is replayed on a new connection after each cut, in full each time.
    fn replay(policy: &ClientPolicy, length: usize, cuts: &[usize]) -> Vec<usize> {
        let mut world = World::new(policy);
        world.append(length);
        for cut in cuts.iter().map(|cut| *cut.min(&length)).chain([length]) {
            world.act(&Act::Pass(2000));
            world.act(&Act::App(Input::Connect));
            world.act(&Act::Token(Token::Grant));
            world.act(&Act::Dial(Dial::Opened));
            world.act(&Act::Gateway(Gateway::Welcome));
            (1..=cut).for_each(|seq| world.deliver(seq));
            world.act(&Act::App(Input::Close));
        }
        world.shown
    }
}
