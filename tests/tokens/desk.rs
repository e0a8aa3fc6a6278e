//! A token service on a socket, a time of day set by hand, and what tests ask of them.

use assistant::auth::{self, Store, TokenService};
use assistant::config::TokenConfig;
use assistant::contract::token::{Granted, Refresh, RevocationLine, Revoke};
use assistant::http::{Lines, Peer, Stop};
use assistant::net::TokioNet;
use assistant::token::{Claims, Keys};
use assistant::wall::Wall;
use hyper::{Method, StatusCode};
use redb::StorageBackend;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

/// Far more than any test takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const START: u64 = 1_800_000_000;
pub(crate) const SECRET: &str = "a secret that nobody may ever read";

/// The time of day, seconds since 1970; clones are the same.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(START)))
    }

    pub(crate) fn now(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.0.fetch_add(time.as_secs(), Ordering::Relaxed);
    }

    pub(crate) fn wall(&self) -> Wall {
        let clock = self.clone();
        Wall::new(move || clock.now())
    }
}

/// Where the token service is.
pub(crate) struct Site {
    pub(crate) service: Peer<TokioNet>,
    pub(crate) stop: watch::Sender<bool>,
}

pub(crate) fn keys() -> Keys {
    Keys::from_secret(SECRET.as_bytes()).unwrap()
}

pub(crate) fn login(session: &str, now: Duration) -> String {
    let ttl = TokenConfig::default().refresh_ttl;
    let claims = Claims::refresh("u".parse().unwrap(), session.parse().unwrap(), 1, now, ttl);
    keys().sign(&claims)
}

pub(crate) fn peer(listener: &TcpListener) -> Peer<TokioNet> {
    Peer { net: TokioNet, address: listener.local_addr().unwrap().to_string() }
}

pub(crate) async fn bind() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// Runs `test` beside a token service on `disk`, which ends with it as if it were killed.
pub(crate) async fn beside<F: Future<Output = ()>>(
    clock: &Clock,
    disk: impl StorageBackend,
    test: impl FnOnce(Site) -> F,
) {
    beside_with(patient(), clock, disk, test).await;
}

/// Nothing happens because time has passed: a test that waits for that does not end.
pub(crate) fn patient() -> TokenConfig {
    TokenConfig {
        revocations_beat: 2 * PATIENCE,
        revocations_max: 2,
        grace: 2 * PATIENCE,
        ..TokenConfig::default()
    }
}

/// As [`beside`], with other rules.
pub(crate) async fn beside_with<F: Future<Output = ()>>(
    config: TokenConfig,
    clock: &Clock,
    disk: impl StorageBackend,
    test: impl FnOnce(Site) -> F,
) {
    let listener = bind().await;
    let (stop, stopping) = Stop::new();
    let site = Site { service: peer(&listener), stop };
    let service = TokenService {
        config,
        keys: keys(),
        store: Store::open(disk).unwrap(),
        wall: clock.wall(),
    };
    let role = auth::run::<TokioNet>(service, listener, stopping);
    let test = timeout(PATIENCE, test(site));
    tokio::select! {
        biased;
        done = Box::pin(test) => done.expect("the test ends in time"),
        ended = Box::pin(role) => panic!("the role ended before the test: {ended:?}"),
    }
}

impl Site {
    pub(crate) async fn refresh(&self, token: &str) -> Result<Granted, StatusCode> {
        let ask = Refresh { refresh_token: token.to_owned() };
        let answer = self.service.call(Method::POST, "/v1/refresh", &ask, PATIENCE).await;
        match answer.unwrap() {
            (StatusCode::OK, body) => Ok(serde_json::from_slice(&body).unwrap()),
            (status, _body) => Err(status),
        }
    }

    /// The next refresh token.
    pub(crate) async fn next(&self, token: &str) -> String {
        self.refresh(token).await.unwrap().refresh_token.unwrap()
    }

    pub(crate) async fn refused(&self, token: &str) {
        assert_eq!(self.refresh(token).await.unwrap_err(), StatusCode::UNAUTHORIZED);
    }

    pub(crate) async fn revoke(&self, token: &str) {
        let ask = Revoke { refresh_token: token.to_owned() };
        let answer = self.service.call(Method::POST, "/v1/revoke", &ask, PATIENCE).await;
        assert_eq!(answer.unwrap().0, StatusCode::NO_CONTENT);
    }

    pub(crate) async fn follow(&self) -> Lines {
        let (status, lines) = self.service.lines("/v1/revocations", PATIENCE).await.unwrap();
        assert_eq!(status, StatusCode::OK);
        lines
    }

    /// The sessions that are listed at once, before the first beat.
    pub(crate) async fn revoked(&self) -> Vec<String> {
        let mut lines = self.follow().await;
        let mut sessions = Vec::new();
        while let Some((session, _until)) = told(&mut lines).await {
            sessions.push(session);
        }
        sessions
    }

    /// The status of the answer to any bytes.
    pub(crate) async fn raw(&self, path: &str, body: &[u8]) -> u16 {
        let mut socket = TcpStream::connect(&self.service.address).await.unwrap();
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        socket.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

/// The next line: a session and until when its tokens are good, or nothing for a beat.
pub(crate) async fn told(lines: &mut Lines) -> Option<(String, u64)> {
    match serde_json::from_slice(&lines.next().await.unwrap()).unwrap() {
        RevocationLine::Revoked { session, until } => Some((session.to_string(), until)),
        RevocationLine::Beat {} => None,
    }
}
