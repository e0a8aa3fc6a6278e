//! A stream of lines, such as a followed log.

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::Incoming;

/// The longest line, bytes.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// What is read at once from a connection that carries lines only, bytes.
pub(super) const LINES_BUFFER_BYTES: usize = 2 * 1024;

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
    /// The lines of an answer, and the connection if it carries nothing else.
    pub(super) fn new(
        response: Response<Incoming>,
        connection: Option<BoxFuture<'static, ()>>,
    ) -> Self {
        Self { connection, body: response.into_body(), buffer: BytesMut::new() }
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
