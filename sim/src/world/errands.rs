//! What others do while the clients talk: futures that come in the course of a run and are run beside them.

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// Clones hold the same errands.
#[derive(Clone, Default)]
pub(super) struct Errands {
    waiting: Arc<Mutex<Vec<BoxFuture<'static, ()>>>>,
    news: Arc<Notify>,
}

impl fmt::Debug for Errands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Errands")
    }
}

impl Errands {
    /// Adds one.
    pub(super) fn add(&self, errand: BoxFuture<'static, ()>) {
        self.waiting.lock().expect("no panic while it is held").push(errand);
        self.news.notify_one();
    }

    /// Runs all that come, until it is dropped.
    pub(super) async fn run(&self) -> Infallible {
        let mut under_way = FuturesUnordered::new();
        loop {
            let new = std::mem::take(&mut *self.waiting.lock().expect("no panic while it is held"));
            under_way.extend(new);
            tokio::select! {
                biased;
                () = self.news.notified() => {}
                Some(()) = under_way.next() => {}
            }
        }
    }
}
