//! A host that answers every request in the same wrong way, in the place of a role.

use crate::scenario::Misbehaviour;
use assistant::http::{Routes, Spawner, Stop, serve};
use assistant::net::Net;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::future::pending;
use std::io;
use std::time::Duration;

/// Serves on `listener` until `stop`.
///
/// # Errors
/// If a task panicked.
pub(super) async fn run<N: Net>(
    how: Misbehaviour,
    listener: N::Listener,
    stop: Stop,
) -> io::Result<()> {
    let router = Router::new().fallback(move || answer(how));
    let (_spawner, inbox) = Spawner::new();
    serve::<N>(listener, Routes::Http1(router), inbox, stop, Duration::ZERO).await
}

async fn answer(how: Misbehaviour) -> Response {
    match how {
        Misbehaviour::Refuse => (StatusCode::INTERNAL_SERVER_ERROR, "out of order").into_response(),
        Misbehaviour::Garble => "{\"version\": 1, \"status".into_response(),
        Misbehaviour::Drift => "{\"version\": 1, \"mood\": \"fine\"}".into_response(),
        Misbehaviour::Hang => pending().await,
    }
}
