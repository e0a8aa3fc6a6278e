//! A host that answers every request in the same wrong way, in the place of a role.

use crate::scenario::Misbehaviour;
use assistant::contract::close::CloseReason;
use assistant::http::{Routes, Spawner, Stop, serve};
use assistant::net::Net;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::future::pending;
use std::io;
use std::time::Duration;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// Serves on `listener` until `stop`.
///
/// # Errors
/// If a task panicked, or the listener is gone.
pub(super) async fn run<N: Net>(
    how: Misbehaviour,
    listener: N::Listener,
    stop: Stop,
) -> io::Result<()> {
    let answer = match how {
        Misbehaviour::Refuse => Answer::Refusal,
        Misbehaviour::Garble => Answer::Body("{\"version\": 1, \"status"),
        Misbehaviour::Drift => Answer::Body("{\"version\": 1, \"mood\": \"fine\"}"),
        Misbehaviour::Hang => Answer::None,
        Misbehaviour::Fail => return close_all::<N>(listener, stop).await,
    };
    let router = Router::new().fallback(move || answer.give());
    let (_spawner, inbox) = Spawner::new();
    serve::<N>(listener, Routes::Http1(router), inbox, stop, Duration::ZERO).await
}

/// What every request is answered with.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Refusal,
    Body(&'static str),
    None,
}

impl Answer {
    async fn give(self) -> Response {
        match self {
            Self::Refusal => (StatusCode::INTERNAL_SERVER_ERROR, "out of order").into_response(),
            Self::Body(text) => text.into_response(),
            Self::None => pending().await,
        }
    }
}

/// Takes every connection for a WebSocket, and closes it as a gateway does that has met a bug of its own.
async fn close_all<N: Net>(mut listener: N::Listener, mut stop: Stop) -> io::Result<()> {
    let mut under_way = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            () = stop.requested() => return Ok(()),
            Some(()) = under_way.next() => {}
            accepted = N::accept(&mut listener) => under_way.push(close::<N>(accepted?)),
        }
    }
}

async fn close<N: Net>(stream: N::Stream) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    let why = CloseReason::Internal;
    let frame = CloseFrame { code: why.code().into(), reason: why.text().into() };
    if socket.close(Some(frame)).await.is_ok() {
        while let Some(Ok(_)) = socket.next().await {}
    }
}
