//! The metrics add up with what peers saw, to the frame.

use super::pipe::PipeNet;
use super::site::{
    Site, ask, bearer, beside, good, hello, joined, scrape, sum_in, token_of, until, upgraded,
};
use assistant::config::GatewayConfig;
use futures_util::{SinkExt, StreamExt};
use std::collections::BTreeMap;
use tokio_tungstenite::tungstenite::Message;

/// The `event` of every text frame up to the end of a connection that closes after its `turns`.
async fn conversation(site: &Site<PipeNet>, number: usize, turns: usize) -> Vec<String> {
    let mut socket = upgraded(site, &bearer(&token_of(&format!("u-{number}")))).await;
    let hello = hello(&format!("c-{number}"), &format!("t-{number}"), (0, 0));
    socket.send(hello).await.unwrap();
    let (mut seen, mut answered) = (Vec::new(), 0);
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let event = value["event"].as_str().unwrap().to_owned();
        if event == "resumed" || event == "message" {
            answered += usize::from(event == "message");
            match answered < turns {
                true => {
                    let turn = format!(
                        r#"{{"event":"user_message","message_id":"m-{answered}","text":"Hello"}}"#
                    );
                    socket.send(Message::text(turn)).await.unwrap();
                }
                false => socket.close(None).await.unwrap(),
            }
        }
        seen.push(event);
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn mt_frames_without_faults_what_is_sent_is_received() {
    beside(PipeNet::default(), GatewayConfig::default(), async |site| {
        let mut received: BTreeMap<String, u64> = BTreeMap::new();
        for number in 0..5 {
            for event in conversation(&site, number, number).await {
                *received.entry(event).or_default() += 1;
            }
        }
        assert_eq!(received["message"], 10);
        let metrics = scrape(&site).await;
        for (event, count) in &received {
            let sent = sum_in(&metrics, &format!("ws_frames_sent_total{{event=\"{event}\"}}"));
            assert_eq!(sent, *count, "{event}\n{metrics}");
        }
        let all: u64 = received.values().sum();
        assert_eq!(sum_in(&metrics, "ws_frames_sent_total"), all, "{metrics}");
        assert_eq!(sum_in(&metrics, "ws_dropped_frames_total"), 0, "{metrics}");
        assert_eq!(sum_in(&metrics, "ws_frames_received_total{event=\"user_message\"}"), 10);
        assert_eq!(sum_in(&metrics, "ws_resume_total{result=\"recovered\"}"), 5);
        assert_eq!(sum_in(&metrics, "ws_replayed_frames_total"), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn mt_advice_every_advice_counts_once() {
    let config = GatewayConfig { connections_per_user_max: 2, ..GatewayConfig::default() };
    beside(PipeNet::default(), config, async |site| {
        let _first = joined(&site).await;
        let mut second = joined(&site).await;
        // In a header, because the user has two connections already.
        for _ in 0..3 {
            let (head, _stream) = ask(&site, &bearer(&good())).await;
            assert!(head.contains("retry-after: "), "{head}");
        }
        // In a frame, because the peer is too fast.
        for _ in 0..60 {
            drop(second.send(Message::Ping(Vec::new().into())).await);
        }
        until(&mut second, "reconnect_advice").await;
        let metrics = scrape(&site).await;
        assert_eq!(sum_in(&metrics, "ws_reconnect_advice_total{why=\"rate\"}"), 4, "{metrics}");
        assert_eq!(sum_in(&metrics, "ws_reconnect_advice_total"), 4, "{metrics}");
        assert_eq!(sum_in(&metrics, "ws_upgrades_total{outcome=\"user_limit\"}"), 3, "{metrics}");
    })
    .await;
}
