//! Somebody with a good token and no manners, or the other way round: connects to a gateway, breaks the protocol in
//! one way, and listens to what becomes of it.

use crate::scenario::Intrusion;
use assistant::contract::id::{SessionId, UserId};
use assistant::contract::token::Revoke;
use assistant::http::Peer;
use assistant::net::Net;
use assistant::token::{Claims, Keys};
use axum::http::{HeaderValue, Method, StatusCode, header};
use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::time::sleep;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// Longer than any message that a gateway takes, bytes.
const HUGE_BYTES: usize = 70 * 1024;
/// More frames than a connection may send at once.
const FLOOD_FRAMES: u32 = 200;
/// So many frames one of a crowd may send, and not all of them together.
const CROWD_FRAMES: u32 = 36;
/// How long the tokens of an intruder are good for.
const TTL: Duration = Duration::from_secs(600);
/// Gateways are told of the end of a session at once; so long that may take.
const TOLD_WITHIN: Duration = Duration::from_secs(1);
/// A kind of frame that RFC 6455 keeps for later.
const RESERVED: u8 = 3;

/// Where it goes.
pub(super) struct Doors<N> {
    pub(super) gateway: Peer<N>,
    pub(super) token_service: Peer<N>,
}

/// Who comes, and with which token.
pub(super) struct Intruder {
    /// Nobody else has this name.
    pub(super) name: String,
    /// The time of day.
    pub(super) now: Duration,
    pub(super) keys: Keys,
    pub(super) how: Intrusion,
}

impl Intruder {
    /// Intrudes, until the gateway has had enough.
    pub(super) async fn run<N: Net>(self, doors: Doors<N>) {
        let Some(token) = self.token() else { return };
        if self.how == Intrusion::Revoked && self.sign_out(&doors).await.is_none() {
            return;
        }
        let mut sockets = Vec::new();
        for _ in 0..self.how.connections() {
            let Some(socket) = enter(&doors, &token).await else { return };
            sockets.push(socket);
        }
        let talks = sockets.into_iter().enumerate().map(|(place, mut socket)| {
            let messages = self.messages(place);
            async move {
                for message in messages {
                    if socket.send(message).await.is_err() {
                        return;
                    }
                }
                while let Some(Ok(_)) = socket.next().await {}
            }
        });
        join_all(talks).await;
    }

    fn ids(&self) -> Option<(UserId, SessionId)> {
        Some((format!("u-{}", self.name).parse().ok()?, self.name.parse().ok()?))
    }

    fn token(&self) -> Option<String> {
        let (user, session) = self.ids()?;
        let access = |now| Claims::access(user, session, now, TTL);
        Some(match self.how {
            Intrusion::Expired => self.keys.sign(&access(self.now.saturating_sub(TTL * 2))),
            Intrusion::Forged => {
                let own = Keys::from_secret(b"a secret that nobody else has heard of").ok()?;
                own.sign(&access(self.now))
            }
            Intrusion::Silent
            | Intrusion::Binary
            | Intrusion::Garbage
            | Intrusion::Huge
            | Intrusion::Flood
            | Intrusion::Latin1
            | Intrusion::Reserved
            | Intrusion::Crowd
            | Intrusion::Revoked => self.keys.sign(&access(self.now)),
        })
    }

    /// Ends its own session, and waits until the gateways must know.
    async fn sign_out<N: Net>(&self, doors: &Doors<N>) -> Option<()> {
        let (user, session) = self.ids()?;
        let refresh_token = self.keys.sign(&Claims::refresh(user, session, 1, self.now, TTL));
        let ask = Revoke { refresh_token };
        let call = doors.token_service.call(Method::POST, "/v1/revoke", &ask, TOLD_WITHIN);
        let (status, _) = call.await.ok()?;
        sleep(TOLD_WITHIN).await;
        (status == StatusCode::NO_CONTENT).then_some(())
    }

    /// What it says on one of its connections.
    fn messages(&self, place: usize) -> Vec<Message> {
        let hello = || {
            let (name, cursor) = (&self.name, r#"{"epoch":0,"seq":0}"#);
            Message::text(format!(
                r#"{{"event":"hello","protocol":1,"client_id":"{name}-{place}","thread_id":"t-{name}","cursor":{cursor}}}"#
            ))
        };
        let pongs = |count| {
            let pong = |n| Message::text(format!(r#"{{"event":"pong","n":{n}}}"#));
            std::iter::once(hello()).chain((0..count).map(pong)).collect()
        };
        match self.how {
            Intrusion::Silent | Intrusion::Expired | Intrusion::Revoked | Intrusion::Forged => {
                Vec::new()
            }
            Intrusion::Binary => vec![hello(), Message::Binary(Bytes::from_static(b"x"))],
            Intrusion::Garbage => vec![hello(), Message::text("{")],
            Intrusion::Huge => vec![hello(), Message::text("x".repeat(HUGE_BYTES))],
            Intrusion::Latin1 => vec![hello(), raw(Data::Text, b"{\"event\":\"caf\xe9\"}")],
            Intrusion::Reserved => vec![hello(), raw(Data::Reserved(RESERVED), b"x")],
            Intrusion::Flood => pongs(FLOOD_FRAMES),
            Intrusion::Crowd => pongs(CROWD_FRAMES),
        }
    }
}

/// A connection to the gateway, if it lets anybody in.
async fn enter<N: Net>(doors: &Doors<N>, token: &str) -> Option<WebSocketStream<N::Stream>> {
    let address = &doors.gateway.address;
    let stream = doors.gateway.net.connect(address).await.ok()?;
    let mut request = format!("ws://{address}/ws").into_client_request().ok()?;
    let bearer = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    request.headers_mut().insert(header::AUTHORIZATION, bearer);
    let (socket, _) = tokio_tungstenite::client_async(request, stream).await.ok()?;
    Some(socket)
}

/// A frame that no library would make.
fn raw(kind: Data, payload: &'static [u8]) -> Message {
    Message::Frame(Frame::message(Bytes::from_static(payload), OpCode::Data(kind), true))
}
