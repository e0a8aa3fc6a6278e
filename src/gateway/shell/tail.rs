//! The tail of a thread log, as inputs of the machine.

use crate::config::GatewayConfig;
use crate::contract::id::ThreadId;
use crate::contract::thread::TailLine;
use crate::gateway::port::{Claim, Input};
use crate::http::{Lines, Link};
use crate::net::Net;
use axum::http::StatusCode;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// A thread log that is followed. There is one for every connection, so it is small while nothing comes. It may be
/// silent for ever: that the supervisor is there is the business of the link.
pub(super) enum Tail {
    Asking(BoxFuture<'static, Option<Lines>>),
    Reading(Lines),
}

impl Tail {
    /// Follows a thread log; the last input is `TailEnded`.
    pub(super) fn follow<N: Net>(
        supervisor: &Link<N>,
        config: &GatewayConfig,
        thread: &ThreadId,
        after: u64,
        Claim { client_id, number }: &Claim,
    ) -> Self {
        let supervisor = supervisor.clone();
        let path = format!(
            "/v1/threads/{thread}/frames?after={after}&follow=true&client={client_id}&claim={number}"
        );
        let deadline = config.supervisor_deadline;
        let asking = async move {
            match supervisor.lines(&path, deadline).await {
                Ok((StatusCode::OK, lines)) => Some(lines),
                Ok(_) | Err(_) => None,
            }
        };
        Self::Asking(asking.boxed())
    }

    /// The next line; `None` when it is over. Cancel safe.
    async fn next(&mut self) -> Option<TailLine> {
        loop {
            match self {
                Self::Asking(asking) => *self = Self::Reading(asking.await?),
                Self::Reading(lines) => return serde_json::from_slice(&lines.next().await?).ok(),
            }
        }
    }
}

/// The next input of a tail, if there is one. Cancel safe.
pub(super) async fn next_line(followed: &mut Option<Tail>) -> Option<Input> {
    match followed.as_mut()?.next().await {
        Some(line) => Some(Input::Line(line)),
        None => {
            *followed = None;
            Some(Input::TailEnded)
        }
    }
}
