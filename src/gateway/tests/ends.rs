//! What ends a connection: silence, haste, a peer that does not read, the end of a token, a drain.

use super::script::{check, check_with};
use super::{JOINED, check_joined};
use crate::config::GatewayConfig;
use std::time::Duration;

#[test]
fn silence_instead_of_hello_ends_the_connection() {
    check(
        "9999 pass
        10000 pass
        - 10000 close 4408 timeout",
    );
    // After it the supervisor has its own time.
    check(
        "9000 hello 0/0
        - open t u
        24000 pass
        24000 opened away
        24200 pass
        - 24200 open t u
        25000 control
        44001 opened away
        - advice overload 1000..5000
        - close 1013 overload",
    );
}

#[test]
fn a_ping_without_any_answer_ends_the_connection() {
    check_joined(
        "60000 pass
        - 25000 ping 1
        - 35000 close 4408 timeout",
    );
    for sign in ["pong 9", "control", "say m1\n- submit t m1"] {
        check_joined(&format!(
            "25000 pass
            - 25000 ping 1
            34999 {sign}
            60000 pass
            - 50000 ping 2
            - 60000 close 4408 timeout"
        ));
    }
}

#[test]
fn pings_keep_their_beat_whatever_else_is_said() {
    check_joined(
        "20000 level 2
        24000 control
        25000 pass
        - 25000 ping 1
        25250 pong 1
        - answered 250
        26000 pong 7
        49000 say m1
        - submit t m1
        50000 pass
        - 50000 ping 2",
    );
}

#[test]
fn a_peer_that_does_not_read_is_sent_away() {
    check_joined(
        "10 stall
        1000 frame 7/3
        - log 7/3
        2000 frame 7/4
        - log 7/4
        5000 wrote 2
        9999 wrote 1
        15000 pass
        - 14999 advice slow 1000..5000
        - 14999 close 4411 slow_consumer",
    );
    check_joined(
        "10 stall
        1000 frame 7/3
        - log 7/3
        5999 wrote 0
        24000 pass",
    );
}

#[test]
fn a_peer_that_sends_too_fast_is_sent_away() {
    // The hello was one of forty; 50 ms bring one more.
    let forty: String = (1..40).map(|_| "3 pong 0\n").collect();
    for last in ["pong 0", "control", "say m1"] {
        check_joined(&format!(
            "{forty}53 pong 0
            53 {last}
            - advice rate 5000..10000
            - close 4429 rate_limited"
        ));
    }
    check_joined(
        "3 overspent
        - advice rate 5000..10000
        - close 4429 rate_limited",
    );
}

#[test]
fn a_newer_connection_of_the_client_ends_this_one() {
    check(
        "0 hello 0/0
        - open t u
        1 opened 7/0 3
        - welcome c
        - resumed 0..0 true
        - follow t 0 as k#3
        5 ended
        205 pass
        - 205 follow t 0 as k#3
        206 superseded
        - close 4409 superseded",
    );
}

#[test]
fn au_revoke_a_revoked_session_ends_its_connections() {
    check_joined(
        "3 revoked
        - close 4401 unauthorized",
    );
    check(
        "0 revoked
        - close 4401 unauthorized",
    );
}

#[test]
fn a_token_about_to_end_is_told_and_can_be_replaced() {
    let joined = |rest: &str| {
        let (script, token) = (format!("{JOINED}{rest}"), Duration::from_millis(50_000));
        check_with(&script, token, &GatewayConfig::default());
    };
    joined(
        "20000 pass
        - 20000 advice auth 0..1000
        21000 auth fresh
        - reauthorize fresh
        21001 good_until 80000
        25000 pass
        - 25000 ping 1
        26000 pong 1
        - answered 1000
        50001 pass
        - 50000 advice auth 0..1000
        - 50000 ping 2",
    );
    joined(
        "20000 pass
        - 20000 advice auth 0..1000
        25000 pass
        - 25000 ping 1
        30000 pong 0
        50000 pass
        - 50000 close 4410 token_expired",
    );
    joined(
        "20000 pass
        - 20000 advice auth 0..1000
        21000 auth short
        - reauthorize short
        21001 good_until 50900
        25000 pass
        - 25000 ping 1
        30000 pong 0
        50900 pass
        - 50000 ping 2
        - 50900 close 4410 token_expired",
    );
    joined(
        "2 auth forged
        - reauthorize forged
        3 bad_token
        - close 4410 token_expired",
    );
}

#[test]
fn expiry_is_not_told_before_the_welcome() {
    check_with(
        "4000 pass
        4000 hello 0/0
        - open t u
        4500 pass
        4600 opened 7/0
        - welcome c
        - resumed 0..0 true
        - follow t 0
        4600 pass
        - 0 advice auth 0..1000
        5000 pass
        - 5000 close 4410 token_expired",
        Duration::from_millis(5_000),
        &GatewayConfig::default(),
    );
}

#[test]
fn a_drain_gives_advice_and_closes() {
    check_joined(
        "10 drain 500
        11 say m1
        - submit t m1
        20 drain 9000
        600 pass
        - 510 advice drain 0..1000
        - 510 close 1012 drain",
    );
    check(
        "0 drain 0
        0 pass
        - 0 advice drain 0..1000
        - 0 close 1012 drain",
    );
}

#[test]
fn a_text_is_measured_in_characters() {
    check_joined(
        "3 say_chars 4000
        - submit t long
        4 say_chars 4001
        - close 4400 bad_request",
    );
}

#[test]
fn too_many_waiting_turns_cost_the_connection() {
    let waiting: String = (2..=64).map(|n| format!("3 say m{n}\n")).collect();
    let script = format!(
        "{JOINED}3 say m1
        - submit t m1
        {waiting}
        4 say m65
        - advice rate 5000..10000
        - close 4429 rate_limited"
    );
    let config = GatewayConfig { frames_per_second_max: 0, ..GatewayConfig::default() };
    check_with(&script, Duration::from_secs(3_600), &config);
}

#[test]
fn nothing_follows_a_close() {
    check_joined(
        "3 binary
        - close 1003 binary
        4 say m1
        4 hello 0/0
        4 catchup 0
        4 frame 7/3
        4 ended
        4 submitted m1 3
        4 drain 0
        99999999 pass",
    );
}
