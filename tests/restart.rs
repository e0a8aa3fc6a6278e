//! `kill -9` of the real process between ack and reply: after a restart on the same directory the reply
//! arrives, once.
//!
//! The world proves this on a simulated disk, many times over; here it happens to a process, a file and
//! sockets of the operating system.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use assistant::client::{self, ClientSetup, Command as Ask, Happening};
use assistant::config::ClientPolicy;
use assistant::http::Peer;
use assistant::net::TokioNet;
use rehearse::random::split;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use tokio::sync::mpsc;

const ASSISTANT: &str = env!("CARGO_BIN_EXE_assistant");

/// A running `assistant serve`; dropping it kills it.
struct Server {
    child: Child,
    /// Open until the end: writing to a closed pipe would stop the server.
    _greeting: BufReader<ChildStdout>,
}

impl Server {
    fn start(data: &Path, listen: &str) -> Self {
        let mut command = Command::new(ASSISTANT);
        command.arg("serve").arg("--data").arg(data).args(["--listen", listen]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut greeting = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        greeting.read_line(&mut line).unwrap();
        assert!(line.contains(listen), "the server did not start");
        Self { child, _greeting: greeting }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGKILL on Unix: nothing is flushed, nobody says goodbye.
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn a_turn_survives_kill_9_and_is_answered_once() {
    let data = tempfile::tempdir().unwrap();
    let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let server = Server::start(data.path(), &listen);
    let token_service = token_service(data.path());
    let token = Command::new(ASSISTANT)
        .args(["token", "--refresh", "--user", "ana", "--data"])
        .arg(data.path())
        .output()
        .unwrap();
    let peer = |address| Peer { net: TokioNet, address };
    let setup = ClientSetup {
        policy: ClientPolicy::default(),
        client_id: "tab".parse().unwrap(),
        thread_id: "thread".parse().unwrap(),
        gateways: vec![peer(listen.clone())],
        token_service: peer(token_service),
        refresh_token: String::from_utf8(token.stdout).unwrap().trim().to_owned(),
        rng: split(1, "client"),
        kept: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let shown = runtime.block_on(async {
        let (ask, inbox) = mpsc::channel(4);
        let (outbox, happenings) = mpsc::unbounded_channel();
        let text = "3 bedroom house to buy in Bend under 450k".to_owned();
        ask.send(Ask::Connect).await.unwrap();
        ask.send(Ask::Send { message_id: "m-1".parse().unwrap(), text }).await.unwrap();
        let user = async {
            let restart = || Server::start(data.path(), &listen);
            let shown = kill_at_the_ack(server, restart, happenings).await;
            drop(ask);
            shown
        };
        tokio::join!(client::run(setup, inbox, outbox), user).1
    });
    assert_eq!(shown, ["1 user_turn", "2 recommendations", "3 message"]);
}

/// Kills the server when the turn is acknowledged, starts it again, and waits for the end of the turn.
async fn kill_at_the_ack(
    server: Server,
    restart: impl Fn() -> Server,
    mut happenings: mpsc::UnboundedReceiver<Happening>,
) -> Vec<String> {
    let mut server = Some(server);
    let mut again = None;
    let mut shown = Vec::new();
    while let Some(happening) = happenings.recv().await {
        match happening {
            Happening::Acked { .. } if again.is_none() => {
                drop(server.take());
                again = Some(restart());
            }
            Happening::Show(frame) => {
                shown.push(format!("{} {}", frame.seq, frame.body.event()));
                if frame.body.is_final() {
                    break;
                }
            }
            Happening::Failed { why, .. } => panic!("the turn was given up: {why:?}"),
            Happening::Acked { .. }
            | Happening::Typing { .. }
            | Happening::Link(_)
            | Happening::Credential(_)
            | Happening::ViewReset => {}
        }
    }
    assert!(again.is_some(), "the turn ended without an ack");
    shown
}

/// Where the token service listens.
fn token_service(data: &Path) -> String {
    let text = std::fs::read_to_string(data.join("addresses.json")).unwrap();
    let addresses: Value = serde_json::from_str(&text).unwrap();
    addresses.get("token_service").and_then(Value::as_str).unwrap().to_owned()
}
