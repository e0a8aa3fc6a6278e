//! Attempts and connections: how they begin, hold and end.

use super::super::port::Input;
use super::{Stage, UP, check, log, off};
use crate::config::client::{ClientPolicy, CloseCodes, Refreshing, Rule};
use std::time::Duration;

#[test]
fn tells_every_step_of_a_plain_conversation() {
    let cases = [
        ("", "connect", "refresh#1 =Refreshing"),
        ("connect", "token a", "open#1(a) =Connecting"),
        ("connect; token a", "opened", "hello@0"),
        ("connect; token a; opened", "welcome", "=Connected"),
        (UP, "send m1", "say(m1)"),
        (UP, "send m1; log 1 turn:m1", "say(m1) acked(m1@1) show@1"),
        (UP, r#"send m1; frame {"event":"ack","message_id":"m1","seq":1}"#, "say(m1) acked(m1@1)"),
        (UP, "log 1 turn:m; log 1 turn:m; log 2 reply:m", "show@1 show@2"),
        (UP, r#"frame {"event":"ping","n":7}"#, "pong(7)"),
        (UP, r#"frame {"event":"typing","in_reply_to":"m1"}"#, "typing(m1)"),
        (UP, "close", "bye#1(1000) =Closed"),
        (UP, "close; connect", "bye#1(1000) =Closed =Waiting"),
        (UP, "close; send m1", "bye#1(1000) =Closed failed(m1:NotConnected)"),
        ("connect", "close", "abort#1 =Closed"),
    ];
    for (before, script, expected) in cases {
        check(ClientPolicy::default(), before, script, expected);
    }
}

#[test]
fn follows_the_close_code() {
    let cases = [
        ("closed 1000", "=Stopped"),
        ("send m1; closed 1000; wake", "say(m1) =Waiting refresh#2 =Refreshing"),
        ("closed 1000; send m1", "=Stopped =Waiting"),
        ("closed 4401", "=SignedOut"),
        ("closed 1008; send m1; online; visible", "=Stopped failed(m1:NotConnected)"),
        ("closed 4410", "refresh#2 =Refreshing"),
        ("closed 4410; token a", "refresh#2 =Refreshing =SignedOut"),
        (
            "closed 4410; token a; connect; wake; token a",
            "refresh#2 =Refreshing =SignedOut =Waiting refresh#3 =Refreshing open#3(a) =Connecting",
        ),
        (
            "closed 4410; token b; opened; welcome; closed 4410",
            "refresh#2 =Refreshing open#2(b) =Connecting hello@0 =Connected =SignedOut",
        ),
        ("closed", "=Waiting"),
        ("offline; send m1; online", "abort#1 =Offline =Waiting"),
        ("offline; pass 9; online", "abort#1 =Offline refresh#2 =Refreshing"),
    ];
    for (script, expected) in cases {
        check(ClientPolicy::default(), UP, script, expected);
    }
}

#[test]
fn follows_the_answer_to_the_upgrade() {
    let cases = [
        (
            "status 403; token b; status 401",
            "refresh#2 =Refreshing open#2(b) =Connecting =SignedOut",
        ),
        ("status 404", "=Stopped"),
        ("status 503", "=Waiting"),
        ("status 302", "=Waiting"),
        ("failed", "=Waiting"),
        ("wake", "abort#1 =Waiting"),
        ("opened; wake", "hello@0 abort#1 =Waiting"),
    ];
    for (script, expected) in cases {
        check(ClientPolicy::default(), "connect; token a", script, expected);
    }
    for (script, expected) in
        [("revoked", "=SignedOut"), ("unreachable", "=Waiting"), ("wake", "abort#1 =Waiting")]
    {
        check(ClientPolicy::default(), "connect", script, expected);
    }
}

/// When the client means to come back after a script, in milliseconds from the end of the script.
fn pause_ms(before: &str, script: &str) -> u128 {
    let mut stage = Stage::new(ClientPolicy { jitter_percent: 0, ..ClientPolicy::default() });
    stage.play(before);
    stage.play(script);
    stage.client.deadline().expect("a retry").saturating_sub(stage.now).as_millis()
}

#[test]
fn comes_back_when_it_was_told_to() {
    let advice = |min: u64, max: u64, code: &str| {
        format!(
            r#"frame {{"event":"reconnect_advice","why":"drain","min_ms":{min},"max_ms":{max}}}; closed {code}"#
        )
    };
    let cases = [
        (UP, advice(7000, 7500, "1012"), 7000..=7500),
        (UP, advice(7000, 7500, "1013"), 7000..=7500),
        (UP, advice(7000, 7500, ""), 7000..=7500),
        (UP, advice(9, 8, "1012"), 0..=5000),
        (UP, advice(0, 60_001, "1013"), 10_000..=20_000),
        (UP, "closed 1012".to_owned(), 0..=5000),
        (UP, "closed 1011".to_owned(), 0..=5000),
        (UP, "closed 4429".to_owned(), 5000..=10_000),
        (UP, "closed".to_owned(), 1000..=1000),
        // What a browser reports and no server can have announced.
        (UP, "closed 1006".to_owned(), 1000..=1000),
        (UP, "closed 1015".to_owned(), 1000..=1000),
        // Advice to renew the token is no advice for a crash an hour later.
        (UP, advice(7000, 7500, "").replace("drain", "auth"), 1000..=1000),
        // Not before 0.8 s after the last start, whatever the server says.
        (UP, advice(0, 1, "1012"), 800..=800),
        ("connect; token a; opened; welcome; pass 9", advice(0, 1, "1012"), 0..=1),
        ("connect; token a", "status 503 30".to_owned(), 30_000..=36_000),
        ("connect; token a", "status 503 999".to_owned(), 60_000..=72_000),
        ("connect; token a", "status 429 0".to_owned(), 1000..=1000),
    ];
    for (before, script, expected) in cases {
        let pause = pause_ms(before, &script);
        assert!(expected.contains(&pause), "`{script}`: {pause} ms, not {expected:?}");
    }
}

#[test]
fn probes_silence_before_it_gives_up() {
    let cases = [
        ("wake", "catchup@0"),
        ("wake; wake", "catchup@0 abort#1 =Waiting"),
        ("wake; pass 1; wake", "catchup@0 catchup@0"),
        // The machine slept through both: it probes, and probes again rather than blaming the server.
        ("late 900", "catchup@0"),
        ("wake; late 900", "catchup@0 catchup@0"),
    ];
    for (script, expected) in cases {
        check(ClientPolicy::default(), UP, script, expected);
    }
}

#[test]
fn renews_its_token_in_session_once_at_a_time() {
    let auth = r#"frame {"event":"reconnect_advice","why":"auth","min_ms":0,"max_ms":1}"#;
    let cases = [
        (format!("{auth}; {auth}; token b"), "refresh#1 auth(b)"),
        (format!("{auth}; revoked"), "refresh#1 bye#1(1000) =SignedOut"),
        (format!("{auth}; unreachable; {auth}"), "refresh#1 refresh#1"),
        // The refresh in flight ends with the connection.
        (format!("{auth}; closed"), "refresh#1 abort#1 =Waiting"),
    ];
    for (script, expected) in cases {
        check(ClientPolicy::default(), UP, &script, expected);
    }
}

#[test]
fn fetches_a_token_when_a_refusal_may_hide_behind_two_failures() {
    let policy = || off(|p| p.refreshing = Refreshing::OnlyAtStart);
    let cases = [
        (
            "failed; wake; failed; wake",
            "=Waiting open#2(a) =Connecting =Waiting refresh#3 =Refreshing",
        ),
        // A status is no riddle, and a socket is none either.
        (
            "failed; wake; status 503; wake; failed; wake",
            "=Waiting open#2(a) =Connecting =Waiting open#3(a) =Connecting =Waiting open#4(a) =Connecting",
        ),
        (
            "failed; wake; opened; closed; wake; failed; wake",
            "=Waiting open#2(a) =Connecting hello@0 =Waiting open#3(a) =Connecting =Waiting open#4(a) \
          =Connecting",
        ),
    ];
    for (script, expected) in cases {
        check(policy(), "connect; token a", script, expected);
    }
}

#[test]
fn a_stale_input_changes_nothing_but_its_count() {
    let mut stage = Stage::new(ClientPolicy::default());
    stage.play(&format!("{UP}; closed; wake; token b"));
    let mut out = Vec::new();
    for input in [
        Input::SocketOpened { generation: 1 },
        Input::SocketClosed { generation: 1, code: Some(4401) },
        Input::Frame { generation: 1, text: log(1, "1", "turn:m") },
        Input::TokenRefused { generation: 3 },
    ] {
        stage.client.step(stage.now, input, &mut out);
    }
    assert_eq!(out, []);
    assert_eq!(stage.client.rum().stale_dropped, 4);
}

#[test]
fn without_a_rule_of_the_link_the_client_still_runs() {
    let cases = [
        (off(|p| p.answer_pings = Rule::Off), r#"frame {"event":"ping","n":7}"#, ""),
        (off(|p| p.heed_offline = Rule::Off), "offline", ""),
        (off(|p| p.close_codes = CloseCodes::RetryAll), "closed 4401", "=Waiting"),
        (
            off(|p| p.refreshing = Refreshing::Never),
            "closed; wake",
            "=Waiting open#2(a) =Connecting",
        ),
        (
            off(|p| p.refreshing = Refreshing::OnlyAtStart),
            "closed; wake; status 403",
            "=Waiting open#2(a) =Connecting refresh#3 =Refreshing",
        ),
        (
            off(|p| p.refreshing = Refreshing::Never),
            "closed; wake; status 403; status 403",
            "=Waiting open#2(a) =Connecting open#3(a) =Connecting =SignedOut",
        ),
        (off(|p| p.forced_refreshes_max = 0), "closed 4410", "=SignedOut"),
        (
            off(|p| p.distrust_same_token = Rule::Off),
            "closed 4410; token a",
            "refresh#2 =Refreshing open#2(a) =Connecting",
        ),
        (
            off(|p| {
                p.refreshing = Refreshing::OnlyAtStart;
                p.blind_failures_max = None;
            }),
            "closed; wake; failed; wake; failed; wake",
            "=Waiting open#2(a) =Connecting =Waiting open#3(a) =Connecting =Waiting open#4(a) =Connecting",
        ),
        (off(|p| p.attempts_max = Some(1)), "closed", "=Parked"),
        (off(|p| p.normal_retries_max = 0), "send m1; closed 1000", "say(m1) =Stopped"),
        (off(|p| p.probe_timeout = Duration::ZERO), "wake; wake", "catchup@0 abort#1 =Waiting"),
        (off(|p| p.clock_jump = None), "wake; late 900", "catchup@0 abort#1 =Waiting"),
        (
            off(|p| (p.kick_interval, p.attempt_interval) = (Duration::ZERO, Duration::ZERO)),
            "close; connect",
            "bye#1(1000) =Closed refresh#2 =Refreshing",
        ),
    ];
    for (policy, script, expected) in cases {
        check(policy, UP, script, expected);
    }
}
