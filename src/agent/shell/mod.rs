//! The agent's server: `POST /v1/turn`, and its metrics. All it adds to [`respond`](super::respond) is HTTP.

mod metrics;

use super::{Catalog, respond};
use crate::config::AgentConfig;
use crate::contract::agent::{AGENT_CONTRACT, AgentRequest, AgentResponse};
use crate::http::{Routes, Spawner, Stop, serve};
use crate::net::Net;
use crate::telemetry::scrape;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use metrics::{Fault, Metrics};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::time::Instant;

/// What the requests share.
struct Agent {
    catalog: Catalog,
    metrics: Metrics,
}

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
        .route("/metrics", get(metrics))
        .with_state(Arc::new(Agent { catalog, metrics: Metrics::new() }));
    let (_spawner, inbox) = Spawner::new();
    serve::<N>(listener, Routes::Http1(router), inbox, stop, config.grace).await
}

async fn turn(
    State(agent): State<Arc<Agent>>,
    request: Result<Json<AgentRequest>, JsonRejection>,
) -> Result<Json<AgentResponse>, (StatusCode, String)> {
    let Json(request) = request.map_err(|rejection| {
        agent.metrics.failed(Fault::InvalidRequest);
        (rejection.status(), rejection.body_text())
    })?;
    if request.version != AGENT_CONTRACT {
        agent.metrics.failed(Fault::ContractVersion);
        let why = format!("speaks version {AGENT_CONTRACT} of the contract");
        return Err((StatusCode::BAD_REQUEST, why));
    }
    let start = Instant::now();
    let response = survived(&agent.metrics, || respond(&agent.catalog, &request))?;
    agent.metrics.answered(&response, start.elapsed());
    Ok(Json(response))
}

/// A bug that one turn meets fails that turn, and takes the agent from nobody else.
fn survived<T>(metrics: &Metrics, turn: impl FnOnce() -> T) -> Result<T, (StatusCode, String)> {
    catch_unwind(AssertUnwindSafe(turn)).map_err(|_reported_by_the_hook| {
        metrics.failed(Fault::Panic);
        (StatusCode::INTERNAL_SERVER_ERROR, "the agent met a bug".to_owned())
    })
}

async fn metrics(State(agent): State<Arc<Agent>>, headers: HeaderMap) -> Response {
    scrape(&agent.metrics.registry, &headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_fails_its_turn_is_counted_and_passes() {
        let metrics = Metrics::new();
        let failed = survived(&metrics, || -> u32 { panic!("a bug") }).unwrap_err();
        assert_eq!(failed.0, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(survived(&metrics, || 1), Ok(1));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &metrics.registry).unwrap();
        assert!(text.contains("agent_re_errors_total{error_type=\"panic\"} 1"), "{text}");
    }
}
