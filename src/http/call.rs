//! A call that opens a connection of its own.

use super::lines::{LINES_BUFFER_BYTES, Lines};
use crate::net::Net;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use std::io;
use std::pin::pin;
use std::time::Duration;
use tokio::time::timeout;

/// The longest body a call accepts, bytes.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

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
        let request = self.one_off(method, path, body.into());
        let exchange = async {
            let stream = self.net.connect(&self.address).await.map_err(CallError::Connect)?;
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream))
                    .await
                    .map_err(CallError::Exchange)?;
            let mut answer = pin!(async {
                whole(sender.send_request(request).await.map_err(CallError::Exchange)?).await
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
        let request = self.one_off(Method::GET, path, Bytes::new());
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
            Ok((response.status(), Lines::new(response, Some(connection))))
        };
        timeout(deadline, exchange).await.unwrap_or(Err(CallError::Deadline(deadline)))
    }

    /// A request for a connection of its own: its target is a path, the peer stands in `Host` (HTTP/1).
    fn one_off(&self, method: Method, path: &str, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = request(method, path, body);
        let host = HeaderValue::from_str(&self.address).unwrap_or(HeaderValue::from_static("peer"));
        request.headers_mut().insert(header::HOST, host);
        request
    }
}

/// A request with a body in JSON.
pub(super) fn request(method: Method, target: &str, body: Bytes) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() =
        target.parse().expect("targets are built from ids, which are safe in a URI");
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(header::CONTENT_TYPE, json);
    request
}

/// Status and body of an answer.
pub(super) async fn whole(response: Response<Incoming>) -> Result<(StatusCode, Bytes), CallError> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, BODY_BYTES_MAX);
    let body = body.collect().await.map_err(|_broken_or_too_long| CallError::Body)?;
    Ok((head.status, body.to_bytes()))
}
