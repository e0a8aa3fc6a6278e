//! The reading side of a log: what there is, then what comes, and a word between the two.

use super::{Refusal, Shared};
use crate::contract::id::{ClientId, ThreadId};
use crate::contract::thread::{Refused, TailLine};
use crate::http::Stop;
use crate::net::Net;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use bytes::Bytes;
use futures_util::stream::unfold;
use serde::Deserialize;
use std::future::pending;
use std::io;
use std::sync::Arc;
use tokio::sync::watch;

/// What a reader of the log asks for.
#[derive(Debug, Deserialize)]
pub(super) struct From {
    #[serde(default)]
    after: u64,
    #[serde(default)]
    follow: bool,
    /// On whose behalf, and with which claim.
    client: Option<ClientId>,
    #[serde(default)]
    claim: u64,
}

/// A reader's place in a log.
struct Tail<N> {
    shared: Arc<Shared<N>>,
    thread: ThreadId,
    after: u64,
    follow: bool,
    /// Whether it has been told that it has all there was.
    level: bool,
    head: watch::Receiver<u64>,
    /// The claim of the reader and the highest of its client.
    claim: Option<(u64, watch::Receiver<u64>)>,
    stop: Stop,
}

pub(super) async fn follow<N: Net>(
    State(shared): State<Arc<Shared<N>>>,
    Path(thread): Path<ThreadId>,
    Query(from): Query<From>,
) -> Result<Body, Refusal> {
    let head = shared.store.head(&thread).map_err(|error| shared.refusal(&error))?;
    head.ok_or(Refusal(Refused::NoThread))?;
    let tail = Tail::new(shared, thread, from);
    Ok(Body::from_stream(unfold(tail, |mut tail| async move {
        tail.next().await.map(|chunk| (Ok::<_, io::Error>(chunk), tail))
    })))
}

impl<N: Net> Tail<N> {
    fn new(shared: Arc<Shared<N>>, thread: ThreadId, from: From) -> Self {
        let highest = from.client.map(|client| shared.claims.watch(&thread, &client, from.claim));
        Self {
            claim: highest.map(|highest| (from.claim, highest)),
            head: shared.watch(&thread),
            stop: shared.stop.clone(),
            shared,
            thread,
            after: from.after,
            follow: from.follow,
            level: false,
        }
    }

    /// The next lines, if any.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some((own, highest)) = &mut self.claim
                && *highest.borrow_and_update() > *own
            {
                let last = line(&TailLine::Superseded {}).into();
                // A tail that has been overtaken says so once.
                return std::mem::take(&mut self.follow).then_some(last);
            }
            // Read after the watch began, so that no append falls between.
            self.head.mark_unchanged();
            let limit = self.shared.config.tail_frames_max;
            let frames = match self.shared.store.frames(&self.thread, self.after, limit) {
                Ok(frames) => frames,
                Err(error) => {
                    self.shared.refusal(&error);
                    return None;
                }
            };
            if let Some(last) = frames.last() {
                self.after = last.seq;
                return Some(
                    frames
                        .into_iter()
                        .map(TailLine::Frame)
                        .flat_map(|frame| line(&frame))
                        .collect(),
                );
            }
            if !self.follow {
                return None;
            }
            if !std::mem::replace(&mut self.level, true) {
                return Some(line(&TailLine::Level { head: self.after }).into());
            }
            tokio::select! {
                biased;
                () = self.stop.requested() => return None,
                () = overtaken(&mut self.claim) => {}
                _changed = self.head.changed() => {}
            }
        }
    }
}

/// Waits until another connection of the same client has a claim. Cancel safe.
async fn overtaken(claim: &mut Option<(u64, watch::Receiver<u64>)>) {
    let changed = match claim {
        Some((_own, highest)) => highest.changed().await.is_ok(),
        None => false,
    };
    // The supervisor that is going tells its tails otherwise.
    if !changed {
        pending::<()>().await;
    }
}

fn line(line: &TailLine) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(line).expect("contract types have a JSON form");
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ids, shared};
    use super::super::unchanging;
    use super::*;
    use crate::contract::id::MessageId;
    use crate::contract::thread::SubmitTurn;
    use crate::supervisor::Rollout;
    use futures_util::FutureExt;
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test(start_paused = true)]
    async fn rc_complete_an_append_at_any_moment_reaches_the_reader() {
        for polls in 0..8 {
            let (_running, shared) = shared(unchanging(Rollout::default()));
            let (thread, user) = ids();
            shared.store.open_thread(&thread, &user, 7).unwrap();
            let from = From { after: 0, follow: true, client: None, claim: 0 };
            let mut tail = Tail::new(Arc::clone(&shared), thread.clone(), from);
            assert_eq!(tail.next().await.unwrap(), "{\"level\":{\"head\":0}}\n");
            let mut next = Box::pin(tail.next());
            for _ in 0..polls {
                assert!((&mut next).now_or_never().is_none());
            }
            let message_id = MessageId::new("m").unwrap();
            let turn = SubmitTurn { user, message_id, text: "hi".to_owned() };
            let (accepted, _open) = shared.store.accept(&thread, &turn).unwrap();
            shared.announce(&thread, accepted.seq);
            let line = timeout(Duration::from_secs(1), next).await.expect("missed").unwrap();
            assert!(line.starts_with(b"{\"frame\":"), "{line:?}");
        }
    }
}
