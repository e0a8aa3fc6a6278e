//! Coming back: at another gateway, with an old cursor, as somebody else, while the old connection lives.

use super::pipe::PipeNet;
use super::site::{
    Socket, ask, bearer, beside, closed, event, good, hello, login_of, offer, scrape, sum_in,
    token_of, until, upgraded, upgraded_at,
};
use assistant::config::GatewayConfig;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use std::time::Duration;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

async fn say(socket: &mut Socket<PipeNet>, id: &str) {
    let turn = format!(r#"{{"event":"user_message","message_id":"{id}","text":"Hello"}}"#);
    socket.send(Message::text(turn)).await.unwrap();
    until(socket, "message").await;
}

/// Says hello with this cursor and returns the numbers of what came before `resumed`, and that frame.
async fn resume(
    socket: &mut Socket<PipeNet>,
    client: &str,
    cursor: (u64, u64),
) -> (Vec<u64>, Value) {
    socket.send(hello(client, "t", cursor)).await.unwrap();
    let mut replayed = Vec::new();
    loop {
        let frame: Value = serde_json::from_str(&event(socket).await).unwrap();
        match frame["event"].as_str().unwrap() {
            "welcome" => {}
            "resumed" | "resume_failed" => return (replayed, frame),
            _ => replayed.push(frame["seq"].as_u64().unwrap()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rc_zero_every_usable_cursor_is_served_again_and_again() {
    beside(PipeNet::default(), GatewayConfig::default(), async |site| {
        let mut first = upgraded(&site, &bearer(&good())).await;
        let (none, resumed) = resume(&mut first, "a", (0, 0)).await;
        assert!(none.is_empty() && resumed["to"] == 0, "an empty log is resumed: {resumed}");
        say(&mut first, "m-1").await;
        say(&mut first, "m-2").await;
        let mut probe = upgraded(&site, &bearer(&good())).await;
        probe.send(hello("p", "t", (0, 0))).await.unwrap();
        let turn: Value = serde_json::from_str(&until(&mut probe, "user_turn").await).unwrap();
        let epoch = turn["epoch"].as_u64().unwrap();
        for round in 0..3 {
            for from in 0..=4 {
                for (name, at) in [("one", 0), ("two", 1)] {
                    let mut socket = upgraded_at(&site, at, &bearer(&good())).await;
                    let (replayed, resumed) = resume(&mut socket, name, (epoch, from)).await;
                    let expected: Vec<u64> = (from + 1..=4).collect();
                    assert_eq!(replayed, expected, "round {round} at {name} from {from}");
                    assert_eq!(resumed["from"], from);
                    assert_eq!(resumed["to"], 4);
                    assert_eq!(resumed["recovered"], true);
                    socket.close(None).await.unwrap();
                    while socket.next().await.is_some() {}
                    sleep(Duration::from_secs(1)).await;
                }
            }
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn rc_epoch_a_cursor_of_another_log_gets_no_frame() {
    beside(PipeNet::default(), GatewayConfig::default(), async |site| {
        let mut writer = upgraded(&site, &bearer(&good())).await;
        resume(&mut writer, "w", (0, 0)).await;
        say(&mut writer, "m-1").await;
        let mut socket = upgraded(&site, &bearer(&good())).await;
        let (replayed, failed) = resume(&mut socket, "a", (12_345, 1)).await;
        assert!(replayed.is_empty(), "{replayed:?}");
        assert_eq!((&failed["event"], &failed["why"]), (&"resume_failed".into(), &"epoch".into()));
        // The client may say hello again on the same connection, with nothing this time.
        let (replayed, _resumed) = resume(&mut socket, "a", (0, 0)).await;
        assert_eq!(replayed, [1, 2]);
        let epoch = failed["epoch"].as_u64().unwrap();
        let mut ahead = upgraded(&site, &bearer(&good())).await;
        let (replayed, failed) = resume(&mut ahead, "b", (epoch, 99)).await;
        assert!(replayed.is_empty() && failed["why"] == "ahead", "{failed}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn rc_authz_a_resume_asks_again_who_owns_the_thread() {
    beside(PipeNet::default(), GatewayConfig::default(), async |site| {
        let mut owner = upgraded(&site, &bearer(&good())).await;
        resume(&mut owner, "a", (0, 0)).await;
        say(&mut owner, "m-1").await;
        let mut turn = upgraded(&site, &bearer(&good())).await;
        turn.send(hello("p", "t", (0, 0))).await.unwrap();
        let seen: Value = serde_json::from_str(&until(&mut turn, "user_turn").await).unwrap();
        let epoch = seen["epoch"].as_u64().unwrap();
        for cursor in [(0, 0), (epoch, 1), (epoch, 2)] {
            for at in [0, 1] {
                let stranger = token_of("stranger");
                let mut socket = upgraded_at(&site, at, &bearer(&stranger)).await;
                socket.send(hello("a", "t", cursor)).await.unwrap();
                assert_eq!(closed(&mut socket).await, (4403, "forbidden".to_owned()));
            }
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn sw_one_a_newer_connection_of_a_client_ends_the_older_at_any_gateway() {
    beside(PipeNet::default(), GatewayConfig::default(), async |site| {
        let mut other_tab = upgraded(&site, &bearer(&good())).await;
        resume(&mut other_tab, "tab-2", (0, 0)).await;
        let mut older = upgraded(&site, &bearer(&good())).await;
        resume(&mut older, "tab-1", (0, 0)).await;
        for at in [1, 0, 0, 1] {
            let mut newer = upgraded_at(&site, at, &bearer(&good())).await;
            resume(&mut newer, "tab-1", (0, 0)).await;
            assert_eq!(closed(&mut older).await, (4409, "superseded".to_owned()));
            older = newer;
        }
        say(&mut older, "m-1").await;
        until(&mut other_tab, "message").await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn sw_one_of_counted_attempts_the_latest_lives_in_whatever_order_they_say_hello() {
    let hello = |attempt: u64| {
        let cursor = r#"{"epoch":0,"seq":0}"#;
        Message::text(format!(
            r#"{{"event":"hello","protocol":1,"client_id":"a","attempt":{attempt},"thread_id":"t","cursor":{cursor}}}"#
        ))
    };
    beside(PipeNet::default(), GatewayConfig::default(), async |site| {
        let mut latest = upgraded(&site, &bearer(&good())).await;
        latest.send(hello(2)).await.unwrap();
        until(&mut latest, "resumed").await;
        // Held back on its way, and given up by its client long ago.
        let mut late = upgraded_at(&site, 1, &bearer(&good())).await;
        late.send(hello(1)).await.unwrap();
        until(&mut late, "resumed").await;
        assert_eq!(closed(&mut late).await, (4409, "superseded".to_owned()));
        say(&mut latest, "m-1").await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn pong_a_peer_that_only_reads_is_answered() {
    beside(PipeNet::default(), GatewayConfig::default(), async |site| {
        let mut socket = upgraded(&site, &bearer(&good())).await;
        resume(&mut socket, "a", (0, 0)).await;
        for n in 0..10_u8 {
            socket.send(Message::Ping(vec![n].into())).await.unwrap();
            let answer = socket.next().await.unwrap().unwrap();
            assert_eq!(answer, Message::Pong(vec![n].into()));
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn au_revoke_a_logout_closes_every_connection_of_the_session_at_once() {
    beside(PipeNet::default(), GatewayConfig::default(), async |site| {
        let mut bystander = upgraded(&site, &bearer(&good())).await;
        resume(&mut bystander, "b", (0, 0)).await;
        let token = token_of("ana");
        let mut sockets = Vec::new();
        for at in [0, 1] {
            let mut socket = upgraded_at(&site, at, &bearer(&token)).await;
            socket.send(hello(&format!("tab-{at}"), "t-ana", (0, 0))).await.unwrap();
            until(&mut socket, "resumed").await;
            sockets.push(socket);
        }
        let body = format!(r#"{{"refresh_token":"{}"}}"#, login_of("ana"));
        let answer = site.tell_desk("/v1/revoke", &body).await;
        assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
        let before = site.elapsed();
        for socket in &mut sockets {
            assert_eq!(closed(socket).await, (4401, "unauthorized".to_owned()));
        }
        assert!(site.elapsed() - before < Duration::from_secs(1), "{:?}", site.elapsed());
        // Its access token would be good for an hour, and opens nothing any more.
        let (head, _stream) = ask(&site, &bearer(&token)).await;
        assert!(head.starts_with("http/1.1 403 "), "{head}");
        let mut page = upgraded(&site, &offer(&token)).await;
        assert_eq!(closed(&mut page).await.0, 4401);
        let metrics = scrape(&site).await;
        let rejected = sum_in(&metrics, "ws_auth_rejected_total{why=\"revoked\"}");
        assert_eq!(rejected, 2, "{metrics}");
        say(&mut bystander, "m-1").await;
    })
    .await;
}
