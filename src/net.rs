//! The seam to the network: the whole system reaches a peer through [`Net`] and in no other way.
//!
//! Production uses [`TokioNet`]; a harness brings its own. Nothing above this file can tell them apart.

use std::future::Future;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// A network of byte streams.
pub trait Net: Clone + Send + Sync + 'static {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    /// A place where connections arrive.
    type Listener: Send + 'static;

    /// Starts to listen on `host:port`.
    ///
    /// # Errors
    /// Whatever the operating system says, such as "address in use".
    fn listen(&self, address: &str) -> impl Future<Output = io::Result<Self::Listener>> + Send;

    /// Waits for the next connection. Cancel safe.
    ///
    /// # Errors
    /// Those of `accept(2)`; most concern one connection, so callers go on.
    fn accept(
        listener: &mut Self::Listener,
    ) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Connects to `host:port`. Has no time limit of its own.
    ///
    /// # Errors
    /// Whatever the operating system says, such as "connection refused".
    fn connect(&self, address: &str) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// The network of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioNet;

impl Net for TokioNet {
    type Stream = TcpStream;
    type Listener = TcpListener;

    async fn listen(&self, address: &str) -> io::Result<TcpListener> {
        TcpListener::bind(address).await
    }

    async fn accept(listener: &mut TcpListener) -> io::Result<TcpStream> {
        let (stream, _peer) = listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn connect(&self, address: &str) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}
