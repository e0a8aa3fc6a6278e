//! How connections are refused and how they end, over real sockets, seen from the other side.

use super::site::{
    ORIGIN, ask, bad_tokens, bearer, beside, closed, event, good, joined, offer, scrape, sum,
    sum_in, text, upgraded,
};
use assistant::config::GatewayConfig;
use assistant::net::TokioNet;
use futures_util::SinkExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

#[tokio::test]
async fn a_bad_token_in_a_header_is_refused_before_the_upgrade() {
    beside(TokioNet, GatewayConfig::default(), async |site| {
        let foreign = offer(&good()).replace(ORIGIN, "https://evil.example");
        let anonymous = offer(&good()).replace("Origin", "X-Origin");
        let basic = "Authorization: Basic dTpw\r\n".to_owned();
        for header in [String::new(), bearer(""), basic, foreign, anonymous] {
            let (head, _socket) = ask(&site, &header).await;
            assert!(head.starts_with("http/1.1 403 "), "{header}: {head}");
        }
        for (token, outcome) in bad_tokens() {
            let name = format!("ws_upgrades_total{{outcome=\"{outcome}\"}}");
            let before = sum(&site, &name).await;
            let (head, _socket) = ask(&site, &bearer(&token)).await;
            assert!(head.starts_with("http/1.1 403 "), "{outcome}: {head}");
            assert_eq!(sum(&site, &name).await, before + 1);
        }
    })
    .await;
}

#[tokio::test]
async fn a_bad_token_as_a_subprotocol_is_told_by_a_close_frame() {
    beside(TokioNet, GatewayConfig::default(), async |site| {
        for (token, _outcome) in bad_tokens() {
            let mut socket = upgraded(&site, &offer(&token)).await;
            assert_eq!(closed(&mut socket).await, (4401, "unauthorized".to_owned()));
        }
        let (head, socket) = ask(&site, &offer(&good())).await;
        assert!(head.contains("sec-websocket-protocol: chat.v1\r\n"), "{head}");
        let mut socket = WebSocketStream::from_raw_socket(socket, Role::Client, None).await;
        socket.send(site.hello()).await.unwrap();
        assert!(event(&mut socket).await.contains("welcome"));
    })
    .await;
}

#[tokio::test]
async fn a_request_without_a_key_is_no_upgrade() {
    beside(TokioNet, GatewayConfig::default(), async |site| {
        let mut socket = site.dial().await;
        let request = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn what_is_no_frame_is_answered_with_its_close_code() {
    beside(TokioNet, GatewayConfig::default(), async |site| {
        let stray_continuation = Message::Frame(Frame::message(
            "x".as_bytes().to_vec(),
            OpCode::Data(Data::Continue),
            true,
        ));
        for (message, code) in [
            (Message::binary(vec![1, 2, 3]), 1003),
            (Message::text("{"), 4400),
            (Message::text(r#"{"event":"shout"}"#), 4400),
            (text([0xff, 0xfe]), 1007),
            (text(vec![b' '; 64 * 1024 + 1]), 1009),
            // Far more than the gateway reads before it knows; the rest must not become a reset.
            (text(vec![b' '; 4 * 1024 * 1024]), 1009),
            (stray_continuation, 1002),
        ] {
            let mut early = upgraded(&site, &bearer(&good())).await;
            early.send(message.clone()).await.unwrap();
            assert_eq!(closed(&mut early).await.0, code);
            let mut late = joined(&site).await;
            late.send(message).await.unwrap();
            assert_eq!(closed(&mut late).await.0, code);
        }
        let mut largest = upgraded(&site, &bearer(&good())).await;
        largest.send(text(vec![b' '; 64 * 1024])).await.unwrap();
        assert_eq!(closed(&mut largest).await.0, 4400);
    })
    .await;
}

#[tokio::test]
async fn cc_handshake_a_peer_that_closes_gets_its_own_code_back() {
    beside(TokioNet, GatewayConfig::default(), async |site| {
        for code in [1000_u16, 1001, 4499] {
            let mut socket = joined(&site).await;
            let frame = CloseFrame { code: code.into(), reason: "bye".into() };
            socket.send(Message::Close(Some(frame))).await.unwrap();
            assert_eq!(closed(&mut socket).await.0, code);
        }
    })
    .await;
}

#[tokio::test]
async fn a_stop_is_told_with_advice_and_a_code() {
    beside(TokioNet, GatewayConfig::default(), async |site| {
        let mut sockets = [joined(&site).await, joined(&site).await];
        site.stop.send(true).unwrap();
        for socket in &mut sockets {
            let told = event(socket).await;
            assert!(told.contains(r#""why":"drain""#), "{told}");
            assert_eq!(closed(socket).await, (1012, "drain".to_owned()));
        }
        // The gateway lets its own goodbyes finish; the test ends first, so this cannot end the roles.
    })
    .await;
}

#[tokio::test]
async fn mt_conserve_every_accepted_connection_is_open_or_closed_in_every_scrape() {
    beside(TokioNet, GatewayConfig::default(), async |site| {
        let mut open = Vec::new();
        for round in 0..8_u64 {
            let mut socket = joined(&site).await;
            match round % 4 {
                0 => open.push(socket),
                1 => socket.send(Message::binary(vec![0])).await.unwrap(),
                2 => socket.close(None).await.unwrap(),
                _ => drop(upgraded(&site, &offer("x")).await),
            }
            conserved(&scrape(&site).await);
        }
        // Six of eight went away, and two more were never let in.
        let metrics = loop {
            let metrics = scrape(&site).await;
            conserved(&metrics);
            if sum_in(&metrics, "ws_closes_total") == 8 {
                break metrics;
            }
        };
        assert_eq!(sum_in(&metrics, "ws_connections "), 2, "{metrics}");
        assert_eq!(sum_in(&metrics, "ws_closes_total{code=\"1003\""), 2, "{metrics}");
        assert_eq!(sum_in(&metrics, "ws_closes_total{code=\"4401\""), 2, "{metrics}");
        drop(open);
        while sum(&site, "ws_connections ").await > 0 {}
        assert_eq!(sum(&site, "ws_closes_total").await, 10);
    })
    .await;
}

fn conserved(metrics: &str) {
    let accepted = sum_in(metrics, "ws_upgrades_total{outcome=\"accepted\"}");
    let closes = sum_in(metrics, "ws_closes_total");
    let open = sum_in(metrics, "ws_connections ");
    assert_eq!(accepted, closes + open, "{metrics}");
    assert_eq!(closes, sum_in(metrics, "ws_connection_duration_seconds_count"), "{metrics}");
}
