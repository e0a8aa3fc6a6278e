//! What the roles log while tokens come and go, granted and refused.

use super::credential::{credential, setup};
use super::desk::{Clock, SECRET, Site, beside, bind, keys, login, peer};
use assistant::client::{self, Command, Happening};
use assistant::config::{GatewayConfig, SupervisorConfig, TokenConfig};
use assistant::gateway::{self, Gateway};
use assistant::http::{Peer, Stop};
use assistant::net::TokioNet;
use assistant::supervisor::{self, Supervisor};
use redb::backends::InMemoryBackend;
use rehearse::random::split;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// Everything that was logged; clones are the same.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Asks a gateway for an upgrade. Returns the status.
async fn upgrade(gateway: &str, header: &str) -> u16 {
    let mut socket = TcpStream::connect(gateway).await.unwrap();
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{header}\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap().split(' ').nth(1).unwrap().parse().unwrap()
}

/// Lets a client in at a gateway, then everything be refused. Returns every token that was in play.
async fn in_and_out(site: &Site, gateway: Peer<TokioNet>, clock: &Clock) -> Vec<String> {
    let first = login("s", clock.now());
    let (commands, inbox) = mpsc::channel(4);
    let (outbox, mut happenings) = mpsc::unbounded_channel();
    let mut setup = setup(site.service.clone(), first.clone());
    setup.gateways.push(gateway.clone());
    let app = async {
        commands.send(Command::Connect).await.unwrap();
        let credential = credential(&mut happenings).await;
        let up = Happening::Link(client::State::Connected);
        while happenings.recv().await.unwrap() != up {}
        drop(commands);
        credential
    };
    let (_remains, second) = tokio::join!(client::run(setup, inbox, outbox), app);
    let granted = site.refresh(&second).await.unwrap();
    let third = granted.refresh_token.unwrap();
    clock.pass(TokenConfig::default().reuse_leeway + Duration::from_secs(1));
    site.refused(&granted.access_token).await;
    site.refused(&first).await;
    site.refused(&third).await;
    let leaving = login("t", clock.now());
    site.revoke(&leaving).await;
    let forged = format!("{third}x");
    site.refused(&forged).await;
    for bad in [&first, &forged] {
        assert_eq!(upgrade(&gateway.address, &format!("Authorization: Bearer {bad}")).await, 403);
        let offer = format!(
            "Origin: https://chat.example\r\nSec-WebSocket-Protocol: chat.v1, bearer.{bad}"
        );
        assert_eq!(upgrade(&gateway.address, &offer).await, 101);
    }
    vec![first, second, third, granted.access_token, leaving, forged]
}

#[tokio::test]
async fn au_fresh_neither_secret_nor_token_is_ever_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // For the whole process: while there is one subscriber, tracing asks the thread that meets a callsite first
    // whether anybody listens, and another test's thread would say no for all.
    tracing::subscriber::set_global_default(subscriber).expect("no other test sets one");
    let clock = Clock::new();
    let (front, back) = (bind().await, bind().await);
    let at_gateway = peer(&front);
    let (_stop_front, stopping_front) = Stop::new();
    let (_stop_back, stopping_back) = Stop::new();
    let gateway = Gateway {
        config: GatewayConfig {
            origins: vec!["https://chat.example".to_owned()],
            ..GatewayConfig::default()
        },
        keys: keys(),
        supervisor: peer(&back),
        // Nobody is revoked here.
        token_service: Peer { net: TokioNet, address: "127.0.0.1:9".to_owned() },
        wall: clock.wall(),
        rng: split(1, "gateway"),
    };
    let supervisor = Supervisor {
        config: SupervisorConfig::default(),
        store: supervisor::Store::open(InMemoryBackend::new()).unwrap(),
        agent: Peer { net: TokioNet, address: "127.0.0.1:9".to_owned() },
        rollout: supervisor::unchanging(supervisor::Rollout::default()),
        wall: clock.wall(),
        rng: split(1, "supervisor"),
    };
    let mut tokens = Vec::new();
    beside(&clock.clone(), InMemoryBackend::new(), async |site| {
        let roles = async {
            tokio::join!(
                gateway::run::<TokioNet>(gateway, front, stopping_front),
                supervisor::run::<TokioNet>(supervisor, back, stopping_back),
            )
        };
        tokio::select! {
            biased;
            seen = Box::pin(in_and_out(&site, at_gateway, &clock)) => tokens = seen,
            _ended = Box::pin(roles) => panic!("the roles ended before the test"),
        }
    })
    .await;
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for line in ["refused a refresh token", "came again", "is revoked"] {
        assert!(log.contains(line), "the log was not captured:\n{log}");
    }
    assert!(!log.contains(SECRET), "{log}");
    let bytes = format!("{:?}", SECRET.as_bytes());
    assert!(!log.contains(bytes.trim_matches(['[', ']'])), "{log}");
    for token in tokens {
        // A header says nothing; claims and signature are what makes a token.
        for part in token.split('.').skip(1) {
            assert!(!log.contains(part), "{token} is in the log:\n{log}");
        }
    }
}
