//! One connection: a single task that polls its writer, its calls, its tail, its reader and its timer, in
//! this order, and carries out what the machine says.
//!
//! The tail is read only while there is room to write, so a slow reader slows its own tail and nothing else.

use super::Shared;
use super::machine::{CallFailure, Connection, Input, Output, Visitor};
use super::metrics::End;
use super::tail::{follow, next_line};
use crate::contract::close::CloseReason;
use crate::contract::frame::{ClientFrame, ServerFrame};
use crate::contract::id::{ConnectionId, UserId};
use crate::contract::thread::OpenThread;
use crate::net::Net;
use crate::token::{Claims, Kind};
use axum::http::StatusCode;
use futures_util::future::{BoxFuture, poll_fn};
use futures_util::stream::{BoxStream, FuturesUnordered, SplitSink, SplitStream};
use futures_util::{Sink, StreamExt};
use hyper::Method;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use rand_core::Rng;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
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
    queue: VecDeque<Message>,
    /// Whether the queue or the sink holds something that is not with the operating system.
    unwritten: bool,
    calls: FuturesUnordered<BoxFuture<'static, Input>>,
    tail: Option<BoxStream<'static, Input>>,
}

impl<N: Net> Talk<N> {
    pub(super) fn new(shared: Arc<Shared<N>>, socket: Socket) -> Self {
        let (sink, stream) = socket.split();
        Self {
            shared,
            started: Instant::now(),
            sink,
            stream,
            queue: VecDeque::new(),
            unwritten: false,
            calls: FuturesUnordered::new(),
            tail: None,
        }
    }

    /// Talks until one side has enough.
    pub(super) async fn converse(&mut self, claims: Claims) -> End {
        let drawn = self.draw();
        let visitor = Visitor {
            user: claims.sub.clone(),
            connection_id: ConnectionId::new(format!("c-{drawn:016x}"))
                .expect("a hexadecimal number is an id"),
            expires: self.left(claims.exp),
        };
        let mut machine = Connection::new(self.shared.config.clone(), visitor, Duration::ZERO);
        let mut stop = self.shared.stop.clone();
        let mut draining = false;
        let mut spoke = false;
        let mut out = Vec::new();
        loop {
            let deadline = self.started + machine.deadline().unwrap_or(Duration::MAX / 4);
            let room = self.queue.len() < self.shared.config.queue_frames_max;
            // Biased: first what frees memory, then what the supervisor says, then what the client says.
            // A client has its say before a timer (its pong may be waiting), but only once: one that never
            // stops talking must not outlive its token. While the queue is full nobody is heard, since an
            // answer could not be kept.
            let talked = std::mem::take(&mut spoke);
            let input = tokio::select! {
                biased;
                () = stop.requested(), if !draining => {
                    draining = true;
                    Input::Drain { after: self.drain_delay() }
                }
                written = flush(&mut self.sink, &mut self.queue), if self.unwritten => {
                    match written {
                        Ok(()) => {
                            self.unwritten = false;
                            continue;
                        }
                        Err(_lost) => return End::Lost,
                    }
                }
                Some(input) = self.calls.next() => input,
                Some(input) = next_line(&mut self.tail), if room => input,
                () = sleep_until(deadline), if talked => Input::Wake,
                message = self.stream.next(), if room => match self.classify(message) {
                    Ok(input) => {
                        spoke = true;
                        input
                    }
                    Err(end) => return end,
                },
                () = sleep_until(deadline) => Input::Wake,
            };
            machine.step(self.started.elapsed(), input, &mut out);
            for output in out.drain(..) {
                if let Some(end) = self.carry_out(output, &claims.sub) {
                    return end;
                }
            }
        }
    }

    /// What a message means; `Err` ends the connection.
    fn classify(&self, message: Option<Result<Message, WsError>>) -> Result<Input, End> {
        let metrics = &self.shared.metrics;
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
    fn carry_out(&mut self, output: Output, user: &UserId) -> Option<End> {
        match output {
            Output::Send(frame) => self.send(&frame),
            Output::Open { thread, user } => {
                let ask = OpenThread { user, client_id: None };
                let call = self.call(Method::PUT, format!("/v1/threads/{thread}"), ask);
                self.calls.push(Box::pin(async move { Input::Opened(call.await) }));
            }
            Output::Submit { thread, turn } => {
                let call = self.call(Method::POST, format!("/v1/threads/{thread}/turns"), turn);
                self.calls.push(Box::pin(async move { Input::Submitted(call.await) }));
            }
            Output::Follow { thread, after } => {
                let (supervisor, config) = (&self.shared.supervisor, &self.shared.config);
                self.tail = Some(follow(supervisor, config, &thread, after));
            }
            Output::Reauthorize { token } => {
                let claims = self.shared.keys.verify(Kind::Access, &token, self.shared.wall.now());
                let good = claims.ok().filter(|claims| claims.sub == *user);
                let expires = good.map(|claims| self.left(claims.exp));
                self.calls.push(Box::pin(async move { Input::Reauthorized(expires) }));
            }
            Output::Close(reason) => return Some(End::Ours(reason)),
        }
        None
    }

    fn send(&mut self, frame: &ServerFrame) {
        self.shared.metrics.sent(frame.event());
        if let ServerFrame::ReconnectAdvice { why, .. } = frame {
            self.shared.metrics.advised(why.as_str());
        }
        let text = serde_json::to_string(frame).expect("contract types have a JSON form");
        self.queue.push_back(Message::text(text));
        self.unwritten = true;
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

    /// How long a token that ends at `exp` (seconds since 1970) is still good, on this connection's clock.
    fn left(&self, exp: u64) -> Duration {
        let left = Duration::from_secs(exp).saturating_sub(self.shared.wall.now());
        self.started.elapsed() + left
    }

    fn draw(&self) -> u64 {
        self.shared.rng.lock().expect("no panic while it is held").next_u64()
    }

    /// A random moment of the drain window.
    fn drain_delay(&self) -> Duration {
        let window = u64::try_from(self.shared.config.drain_window.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.draw() % window.max(1))
    }

    /// Says goodbye and waits for the peer's goodbye, so that it does not see an abnormal end.
    pub(super) async fn part(mut self, end: End) {
        match end {
            End::Ours(reason) => {
                let code = reason.code().into();
                let frame = CloseFrame { code, reason: reason.text().into() };
                self.queue.push_back(Message::Close(Some(frame)));
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
    mut queue: VecDeque<Message>,
) {
    if flush(&mut sink, &mut queue).await.is_err() {
        return;
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

/// Writes the queue. Cancel safe: a message leaves the queue when the sink has it.
async fn flush(
    sink: &mut SplitSink<Socket, Message>,
    queue: &mut VecDeque<Message>,
) -> Result<(), WsError> {
    poll_fn(|context| poll_flush(Pin::new(&mut *sink), queue, context)).await
}

fn poll_flush(
    mut sink: Pin<&mut SplitSink<Socket, Message>>,
    queue: &mut VecDeque<Message>,
    context: &mut Context<'_>,
) -> Poll<Result<(), WsError>> {
    while !queue.is_empty() {
        ready!(sink.as_mut().poll_ready(context))?;
        if let Some(message) = queue.pop_front() {
            sink.as_mut().start_send(message)?;
        }
    }
    sink.poll_flush(context)
}
