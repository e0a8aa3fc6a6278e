//! Somebody with a good token and no manners: connects to a gateway, breaks the protocol in one way, and listens to
//! what becomes of it.

use crate::scenario::Intrusion;
use assistant::net::Net;
use axum::http::{HeaderValue, header};
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// Longer than any message that a gateway takes, bytes.
const HUGE_BYTES: usize = 70 * 1024;
/// More frames than a connection may send at once.
const FLOOD_FRAMES: u32 = 200;

/// Intrudes, until the gateway has had enough.
pub(super) async fn run<N: Net>(net: N, address: String, token: String, how: Intrusion) {
    let Ok(stream) = net.connect(&address).await else { return };
    let Ok(mut request) = format!("ws://{address}/ws").into_client_request() else { return };
    let Ok(bearer) = HeaderValue::from_str(&format!("Bearer {token}")) else { return };
    request.headers_mut().insert(header::AUTHORIZATION, bearer);
    let Ok((mut socket, _)) = tokio_tungstenite::client_async(request, stream).await else {
        return;
    };
    for message in messages(how) {
        if socket.send(message).await.is_err() {
            return;
        }
    }
    while let Some(Ok(_)) = socket.next().await {}
}

fn messages(how: Intrusion) -> Vec<Message> {
    let hello = || {
        let hello = r#"{"event":"hello","protocol":1,"client_id":"mallory","thread_id":"t-mallory","cursor":{"epoch":0,"seq":0}}"#;
        Message::text(hello)
    };
    match how {
        Intrusion::Silent => Vec::new(),
        Intrusion::Binary => vec![hello(), Message::Binary(Bytes::from_static(b"x"))],
        Intrusion::Garbage => vec![hello(), Message::text("{")],
        Intrusion::Huge => vec![hello(), Message::text("x".repeat(HUGE_BYTES))],
        Intrusion::Flood => {
            let pong = |n| Message::text(format!(r#"{{"event":"pong","n":{n}}}"#));
            std::iter::once(hello()).chain((0..FLOOD_FRAMES).map(pong)).collect()
        }
    }
}
