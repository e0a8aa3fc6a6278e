//! A gateway and a supervisor beside a test, and what a test says to them.

use super::pipe::PipeNet;
use assistant::auth::{self, TokenService};
use assistant::config::{GatewayConfig, SupervisorConfig, TokenConfig};
use assistant::gateway::{self, Gateway};
use assistant::http::{Peer, Stop};
use assistant::net::{Net, TokioNet};
use assistant::supervisor::{self, Store, Supervisor};
use assistant::token::{Claims, Keys, LEEWAY};
use assistant::wall::Wall;
use futures_util::{SinkExt, StreamExt};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use std::cell::Cell;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

const NOW: Duration = Duration::from_secs(1_800_000_000);
const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const ORIGIN: &str = "https://chat.example";

/// A network that says where one listens.
pub(crate) trait Place: Net {
    /// Far more than any test takes, on the clock of this network.
    const PATIENCE: Duration;

    fn settle(&self, name: &'static str) -> impl Future<Output = (String, Self::Listener)>;
}

impl Place for TokioNet {
    const PATIENCE: Duration = Duration::from_secs(60);

    async fn settle(&self, _name: &'static str) -> (String, Self::Listener) {
        let listener = self.listen("127.0.0.1:0").await.unwrap();
        (listener.local_addr().unwrap().to_string(), listener)
    }
}

impl Place for PipeNet {
    const PATIENCE: Duration = Duration::from_secs(7_200);

    async fn settle(&self, name: &'static str) -> (String, Self::Listener) {
        (name.to_owned(), self.listen(name).await.unwrap())
    }
}

pub(crate) type Socket<N> = WebSocketStream<<N as Net>::Stream>;

/// Where the gateways are, and the means to stop them.
pub(crate) struct Site<N: Net> {
    net: N,
    /// Two gateways and the token service.
    addresses: [String; 3],
    pub(crate) stop: watch::Sender<bool>,
    /// Clients so far; each has an id of its own, or it would supersede the one before.
    clients: Cell<u32>,
    started: Instant,
}

impl<N: Net> Site<N> {
    /// The hello of a new client.
    pub(crate) fn hello(&self) -> Message {
        self.clients.set(self.clients.get() + 1);
        hello(&format!("k{}", self.clients.get()), "t", (0, 0))
    }

    /// A connection to the first gateway.
    pub(crate) async fn dial(&self) -> N::Stream {
        self.net.connect(&self.addresses[0]).await.unwrap()
    }

    /// Sends a JSON body to the token service and returns its whole answer.
    pub(crate) async fn tell_desk(&self, path: &str, body: &str) -> String {
        let mut socket = self.net.connect(&self.addresses[2]).await.unwrap();
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// How long the roles have been running.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

pub(crate) fn hello(client: &str, thread: &str, (epoch, seq): (u64, u64)) -> Message {
    Message::text(format!(
        r#"{{"event":"hello","protocol":1,"client_id":"{client}","thread_id":"{thread}","cursor":{{"epoch":{epoch},"seq":{seq}}}}}"#
    ))
}

/// Runs `test` beside two gateways and their supervisor, which end with it. What a test does not set, it
/// gets as in production, but without the wait before a drain.
pub(crate) async fn beside<N: Place, F: Future<Output = ()>>(
    net: N,
    config: GatewayConfig,
    test: impl FnOnce(Site<N>) -> F,
) {
    let wall = running_wall();
    let [front, second] = [net.settle("one").await, net.settle("two").await];
    let [back, desk] = [net.settle("back").await, net.settle("desk").await];
    let (stop, stopping) = Stop::new();
    let (_back_stop, back_stopping) = Stop::new();
    let supervisor = Supervisor {
        config: SupervisorConfig::default(),
        store: Store::open(redb::backends::InMemoryBackend::new()).unwrap(),
        // No turn is for the agent here.
        agent: Peer { net: net.clone(), address: "127.0.0.1:9".to_owned() },
        rollout: supervisor::unchanging(supervisor::Rollout::default()),
        wall: wall.clone(),
        rng: ChaCha8Rng::seed_from_u64(1),
    };
    let tokens = TokenService {
        config: TokenConfig::default(),
        keys: keys(1),
        store: auth::Store::open(redb::backends::InMemoryBackend::new()).unwrap(),
        wall: wall.clone(),
    };
    let gateway = |seed| Gateway {
        config: GatewayConfig {
            drain_notice: Duration::ZERO,
            origins: vec![ORIGIN.to_owned()],
            ..config.clone()
        },
        keys: keys(1),
        supervisor: Peer { net: net.clone(), address: back.0.clone() },
        token_service: Peer { net: net.clone(), address: desk.0.clone() },
        wall: wall.clone(),
        rng: ChaCha8Rng::seed_from_u64(seed),
    };
    let roles = async {
        tokio::join!(
            gateway::run::<N>(gateway(2), front.1, stopping.clone()),
            gateway::run::<N>(gateway(3), second.1, stopping),
            supervisor::run::<N>(supervisor, back.1, back_stopping.clone()),
            auth::run::<N>(tokens, desk.1, back_stopping.clone()),
        )
    };
    let (clients, started) = (Cell::new(0), Instant::now());
    let addresses = [front.0, second.0, desk.0.clone()];
    let test =
        timeout(N::PATIENCE, test(Site { net: net.clone(), addresses, stop, clients, started }));
    tokio::select! {
        biased;
        done = Box::pin(test) => done.expect("the test ends in time"),
        _ended = Box::pin(roles) => panic!("the roles ended before the test"),
    }
}

/// A wall clock that runs with tokio's.
fn running_wall() -> Wall {
    let started = Instant::now();
    Wall::new(move || NOW + started.elapsed())
}

pub(crate) fn keys(fill: u8) -> Keys {
    Keys::from_secret(&[fill; 32]).unwrap()
}

fn token(keys: &Keys, user: &str, at: Duration) -> String {
    let session = format!("s-{user}").parse().unwrap();
    keys.sign(&Claims::access(user.parse().unwrap(), session, at, HOUR))
}

/// A good token about this user.
pub(crate) fn token_of(user: &str) -> String {
    token(&keys(1), user, NOW)
}

/// What begins the session of [`token_of`] this user.
pub(crate) fn login_of(user: &str) -> String {
    let (sub, session) = (user.parse().unwrap(), format!("s-{user}").parse().unwrap());
    keys(1).sign(&Claims::refresh(sub, session, 1, NOW, HOUR))
}

pub(crate) fn good() -> String {
    token_of("u")
}

/// Tokens that no gateway accepts, with the outcome they are counted under.
pub(crate) fn bad_tokens() -> [(String, &'static str); 4] {
    let (user, session) = ("u".parse().unwrap(), "s-u".parse().unwrap());
    let refresh = keys(1).sign(&Claims::refresh(user, session, 1, NOW, HOUR));
    [
        (token(&keys(2), "u", NOW), "invalid"),
        ("a.b.c".to_owned(), "invalid"),
        (token(&keys(1), "u", NOW - HOUR - LEEWAY), "expired"),
        (refresh, "wrong_kind"),
    ]
}

pub(crate) fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

pub(crate) fn offer(token: &str) -> String {
    format!("Origin: {ORIGIN}\r\nSec-WebSocket-Protocol: chat.v1, bearer.{token}\r\n")
}

/// The request for an upgrade.
pub(crate) fn request(header: &str) -> String {
    format!(
        "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{header}\r\n"
    )
}

/// Asks for an upgrade; returns the head of the answer and the socket behind it.
pub(crate) async fn ask<N: Net>(site: &Site<N>, header: &str) -> (String, N::Stream) {
    ask_at(site, 0, header).await
}

async fn ask_at<N: Net>(site: &Site<N>, gateway: usize, header: &str) -> (String, N::Stream) {
    let mut socket = site.net.connect(&site.addresses[gateway]).await.unwrap();
    socket.write_all(request(header).as_bytes()).await.unwrap();
    // By the byte, so that nothing of the first frame is taken.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    (String::from_utf8(head).unwrap().to_lowercase(), socket)
}

pub(crate) async fn upgraded<N: Net>(site: &Site<N>, header: &str) -> Socket<N> {
    upgraded_at(site, 0, header).await
}

pub(crate) async fn upgraded_at<N: Net>(site: &Site<N>, gateway: usize, header: &str) -> Socket<N> {
    let (head, socket) = ask_at(site, gateway, header).await;
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    // The accept key of the sample in RFC 6455 section 1.3.
    assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
    WebSocketStream::from_raw_socket(socket, Role::Client, None).await
}

pub(crate) async fn joined<N: Net>(site: &Site<N>) -> Socket<N> {
    let mut socket = upgraded(site, &bearer(&good())).await;
    socket.send(site.hello()).await.unwrap();
    assert!(event(&mut socket).await.contains("welcome"));
    until(&mut socket, "resumed").await;
    socket
}

/// The next text message.
pub(crate) async fn event<S>(socket: &mut WebSocketStream<S>) -> String
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Text(text) => return text.to_string(),
            Message::Ping(_) | Message::Pong(_) => {}
            other @ (Message::Binary(_) | Message::Close(_) | Message::Frame(_)) => {
                panic!("no text: {other:?}")
            }
        }
    }
}

/// The next message of this event; what comes before is passed over.
pub(crate) async fn until<S>(socket: &mut WebSocketStream<S>, wanted: &str) -> String
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    loop {
        let text = event(socket).await;
        if text.contains(&format!(r#""event":"{wanted}""#)) {
            return text;
        }
    }
}

/// Expects a close frame, and after it the orderly end of the connection.
pub(crate) async fn closed<S>(socket: &mut WebSocketStream<S>) -> (u16, String)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let frame = loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Close(Some(frame)) => break frame,
            Message::Ping(_) | Message::Pong(_) => {}
            other @ (Message::Text(_)
            | Message::Binary(_)
            | Message::Close(None)
            | Message::Frame(_)) => panic!("no close frame: {other:?}"),
        }
    };
    assert!(socket.next().await.is_none(), "something follows the close frame");
    (frame.code.into(), frame.reason.to_string())
}

pub(crate) fn text(bytes: impl Into<Vec<u8>>) -> Message {
    Message::Frame(Frame::message(bytes.into(), OpCode::Data(Data::Text), true))
}

/// The samples of a scrape whose name and labels begin with `name`, added up.
pub(crate) async fn sum<N: Net>(site: &Site<N>, name: &str) -> u64 {
    let metrics = scrape(site).await;
    sum_in(&metrics, name)
}

pub(crate) fn sum_in(metrics: &str, name: &str) -> u64 {
    let samples = metrics.lines().filter(|line| line.starts_with(name));
    samples.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

pub(crate) async fn scrape<N: Net>(site: &Site<N>) -> String {
    let mut socket = site.dial().await;
    let request = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    answer
}
