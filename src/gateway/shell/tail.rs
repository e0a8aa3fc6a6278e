//! The tail of a thread log, as inputs of the machine.

use crate::config::GatewayConfig;
use crate::contract::id::ThreadId;
use crate::contract::thread::TailLine;
use crate::gateway::port::{Claim, Input};
use crate::http::{Lines, Peer};
use crate::net::Net;
use axum::http::StatusCode;
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, unfold};
use std::time::Duration;
use tokio::time::timeout;

/// Follows a thread log; the last input is `TailEnded`.
pub(super) fn follow<N: Net>(
    supervisor: &Peer<N>,
    config: &GatewayConfig,
    thread: &ThreadId,
    after: u64,
    Claim { client_id, number }: &Claim,
) -> BoxStream<'static, Input> {
    let supervisor = supervisor.clone();
    let path = format!(
        "/v1/threads/{thread}/frames?after={after}&follow=true&client={client_id}&claim={number}"
    );
    let (deadline, patience) = (config.supervisor_deadline, config.tail_patience);
    let start = TailState::Start { supervisor, path, deadline };
    unfold(start, move |state| async move {
        let lines = match state {
            TailState::Start { supervisor, path, deadline } => {
                match supervisor.lines(&path, deadline).await {
                    Ok((StatusCode::OK, lines)) => Some(lines),
                    Ok(_) | Err(_) => None,
                }
            }
            TailState::Reading(lines) => Some(lines),
            TailState::Over => return None,
        };
        Some(read_line(lines, patience).await)
    })
    .boxed()
}

/// Where a tail stands.
enum TailState<N> {
    Start { supervisor: Peer<N>, path: String, deadline: Duration },
    Reading(Lines),
    Over,
}

async fn read_line<N>(lines: Option<Lines>, patience: Duration) -> (Input, TailState<N>) {
    let Some(mut lines) = lines else {
        return (Input::TailEnded, TailState::Over);
    };
    let line = timeout(patience, lines.next()).await.ok().flatten();
    match line.and_then(|line| serde_json::from_slice::<TailLine>(&line).ok()) {
        Some(line) => (Input::Line(line), TailState::Reading(lines)),
        None => (Input::TailEnded, TailState::Over),
    }
}

/// The next input of a tail, if there is one. Cancel safe.
pub(super) async fn next_line(tail: &mut Option<BoxStream<'static, Input>>) -> Option<Input> {
    let input = tail.as_mut()?.next().await;
    if input.is_none() {
        // It is over, and an `unfold` that is over panics when it is polled.
        *tail = None;
    }
    input
}
