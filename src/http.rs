//! HTTP/1 over any [`Net`]: the root future of every serving role, and the calls between roles.
//!
//! # Design
//! `axum::serve` and axum's `on_upgrade` detach tasks, so a role could not be stopped by dropping it.
//! Here [`serve`] owns everything it starts in one `JoinSet`: connections, upgraded sockets and whatever
//! the routes hand to their [`Spawner`]. Dropping the future ends the role completely.
//! Calls open a connection each; the connection future lives inside the call.

use crate::net::Net;
use axum::Router;
use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde::Serialize;
use std::io;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// The longest body a call accepts, bytes.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The longest line of a followed log, bytes.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// What is read at once from a followed log, bytes. There is one for every connection of a gateway.
const LINES_BUFFER_BYTES: usize = 2 * 1024;

/// How long a peer may take to send the head of a request; whoever drips it byte by byte is cut off.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);

/// How long a listener rests after a failure.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A wish to stop, seen by everybody who holds a clone.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// The signal and its trigger; the wish is also made by dropping the trigger.
    #[must_use]
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (trigger, signal) = watch::channel(false);
        (trigger, Self(signal))
    }

    /// Waits for the wish. Cancel safe.
    pub async fn requested(&mut self) {
        // An error means that the trigger is gone, which is a wish as well.
        drop(self.0.wait_for(|stop| *stop).await);
    }

    /// Whether the wish was made.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }
}

/// A task of a role; an error ends the role.
pub type Task = BoxFuture<'static, io::Result<()>>;

/// Hands tasks to the root future of a role.
#[derive(Debug, Clone)]
pub struct Spawner(mpsc::UnboundedSender<Task>);

impl Spawner {
    /// The handle and the inbox that [`serve`] takes.
    #[must_use]
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Task>) {
        let (sender, inbox) = mpsc::unbounded_channel();
        (Self(sender), inbox)
    }

    /// Starts a task that the role owns. Once the role has ended, the task is dropped unstarted.
    pub fn spawn(&self, task: impl Future<Output = io::Result<()>> + Send + 'static) {
        // A closed inbox means that the role is gone, and its tasks with it.
        drop(self.0.send(Box::pin(task)));
    }
}

/// The root of a serving role: accepts on `listener`, answers with `router`, runs the tasks of `inbox`.
///
/// After `stop` it accepts nothing, lets what runs finish for at most `grace`, and ends.
///
/// # Errors
/// The first error a task returns, or an error for a task that panicked.
pub async fn serve<N: Net>(
    mut listener: N::Listener,
    router: Router,
    mut inbox: mpsc::UnboundedReceiver<Task>,
    mut stop: Stop,
    grace: Duration,
) -> io::Result<()> {
    let mut tasks: JoinSet<io::Result<()>> = JoinSet::new();
    loop {
        // Biased: the wish to stop first, then what ended, so that neither waits behind a busy listener.
        tokio::select! {
            biased;
            () = stop.requested() => break,
            Some(ended) = tasks.join_next() => outcome(ended)?,
            Some(task) = inbox.recv() => { tasks.spawn(task); }
            accepted = N::accept(&mut listener) => match accepted {
                Ok(stream) => { tasks.spawn(answer(stream, router.clone(), stop.clone())); }
                Err(error) => {
                    tracing::warn!(%error, "accept failed");
                    // Out of descriptors, say: asking again at once would only burn the processor.
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let finish = async {
        loop {
            tokio::select! {
                biased;
                Some(task) = inbox.recv() => { tasks.spawn(task); }
                ended = tasks.join_next() => match ended {
                    Some(ended) => outcome(ended)?,
                    None => return Ok(()),
                },
            }
        }
    };
    let finished = timeout(grace, finish).await;
    tasks.shutdown().await;
    finished.unwrap_or(Ok(()))
}

/// What the end of a task means for its role.
fn outcome(ended: Result<io::Result<()>, tokio::task::JoinError>) -> io::Result<()> {
    match ended {
        Ok(result) => result,
        Err(error) if error.is_panic() => Err(io::Error::other("a task panicked")),
        Err(_aborted) => Ok(()),
    }
}

/// Answers the requests of one connection.
async fn answer<S>(stream: S, router: Router, mut stop: Stop) -> io::Result<()>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let service = TowerToHyperService::new(router);
    let mut connection = pin!(
        hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_DEADLINE)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    let ended = tokio::select! {
        biased;
        ended = &mut connection => ended,
        () = stop.requested() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
    Ok(())
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The peer could not be reached.
    #[error("no connection")]
    Connect(#[source] io::Error),
    /// The connection broke, or the peer does not speak HTTP.
    #[error("the exchange broke off")]
    Exchange(#[source] hyper::Error),
    /// The answer is too long, or broke off.
    #[error("the answer is incomplete or longer than {BODY_BYTES_MAX} bytes")]
    Body,
    /// No answer in time.
    #[error("no answer within {0:?}")]
    Deadline(Duration),
}

/// Where a call goes.
#[derive(Debug, Clone)]
pub struct Peer<N> {
    /// The network.
    pub net: N,
    /// `host:port`.
    pub address: String,
}

impl<N: Net> Peer<N> {
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
        let request = self.request(method, path, body.into());
        let exchange = async {
            let stream = self.net.connect(&self.address).await.map_err(CallError::Connect)?;
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream))
                    .await
                    .map_err(CallError::Exchange)?;
            let mut answer = pin!(async {
                let response = sender.send_request(request).await.map_err(CallError::Exchange)?;
                let (head, body) = response.into_parts();
                let body = Limited::new(body, BODY_BYTES_MAX);
                let whole = body.collect().await.map_err(|_broken_or_too_long| CallError::Body)?;
                Ok((head.status, whole.to_bytes()))
            });
            // Biased: an answer that is complete counts, even if the peer has closed already.
            tokio::select! {
                biased;
                answer = &mut answer => answer,
                _closed = connection => answer.await,
            }
        };
        timeout(deadline, exchange).await.unwrap_or(Err(CallError::Deadline(deadline)))
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
        let request = self.request(Method::GET, path, Bytes::new());
        let exchange = async {
            let stream = self.net.connect(&self.address).await.map_err(CallError::Connect)?;
            let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
                .read_buf_exact_size(Some(LINES_BUFFER_BYTES))
                .handshake(TokioIo::new(stream))
                .await
                .map_err(CallError::Exchange)?;
            let mut connection: BoxFuture<'static, ()> = Box::pin(async move {
                // The reader of the lines sees the end; the reason does not matter to it.
                drop(connection.await);
            });
            let mut answer = pin!(sender.send_request(request));
            let response = tokio::select! {
                biased;
                response = &mut answer => response,
                () = &mut connection => answer.await,
            }
            .map_err(CallError::Exchange)?;
            Ok((response.status(), Lines::new(response, connection)))
        };
        timeout(deadline, exchange).await.unwrap_or(Err(CallError::Deadline(deadline)))
    }

    fn request(&self, method: Method, path: &str, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() =
            path.parse().expect("paths are built from ids, which are safe in a URI");
        let host = header::HeaderValue::from_str(&self.address)
            .unwrap_or(header::HeaderValue::from_static("peer"));
        request.headers_mut().insert(header::HOST, host);
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        request
    }
}

/// The lines of an answer, as they come.
pub struct Lines {
    connection: Option<BoxFuture<'static, ()>>,
    body: Incoming,
    buffer: BytesMut,
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines").field("buffered", &self.buffer.len()).finish_non_exhaustive()
    }
}

impl Lines {
    fn new(response: Response<Incoming>, connection: BoxFuture<'static, ()>) -> Self {
        Self { connection: Some(connection), body: response.into_body(), buffer: BytesMut::new() }
    }

    /// The next line without its end; `None` when the stream is over or broken. Cancel safe.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end + 1).freeze();
                return Some(line.slice(..end));
            }
            if self.buffer.len() > LINE_BYTES_MAX {
                return None;
            }
            let chunk = match &mut self.connection {
                None => self.body.frame().await,
                Some(connection) => tokio::select! {
                    biased;
                    chunk = self.body.frame() => chunk,
                    () = connection => {
                        self.connection = None;
                        continue;
                    }
                },
            };
            if let Ok(part) = chunk?.ok()?.into_data() {
                self.buffer.extend_from_slice(&part);
            }
        }
    }
}
