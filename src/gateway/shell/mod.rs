//! The gateway's server: upgrades by hand, so that it owns every connection.
//!
//! # Design
//! axum's own `on_upgrade` detaches a task; here the upgraded socket goes to the root future. A connection
//! is one task: see `talk`. After the wish to stop the listener stays open until the last connection is
//! closed, so that balancers hear "not ready" and clients "later" rather than nothing.

mod handshake;
mod metrics;
mod revocations;
mod tail;
mod talk;
mod writer;

use super::drain::Plan;
use super::limits::Admission;
use crate::config::GatewayConfig;
use crate::contract::close::CloseReason;
use crate::contract::frame::AdviceReason;
use crate::http::{Link, Peer, Routes, Spawner, Stop, serve};
use crate::net::Net;
use crate::telemetry::scrape;
use crate::token::{Claims, Keys, Kind, TokenError};
use crate::wall::Wall;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::FutureExt;
use handshake::{Credential, SUBPROTOCOL, credential, origin_is_ours, upgrade_key};
use hyper_util::rt::TokioIo;
use metrics::{Census, End, Metrics, Presences};
use rand_chacha::ChaCha8Rng;
use rand_core::Rng;
use revocations::Revocations;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use talk::Talk;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// How much of the grace is kept for what is not a connection, such as a scrape.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// What a gateway is made of.
#[derive(Debug)]
pub struct Gateway<N> {
    /// Timeouts and limits.
    pub config: GatewayConfig,
    /// Checks tokens.
    pub keys: Keys,
    /// Where the supervisor is.
    pub supervisor: Peer<N>,
    /// Where the token service is, for the sessions that it revokes.
    pub token_service: Peer<N>,
    /// The time of day.
    pub wall: Wall,
    /// Names connections and spreads pings, retries and the closes of a drain.
    pub rng: ChaCha8Rng,
}

struct Shared<N> {
    config: GatewayConfig,
    keys: Keys,
    supervisor: Link<N>,
    token_service: Peer<N>,
    revocations: Revocations,
    wall: Wall,
    rng: Mutex<ChaCha8Rng>,
    started: Instant,
    metrics: Arc<Metrics>,
    presences: Arc<Presences>,
    /// Made by the first connection that hears of the wish to stop.
    plan: Mutex<Option<Plan>>,
    spawner: Spawner,
    stop: Stop,
}

impl<N> Shared<N> {
    fn draw(&self) -> u64 {
        self.rng.lock().expect("no panic while it is held").next_u64()
    }

    /// How long a connection that was asked to stop may still live.
    fn drain_after(&self) -> Duration {
        let mut plan = self.plan.lock().expect("no panic while it is held");
        let plan = plan.get_or_insert_with(|| {
            let connections = self.presences.with(|admission| admission.connections());
            let mut rng = self.rng.lock().expect("no panic while it is held");
            Plan::new(&self.config, connections, &mut rng)
        });
        plan.deal()
    }
}

/// Serves on `listener` until `stop`, then drains.
///
/// # Errors
/// If a task panicked.
pub async fn run<N: Net>(gateway: Gateway<N>, listener: N::Listener, stop: Stop) -> io::Result<()> {
    let (spawner, inbox) = Spawner::new();
    let presences = Arc::new(Presences::new(Admission::new(gateway.config.clone())));
    let (supervisor, connections) = Link::new(gateway.supervisor, gateway.config.peer_patience);
    let shared = Arc::new(Shared {
        config: gateway.config,
        keys: gateway.keys,
        supervisor,
        token_service: gateway.token_service,
        revocations: Revocations::default(),
        wall: gateway.wall,
        rng: Mutex::new(gateway.rng),
        started: Instant::now(),
        metrics: Arc::new(Metrics::new(Arc::clone(&presences))),
        presences,
        plan: Mutex::default(),
        spawner,
        stop,
    });
    let router = Router::new()
        .route("/ws", get(upgrade::<N>))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready_to_serve::<N>))
        .route("/metrics", get(metrics::<N>))
        .with_state(Arc::clone(&shared));
    let (close, closing) = Stop::new();
    let drained = async {
        drain(&shared).await;
        drop(close);
    };
    let serving = serve::<N>(listener, Routes::Http1(router), inbox, closing, LAST_MOMENT);
    tokio::select! {
        biased;
        (served, ()) = async { tokio::join!(serving, drained) } => served,
        never = revocations::follow(&shared) => match never {},
        never = connections.run() => match never {},
    }
}

/// Waits for the wish to stop, and then until every connection is closed or the time is up.
async fn drain<N: Net>(shared: &Shared<N>) {
    shared.stop.clone().requested().await;
    shared.presences.drain();
    let notice = tokio::time::sleep(shared.config.drain_notice);
    let left = async { tokio::join!(notice, shared.presences.empty()) };
    if timeout(shared.config.grace.saturating_sub(LAST_MOMENT), left).await.is_err() {
        let connections = shared.presences.with(|admission| admission.connections());
        tracing::warn!(connections, "the grace is over and not everybody has left");
    }
}

async fn metrics<N: Net>(State(shared): State<Arc<Shared<N>>>, headers: HeaderMap) -> Response {
    scrape(&shared.metrics.registry, &headers)
}

async fn ready_to_serve<N: Net>(State(shared): State<Arc<Shared<N>>>) -> Response {
    match shared.stop.is_requested() {
        true => (StatusCode::SERVICE_UNAVAILABLE, "draining").into_response(),
        false => "ready".into_response(),
    }
}

/// Why an upgrade is refused before it happens.
struct Refusal {
    status: StatusCode,
    /// The label in the metrics.
    outcome: &'static str,
    /// When to come back, if it is worth it.
    advice: Option<AdviceReason>,
}

impl Refusal {
    fn forbidden(outcome: &'static str) -> Self {
        Self { status: StatusCode::FORBIDDEN, outcome, advice: None }
    }

    fn later(status: StatusCode, outcome: &'static str, advice: AdviceReason) -> Self {
        Self { status, outcome, advice: Some(advice) }
    }
}

/// Somebody who is let in: a visitor, or one who is to be told by a close frame that it is none.
type Entrant = Result<Claims, CloseReason>;

impl<N: Net> Shared<N> {
    /// Who asks, and whether to let them in. Cheap checks come first.
    fn admit(&self, headers: &HeaderMap) -> Result<Entrant, Refusal> {
        if self.stop.is_requested() {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return Err(Refusal::later(status, "draining", AdviceReason::Drain));
        }
        let now = self.started.elapsed();
        if !self.presences.with(|admission| admission.knock(now)) {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return Err(Refusal::later(status, "overload", AdviceReason::Overload));
        }
        let credential = credential(headers);
        if !origin_is_ours(headers, &self.config.origins, credential.as_ref()) {
            return Err(Refusal::forbidden("origin"));
        }
        let is_page = matches!(credential, Some(Credential::Subprotocol(_)));
        let verified = match &credential {
            Some(Credential::Header(token) | Credential::Subprotocol(token)) => self.verify(token),
            None => Err("missing"),
        };
        match verified {
            Ok(claims) => match self.presences.with(|all| all.may_enter(&claims.sub)) {
                true => Ok(Ok(claims)),
                false if is_page => Ok(Err(CloseReason::RateLimited)),
                false => {
                    let status = StatusCode::TOO_MANY_REQUESTS;
                    Err(Refusal::later(status, "user_limit", AdviceReason::Rate))
                }
            },
            Err(why) => {
                self.metrics.auth_rejected(why);
                match is_page {
                    true => Ok(Err(CloseReason::Unauthorized)),
                    false => Err(Refusal::forbidden(why)),
                }
            }
        }
    }

    /// What an access token says, if it is good now; otherwise why not, as a label.
    fn verify(&self, token: &str) -> Result<Claims, &'static str> {
        let claims = self.keys.verify(Kind::Access, token, self.wall.now());
        let claims = claims.map_err(TokenError::label)?;
        match self.revocations.has(&claims.sid) {
            true => Err("revoked"),
            false => Ok(claims),
        }
    }

    /// The answer to an upgrade that is refused.
    fn refused(&self, refusal: &Refusal) -> Response {
        self.metrics.upgrade(refusal.outcome);
        let body = format!("refused: {}", refusal.outcome);
        let mut response = (refusal.status, body).into_response();
        if let Some(why) = refusal.advice {
            self.metrics.advised(why.as_str());
            // Whole seconds, so the range is wider than that of the advice in a frame (B8).
            let (least, most) = match why {
                AdviceReason::Rate => (5, 10),
                AdviceReason::Drain
                | AdviceReason::Overload
                | AdviceReason::Slow
                | AdviceReason::Auth => (1, 5),
            };
            let seconds = least + self.draw() % (most - least + 1);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

async fn upgrade<N: Net>(State(shared): State<Arc<Shared<N>>>, mut request: Request) -> Response {
    let Some(key) = upgrade_key(request.headers()).map(derive_accept_key) else {
        shared.metrics.upgrade("bad_request");
        return (StatusCode::BAD_REQUEST, "this is a WebSocket endpoint").into_response();
    };
    let entrant = match shared.admit(request.headers()) {
        Ok(entrant) => entrant,
        Err(refusal) => return shared.refused(&refusal),
    };
    let by_subprotocol = matches!(credential(request.headers()), Some(Credential::Subprotocol(_)));
    let upgraded = hyper::upgrade::on(&mut request);
    let entry = shared.metrics.connected(entrant.as_ref().ok().map(|claims| claims.sub.clone()));
    shared.spawner.spawn(welcome(Arc::clone(&shared), upgraded, entrant, entry));
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
    entrant: Entrant,
    mut entry: Census,
) -> io::Result<()> {
    // The peer may vanish between its request and our answer.
    let Ok(upgraded) = upgraded.await else {
        return Ok(());
    };
    let limits = WebSocketConfig::default()
        .read_buffer_size(shared.config.read_buffer_bytes)
        .write_buffer_size(shared.config.write_buffer_bytes)
        .max_write_buffer_size(shared.config.queue_bytes_max)
        .max_message_size(Some(shared.config.message_bytes_max))
        .max_frame_size(Some(shared.config.message_bytes_max));
    let io = TokioIo::new(upgraded);
    let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(limits)).await;
    let mut talk = Talk::new(shared, socket);
    entry.end = match entrant {
        // A bug that one connection meets is told to that one, and ends no other.
        Ok(claims) => AssertUnwindSafe(talk.converse(claims, &mut entry))
            .catch_unwind()
            .await
            .unwrap_or(End::Ours(CloseReason::Internal)),
        Err(reason) => talk.refuse(reason),
    };
    // On the heap, since it is needed once and a connection has long been idle by then.
    Box::pin(talk.part(entry.end)).await;
    Ok(())
}
