//! A network of pipes in memory: no sockets, hence a clock that can be paused; small, hence peers that block.

use assistant::net::Net;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;

/// What a pipe holds before the writer has to wait, bytes.
const PIPE_BYTES: usize = 16 * 1024;

/// Listeners by address.
#[derive(Debug, Clone, Default)]
pub(crate) struct PipeNet(Arc<Mutex<BTreeMap<String, mpsc::UnboundedSender<DuplexStream>>>>);

impl Net for PipeNet {
    type Stream = DuplexStream;
    type Listener = mpsc::UnboundedReceiver<DuplexStream>;

    async fn listen(&self, address: &str) -> io::Result<Self::Listener> {
        let (sender, listener) = mpsc::unbounded_channel();
        self.0.lock().unwrap().insert(address.to_owned(), sender);
        Ok(listener)
    }

    async fn accept(listener: &mut Self::Listener) -> io::Result<DuplexStream> {
        listener.recv().await.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    async fn connect(&self, address: &str) -> io::Result<DuplexStream> {
        let (near, far) = duplex(PIPE_BYTES);
        let listeners = self.0.lock().unwrap();
        let there = listeners.get(address).is_some_and(|listener| listener.send(far).is_ok());
        there.then_some(near).ok_or_else(|| io::ErrorKind::ConnectionRefused.into())
    }
}
