//! What the clock does to connections: silence, expiry, peers that do not read, a drain. The clock is paused.

use super::pipe::PipeNet;
use super::site::{
    Site, Socket, ask, bearer, beside, closed, event, good, hello, joined, scrape, sum_in,
    token_of, until, upgraded,
};
use assistant::config::GatewayConfig;
use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

const SECOND: Duration = Duration::from_secs(1);

/// Reads, and answers nothing but what the WebSocket library answers, until the close; returns its code.
async fn listen(socket: &mut Socket<PipeNet>) -> Option<u16> {
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Close(frame) = message {
            return frame.map(|frame| frame.code.into());
        }
    }
    None
}

#[tokio::test(start_paused = true)]
async fn without_a_hello_a_connection_lasts_ten_seconds() {
    beside(PipeNet::default(), GatewayConfig::default(), async |site| {
        let mut socket = upgraded(&site, &bearer(&good())).await;
        assert_eq!(closed(&mut socket).await, (4408, "timeout".to_owned()));
        assert_eq!(site.elapsed().as_secs(), 10);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn hb_detect_a_silent_peer_is_closed_within_35_seconds() {
    beside(PipeNet::default(), GatewayConfig::default(), async |site| {
        let socket = joined(&site).await;
        let mut stream = socket.into_inner();
        // It reads bytes and says nothing, as a half-open link does.
        let mut unread = Vec::new();
        stream.read_to_end(&mut unread).await.unwrap();
        assert!(site.elapsed() <= 35 * SECOND, "{:?}", site.elapsed());
        assert!(site.elapsed() >= 22 * SECOND, "{:?}", site.elapsed());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn hb_no_false_a_peer_whose_library_answers_pings_stays() {
    beside(PipeNet::default(), GatewayConfig::default(), async |site| {
        let mut socket = joined(&site).await;
        let quiet = async {
            sleep(600 * SECOND).await;
        };
        tokio::select! {
            code = listen(&mut socket) => panic!("closed with {code:?} after {:?}", site.elapsed()),
            () = quiet => {}
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn au_expire_no_frame_comes_later_than_five_seconds_after_the_end_of_the_token() {
    beside(PipeNet::default(), GatewayConfig::default(), async |site| {
        let mut socket = joined(&site).await;
        let mut advised = None;
        let mut last = Duration::ZERO;
        let code = loop {
            match socket.next().await.unwrap().unwrap() {
                Message::Text(text) => {
                    last = site.elapsed();
                    if text.contains(r#""why":"auth""#) {
                        advised = Some(last);
                    }
                }
                Message::Close(frame) => break frame.map(|frame| u16::from(frame.code)),
                Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        };
        assert_eq!(code, Some(4410));
        let expiry = Duration::from_secs(3_600);
        assert!(last <= expiry + 5 * SECOND, "{last:?}");
        let advised = advised.expect("the end of the token is told");
        assert!((25..=35).contains(&(expiry.saturating_sub(advised)).as_secs()), "{advised:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn bp_bound_one_slow_reader_is_sent_away_and_delays_nobody() {
    beside(PipeNet::default(), GatewayConfig::default(), async |site| {
        let mut writer = joined(&site).await;
        let mut fast = joined(&site).await;
        let slow = joined(&site).await;
        let mut delays = Vec::new();
        for number in 0..150 {
            let text = "x".repeat(3_900);
            let turn =
                format!(r#"{{"event":"user_message","message_id":"m-{number}","text":"{text}"}}"#);
            let sent = site.elapsed();
            writer.send(Message::text(turn)).await.unwrap();
            until(&mut writer, "message").await;
            until(&mut fast, "message").await;
            delays.push(site.elapsed() - sent);
            sleep(SECOND / 10).await;
        }
        let worst = delays.into_iter().max().unwrap();
        assert!(worst < SECOND / 10, "a fast reader waited {worst:?}");
        // The slow one reads again: what the pipe held, then the end. It comes back and gets the rest.
        let mut slow = slow;
        let mut bytes = 0;
        while let Some(Ok(message)) = slow.next().await {
            bytes += message.len();
        }
        assert!(bytes < 100_000, "{bytes} bytes waited for a peer that did not read");
        let metrics = scrape(&site).await;
        let closed = sum_in(&metrics, "ws_closes_total{code=\"4411\",reason=\"slow_consumer\"}");
        assert_eq!(closed, 1, "{metrics}");
        let above = |bound: &str| {
            let all = sum_in(&metrics, "ws_queue_bytes_count");
            all - sum_in(&metrics, &format!("ws_queue_bytes_bucket{{le=\"{bound}\"}}"))
        };
        assert_eq!(above("1048576.0"), 0, "{metrics}");
        assert!(sum_in(&metrics, "ws_dropped_frames_total{why=\"unsent\"}") > 0, "{metrics}");
    })
    .await;
}

/// A client of a crowd: joins, and reads until the end; returns its code and the time of it.
async fn member(site: &Site<PipeNet>, number: usize) -> (Option<u16>, Duration) {
    let mut socket = upgraded(site, &bearer(&token_of(&format!("u-{number}")))).await;
    let hello = hello(&format!("c-{number}"), &format!("t-{number}"), (0, 0));
    socket.send(hello).await.unwrap();
    until(&mut socket, "resumed").await;
    let code = listen(&mut socket).await;
    (code, site.elapsed())
}

async fn answer_to(site: &Site<PipeNet>, path: &str) -> String {
    let mut socket = site.dial().await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(start_paused = true)]
async fn dr_a_thousand_clients_are_drained_one_after_the_other() {
    let config = GatewayConfig { upgrades_per_second_max: 0, ..GatewayConfig::default() };
    beside(PipeNet::default(), config, async |site| {
        const CROWD: usize = 1_000;
        let stop_at = 10 * SECOND;
        let operator = async {
            sleep(stop_at - site.elapsed()).await;
            assert!(answer_to(&site, "/readyz").await.starts_with("HTTP/1.1 200 "));
            site.stop.send(true).unwrap();
            sleep(SECOND).await;
            // DR-NO-NEW: who comes now is told when to come back.
            assert!(answer_to(&site, "/readyz").await.starts_with("HTTP/1.1 503 "));
            let (head, _stream) = ask(&site, &bearer(&good())).await;
            assert!(head.starts_with("http/1.1 503 ") && head.contains("retry-after: "), "{head}");
            let metrics = scrape(&site).await;
            let remaining = sum_in(&metrics, "ws_drain_remaining");
            assert!((800..1_000).contains(&remaining), "{remaining}");
        };
        let crowd = join_all((0..CROWD).map(|number| member(&site, number)));
        let (mut ends, ()) = tokio::join!(crowd, operator);
        // DR-ALL-1012
        assert!(ends.iter().all(|(code, _at)| *code == Some(1012)));
        ends.sort_by_key(|(_code, at)| *at);
        let times: Vec<Duration> = ends.iter().map(|(_code, at)| *at - stop_at).collect();
        // DR-RATE: never more than 1.2 times the even share of a second.
        for (first, from) in times.iter().enumerate() {
            let count = times[first..].iter().take_while(|at| **at < *from + SECOND).count();
            assert!(count <= CROWD / 25 * 12 / 10, "{count} closes in the second from {from:?}");
        }
        // DR-DEADLINE
        assert!(times[CROWD - 1] <= 25 * SECOND, "{:?}", times[CROWD - 1]);
        assert!(times[CROWD - 1] >= 24 * SECOND, "{:?}", times[CROWD - 1]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_behind_a_frame_is_read_in_order() {
    beside(PipeNet::default(), GatewayConfig::default(), async |site| {
        let mut socket = joined(&site).await;
        for number in 0..20 {
            let turn =
                format!(r#"{{"event":"user_message","message_id":"m-{number}","text":"Hello"}}"#);
            socket.send(Message::text(turn)).await.unwrap();
        }
        let mut acked = Vec::new();
        while acked.len() < 20 {
            let text = event(&mut socket).await;
            if text.contains(r#""event":"ack""#) {
                let value: serde_json::Value = serde_json::from_str(&text).unwrap();
                acked.push(value["message_id"].as_str().unwrap().to_owned());
            }
        }
        let expected: Vec<String> = (0..20).map(|number| format!("m-{number}")).collect();
        assert_eq!(acked, expected);
    })
    .await;
}
