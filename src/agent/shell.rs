//! The agent's server: `POST /v1/turn`. All it adds to [`respond`](super::respond) is HTTP.

use super::{Catalog, respond};
use crate::config::AgentConfig;
use crate::contract::agent::{AgentRequest, AgentResponse};
use crate::http::{Routes, Spawner, Stop, serve};
use crate::net::Net;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use std::io;
use std::sync::Arc;

/// Serves `catalog` on `listener` until `stop`.
///
/// # Errors
/// If a task panicked.
pub async fn run<N: Net>(
    config: AgentConfig,
    catalog: Catalog,
    listener: N::Listener,
    stop: Stop,
) -> io::Result<()> {
    let router = Router::new()
        .route("/v1/turn", post(turn))
        .route("/healthz", get(|| async { "ok" }))
        .with_state(Arc::new(catalog));
    let (_spawner, inbox) = Spawner::new();
    serve::<N>(listener, Routes::Http1(router), inbox, stop, config.grace).await
}

async fn turn(
    State(catalog): State<Arc<Catalog>>,
    Json(request): Json<AgentRequest>,
) -> Json<AgentResponse> {
    Json(respond(&catalog, &request))
}
