//! A kept connection to a peer, which many calls and streams share: HTTP/2 without TLS ("prior knowledge").
//!
//! # Design
//! A gateway follows a log for every client. With a connection for each, its memory and its processor time went into
//! connections to one and the same peer. Here they are streams of one, with a window each, so that a slow reader
//! holds up nobody else. Whatever spoils the connection, the next call opens a new one: it is closed, or a call on it
//! had no answer in time, so that it may lead to a host that is no more. What runs on a connection ends with it, and a
//! connection that is silent ends when it does not answer a ping: one for all its streams, which may be silent for
//! ever.

use super::call::{CallError, Peer, request, whole};
use super::lines::Lines;
use super::nursery::{Nursery, Starter};
use crate::net::Net;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper::rt::Executor;
use hyper::{Method, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// How much of one stream may wait for its reader, bytes.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
/// How much of all streams together: no limit (RFC 9113, 6.9.1), since each has its own.
const CONNECTION_WINDOW_BYTES: u32 = (1 << 31) - 1;
/// How many streams may be begun before the peer has said how many it takes.
const FIRST_STREAMS_MAX: usize = 1_000;

/// A kept connection; clones are the same.
#[derive(Debug)]
pub struct Link<N>(Arc<Inner<N>>);

impl<N> Clone for Link<N> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[derive(Debug)]
struct Inner<N> {
    peer: Peer<N>,
    patience: Duration,
    starter: Starter,
    /// Locked while a connection is opened, so that there is only one.
    current: Mutex<Option<Connection>>,
}

#[derive(Debug, Clone)]
struct Connection {
    requests: SendRequest<Full<Bytes>>,
    /// A call on it had no answer in time.
    doubtful: Arc<AtomicBool>,
}

impl<N: Net> Link<N> {
    /// A link that connects when it is first needed, and the owner of its connections. A connection with streams may
    /// be silent for `patience`: half of it is waited, then it is pinged, and has the other half to answer.
    #[must_use]
    pub fn new(peer: Peer<N>, patience: Duration) -> (Self, Nursery) {
        let (starter, nursery) = Nursery::new();
        (Self(Arc::new(Inner { peer, patience, starter, current: Mutex::default() })), nursery)
    }

    /// Sends `body` as JSON and waits for the whole answer.
    ///
    /// # Errors
    /// [`CallError`]; an HTTP status of any kind is an answer, not an error.
    ///
    /// # Panics
    /// If `body` has no JSON form, which the types of the contract have.
    pub async fn call<B: Serialize + Sync>(
        &self,
        method: Method,
        path: &str,
        body: &B,
        deadline: Duration,
    ) -> Result<(StatusCode, Bytes), CallError> {
        let body = serde_json::to_vec(body).expect("contract types have a JSON form");
        self.within(deadline, async |connection| {
            whole(self.ask(connection, method, path, body.into()).await?).await
        })
        .await
    }

    /// Starts a request whose answer is a stream of lines.
    ///
    /// # Errors
    /// [`CallError`] if there is no answer within `deadline`.
    pub async fn lines(
        &self,
        path: &str,
        deadline: Duration,
    ) -> Result<(StatusCode, Lines), CallError> {
        self.within(deadline, async |connection| {
            let response = self.ask(connection, Method::GET, path, Bytes::new()).await?;
            Ok((response.status(), Lines::new(response, None)))
        })
        .await
    }

    async fn within<T>(
        &self,
        deadline: Duration,
        exchange: impl AsyncFnOnce(&mut Connection) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let mut used = None;
        let exchange = async {
            let connection = used.insert(self.connection().await?);
            exchange(connection).await
        };
        let result = timeout(deadline, exchange).await;
        result.unwrap_or_else(|_elapsed| {
            if let Some(connection) = used {
                connection.doubtful.store(true, Ordering::Relaxed);
            }
            Err(CallError::Deadline(deadline))
        })
    }

    async fn ask(
        &self,
        connection: &mut Connection,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>, CallError> {
        let target = format!("http://{}{path}", self.0.peer.address);
        let request = request(method, &target, body);
        connection.requests.send_request(request).await.map_err(CallError::Exchange)
    }

    /// The connection as it is, or a new one.
    async fn connection(&self) -> Result<Connection, CallError> {
        let mut current = self.0.current.lock().await;
        let good = |connection: &&Connection| {
            !connection.requests.is_closed() && !connection.doubtful.load(Ordering::Relaxed)
        };
        if let Some(connection) = current.as_ref().filter(good) {
            return Ok(connection.clone());
        }
        let Peer { net, address } = &self.0.peer;
        let stream = net.connect(address).await.map_err(CallError::Connect)?;
        let (requests, driver) = Builder::new(self.0.starter.clone())
            .timer(TokioTimer::new())
            .keep_alive_interval(self.0.patience / 2)
            .keep_alive_timeout(self.0.patience / 2)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .initial_max_send_streams(FIRST_STREAMS_MAX)
            // What comes late for a stream that was given up is refused, however late and however often: h2 would
            // otherwise count it against the peer, and measure "late" with a clock of its own.
            .max_concurrent_reset_streams(0)
            .max_local_error_reset_streams(None)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(CallError::Exchange)?;
        self.0.starter.execute(async move {
            if let Err(error) = driver.await {
                tracing::debug!(%error, "a kept connection broke");
            }
        });
        let connection = Connection { requests, doubtful: Arc::default() };
        *current = Some(connection.clone());
        Ok(connection)
    }
}
