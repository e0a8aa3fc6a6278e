//! Wakes whoever drives a world: something has happened that it may have to act upon.
//!
//! An engine that passes from event to event would otherwise not stop before the next thing planned.

use std::sync::Arc;
use tokio::sync::Notify;

/// Clones are the same news.
#[derive(Debug, Clone, Default)]
pub(crate) struct News(Arc<Notify>);

impl News {
    /// Says that there is something to look at. Not lost if nobody waits.
    pub(crate) fn tell(&self) {
        self.0.notify_one();
    }

    /// Waits for it. Cancel safe.
    pub(super) async fn heard(&self) {
        self.0.notified().await;
    }
}
