//! The machine of a connection, fact by fact; `properties` holds for whatever happens.

mod ends;
mod properties;
mod script;
mod world;

use script::check;

/// A joined connection: a thread of epoch 7 with two frames, read from its beginning.
const JOINED: &str = "
    0 hello 0/0
    - open t u
    1 opened 7/2
    - welcome c
    - follow t 0
    2 frame 7/1
    - log 7/1
    2 frame 7/2
    - log 7/2
    - resumed 0..2 true
";

fn check_joined(rest: &str) {
    check(&format!("{JOINED}{rest}"));
}

#[test]
fn says_resumed_exactly_between_replay_and_live() {
    check_joined(
        "3 frame 7/3
        - log 7/3",
    );
    check(
        "0 hello 7/1
        - open t u
        1 opened 7/3
        - welcome c
        - follow t 1
        2 frame 7/2
        - log 7/2
        2 frame 7/3
        - log 7/3
        - resumed 1..3 true
        3 frame 7/4
        - log 7/4",
    );
}

#[test]
fn an_empty_replay_is_resumed_at_once() {
    check(
        "0 hello 0/0
        - open t u
        1 opened 7/0
        - welcome c
        - resumed 0..0 true
        - follow t 0
        2 frame 7/1
        - log 7/1",
    );
    check(
        "0 hello 7/5
        - open t u
        1 opened 7/5
        - welcome c
        - resumed 5..5 true
        - follow t 5",
    );
    check(
        "0 hello 7/0
        - open t u
        1 opened 7/0
        - welcome c
        - resumed 0..0 true
        - follow t 0",
    );
}

#[test]
fn a_cursor_that_cannot_be_served_gets_no_frame_and_a_second_hello() {
    check(
        "0 hello 6/2
        - open t u
        1 opened 7/2
        - resume_failed Epoch 7/2
        2 hello 7/3
        - open t u
        3 opened 7/2
        - resume_failed Ahead 7/2
        4 hello 0/9
        - open t u
        5 opened 7/2
        - resume_failed Epoch 7/2
        6 hello 7/2
        - open t u
        7 opened 7/2
        - welcome c
        - resumed 2..2 true
        - follow t 2",
    );
}

#[test]
fn a_failed_resume_starts_the_time_for_a_hello_anew() {
    check(
        "9000 hello 6/2
        - open t u
        9500 opened 7/2
        - resume_failed Epoch 7/2
        60000 pass
        - 19500 close 4408 timeout",
    );
}

#[test]
fn only_a_hello_of_this_protocol_may_come_first_and_only_once() {
    for first in ["say m1", "auth x", "catchup 0", "hello_of_protocol 0", "hello_of_protocol 2"] {
        check(&format!(
            "0 {first}
            - close 4400 bad_request"
        ));
    }
    for second in ["hello 0/0", "auth x", "catchup 0"] {
        check(&format!(
            "0 hello 0/0
            - open t u
            1 {second}
            - close 4400 bad_request"
        ));
    }
    check_joined(
        "3 hello 0/0
        - close 4400 bad_request",
    );
    check(
        "0 pong 1
        1 hello 0/0
        - open t u
        2 pong 1",
    );
}

#[test]
fn a_turn_right_behind_the_hello_waits_for_the_thread() {
    check(
        "0 hello 7/9
        - open t u
        0 say m1
        1 say m2
        2 opened 7/3
        - resume_failed Ahead 7/3
        3 hello 0/0
        - open t u
        4 opened 7/0
        - welcome c
        - resumed 0..0 true
        - follow t 0
        - submit t m1
        5 submitted m1 1
        - ack m1 1
        - typing m1
        - submit t m2",
    );
}

#[test]
fn turns_go_to_the_supervisor_one_at_a_time_in_order() {
    check_joined(
        "10 say m1
        - submit t m1
        11 say m2
        12 say m3
        13 submitted m1 3
        - ack m1 3
        - typing m1
        - submit t m2
        14 submitted away
        1000 pass
        - 214 submit t m2
        1001 submitted m2 4
        - ack m2 4
        - typing m2
        - submit t m3
        1002 submitted m3 5
        - ack m3 5
        - typing m3",
    );
}

#[test]
fn frames_that_were_sent_are_not_sent_again() {
    check_joined(
        "3 frame 7/2
        3 frame 7/1
        3 frame 7/3
        - log 7/3",
    );
}

#[test]
fn a_hole_in_the_tail_is_asked_for_again_and_never_passed_on() {
    check_joined(
        "10 frame 7/4
        11 frame 7/5
        300 pass
        - 210 follow t 2
        301 frame 7/3
        - log 7/3",
    );
}

#[test]
fn a_log_of_another_epoch_is_never_passed_on() {
    check_joined(
        "10 frame 8/3
        - advice drain 0..1000
        - close 1012 drain",
    );
}

#[test]
fn catchup_reads_again_from_where_it_says() {
    check_joined(
        "10 catchup 1
        - follow t 1
        11 frame 7/2
        - log 7/2
        - resumed 1..2 true
        12 catchup 2
        - follow t 2
        - resumed 2..2 true
        13 catchup 99
        - follow t 2
        - resumed 2..2 true",
    );
}

#[test]
fn catchup_during_a_replay_does_not_end_it_early() {
    check(
        "0 hello 0/0
        - open t u
        1 opened 7/3
        - welcome c
        - follow t 0
        2 frame 7/1
        - log 7/1
        3 catchup 0
        - follow t 0
        4 frame 7/1
        - log 7/1
        5 frame 7/2
        - log 7/2
        6 frame 7/3
        - log 7/3
        - resumed 0..3 true",
    );
}

#[test]
fn an_absent_supervisor_is_asked_again_after_growing_pauses() {
    let mut script = "0 hello 0/0\n- open t u\n".to_owned();
    let mut at = 0;
    for pause in [200, 400, 800, 1_600, 2_000, 2_000, 2_000] {
        script += &format!("{at} opened away\n");
        at += pause;
        script += &format!("{at} pass\n- {at} open t u\n");
    }
    check(&script);
}

#[test]
fn a_supervisor_that_stays_away_costs_the_connection_after_the_patience() {
    check_joined(
        "10 ended
        500 pass
        - 210 follow t 2
        10000 ended
        20009 ended
        20009 say m1
        - submit t m1
        20010 submitted away
        - advice overload 1000..5000
        - close 1013 overload",
    );
    // A sign of life starts the patience anew.
    check_joined(
        "10 ended
        500 pass
        - 210 follow t 2
        501 level 2
        20011 ended
        20300 pass
        - 20211 follow t 2",
    );
}

#[test]
fn a_refusal_is_final() {
    check(
        "0 hello 0/0
        - open t u
        1 opened not_owner
        - close 4403 forbidden",
    );
    check_joined(
        "3 say m1
        - submit t m1
        4 submitted not_owner
        - close 4403 forbidden",
    );
    check_joined(
        "3 say m1
        - submit t m1
        4 submitted no_thread
        - advice drain 0..1000
        - close 1012 drain",
    );
    check_joined(
        "3 say m1
        - submit t m1
        4 submitted store
        204 pass
        - 204 submit t m1",
    );
}
