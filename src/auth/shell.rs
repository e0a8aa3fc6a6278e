//! The token service: `POST /v1/refresh` turns a refresh token into a short-lived access token.

use crate::config::TokenConfig;
use crate::contract::token::{Granted, Refresh};
use crate::http::{Spawner, Stop, serve};
use crate::net::Net;
use crate::token::{Keys, Kind};
use crate::wall::Wall;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use std::io;
use std::sync::Arc;

/// What the token service is made of.
#[derive(Debug, Clone)]
pub struct TokenService {
    /// Timeouts and lifetimes.
    pub config: TokenConfig,
    /// Signs and checks.
    pub keys: Keys,
    /// The time of day.
    pub wall: Wall,
}

/// Serves on `listener` until `stop`.
///
/// # Errors
/// If a task panicked.
pub async fn run<N: Net>(
    service: TokenService,
    listener: N::Listener,
    stop: Stop,
) -> io::Result<()> {
    let grace = service.config.grace;
    let router = Router::new()
        .route("/v1/refresh", post(refresh))
        .route("/healthz", get(|| async { "ok" }))
        .with_state(Arc::new(service));
    let (_spawner, inbox) = Spawner::new();
    serve::<N>(listener, router, inbox, stop, grace).await
}

async fn refresh(
    State(service): State<Arc<TokenService>>,
    Json(ask): Json<Refresh>,
) -> Result<Json<Granted>, StatusCode> {
    let now = service.wall.now();
    match service.keys.verify(Kind::Refresh, &ask.refresh_token, now) {
        Ok(claims) => {
            let ttl = service.config.access_ttl;
            let access_token = service.keys.mint(Kind::Access, &claims.sub, now, ttl);
            Ok(Json(Granted { access_token, expires_in: ttl.as_secs(), refresh_token: None }))
        }
        Err(why) => {
            tracing::info!(why = why.label(), "refused a refresh token");
            Err(StatusCode::UNAUTHORIZED)
        }
    }
}
