//! What hyper wants to run beside a connection, owned by whoever owns the connection.

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use hyper::rt::Executor;
use std::convert::Infallible;
use tokio::sync::mpsc;

/// Hands futures to a [`Nursery`].
#[derive(Debug, Clone)]
pub(super) struct Starter(mpsc::UnboundedSender<BoxFuture<'static, ()>>);

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Starter {
    fn execute(&self, future: F) {
        // A closed inbox means that the connections are gone, and what ran beside them too.
        drop(self.0.send(Box::pin(async move { drop(future.await) })));
    }
}

/// Owns futures: they run while it is polled and are dropped with it, at once. So they are no tasks: an aborted task
/// lives until the runtime comes round to it.
#[derive(Debug)]
pub struct Nursery(mpsc::UnboundedReceiver<BoxFuture<'static, ()>>);

impl Nursery {
    pub(super) fn new() -> (Starter, Self) {
        let (sender, inbox) = mpsc::unbounded_channel();
        (Starter(sender), Self(inbox))
    }

    /// Runs the futures, for ever.
    pub async fn run(mut self) -> Infallible {
        let mut running = FuturesUnordered::new();
        loop {
            tokio::select! {
                biased;
                Some(future) = self.0.recv() => running.push(future),
                Some(()) = running.next() => {}
                else => std::future::pending().await,
            }
        }
    }
}
