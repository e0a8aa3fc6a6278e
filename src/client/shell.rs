//! The client's I/O: dials, reads and writes for the machine, and tells an app what to show.
//!
//! The app talks through two channels and never sees a socket. Dropping the commands' sender closes the
//! client; dropping the root future ends it at once.

use super::retry_after::retry_after;
use super::{Client, Input, Kept, Output, Rum, SendFailure, State};
use crate::config::ClientPolicy;
use crate::contract::frame::LogFrame;
use crate::contract::id::{ClientId, MessageId, ThreadId};
use crate::contract::token::{Granted, Refresh};
use crate::http::Peer;
use crate::net::Net;
use futures_util::future::{BoxFuture, poll_fn};
use futures_util::stream::{FuturesUnordered, SplitSink, SplitStream};
use futures_util::{Sink, StreamExt};
use hyper::{Method, StatusCode, header};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;
use std::future::pending;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

/// `read_buffer_size` of the `WebSocket`, bytes; tungstenite's 128 KiB are cleared for every connection.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// How long a server may take to answer a close frame.
const FAREWELL: Duration = Duration::from_secs(2);

/// What a client is made of.
#[derive(Debug)]
pub struct ClientSetup<N: Net> {
    /// The rules of reconnecting.
    pub policy: ClientPolicy,
    /// This instance.
    pub client_id: ClientId,
    /// The conversation.
    pub thread_id: ThreadId,
    /// The network and the gateways' addresses; attempt `n` goes to the `n`-th, round and round.
    pub gateways: Vec<Peer<N>>,
    /// Where tokens are renewed.
    pub token_service: Peer<N>,
    /// The credential for that: the newest of which [`Happening::Credential`] told.
    pub refresh_token: String,
    /// Spreads the waits.
    pub rng: ChaCha8Rng,
    /// What an earlier instance left behind.
    pub kept: Option<Kept>,
}

/// What an app asks of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Connect, and stay connected.
    Connect,
    /// Disconnect, and stay so.
    Close,
    /// The device has a network again.
    Online,
    /// The device has no network.
    Offline,
    /// The user looks at the app again.
    Visible,
    /// Send a user turn.
    Send {
        /// Its id, chosen by the app.
        message_id: MessageId,
        /// What the user wrote.
        text: String,
    },
}

/// What a client tells its app.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// Show this frame; each comes once, in order.
    Show(LogFrame),
    /// The other side is at work on a turn.
    Typing {
        /// The turn.
        in_reply_to: MessageId,
    },
    /// A turn is durable.
    Acked {
        /// The turn.
        message_id: MessageId,
        /// Its place in the log.
        seq: u64,
    },
    /// A turn is given up.
    Failed {
        /// The turn.
        message_id: MessageId,
        /// Why.
        why: SendFailure,
    },
    /// The connection changed.
    Link(State),
    /// What was shown is void; the log comes again from its beginning.
    ViewReset,
    /// The refresh token for the next start; those before it are spent. Keep it secret, and out of logs.
    Credential(String),
}

/// What is left of a client that ended.
#[derive(Debug)]
pub struct Remains {
    /// What the next instance needs to go on.
    pub kept: Kept,
    /// What this one counted.
    pub rum: Rum,
}

/// Runs a client until the sender of `commands` is dropped.
pub async fn run<N: Net>(
    setup: ClientSetup<N>,
    mut commands: mpsc::Receiver<Command>,
    happenings: mpsc::UnboundedSender<Happening>,
) -> Remains {
    let (mut machine, mut io) = Io::new(setup, happenings);
    let started = Instant::now();
    let mut out = Vec::new();
    let mut open = true;
    while open {
        let deadline = machine.deadline().map(|deadline| started + deadline);
        // Biased: the user first, then the network, the timer last.
        let input = tokio::select! {
            biased;
            command = commands.recv() => match command {
                Some(command) => command.into(),
                None => {
                    open = false;
                    Input::Close
                }
            },
            (input, credential) = slot(&mut io.refresh) => {
                io.refresh = None;
                io.renew(credential);
                input
            }
            (input, socket) = slot(&mut io.dial) => {
                io.dial = None;
                io.socket = socket;
                input
            }
            message = talk(&mut io.socket) => match io.heard(message) {
                Some(input) => input,
                None => continue,
            },
            Some(()) = io.farewells.next() => continue,
            () = until(deadline) => Input::Wake,
        };
        machine.step(started.elapsed(), input, &mut out);
        for output in out.drain(..) {
            io.carry_out(output);
        }
    }
    while io.farewells.next().await.is_some() {}
    Remains { kept: machine.kept(), rum: machine.rum().clone() }
}

impl From<Command> for Input {
    fn from(command: Command) -> Self {
        match command {
            Command::Connect => Self::Connect,
            Command::Close => Self::Close,
            Command::Online => Self::Online,
            Command::Offline => Self::Offline,
            Command::Visible => Self::Visible,
            Command::Send { message_id, text } => Self::Send { message_id, text },
        }
    }
}

type Dialled<S> = (Input, Option<Socket<S>>);
/// What the token service said, and the refresh token for the next time.
type Refreshed = (Input, Option<String>);

/// Everything of a client that is not a decision.
struct Io<N: Net> {
    gateways: Vec<Peer<N>>,
    token_service: Peer<N>,
    refresh_token: String,
    happenings: mpsc::UnboundedSender<Happening>,
    refresh: Option<BoxFuture<'static, Refreshed>>,
    dial: Option<BoxFuture<'static, Dialled<N::Stream>>>,
    socket: Option<Socket<N::Stream>>,
    /// How long the token service may take, in session too.
    refresh_timeout: Duration,
    farewells: FuturesUnordered<BoxFuture<'static, ()>>,
}

/// An open connection.
struct Socket<S> {
    generation: u64,
    sink: SplitSink<WebSocketStream<S>, Message>,
    stream: SplitStream<WebSocketStream<S>>,
    queue: VecDeque<Message>,
}

impl<N: Net> Io<N> {
    fn new(setup: ClientSetup<N>, happenings: mpsc::UnboundedSender<Happening>) -> (Client, Self) {
        let refresh_timeout = setup.policy.refresh_timeout.unwrap_or(Duration::MAX);
        let mut machine = Client::new(setup.policy, setup.client_id, setup.thread_id, setup.rng);
        if let Some(kept) = setup.kept {
            machine.restore(kept);
        }
        let io = Self {
            gateways: setup.gateways,
            token_service: setup.token_service,
            refresh_token: setup.refresh_token,
            refresh_timeout,
            happenings,
            refresh: None,
            dial: None,
            socket: None,
            farewells: FuturesUnordered::new(),
        };
        (machine, io)
    }

    fn carry_out(&mut self, output: Output) {
        let happening = match output {
            Output::Refresh { generation } => {
                let service = self.token_service.clone();
                let token = self.refresh_token.clone();
                self.refresh =
                    Some(Box::pin(refresh(service, token, generation, self.refresh_timeout)));
                return;
            }
            Output::Open { generation, token } => return self.open(generation, &token),
            Output::Transmit { generation, frame } => {
                if let Some(socket) = self.socket.as_mut().filter(|s| s.generation == generation) {
                    let text = serde_json::to_string(&frame).expect("frames have a JSON form");
                    socket.queue.push_back(Message::text(text));
                }
                return;
            }
            Output::CloseSocket { generation, code } => return self.close(generation, code),
            Output::AbortSocket { generation } => return self.abort(generation),
            Output::Show(frame) => Happening::Show(frame),
            Output::Typing { in_reply_to } => Happening::Typing { in_reply_to },
            Output::Acked { message_id, seq } => Happening::Acked { message_id, seq },
            Output::Failed { message_id, why } => Happening::Failed { message_id, why },
            Output::StateChanged(state) => Happening::Link(state),
            Output::ResumeRestarted => Happening::ViewReset,
        };
        // An app that has stopped to listen will drop its commands as well.
        drop(self.happenings.send(happening));
    }

    /// Goes on with a new credential. Only the latest refresh gets here, since a slot holds one future.
    fn renew(&mut self, credential: Option<String>) {
        if let Some(token) = credential {
            self.refresh_token.clone_from(&token);
            drop(self.happenings.send(Happening::Credential(token)));
        }
    }

    fn open(&mut self, generation: u64, token: &str) {
        let attempts = usize::try_from(generation.saturating_sub(1)).unwrap_or(usize::MAX);
        let turn = attempts.checked_rem(self.gateways.len()).unwrap_or(0);
        match self.gateways.get(turn).cloned() {
            Some(gateway) => {
                self.dial = Some(Box::pin(dial(gateway, token.to_owned(), generation)));
            }
            None => {
                self.dial =
                    Some(Box::pin(async move { (Input::SocketFailed { generation }, None) }));
            }
        }
    }

    fn close(&mut self, generation: u64, code: u16) {
        self.refresh = None;
        self.dial = None;
        let Some(mut socket) = self.socket.take_if(|socket| socket.generation == generation) else {
            return;
        };
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        socket.queue.push_back(Message::Close(Some(frame)));
        self.farewells.push(Box::pin(part(socket)));
    }

    fn abort(&mut self, generation: u64) {
        self.refresh = None;
        self.dial = None;
        self.socket.take_if(|socket| socket.generation == generation);
    }

    /// What a message of the server means.
    fn heard(&mut self, message: Option<Result<Message, WsError>>) -> Option<Input> {
        let generation = self.socket.as_ref()?.generation;
        Some(match message {
            Some(Ok(Message::Text(text))) => {
                Input::Frame { generation, text: text.as_str().to_owned() }
            }
            Some(Ok(
                Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_),
            )) => Input::Alive { generation },
            Some(Ok(Message::Close(frame))) => {
                // 1005: the close frame was empty (RFC 6455 section 7.1.5).
                let code = Some(frame.map_or(1005, |frame| frame.code.into()));
                if let Some(socket) = self.socket.take() {
                    self.farewells.push(Box::pin(part(socket)));
                }
                Input::SocketClosed { generation, code }
            }
            Some(Err(_)) | None => {
                self.socket = None;
                Input::SocketClosed { generation, code: None }
            }
        })
    }
}

impl<S> Socket<S>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    /// A message leaves the queue when the sink has it, so this may be dropped at any time.
    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        let mut sink = Pin::new(&mut self.sink);
        while !self.queue.is_empty() {
            ready!(sink.as_mut().poll_ready(context))?;
            if let Some(message) = self.queue.pop_front() {
                sink.as_mut().start_send(message)?;
            }
        }
        sink.poll_flush(context)
    }
}

/// Writes what is queued and waits for the next thing the server says. Cancel safe.
async fn talk<S>(socket: &mut Option<Socket<S>>) -> Option<Result<Message, WsError>>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    poll_fn(|context| {
        let Some(socket) = socket else {
            return Poll::Pending;
        };
        if let Poll::Ready(Err(error)) = socket.poll_flush(context) {
            return Poll::Ready(Some(Err(error)));
        }
        socket.stream.poll_next_unpin(context)
    })
    .await
}

/// What a slot will bring, if it is filled. Cancel safe.
async fn slot<T>(slot: &mut Option<BoxFuture<'static, T>>) -> T {
    match slot {
        Some(future) => future.await,
        None => pending().await,
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}

/// Asks the token service for an access token. Dropped halfway, it may have spent the refresh token; the
/// service answers that one again.
async fn refresh<N: Net>(
    service: Peer<N>,
    refresh_token: String,
    generation: u64,
    longest: Duration,
) -> Refreshed {
    let ask = Refresh { refresh_token };
    match service.call(Method::POST, "/v1/refresh", &ask, longest).await {
        Ok((StatusCode::OK, body)) => match serde_json::from_slice::<Granted>(&body) {
            Ok(Granted { access_token: token, expires_in, refresh_token }) => {
                let expires_in = Duration::from_secs(expires_in);
                (Input::TokenGranted { generation, token, expires_in }, refresh_token)
            }
            Err(_not_ours) => (Input::TokenUnreachable { generation }, None),
        },
        Ok((StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _)) => {
            (Input::TokenRefused { generation }, None)
        }
        Ok(_) | Err(_) => (Input::TokenUnreachable { generation }, None),
    }
}

/// Connects and upgrades. The machine watches the time.
async fn dial<N: Net>(gateway: Peer<N>, token: String, generation: u64) -> Dialled<N::Stream> {
    let failed = (Input::SocketFailed { generation }, None);
    let url = format!("ws://{}/ws", gateway.address);
    let Ok(mut request) = url.into_client_request() else {
        return failed;
    };
    let Ok(bearer) = header::HeaderValue::from_str(&format!("Bearer {token}")) else {
        return failed;
    };
    request.headers_mut().insert(header::AUTHORIZATION, bearer);
    let Ok(stream) = gateway.net.connect(&gateway.address).await else {
        return failed;
    };
    let config =
        WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES).write_buffer_size(0);
    match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _response)) => {
            let (sink, stream) = socket.split();
            let socket = Socket { generation, sink, stream, queue: VecDeque::new() };
            (Input::SocketOpened { generation }, Some(socket))
        }
        Err(WsError::Http(response)) => {
            let retry_after = retry_after(response.headers());
            let status = response.status().as_u16();
            (Input::SocketRejected { generation, status, retry_after }, None)
        }
        Err(_) => failed,
    }
}

/// Writes what is queued, then reads until the server has said goodbye too.
async fn part<S>(mut socket: Socket<S>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let goodbye = async {
        if poll_fn(|context| socket.poll_flush(context)).await.is_ok() {
            while let Some(Ok(_late)) = socket.stream.next().await {}
        }
    };
    // A server that does not answer is left alone; dropping the socket closes it.
    drop(timeout(FAREWELL, goodbye).await);
}
