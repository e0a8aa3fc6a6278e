//! One connection: a single task that polls its writer, its calls, its tail, its reader and its timer, in
//! this order, and carries out what the machine says.
//!
//! The tail is read only while there is room to write, so a slow reader slows its own tail and nothing else.

use super::Shared;
use super::metrics::{Census, End};
use super::tail::{Tail, next_line};
use super::writer::Queue;
use crate::contract::close::CloseReason;
use crate::contract::frame::{AdviceReason, ClientFrame, ServerFrame};
use crate::contract::id::{ConnectionId, SessionId, UserId};
use crate::contract::thread::OpenThread;
use crate::gateway::machine::{Connection, advice};
use crate::gateway::port::{CallFailure, Caller, Input, Output, Visitor};
use crate::net::Net;
use crate::token::Claims;
use axum::http::StatusCode;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, SplitSink, SplitStream};
use hyper::Method;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::{pending, ready};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// The I/O of one connection.
pub(super) struct Talk<N> {
    shared: Arc<Shared<N>>,
    started: Instant,
    sink: SplitSink<Socket, Message>,
    stream: SplitStream<Socket>,
    queue: Queue,
    calls: FuturesUnordered<BoxFuture<'static, Input>>,
    tail: Option<Tail>,
    /// The end of the session of the token that holds now.
    revoked: BoxFuture<'static, ()>,
}

impl<N: Net> Talk<N> {
    pub(super) fn new(shared: Arc<Shared<N>>, socket: Socket) -> Self {
        let (sink, stream) = socket.split();
        let queue = Queue::new(Arc::clone(&shared.metrics));
        Self {
            shared,
            started: Instant::now(),
            sink,
            stream,
            queue,
            calls: FuturesUnordered::new(),
            tail: None,
            revoked: Box::pin(pending()),
        }
    }

    /// Talks until one side has enough.
    pub(super) async fn converse(&mut self, claims: Claims, entry: &mut Census) -> End {
        let mut machine = self.machine(&claims);
        let user = claims.sub;
        self.watch(claims.sid);
        let mut stop = self.shared.stop.clone();
        // Kept over the rounds: to register for each of them anew would be most of an idle round's work.
        let mut stopping = pin!(stop.requested());
        let mut timer = pin!(sleep_until(self.started));
        let mut draining = false;
        let mut spoke = false;
        loop {
            let deadline = self.started + machine.deadline().unwrap_or(Duration::MAX / 4);
            if timer.deadline() != deadline {
                timer.as_mut().reset(deadline);
            }
            let config = &self.shared.config;
            let room = self.queue.len() < config.queue_frames_max
                && self.queue.bytes() < config.queue_bytes_max;
            // Biased: first what frees memory, then what the supervisor says, then what the client says.
            // A client has its say before a timer (its pong may be waiting), but only once: one that never
            // stops talking must not outlive its token. While the queue is full nobody is heard, since an
            // answer could not be kept.
            let talked = std::mem::take(&mut spoke);
            let input = tokio::select! {
                biased;
                () = &mut stopping, if !draining => {
                    draining = true;
                    Input::Drain { after: self.shared.drain_after() }
                }
                written = self.queue.write(&mut self.sink), if self.queue.is_unwritten() => {
                    match written {
                        Ok(waiting) => Input::Wrote { waiting },
                        Err(_lost) => return End::Lost,
                    }
                }
                () = &mut self.revoked => {
                    self.revoked = Box::pin(pending());
                    Input::Revoked
                }
                Some(input) = self.calls.next() => input,
                Some(input) = next_line(&mut self.tail), if room => input,
                () = ready(()), if talked && deadline <= Instant::now() => Input::Wake,
                message = self.stream.next(), if room => match self.classify(message, &user) {
                    Ok(input) => {
                        spoke = true;
                        input
                    }
                    Err(end) => return end,
                },
                () = &mut timer => Input::Wake,
            };
            // Not kept: an idle connection needs no room for what it does now and then.
            let mut out = Vec::new();
            machine.step(self.started.elapsed(), input, &mut out);
            for output in out {
                if let Some(end) = self.carry_out(output, &user, entry) {
                    return end;
                }
            }
        }
    }

    fn watch(&mut self, session: SessionId) {
        self.revoked = Box::pin(self.shared.revocations.watch(session).revoked());
    }

    fn machine(&self, claims: &Claims) -> Connection {
        let config = self.shared.config.clone();
        let half_a_beat = u64::try_from(config.heartbeat.as_millis() / 2).unwrap_or(u64::MAX);
        let visitor = Visitor {
            user: claims.sub.clone(),
            connection_id: ConnectionId::new(format!("c-{:016x}", self.shared.draw()))
                .expect("a hexadecimal number is an id"),
            expires: self.left(claims),
            phase: Duration::from_millis(self.shared.draw() % half_a_beat.max(1)),
        };
        Connection::new(config, visitor, Duration::ZERO)
    }

    /// Tells a browser by a close frame what others are told by an HTTP status.
    pub(super) fn refuse(&mut self, reason: CloseReason) -> End {
        if reason == CloseReason::RateLimited {
            let why = AdviceReason::Rate;
            let (min_ms, max_ms) = advice(why);
            self.send(&ServerFrame::ReconnectAdvice { why, min_ms, max_ms });
        }
        End::Ours(reason)
    }

    /// What a message means; `Err` ends the connection.
    fn classify(
        &self,
        message: Option<Result<Message, WsError>>,
        user: &UserId,
    ) -> Result<Input, End> {
        let metrics = &self.shared.metrics;
        let now = self.shared.started.elapsed();
        // An end is no message: it must be counted as what it is, however much was said before.
        let speaks = matches!(&message, Some(Ok(message)) if !message.is_close());
        if speaks && self.shared.presences.with(|all| all.spend(now, user)).is_err() {
            return Ok(Input::Overspent);
        }
        match message {
            Some(Ok(Message::Text(text))) => match serde_json::from_str::<ClientFrame>(&text) {
                Ok(frame) => {
                    metrics.received(frame.event());
                    Ok(Input::Frame(frame))
                }
                Err(_not_ours) => {
                    metrics.received("other");
                    Ok(Input::Broken(CloseReason::BadRequest))
                }
            },
            Some(Ok(Message::Binary(_))) => {
                metrics.received("other");
                Ok(Input::Broken(CloseReason::Binary))
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(Input::Control),
            Some(Ok(Message::Close(frame))) => Err(End::Theirs(frame.map(|f| f.code.into()))),
            // The peer dropped the connection without a close frame.
            Some(Err(WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake))) | None => {
                Err(End::Lost)
            }
            Some(Err(WsError::Protocol(_))) => Ok(Input::Broken(CloseReason::Protocol)),
            Some(Err(WsError::Utf8(_))) => Ok(Input::Broken(CloseReason::Utf8)),
            Some(Err(WsError::Capacity(_))) => Ok(Input::Broken(CloseReason::TooBig)),
            Some(Err(_lost)) => Err(End::Lost),
        }
    }

    /// Does what the machine says; `Some` ends the connection.
    fn carry_out(&mut self, output: Output, user: &UserId, entry: &mut Census) -> Option<End> {
        match output {
            Output::Send(frame) => {
                if let ServerFrame::Welcome { .. } = frame {
                    entry.welcome();
                }
                self.send(&frame);
            }
            Output::Open { thread, user, caller: Caller { client_id, attempt } } => {
                let ask = OpenThread { user, client_id: Some(client_id), attempt };
                let call = self.call(Method::PUT, format!("/v1/threads/{thread}"), ask);
                self.calls.push(Box::pin(async move { Input::Opened(call.await) }));
            }
            Output::Submit { thread, turn } => {
                let call = self.call(Method::POST, format!("/v1/threads/{thread}/turns"), turn);
                self.calls.push(Box::pin(async move { Input::Submitted(call.await) }));
            }
            Output::Follow { thread, after, claim } => {
                let (supervisor, config) = (&self.shared.supervisor, &self.shared.config);
                self.tail = Some(Tail::follow(supervisor, config, &thread, after, &claim));
            }
            Output::Reauthorize { token } => {
                let verified = self.shared.verify(&token);
                if let Err(why) = &verified {
                    self.shared.metrics.auth_rejected(why);
                }
                let good = verified.ok().filter(|claims| claims.sub == *user);
                let expires = good.as_ref().map(|claims| self.left(claims));
                if let Some(claims) = good {
                    self.watch(claims.sid);
                }
                self.calls.push(Box::pin(async move { Input::Reauthorized(expires) }));
            }
            Output::Answered(after) => self.shared.metrics.answered(after),
            Output::Close(reason) => return Some(End::Ours(reason)),
        }
        None
    }

    fn send(&mut self, frame: &ServerFrame) {
        let metrics = &self.shared.metrics;
        match frame {
            ServerFrame::ReconnectAdvice { why, .. } => metrics.advised(why.as_str()),
            ServerFrame::Resumed { from, to, .. } => {
                metrics.resumed("recovered", to.saturating_sub(*from));
            }
            ServerFrame::ResumeFailed { why, .. } => metrics.resumed(why.as_str(), 0),
            ServerFrame::Welcome { .. }
            | ServerFrame::Ack { .. }
            | ServerFrame::Typing { .. }
            | ServerFrame::Ping { .. }
            | ServerFrame::Log(_) => {}
        }
        let text = serde_json::to_string(frame).expect("contract types have a JSON form");
        self.queue.push(Message::text(text), Some(frame.event()));
        if let ServerFrame::Ping { .. } = frame {
            // Any library answers this one, even if the page that uses it is asleep.
            self.queue.push(Message::Ping(Bytes::new()), None);
        }
    }

    /// A call to the supervisor.
    fn call<B, A>(
        &self,
        method: Method,
        path: String,
        body: B,
    ) -> impl Future<Output = Result<A, CallFailure>> + Send + 'static
    where
        B: Serialize + Send + Sync + 'static,
        A: DeserializeOwned,
    {
        let supervisor = self.shared.supervisor.clone();
        let deadline = self.shared.config.supervisor_deadline;
        async move {
            match supervisor.call(method, &path, &body, deadline).await {
                Ok((StatusCode::OK, body)) => {
                    serde_json::from_slice(&body).map_err(|_not_ours| CallFailure::Away)
                }
                Ok((_status, body)) => {
                    Err(serde_json::from_slice(&body)
                        .map_or(CallFailure::Away, CallFailure::Refused))
                }
                Err(error) => {
                    tracing::debug!(%error, "the supervisor did not answer");
                    Err(CallFailure::Away)
                }
            }
        }
    }

    /// How long a token is still good, on this connection's clock.
    fn left(&self, claims: &Claims) -> Duration {
        let left = claims.good_until().saturating_sub(self.shared.wall.now());
        self.started.elapsed() + left
    }

    /// Says goodbye and waits for the peer's goodbye, so that it does not see an abnormal end.
    pub(super) async fn part(mut self, end: End) {
        match end {
            End::Ours(reason) => {
                let code = reason.code().into();
                let frame = CloseFrame { code, reason: reason.text().into() };
                self.queue.push(Message::Close(Some(frame)), None);
            }
            // After the peer's close nothing but its echo may be sent, and tungstenite has that.
            End::Theirs(_) | End::Lost => self.queue.clear(),
        }
        let patience = self.shared.config.close_timeout;
        if timeout(patience, goodbye(end, self.sink, self.stream, self.queue)).await.is_err() {
            tracing::debug!("the peer did not answer the close frame");
        }
    }
}

/// Writes what is left, then reads until the peer's end: a socket that is closed with bytes unread is
/// reset, and a reset may overtake the close frame.
async fn goodbye(
    end: End,
    mut sink: SplitSink<Socket, Message>,
    mut stream: SplitStream<Socket>,
    mut queue: Queue,
) {
    while queue.is_unwritten() {
        if queue.write(&mut sink).await.is_err() {
            return;
        }
    }
    let mut answered = matches!(end, End::Theirs(_));
    while let Some(Ok(late)) = stream.next().await {
        answered |= matches!(late, Message::Close(_));
    }
    // Tungstenite reads nothing after an error, so the rest is read as bytes. The end of ours comes first:
    // the peer, as a client should, waits for it with its own.
    if !answered && let Ok(mut socket) = sink.reunite(stream) {
        let raw = socket.get_mut();
        if raw.shutdown().await.is_ok() {
            let mut unread = [0; 1024];
            while matches!(raw.read(&mut unread).await, Ok(1..)) {}
        }
    }
}
