//! Frames to the user and turns from the user: once, in order, none lost.

use super::{Stage, UP, check, log, off};
use crate::config::client::{ClientPolicy, Rule};
use std::time::Duration;

#[test]
fn never_skips_a_hole_and_asks_for_it_once() {
    let cases = [
        ("log 2 reply:m; log 3 turn:n; log 1 turn:m", "catchup@0 show@1 show@2 show@3"),
        // A second hole above the first is asked for when the first is filled, and once.
        (
            "log 3 a:m; log 5 reply:n; log 1 turn:m; log 2 reply:m; log 4 turn:n",
            "catchup@0 show@1 show@2 catchup@3 show@4 show@5",
        ),
        // A frame of a newer server holds its place and is not shown.
        ("log 1 turn:m; log 2 sparkle:m; log 3 reply:m", "show@1 show@3"),
        // A broken frame of a known event is a hole.
        (
            r#"frame {"event":"message","thread_id":"t","epoch":1,"seq":1}; log 2 reply:m"#,
            "catchup@0",
        ),
        (r#"frame not json; frame {"event":"sparkle"}; frame [1]"#, ""),
        // Another epoch is refused, and the connection with it; before the first frame as well.
        ("log 1 turn:m; frame EPOCH2", "show@1 bye#1(4499) =Waiting"),
        // A replay that leaves the hole is asked for again, and not for ever.
        ("log 2 reply:m; frame RESUMED; log 1 turn:m", "catchup@0 catchup@0 show@1 show@2"),
        (
            "log 2 reply:m; frame RESUMED; frame RESUMED; frame RESUMED; frame RESUMED",
            "catchup@0 catchup@0 catchup@0 catchup@0 bye#1(4499) =Waiting",
        ),
        ("log 1 turn:m; frame RESUMED", "show@1"),
        ("log 3 turn:m; frame EPOCH2", "catchup@0 bye#1(4499) =Waiting"),
    ];
    for (script, expected) in cases {
        let resumed = r#"{"event":"resumed","from":0,"to":2,"recovered":true}"#;
        let script = script.replace("EPOCH2", &log(2, "2", "reply:m")).replace("RESUMED", resumed);
        check(ClientPolicy::default(), UP, &script, expected);
    }
    let small = ClientPolicy { hole_frames_max: 1, ..ClientPolicy::default() };
    check(small, UP, "log 3 turn:m; log 4 reply:m", "catchup@0 bye#1(4499) =Waiting");
}

#[test]
fn starts_the_view_again_when_the_cursor_cannot_be_served() {
    let failed = r#"frame {"event":"resume_failed","why":"epoch","head":3,"epoch":9}"#;
    let script = format!("log 1 turn:m; {failed}; wake; token b; opened");
    let expected =
        "show@1 restarted bye#1(1000) =Waiting refresh#2 =Refreshing open#2(b) =Connecting hello@0";
    check(ClientPolicy::default(), UP, &script, expected);
    check(ClientPolicy::default(), UP, failed, "bye#1(4499) =Waiting");
    // A server that never serves a cursor is not asked for ever.
    let once = ClientPolicy { attempts_max: Some(1), ..ClientPolicy::default() };
    let script = format!("log 1 turn:m; {failed}");
    check(once, UP, &script, "show@1 restarted bye#1(1000) =Parked");
}

#[test]
fn measures_the_first_reply_to_a_turn_once() {
    let mut stage = Stage::new(ClientPolicy::default());
    stage.play(&format!(
        "{UP}; send m1; log 1 turn:m1; pass 3; log 2 reply:m1; pass 9; log 3 reply:m1"
    ));
    let seen = stage.client.rum().first_reply;
    assert_eq!(
        (seen.count, seen.total, seen.max),
        (1, Duration::from_secs(3), Duration::from_secs(3))
    );
}

#[test]
fn sends_again_in_order_and_gives_up_on_poison() {
    let again = "wake; token b; opened; welcome";
    let cases = [
        (
            "send m1; send m2; closed; AGAIN; send m3",
            "say(m1) say(m2) =Waiting refresh#2 =Refreshing open#2(b) =Connecting hello@0 say(m1) say(m2) \
          =Connected say(m3)",
        ),
        // Both are suspects, so they go one at a time; only the guilty one is given up.
        (
            "send m1; send m2; closed 1009; AGAIN; log 1 turn:m1; closed 1009",
            "say(m1) say(m2) =Waiting refresh#2 =Refreshing open#2(b) =Connecting hello@0 say(m1) =Connected \
          acked(m1@1) show@1 say(m2) failed(m2:Poison) =Stopped",
        ),
        (
            "send m1; closed 4400; connect; wake; token b; opened; welcome; closed 4400",
            "say(m1) =Stopped =Waiting refresh#2 =Refreshing open#2(b) =Connecting hello@0 say(m1) =Connected \
          failed(m1:Poison) =Stopped",
        ),
        // Alone, what is too big is guilty for certain.
        (
            "send m1; closed 1009; AGAIN",
            "say(m1) failed(m1:Poison) =Waiting refresh#2 =Refreshing \
          open#2(b) =Connecting hello@0 =Connected",
        ),
        ("send m1; send m1", "say(m1)"),
        // Still waiting for its ack, it is not failed for being sent again.
        ("send m1; closed 4401; send m1", "say(m1) =SignedOut"),
    ];
    for (script, expected) in cases {
        let script = script.replace("AGAIN", again);
        check(ClientPolicy::default(), UP, &script, expected);
    }
}

#[test]
fn never_loses_a_turn_silently() {
    let tiny = ClientPolicy { outbox_entries_max: 1, ..ClientPolicy::default() };
    check(tiny, "", "send m1; send m2; wake", "failed(m2:OutboxFull) failed(m1:Expired)");
    let long = "frame {\"event\":\"welcome\",\"connection_id\":\"k\",\"heartbeat_ms\":1,\
        \"limits\":{\"message_bytes_max\":9999,\"text_chars_max\":4}}";
    let before = "connect; token a; opened; send m1";
    check(ClientPolicy::default(), before, long, "failed(m1:TooLong) =Connected");
    let window = ClientPolicy { window: 1, ..ClientPolicy::default() };
    check(window, UP, "send m1; send m2; log 1 turn:m1", "say(m1) acked(m1@1) show@1 say(m2)");
}

#[test]
fn sends_no_faster_than_the_server_reads() {
    let welcome = r#"connect; token a; opened; frame {"event":"welcome","connection_id":"k",
        "heartbeat_ms":25000,"limits":{"message_bytes_max":65536,"text_chars_max":4000,
        "frames_burst_max":6,"frames_per_second_max":2}}"#
        .replace('\n', " ");
    let sends = "send m1; send m2; send m3; send m4; send m5";
    let ping = r#"frame {"event":"ping","n":7}"#;
    let cases = [
        // Hello was the first of three frames.
        (format!("{sends}; wake; wake; wake"), "say(m1) say(m2) say(m3) say(m4) say(m5)"),
        (sends.to_owned(), "say(m1) say(m2)"),
        // A pong never waits, and takes its part.
        (format!("{ping}; {sends}; {ping}; wake"), "pong(7) say(m1) pong(7) say(m2)"),
        (format!("{sends}; {ping}; wake; wake"), "say(m1) say(m2) pong(7) say(m3) say(m4)"),
    ];
    for (script, expected) in cases {
        check(ClientPolicy::default(), &welcome, &script, expected);
    }
    let blunt = off(|p| p.pace_percent = 0);
    check(blunt, &welcome, sends, "say(m1) say(m2) say(m3) say(m4) say(m5)");
}

#[test]
fn goes_on_where_an_earlier_instance_stopped() {
    let mut stage = Stage::new(ClientPolicy::default());
    stage.play(&format!("{UP}; log 1 turn:m; send m1; pass 60"));
    let kept = stage.client.kept();
    let json = serde_json::to_string(&kept).unwrap();
    let mut later = Stage::new(ClientPolicy::default());
    later.now = Duration::from_secs(100_000);
    later.client.restore(serde_json::from_str(&json).unwrap());
    assert_eq!(later.client.kept(), kept);
    let told = later.play("connect; token b; opened; welcome");
    assert_eq!(told, "refresh#2 =Refreshing open#2(b) =Connecting hello@1 say(m1) =Connected");
    // It has waited a minute already, so four are left.
    later.play(
        "pass 20; pass 20; pass 20; pass 20; pass 20; pass 20; pass 20; pass 20; pass 20; pass 20",
    );
    assert_eq!(later.play("pass 20; late 20"), "failed(m1:Expired)");
}

#[test]
fn without_a_rule_of_delivery_the_client_still_runs() {
    let cases = [
        (
            off(|p| p.resend = Rule::Off),
            "send m1; closed; wake; token b; opened; welcome",
            "say(m1) =Waiting refresh#2 =Refreshing open#2(b) =Connecting hello@0 =Connected",
        ),
        (
            off(|p| p.cursor = Rule::Off),
            "log 3 turn:m; log 3 turn:m; log 1 turn:m",
            "show@3 show@1",
        ),
        (
            off(|p| {
                p.cursor = Rule::Off;
                p.seen_max = 0;
            }),
            "log 3 turn:m; log 3 turn:m",
            "show@3 show@3",
        ),
        (off(|p| p.catchup = Rule::Off), "log 2 turn:m", ""),
        (off(|p| p.hole_frames_max = 0), "log 2 turn:m", "bye#1(4499) =Waiting"),
        (
            off(|p| p.poison_resends_max = None),
            "send m1; closed 4400; connect",
            "say(m1) =Stopped =Waiting",
        ),
    ];
    for (policy, script, expected) in cases {
        check(policy, UP, script, expected);
    }
    let blunt = off(|p| p.silence_grace = None);
    let mut stage = Stage::new(blunt);
    stage.play(UP);
    assert_eq!(stage.client.deadline(), None);
}
