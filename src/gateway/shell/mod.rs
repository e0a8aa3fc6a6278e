//! The gateway's server: upgrades by hand, so that it owns every connection.
//!
//! # Design
//! axum's own `on_upgrade` detaches a task; here the upgraded socket goes to the root future. A connection
//! is one task: see `talk`.

mod handshake;
mod metrics;
mod tail;
mod talk;

use super::machine;
use crate::config::GatewayConfig;
use crate::contract::close::CloseReason;
use crate::http::{Peer, Spawner, Stop, serve};
use crate::net::Net;
use crate::telemetry::scrape;
use crate::token::{Claims, Keys, Kind, TokenError};
use crate::wall::Wall;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use handshake::{Credential, SUBPROTOCOL, credential, upgrade_key};
use hyper_util::rt::TokioIo;
use metrics::{Census, End, Metrics};
use rand_chacha::ChaCha8Rng;
use std::io;
use std::sync::{Arc, Mutex};
use talk::Talk;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// What a gateway is made of.
#[derive(Debug)]
pub struct Gateway<N> {
    /// Timeouts and limits.
    pub config: GatewayConfig,
    /// Checks tokens.
    pub keys: Keys,
    /// Where the supervisor is.
    pub supervisor: Peer<N>,
    /// The time of day.
    pub wall: Wall,
    /// Names connections and spreads the closes of a drain.
    pub rng: ChaCha8Rng,
}

struct Shared<N> {
    config: GatewayConfig,
    keys: Keys,
    supervisor: Peer<N>,
    wall: Wall,
    rng: Mutex<ChaCha8Rng>,
    metrics: Arc<Metrics>,
    spawner: Spawner,
    stop: Stop,
}

/// Serves on `listener` until `stop`, then drains.
///
/// # Errors
/// If a task panicked.
pub async fn run<N: Net>(gateway: Gateway<N>, listener: N::Listener, stop: Stop) -> io::Result<()> {
    let (spawner, inbox) = Spawner::new();
    let grace = gateway.config.grace;
    let shared = Arc::new(Shared {
        config: gateway.config,
        keys: gateway.keys,
        supervisor: gateway.supervisor,
        wall: gateway.wall,
        rng: Mutex::new(gateway.rng),
        metrics: Arc::new(Metrics::new()),
        spawner,
        stop: stop.clone(),
    });
    let router = Router::new()
        .route("/ws", get(upgrade::<N>))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready_to_serve::<N>))
        .route("/metrics", get(metrics::<N>))
        .with_state(shared);
    serve::<N>(listener, router, inbox, stop, grace).await
}

async fn metrics<N: Net>(State(shared): State<Arc<Shared<N>>>) -> Response {
    scrape(&shared.metrics.registry)
}

async fn ready_to_serve<N: Net>(State(shared): State<Arc<Shared<N>>>) -> Response {
    match shared.stop.is_requested() {
        true => (StatusCode::SERVICE_UNAVAILABLE, "draining").into_response(),
        false => "ready".into_response(),
    }
}

async fn upgrade<N: Net>(State(shared): State<Arc<Shared<N>>>, mut request: Request) -> Response {
    let metrics = &shared.metrics;
    if shared.stop.is_requested() {
        metrics.upgrade("draining");
        return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")]).into_response();
    }
    let Some(key) = upgrade_key(request.headers()).map(derive_accept_key) else {
        metrics.upgrade("bad_request");
        return (StatusCode::BAD_REQUEST, "this is a WebSocket endpoint").into_response();
    };
    let credential = credential(request.headers());
    let verified = match &credential {
        Some(Credential::Header(token) | Credential::Subprotocol(token)) => {
            shared.keys.verify(Kind::Access, token, shared.wall.now())
        }
        None => Err(TokenError::Invalid),
    };
    let by_subprotocol = matches!(credential, Some(Credential::Subprotocol(_)));
    if let (Err(why), false) = (&verified, by_subprotocol) {
        metrics.upgrade(why.label());
        return (StatusCode::FORBIDDEN, why.to_string()).into_response();
    }
    metrics.upgrade("accepted");
    let upgraded = hyper::upgrade::on(&mut request);
    let entry = metrics.connected();
    shared.spawner.spawn(welcome(Arc::clone(&shared), upgraded, verified, entry));
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&key) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    if by_subprotocol {
        let chosen = HeaderValue::from_static(SUBPROTOCOL);
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, chosen);
    }
    response
}

/// Takes over an upgraded connection until its end.
async fn welcome<N: Net>(
    shared: Arc<Shared<N>>,
    upgraded: hyper::upgrade::OnUpgrade,
    verified: Result<Claims, TokenError>,
    mut entry: Census,
) -> io::Result<()> {
    // The peer may vanish between its request and our answer.
    let Ok(upgraded) = upgraded.await else {
        return Ok(());
    };
    let limits = WebSocketConfig::default()
        .read_buffer_size(shared.config.read_buffer_bytes)
        .write_buffer_size(0)
        .max_write_buffer_size(1024 * 1024)
        .max_message_size(Some(shared.config.message_bytes_max))
        .max_frame_size(Some(shared.config.message_bytes_max));
    let io = TokioIo::new(upgraded);
    let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(limits)).await;
    let mut talk = Talk::new(shared, socket);
    entry.end = match verified {
        Ok(claims) => talk.converse(claims).await,
        Err(_why) => End::Ours(CloseReason::Unauthorized),
    };
    talk.part(entry.end).await;
    Ok(())
}
