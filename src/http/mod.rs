//! HTTP over any [`Net`](crate::net::Net): the root future of every serving role, and the calls between roles.
//!
//! # Design
//! `axum::serve` and axum's `on_upgrade` detach tasks, so a role could not be stopped by dropping it.
//! Here [`serve`] owns everything it starts in one `JoinSet`: connections, upgraded sockets and whatever
//! the routes hand to their [`Spawner`]. Dropping the future ends the role completely.
//! There are two ways to ask: a [`Peer`] opens a connection for each call, which lives inside the call; a
//! [`Link`] keeps one connection for many calls and streams at once, and its role owns that in a [`Nursery`].

mod call;
mod lines;
mod link;
mod nursery;
mod serve;

pub use call::{CallError, Peer};
pub use lines::Lines;
pub use link::Link;
pub use nursery::Nursery;
pub use serve::{Routes, serve};

use futures_util::future::BoxFuture;
use std::io;
use tokio::sync::{mpsc, watch};

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
