//! The token service: `POST /v1/refresh` turns a refresh token into a short-lived access token and the next
//! refresh token, `POST /v1/revoke` ends a session, `GET /v1/revocations` tells gateways of it.
//!
//! A failing store ends the role; no token is handed out that is not on disk.

use super::chain::Verdict;
use super::store::{Store, StoreError};
use crate::config::TokenConfig;
use crate::contract::token::{Granted, Refresh, RevocationLine, Revoke};
use crate::http::{Routes, Spawner, Stop, serve};
use crate::net::Net;
use crate::token::{Claims, Keys, Kind};
use crate::wall::Wall;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::stream::unfold;
use std::io;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::timeout;

/// What the token service is made of.
#[derive(Debug)]
pub struct TokenService {
    /// Timeouts and lifetimes.
    pub config: TokenConfig,
    /// Signs and checks.
    pub keys: Keys,
    /// What survives.
    pub store: Store,
    /// The time of day.
    pub wall: Wall,
}

/// What all requests share.
struct Shared {
    service: TokenService,
    /// Wakes those who follow the list of revocations.
    revoked: watch::Sender<()>,
    spawner: Spawner,
    stop: Stop,
}

/// Serves on `listener` until `stop`.
///
/// # Errors
/// If the store fails or a task panicked.
pub async fn run<N: Net>(
    service: TokenService,
    listener: N::Listener,
    stop: Stop,
) -> io::Result<()> {
    let (spawner, inbox) = Spawner::new();
    let grace = service.config.grace;
    let revoked = watch::Sender::new(());
    let shared = Arc::new(Shared { service, revoked, spawner, stop: stop.clone() });
    let router = Router::new()
        .route("/v1/refresh", post(refresh))
        .route("/v1/revoke", post(revoke))
        .route("/v1/revocations", get(follow))
        .route("/healthz", get(|| async { "ok" }))
        .with_state(shared);
    serve::<N>(listener, Routes::Http1(router), inbox, stop, grace).await
}

impl Shared {
    /// The answer when the store fails, which ends the role.
    fn failed(&self, error: &StoreError) -> StatusCode {
        tracing::error!(%error, source = ?std::error::Error::source(error), "the store failed");
        self.spawner.spawn(async { Err(io::Error::other("the store failed")) });
        StatusCode::SERVICE_UNAVAILABLE
    }

    /// Tells the followers of a new revocation.
    fn announce(&self) {
        self.revoked.send_replace(());
    }
}

async fn refresh(
    State(shared): State<Arc<Shared>>,
    Json(ask): Json<Refresh>,
) -> Result<Json<Granted>, StatusCode> {
    let TokenService { config, keys, store, wall } = &shared.service;
    let now = wall.now();
    let claims = keys.verify(Kind::Refresh, &ask.refresh_token, now).map_err(|why| {
        tracing::info!(why = why.label(), "refused a refresh token");
        StatusCode::UNAUTHORIZED
    })?;
    match store.present(&claims, now, config).map_err(|error| shared.failed(&error))? {
        Verdict::Advance | Verdict::Repeat => {
            let Claims { sub, sid, n, .. } = claims;
            let access = Claims::access(sub.clone(), sid.clone(), now, config.access_ttl);
            let next = Claims::refresh(sub, sid, n + 1, now, config.refresh_ttl);
            Ok(Json(Granted {
                access_token: keys.sign(&access),
                expires_in: config.access_ttl.as_secs(),
                refresh_token: Some(keys.sign(&next)),
            }))
        }
        Verdict::Reuse => {
            tracing::warn!(session = %claims.sid, n = claims.n, "a spent refresh token came again; its session is revoked");
            shared.announce();
            Err(StatusCode::UNAUTHORIZED)
        }
        Verdict::Revoked => {
            tracing::info!(session = %claims.sid, "refused a refresh token of a revoked session");
            Err(StatusCode::UNAUTHORIZED)
        }
    }
}

/// Says 204 to whatever comes: a client can do nothing about a token that is none (RFC 7009 section 2.2).
async fn revoke(State(shared): State<Arc<Shared>>, body: Bytes) -> Result<StatusCode, StatusCode> {
    let TokenService { config, keys, store, wall } = &shared.service;
    let now = wall.now();
    let ask = serde_json::from_slice::<Revoke>(&body).ok();
    let claims = ask.and_then(|ask| keys.verify(Kind::Refresh, &ask.refresh_token, now).ok());
    if let Some(claims) = claims
        && store.revoke(&claims, now, config).map_err(|error| shared.failed(&error))?
    {
        tracing::info!(session = %claims.sid, "a session is revoked");
        shared.announce();
    }
    Ok(StatusCode::NO_CONTENT)
}

/// A follower's place in the list of revocations.
struct Tail {
    shared: Arc<Shared>,
    after: u64,
    /// Whether it was told that it has seen all there was at its start.
    level: bool,
    revoked: watch::Receiver<()>,
    stop: Stop,
}

async fn follow(State(shared): State<Arc<Shared>>) -> Body {
    let (revoked, stop) = (shared.revoked.subscribe(), shared.stop.clone());
    let tail = Tail { shared, after: 0, level: false, revoked, stop };
    Body::from_stream(unfold(tail, |mut tail| async move {
        tail.next().await.map(|chunk| (Ok::<_, io::Error>(chunk), tail))
    }))
}

impl Tail {
    /// The next lines, or a beat after a silence; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        let TokenService { config, store, wall, .. } = &self.shared.service;
        loop {
            // The watch began before this, so that a revocation that comes now ends the wait below.
            let rows = match store.revocations(self.after, wall.now(), config.revocations_max) {
                Ok(rows) => rows,
                Err(error) => {
                    self.shared.failed(&error);
                    return None;
                }
            };
            if let Some((last, _line)) = rows.last() {
                self.after = *last;
                return Some(rows.iter().flat_map(|(_order, row)| line(row)).collect());
            }
            if !self.level {
                self.level = true;
                return Some(line(&RevocationLine::Beat {}).into());
            }
            let changed = timeout(config.revocations_beat, self.revoked.changed());
            // Biased: the wish to stop first, so that a busy list does not outlive it.
            tokio::select! {
                biased;
                () = self.stop.requested() => return None,
                changed = changed => if changed.is_err() {
                    return Some(line(&RevocationLine::Beat {}).into());
                },
            }
        }
    }
}

fn line(line: &RevocationLine) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(line).expect("contract types have a JSON form");
    bytes.push(b'\n');
    bytes
}
