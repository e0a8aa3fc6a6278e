//! Peers that mean no good: each gets the right close code, and nobody else notices.

use super::pipe::PipeNet;
use super::site::{
    Site, Socket, ask, bearer, beside, closed, good, joined, offer, request, scrape, sum, until,
    upgraded,
};
use assistant::config::GatewayConfig;
use assistant::contract::close::may_be_sent;
use futures_util::{SinkExt, StreamExt};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::sleep;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

/// A client frame with an all-zero mask, so that its payload can be read here.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length: Vec<u8> = match u16::try_from(payload.len()) {
        Ok(short @ 0..=125) => vec![0x80 | u8::try_from(short).unwrap()],
        Ok(long) => [&[0xfe][..], &long.to_be_bytes()].concat(),
        Err(_) => [&[0xff][..], &u64::try_from(payload.len()).unwrap().to_be_bytes()].concat(),
    };
    [&[first][..], &length, &[0; 4], payload].concat()
}

/// A close frame with this code and reason.
fn goodbye(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(0x88, &[&code.to_be_bytes()[..], reason].concat())
}

/// What a gateway answers to these bytes on a fresh connection, if it is a close code.
async fn answer(site: &Site<PipeNet>, bytes: &[u8]) -> Option<u16> {
    let (head, mut stream) = ask(site, &bearer(&good())).await;
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    // A gateway that has closed already takes no more, which is fine.
    drop(stream.write_all(bytes).await);
    drop(stream.shutdown().await);
    last_word(stream).await
}

async fn last_word(stream: DuplexStream) -> Option<u16> {
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Close(frame) = message {
            return frame.map(|frame| frame.code.into());
        }
    }
    None
}

/// The bystander says something and is heard.
async fn unharmed(bystander: &mut Socket<PipeNet>, number: u32) {
    let turn = format!(r#"{{"event":"user_message","message_id":"m-{number}","text":"Hello"}}"#);
    bystander.send(Message::text(turn)).await.unwrap();
    until(bystander, "ack").await;
    until(bystander, "message").await;
}

#[tokio::test(start_paused = true)]
async fn cc_errmap_broken_frames_get_their_code_and_nobody_else_notices() {
    let long = vec![b'x'; 126];
    let split_utf8 = [frame(0x01, &[0xe4]), frame(0x80, &[0x41])].concat();
    let mut huge = frame(0x81, b"");
    huge.splice(1..2, [&[0xff][..], &(1_u64 << 62).to_be_bytes()].concat());
    let cases: Vec<(&str, Vec<u8>, u16)> = vec![
        ("binary", frame(0x82, b"x"), 1003),
        ("unmasked text", vec![0x81, 0x02, b'h', b'i'], 1002),
        ("reserved opcode 3", frame(0x83, b""), 1002),
        ("reserved opcode 11", frame(0x8b, b""), 1002),
        ("reserved bit 1", frame(0xc1, b"x"), 1002),
        ("reserved bit 3", frame(0x91, b"x"), 1002),
        ("a fragmented ping", frame(0x09, b""), 1002),
        ("a fragmented close", frame(0x08, b""), 1002),
        ("a ping of 126 bytes", frame(0x89, &long), 1002),
        ("a continuation of nothing", frame(0x80, b"x"), 1002),
        ("text within a fragmented text", [frame(0x01, b"a"), frame(0x81, b"b")].concat(), 1002),
        ("text that is not UTF-8", frame(0x81, &[0xff, 0xfe]), 1007),
        ("text that is not UTF-8 where it is cut", split_utf8, 1007),
        ("a frame of 4 EiB", huge, 1009),
        ("text beyond the limit", frame(0x81, &vec![b' '; 64 * 1024 + 1]), 1009),
        ("no JSON", frame(0x81, b"{"), 4400),
        ("another event", frame(0x81, br#"{"event":"shout"}"#), 4400),
        ("a close of one byte", frame(0x88, &[3]), 1002),
        ("a close with a reason that is not UTF-8", goodbye(1000, &[0xff]), 1007),
    ];
    beside(PipeNet::default(), GatewayConfig::default(), async |site| {
        let mut bystander = joined(&site).await;
        for (number, (what, bytes, code)) in (0..).zip(cases) {
            assert_eq!(answer(&site, &bytes).await, Some(code), "{what}");
            unharmed(&mut bystander, number).await;
            sleep(Duration::from_secs(1)).await;
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn cc_no_illegal_send_no_code_of_a_peer_makes_the_gateway_say_a_forbidden_one() {
    beside(PipeNet::default(), GatewayConfig::default(), async |site| {
        let edges = [0, 1, 999, 1000, 1003, 1004, 1005, 1006, 1007, 1014, 1015, 1016, 2999, 3000]
            .into_iter()
            .chain([4000, 4401, 4499, 4999, 5000, 9999, 32_768, 65_535]);
        for code in edges {
            let said = answer(&site, &goodbye(code, b"")).await;
            assert!(said.is_some_and(may_be_sent), "{code} is answered with {said:?}");
            if may_be_sent(code) && code != 1014 {
                assert_eq!(said, Some(code), "a legal code comes back");
            } else {
                assert_eq!(said, Some(1002), "{code} breaks the protocol");
            }
            sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_pings_or_frames_is_told_that_it_is_too_fast() {
    beside(PipeNet::default(), GatewayConfig::default(), async |site| {
        let mut bystander = joined(&site).await;
        let pong = Message::text(r#"{"event":"pong","n":1}"#);
        for (number, flood) in (0..).zip([Message::Ping(vec![1].into()), pong]) {
            let mut socket = joined(&site).await;
            for _ in 0..60 {
                // It may be closed before the last one.
                drop(socket.send(flood.clone()).await);
            }
            let advice = until(&mut socket, "reconnect_advice").await;
            assert!(advice.contains(r#""why":"rate""#), "{advice}");
            assert_eq!(closed(&mut socket).await, (4429, "rate_limited".to_owned()));
            unharmed(&mut bystander, number).await;
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn one_user_cannot_take_all_connections_or_send_more_over_many() {
    let config = GatewayConfig { user_frames_burst_max: 50, ..GatewayConfig::default() };
    beside(PipeNet::default(), config, async |site| {
        let mut sockets = Vec::new();
        for _ in 0..10 {
            sockets.push(joined(&site).await);
        }
        let (head, _stream) = ask(&site, &bearer(&good())).await;
        assert!(head.starts_with("http/1.1 429 ") && head.contains("retry-after: "), "{head}");
        let mut page = upgraded(&site, &offer(&good())).await;
        until(&mut page, "reconnect_advice").await;
        assert_eq!(closed(&mut page).await.0, 4429);
        // Ten connections, each far below its own limit.
        for socket in &mut sockets {
            for _ in 0..10 {
                drop(socket.send(Message::Ping(Vec::new().into())).await);
            }
        }
        let mut told = 0;
        for mut socket in sockets {
            while let Some(Ok(message)) = socket.next().await {
                match message {
                    Message::Close(frame) => {
                        told += usize::from(frame.is_some_and(|f| u16::from(f.code) == 4429));
                    }
                    Message::Ping(_) | Message::Pong(_) | Message::Text(_) => {}
                    Message::Binary(_) | Message::Frame(_) => panic!("{message:?}"),
                }
                if told > 0 {
                    return;
                }
            }
        }
        panic!("nobody was told");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_handshake_byte_by_byte_is_cut_off() {
    beside(PipeNet::default(), GatewayConfig::default(), async |site| {
        let mut bystander = joined(&site).await;
        let mut stream = site.dial().await;
        let mut sent = 0;
        for byte in request(&bearer(&good())).bytes() {
            if stream.write_u8(byte).await.is_err() {
                break;
            }
            sent += 1;
            sleep(Duration::from_millis(500)).await;
        }
        assert!((15..=25).contains(&sent), "{sent} bytes, two a second, were taken");
        unharmed(&mut bystander, 1).await;
    })
    .await;
}

/// Bytes that begin like frames, or not at all.
fn garbage(rng: &mut ChaCha8Rng) -> Vec<u8> {
    let length = usize::try_from(rng.next_u32() % 300).unwrap();
    let mut bytes = vec![0; length];
    rng.fill_bytes(&mut bytes);
    if rng.next_u32().is_multiple_of(2) && length > 8 {
        // A plausible head: final, a real opcode, masked.
        bytes[0] = [0x81, 0x82, 0x88, 0x89, 0x8a, 0x01, 0x80]
            [usize::try_from(rng.next_u32() % 7).unwrap()];
        bytes[1] |= 0x80;
    }
    bytes
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_strings_of_garbage_harm_nobody() {
    // One user sends all of it, much faster than one may.
    let config = GatewayConfig {
        upgrades_per_second_max: 0,
        user_frames_per_second_max: 0,
        ..GatewayConfig::default()
    };
    beside(PipeNet::default(), config, async |site| {
        let mut rng = ChaCha8Rng::seed_from_u64(10_000);
        let mut bystander = joined(&site).await;
        let mut codes = BTreeSet::new();
        for number in 0..10_000_u32 {
            codes.insert(answer(&site, &garbage(&mut rng)).await);
            if number % 1_000 == 0 {
                unharmed(&mut bystander, number).await;
            }
        }
        assert!(codes.iter().flatten().all(|code| may_be_sent(*code)), "{codes:?}");
        for code in [1002, 1003, 1007, 4400] {
            assert!(codes.contains(&Some(code)), "{code} is not among {codes:?}");
        }
        for _ in 0..1_000 {
            let mut stream = site.dial().await;
            drop(stream.write_all(&garbage(&mut rng)).await);
            drop(stream.shutdown().await);
            drop(stream.read_to_end(&mut Vec::new()).await);
        }
        unharmed(&mut bystander, 10_000).await;
        mt_card(&scrape(&site).await);
        assert_eq!(sum(&site, "ws_connections ").await, 1);
    })
    .await;
}

/// Every label that a gateway may ever use.
pub(crate) const LABELS: &[(&str, &[&str])] = &[
    (
        "outcome",
        &[
            "accepted",
            "bad_request",
            "draining",
            "expired",
            "invalid",
            "missing",
            "origin",
            "overload",
            "revoked",
            "user_limit",
            "wrong_kind",
        ],
    ),
    (
        "event",
        &[
            "ack",
            "auth",
            "catchup",
            "error",
            "hello",
            "message",
            "other",
            "ping",
            "pong",
            "recommendations",
            "reconnect_advice",
            "resume_failed",
            "resumed",
            "typing",
            "user_message",
            "user_turn",
            "welcome",
        ],
    ),
    (
        "reason",
        &[
            "bad_request",
            "binary",
            "drain",
            "forbidden",
            "internal",
            "normal",
            "overload",
            "peer",
            "peer_lost",
            "protocol",
            "rate_limited",
            "slow_consumer",
            "superseded",
            "timeout",
            "token_expired",
            "too_big",
            "unauthorized",
            "utf8",
        ],
    ),
    (
        "why",
        &[
            "auth",
            "drain",
            "expired",
            "invalid",
            "missing",
            "overload",
            "rate",
            "revoked",
            "slow",
            "unsent",
            "wrong_kind",
        ],
    ),
    ("result", &["ahead", "epoch", "recovered"]),
];

/// MT-CARD: whatever peers have said, labels come from closed sets.
fn mt_card(metrics: &str) {
    let mut seen = 0;
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        let Some((_name, rest)) = line.split_once('{') else { continue };
        let Some((labels, _value)) = rest.split_once('}') else { continue };
        for label in labels.split(',') {
            let (name, value) = label.split_once('=').unwrap();
            let value = value.trim_matches('"');
            let known = LABELS.iter().find(|(known, _values)| *known == name);
            let is_code = name == "code"
                && (["other", "3xxx", "4xxx"].contains(&value)
                    || value.parse().is_ok_and(|code: u16| (1000..5000).contains(&code)));
            let is_listed = known.is_some_and(|(_name, values)| values.contains(&value));
            assert!(name == "le" || is_code || is_listed, "{line}");
            seen += usize::from(is_listed);
        }
    }
    assert!(seen > 10, "{metrics}");
}
