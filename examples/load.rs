//! What the gateway costs on loopback: processor time of its own process, and memory, under a load from here.
//!
//! `cargo run --release --example load` starts the gateway as a child process, so that its processor time
//! can be read from `/proc` (Linux), and plays supervisor, token service and clients itself. The figures are
//! times of one processor, not of the clock on the wall, and those of one run belong together.

#![expect(clippy::print_stdout, reason = "figures are what it is for")]

use assistant::config::{GatewayConfig, SupervisorConfig};
use assistant::contract::id::{SessionId, UserId};
use assistant::gateway::{self, Gateway};
use assistant::http::{Peer, Stop};
use assistant::net::{Net, TokioNet};
use assistant::supervisor::{self, Store, Supervisor};
use assistant::token::{Claims, Keys};
use assistant::wall::Wall;
use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

type Failure = Box<dyn Error>;
type Socket = WebSocketStream<TcpStream>;

/// Connections for the costs of connecting and being idle.
const CONNECTIONS: usize = 2_000;
/// Connections for the costs of talking.
const TALKERS: usize = 50;
/// Rounds of each talker.
const ROUNDS: usize = 200;
/// The time of day for everybody.
const NOW: Duration = Duration::from_secs(1_800_000_000);
/// Clock ticks of `/proc/PID/stat` a second: a constant of the Linux interface (`man 5 proc`, `USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("gateway") => {
            let supervisor = arguments.get(2).ok_or("the supervisor's address is missing")?;
            runtime.block_on(serve(supervisor.clone()))
        }
        _ => runtime.block_on(measure()),
    }
}

fn keys() -> Keys {
    Keys::from_secret(&[7; 32]).expect("32 bytes are enough")
}

/// The child: a gateway alone, with limits that do not get in the way of a load test.
async fn serve(supervisor: String) -> Result<(), Failure> {
    let listener = TokioNet.listen("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let (_running, stop) = Stop::new();
    let config = GatewayConfig {
        connections_per_user_max: usize::MAX,
        frames_per_second_max: 0,
        user_frames_per_second_max: 0,
        upgrades_per_second_max: 0,
        ..GatewayConfig::default()
    };
    let gateway = Gateway {
        config,
        keys: keys(),
        supervisor: Peer { net: TokioNet, address: supervisor },
        // Nobody is revoked here.
        token_service: Peer { net: TokioNet, address: "127.0.0.1:9".to_owned() },
        wall: Wall::new(|| NOW),
        rng: ChaCha8Rng::seed_from_u64(1),
    };
    Ok(gateway::run::<TokioNet>(gateway, listener, stop).await?)
}

/// The gateway as a process.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(supervisor: &str) -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["gateway", supervisor])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        let stdout = child.stdout.take().ok_or("the child has no output")?;
        BufReader::new(stdout).read_line(&mut address)?;
        Ok(Self { child, address: address.trim().to_owned() })
    }

    /// Processor time so far, seconds.
    fn busy(&self) -> Result<f64, Failure> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in parentheses may hold spaces; user and system time are the 12th and 13th field after it.
        let (_name, fields) = stat.rsplit_once(')').ok_or("an unknown form of /proc/PID/stat")?;
        let times = fields.split_whitespace().skip(11).take(2);
        let ticks = times.map(str::parse::<f64>).sum::<Result<f64, _>>()?;
        Ok(ticks / TICKS_PER_SECOND)
    }

    /// Resident memory, KiB.
    fn resident(&self) -> Result<f64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
        let number = line.split_whitespace().nth(1).ok_or("an unknown form of VmRSS")?;
        Ok(number.parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody left to tell.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

async fn measure() -> Result<(), Failure> {
    let listener = TokioNet.listen("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let supervisor = Supervisor {
        config: SupervisorConfig::default(),
        store: Store::open(redb::backends::InMemoryBackend::new())?,
        // Nothing that is said here is for the agent.
        agent: Peer { net: TokioNet, address: "127.0.0.1:9".to_owned() },
        rollout: supervisor::unchanging(supervisor::Rollout::default()),
        wall: Wall::new(|| NOW),
        rng: ChaCha8Rng::seed_from_u64(2),
    };
    let (_running, stop) = Stop::new();
    tokio::select! {
        ended = supervisor::run::<TokioNet>(supervisor, listener, stop) => Ok(ended?),
        measured = load(&address) => measured,
    }
}

async fn load(supervisor: &str) -> Result<(), Failure> {
    let server = Server::start(supervisor)?;
    println!("{:<44} {:>10}", "gateway, one process, loopback", "measured");
    let (before, memory) = (server.busy()?, server.resident()?);
    let mut idle = Vec::new();
    for number in 0..CONNECTIONS {
        idle.push(upgraded(&server, number).await?);
    }
    tell("processor time of an authenticated upgrade", per(&server, before, CONNECTIONS)?, "µs");
    tell("memory of it", (server.resident()? - memory) / count(CONNECTIONS), "KiB");

    let before = server.busy()?;
    for (number, socket) in idle.iter_mut().enumerate() {
        join(socket, number).await?;
    }
    tell("processor time of hello to resumed", per(&server, before, CONNECTIONS)?, "µs");
    tell(
        "memory of an idle joined connection",
        (server.resident()? - memory) / count(CONNECTIONS),
        "KiB",
    );

    let mut talkers: Vec<Socket> = idle.drain(..TALKERS).collect();
    let before = server.busy()?;
    join_all(talkers.iter_mut().map(ping_rounds)).await.into_iter().collect::<Result<(), _>>()?;
    tell("processor time of a WebSocket round trip", per(&server, before, TALKERS * ROUNDS)?, "µs");
    let before = server.busy()?;
    join_all(talkers.iter_mut().map(turns)).await.into_iter().collect::<Result<(), _>>()?;
    tell("processor time of a turn, ack and reply", per(&server, before, TALKERS * ROUNDS)?, "µs");
    Ok(())
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

/// Microseconds of the server's processor for each of `number` things since `before`.
fn per(server: &Server, before: f64, number: usize) -> Result<f64, Failure> {
    Ok((server.busy()? - before) * 1e6 / count(number))
}

fn tell(what: &str, figure: f64, unit: &str) {
    println!("{what:<44} {figure:>10.1} {unit}");
}

async fn upgraded(server: &Server, number: usize) -> Result<Socket, Failure> {
    let user: UserId = format!("u-{number}").parse()?;
    let session: SessionId = format!("s-{number}").parse()?;
    let token = keys().sign(&Claims::access(user, session, NOW, Duration::from_secs(3_600)));
    let mut request = format!("ws://{}/ws", server.address).into_client_request()?;
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse()?);
    let stream = TcpStream::connect(&server.address).await?;
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(4096);
    let (socket, _answer) =
        tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
    Ok(socket)
}

async fn join(socket: &mut Socket, number: usize) -> Result<(), Failure> {
    let hello = format!(
        r#"{{"event":"hello","protocol":1,"client_id":"k","thread_id":"t-{number}","cursor":{{"epoch":0,"seq":0}}}}"#
    );
    socket.send(Message::text(hello)).await?;
    until(socket, "resumed").await
}

/// Reads up to a frame of this event.
async fn until(socket: &mut Socket, event: &str) -> Result<(), Failure> {
    let wanted = format!(r#""event":"{event}""#);
    while let Some(message) = socket.next().await {
        if message?.to_text()?.contains(&wanted) {
            return Ok(());
        }
    }
    Err(format!("the connection ended before `{event}`").into())
}

async fn ping_rounds(socket: &mut Socket) -> Result<(), Failure> {
    for _ in 0..ROUNDS {
        socket.send(Message::Ping(Vec::new().into())).await?;
        while !matches!(socket.next().await.ok_or("the connection ended")??, Message::Pong(_)) {}
    }
    Ok(())
}

async fn turns(socket: &mut Socket) -> Result<(), Failure> {
    for round in 0..ROUNDS {
        let turn = format!(r#"{{"event":"user_message","message_id":"m-{round}","text":"Hello"}}"#);
        socket.send(Message::text(turn)).await?;
        until(socket, "message").await?;
    }
    Ok(())
}
