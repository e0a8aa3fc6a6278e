//! The gateway's server: upgrades by hand, owns every connection, carries out what the machine says.
//!
//! # Design
//! axum's own `on_upgrade` detaches a task; here the upgraded socket goes to the root future. A connection
//! is one task that polls its writer, its calls, its tail, its reader and its timer, in this order.
//! The tail is read only while there is room to write, so a slow reader slows its own tail and nothing else.

use super::handshake::{Credential, SUBPROTOCOL, credential, upgrade_key};
use super::machine::{CallFailure, Connection, Input, Output, Visitor};
use super::metrics::{Census, End, Metrics};
use crate::config::GatewayConfig;
use crate::contract::close::CloseReason;
use crate::contract::frame::{ClientFrame, ServerFrame};
use crate::contract::id::{ConnectionId, ThreadId, UserId};
use crate::contract::thread::{OpenThread, TailLine};
use crate::http::{Lines, Peer, Spawner, Stop, serve};
use crate::net::Net;
use crate::telemetry::scrape;
use crate::token::{Claims, Keys, Kind, TokenError};
use crate::wall::Wall;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::future::{BoxFuture, poll_fn};
use futures_util::stream::{BoxStream, FuturesUnordered, SplitSink, SplitStream, unfold};
use futures_util::{Sink, StreamExt};
use hyper::Method;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use rand_chacha::ChaCha8Rng;
use rand_core::Rng;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

/// What a gateway is made of.
#[derive(Debug)]
pub struct Gateway<N> {
    /// Timeouts and limits.
    pub config: GatewayConfig,
    /// Checks tokens.
    pub keys: Keys,
    /// Where the supervisor is.
    pub supervisor: Peer<N>,
    /// The time of day.
    pub wall: Wall,
    /// Names connections and spreads the closes of a drain.
    pub rng: ChaCha8Rng,
}

struct Shared<N> {
    config: GatewayConfig,
    keys: Keys,
    supervisor: Peer<N>,
    wall: Wall,
    rng: Mutex<ChaCha8Rng>,
    metrics: Arc<Metrics>,
    spawner: Spawner,
    stop: Stop,
}

/// Serves on `listener` until `stop`, then drains.
///
/// # Errors
/// If a task panicked.
pub async fn run<N: Net>(gateway: Gateway<N>, listener: N::Listener, stop: Stop) -> io::Result<()> {
    let (spawner, inbox) = Spawner::new();
    let grace = gateway.config.grace;
    let shared = Arc::new(Shared {
        config: gateway.config,
        keys: gateway.keys,
        supervisor: gateway.supervisor,
        wall: gateway.wall,
        rng: Mutex::new(gateway.rng),
        metrics: Arc::new(Metrics::new()),
        spawner,
        stop: stop.clone(),
    });
    let router = Router::new()
        .route("/ws", get(upgrade::<N>))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready_to_serve::<N>))
        .route("/metrics", get(metrics::<N>))
        .with_state(shared);
    serve::<N>(listener, router, inbox, stop, grace).await
}

async fn metrics<N: Net>(State(shared): State<Arc<Shared<N>>>) -> Response {
    scrape(&shared.metrics.registry)
}

async fn ready_to_serve<N: Net>(State(shared): State<Arc<Shared<N>>>) -> Response {
    match shared.stop.is_requested() {
        true => (StatusCode::SERVICE_UNAVAILABLE, "draining").into_response(),
        false => "ready".into_response(),
    }
}

async fn upgrade<N: Net>(State(shared): State<Arc<Shared<N>>>, mut request: Request) -> Response {
    let metrics = &shared.metrics;
    if shared.stop.is_requested() {
        metrics.upgrade("draining");
        return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")]).into_response();
    }
    let Some(key) = upgrade_key(request.headers()).map(derive_accept_key) else {
        metrics.upgrade("bad_request");
        return (StatusCode::BAD_REQUEST, "this is a WebSocket endpoint").into_response();
    };
    let credential = credential(request.headers());
    let verified = match &credential {
        Some(Credential::Header(token) | Credential::Subprotocol(token)) => {
            shared.keys.verify(Kind::Access, token, shared.wall.now())
        }
        None => Err(TokenError::Invalid),
    };
    let by_subprotocol = matches!(credential, Some(Credential::Subprotocol(_)));
    if let (Err(why), false) = (&verified, by_subprotocol) {
        metrics.upgrade(why.label());
        return (StatusCode::FORBIDDEN, why.to_string()).into_response();
    }
    metrics.upgrade("accepted");
    let upgraded = hyper::upgrade::on(&mut request);
    let entry = metrics.connected();
    shared.spawner.spawn(welcome(Arc::clone(&shared), upgraded, verified, entry));
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&key) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    if by_subprotocol {
        let chosen = HeaderValue::from_static(SUBPROTOCOL);
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, chosen);
    }
    response
}

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Takes over an upgraded connection until its end.
async fn welcome<N: Net>(
    shared: Arc<Shared<N>>,
    upgraded: hyper::upgrade::OnUpgrade,
    verified: Result<Claims, TokenError>,
    mut entry: Census,
) -> io::Result<()> {
    // The peer may vanish between its request and our answer.
    let Ok(upgraded) = upgraded.await else {
        return Ok(());
    };
    let limits = WebSocketConfig::default()
        .read_buffer_size(shared.config.read_buffer_bytes)
        .write_buffer_size(0)
        .max_write_buffer_size(1024 * 1024)
        .max_message_size(Some(shared.config.message_bytes_max))
        .max_frame_size(Some(shared.config.message_bytes_max));
    let io = TokioIo::new(upgraded);
    let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(limits)).await;
    let mut talk = Talk::new(shared, socket);
    entry.end = match verified {
        Ok(claims) => talk.converse(claims).await,
        Err(_why) => End::Ours(CloseReason::Unauthorized),
    };
    talk.part(entry.end).await;
    Ok(())
}

/// The I/O of one connection.
struct Talk<N> {
    shared: Arc<Shared<N>>,
    started: Instant,
    sink: SplitSink<Socket, Message>,
    stream: SplitStream<Socket>,
    queue: VecDeque<Message>,
    calls: FuturesUnordered<BoxFuture<'static, Input>>,
    tail: Option<BoxStream<'static, Input>>,
}

impl<N: Net> Talk<N> {
    fn new(shared: Arc<Shared<N>>, socket: Socket) -> Self {
        let (sink, stream) = socket.split();
        Self {
            shared,
            started: Instant::now(),
            sink,
            stream,
            queue: VecDeque::new(),
            calls: FuturesUnordered::new(),
            tail: None,
        }
    }

    /// Talks until one side has enough.
    async fn converse(&mut self, claims: Claims) -> End {
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
                written = flush(&mut self.sink, &mut self.queue), if !self.queue.is_empty() => {
                    match written {
                        Ok(()) => continue,
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
                let call =
                    self.call(Method::PUT, format!("/v1/threads/{thread}"), OpenThread { user });
                self.calls.push(Box::pin(async move { Input::Opened(call.await) }));
            }
            Output::Submit { thread, turn } => {
                let call = self.call(Method::POST, format!("/v1/threads/{thread}/turns"), turn);
                self.calls.push(Box::pin(async move { Input::Submitted(call.await) }));
            }
            Output::Follow { thread, after } => self.tail = Some(self.follow(&thread, after)),
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

    /// The tail of a thread log; its last input is `TailEnded`.
    fn follow(&self, thread: &ThreadId, after: u64) -> BoxStream<'static, Input> {
        let supervisor = self.shared.supervisor.clone();
        let path = format!("/v1/threads/{thread}/frames?after={after}&follow=true");
        let (deadline, patience) =
            (self.shared.config.supervisor_deadline, self.shared.config.tail_patience);
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
    async fn part(mut self, end: End) {
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
async fn next_line(tail: &mut Option<BoxStream<'static, Input>>) -> Option<Input> {
    let input = tail.as_mut()?.next().await;
    if input.is_none() {
        // It is over, and an `unfold` that is over panics when it is polled.
        *tail = None;
    }
    input
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
