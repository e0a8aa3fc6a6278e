//! How a client keeps its refresh token.

use super::desk::{Clock, PATIENCE, beside, bind, keys, login, peer};
use assistant::client::{self, ClientSetup, Command, Happening};
use assistant::config::ClientPolicy;
use assistant::http::Peer;
use assistant::net::TokioNet;
use assistant::token::Kind;
use redb::backends::InMemoryBackend;
use rehearse::random::split;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A client that knows of no gateway and connects as often as it is asked to.
pub(crate) fn setup(service: Peer<TokioNet>, refresh_token: String) -> ClientSetup<TokioNet> {
    ClientSetup {
        policy: ClientPolicy { kick_interval: Duration::ZERO, ..ClientPolicy::default() },
        client_id: "tab".parse().unwrap(),
        thread_id: "thread".parse().unwrap(),
        gateways: Vec::new(),
        token_service: service,
        refresh_token,
        rng: split(1, "client"),
        kept: None,
    }
}

pub(crate) async fn credential(happenings: &mut mpsc::UnboundedReceiver<Happening>) -> String {
    loop {
        if let Happening::Credential(token) = happenings.recv().await.unwrap() {
            return token;
        }
    }
}

#[tokio::test]
async fn a_client_goes_on_with_the_newest_refresh_token_and_tells_its_app() {
    let clock = Clock::new();
    beside(&clock.clone(), InMemoryBackend::new(), async |site| {
        let (commands, inbox) = mpsc::channel(4);
        let (outbox, mut happenings) = mpsc::unbounded_channel();
        let client =
            client::run(setup(site.service.clone(), login("s", clock.now())), inbox, outbox);
        let app = async {
            for n in 2..=4 {
                commands.send(Command::Connect).await.unwrap();
                let token = credential(&mut happenings).await;
                let claims = keys().verify(Kind::Refresh, &token, clock.now()).unwrap();
                assert_eq!(claims.n, n);
                commands.send(Command::Close).await.unwrap();
            }
            drop(commands);
        };
        tokio::join!(client, app);
    })
    .await;
}

/// Takes a connection and the request on it, which must ask with `token`.
async fn asked(listener: &TcpListener, token: &str) -> TcpStream {
    let (mut socket, _from) = listener.accept().await.unwrap();
    let mut request = String::new();
    while !request.contains(&format!(r#"{{"refresh_token":"{token}"}}"#)) {
        request.push(socket.read_u8().await.unwrap().into());
    }
    socket
}

async fn grant(socket: &mut TcpStream, token: &str) -> io::Result<()> {
    let body = format!(r#"{{"access_token":"a","expires_in":600,"refresh_token":"{token}"}}"#);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    socket.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await
}

#[tokio::test]
async fn au_single_flight_the_answer_to_an_aborted_attempt_changes_no_credential() {
    let listener = bind().await;
    let (commands, inbox) = mpsc::channel(4);
    let (outbox, mut happenings) = mpsc::unbounded_channel();
    let client = client::run(setup(peer(&listener), "t-1".to_owned()), inbox, outbox);
    let test = async {
        commands.send(Command::Connect).await.unwrap();
        let mut aborted = asked(&listener, "t-1").await;
        commands.send(Command::Close).await.unwrap();
        commands.send(Command::Connect).await.unwrap();
        let mut current = asked(&listener, "t-1").await;
        // Nobody may be there any more to read it.
        drop(grant(&mut aborted, "t-old").await);
        grant(&mut current, "t-2").await.unwrap();
        assert_eq!(credential(&mut happenings).await, "t-2");
        commands.send(Command::Close).await.unwrap();
        commands.send(Command::Connect).await.unwrap();
        let _last = asked(&listener, "t-2").await;
        drop(commands);
        while let Some(happening) = happenings.recv().await {
            assert!(!matches!(happening, Happening::Credential(_)), "{happening:?}");
        }
    };
    timeout(PATIENCE, async { tokio::join!(client, test) }).await.unwrap();
}
