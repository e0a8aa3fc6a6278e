//! The seam to the network: the whole system reaches a peer through [`Net`] and in no other way.
//!
//! Production uses [`TokioNet`]; a harness brings its own. Nothing above this file can tell them apart.

use socket2::{SockRef, TcpKeepalive};
use std::future::Future;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// What the kernel buffers for a peer that does not read, bytes. Left to itself Linux takes up to 4 MiB on
/// loopback, and a bounded queue above it would be a fiction.
const SEND_BUFFER_BYTES: usize = 128 * 1024;
/// How long what was sent may stay unacknowledged (`TCP_USER_TIMEOUT`), and how long a connection may be idle
/// before the kernel asks whether the peer still exists.
const USER_TIMEOUT: Duration = Duration::from_secs(20);

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
        prepare(&stream)?;
        SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER_BYTES)?;
        Ok(stream)
    }

    async fn connect(&self, address: &str) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(address).await?;
        prepare(&stream)?;
        Ok(stream)
    }
}

/// Makes a dead peer known in bounded time, and small writes immediate.
fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(USER_TIMEOUT))?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
    Ok(())
}
