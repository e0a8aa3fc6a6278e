//! Which sessions were revoked: the token service's list, followed as long as the gateway runs.
//!
//! While the token service is away nobody is closed for it and nobody is let in by it either: an access token is
//! good until it ends, which is soon. So an outage costs minutes of a revocation, and no connection.

use super::Shared;
use crate::contract::id::SessionId;
use crate::contract::token::RevocationLine;
use crate::net::Net;
use axum::http::StatusCode;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// The sessions that were revoked, and the connections that want to know of theirs; clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Revocations(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// Each with the time after which no access token of it is good, seconds since 1970.
    revoked: BTreeMap<SessionId, u64>,
    waiting: BTreeMap<SessionId, watch::Sender<bool>>,
}

/// A session that a connection watches.
#[derive(Debug)]
pub(super) struct Watched {
    list: Revocations,
    session: SessionId,
    revoked: watch::Receiver<bool>,
}

impl Revocations {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().expect("no panic while it is held")
    }

    /// Whether a session was revoked.
    pub(super) fn has(&self, session: &SessionId) -> bool {
        self.known().revoked.contains_key(session)
    }

    /// Watches a session, as long as the result lives.
    pub(super) fn watch(&self, session: SessionId) -> Watched {
        let mut known = self.known();
        let already = known.revoked.contains_key(&session);
        let sender =
            known.waiting.entry(session.clone()).or_insert_with(|| watch::Sender::new(already));
        let revoked = sender.subscribe();
        drop(known);
        Watched { list: self.clone(), session, revoked }
    }

    fn revoke(&self, session: SessionId, until: u64, now: Duration) {
        let mut known = self.known();
        known.revoked.retain(|_session, until| *until > now.as_secs());
        if let Some(sender) = known.waiting.get(&session) {
            sender.send_replace(true);
        }
        known.revoked.insert(session, until);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut known = self.list.known();
        // This one still counts as a receiver.
        if known.waiting.get(&self.session).is_some_and(|sender| sender.receiver_count() <= 1) {
            known.waiting.remove(&self.session);
        }
    }
}

impl Watched {
    /// Waits for the end of the session.
    pub(super) async fn revoked(mut self) {
        if self.revoked.wait_for(|revoked| *revoked).await.is_err() {
            pending::<()>().await;
        }
    }
}

/// Follows the token service's list without end.
pub(super) async fn follow<N: Net>(shared: &Shared<N>) -> Infallible {
    let config = &shared.config;
    loop {
        let list = shared.token_service.lines("/v1/revocations", config.supervisor_deadline).await;
        if let Ok((StatusCode::OK, mut lines)) = list {
            while let Ok(Some(line)) = timeout(config.peer_patience, lines.next()).await {
                match serde_json::from_slice(&line) {
                    Ok(RevocationLine::Revoked { session, until }) => {
                        tracing::info!(%session, "the session was revoked");
                        shared.revocations.revoke(session, until, shared.wall.now());
                    }
                    Ok(RevocationLine::Beat {}) => {}
                    Err(error) => tracing::warn!(%error, "a line of the list is not readable"),
                }
            }
        }
        sleep(config.supervisor_pause_max).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(name: &str) -> SessionId {
        SessionId::new(name).unwrap()
    }

    #[test]
    fn au_revoke_who_waits_learns_of_it_and_who_comes_later_too() {
        let list = Revocations::default();
        let (ana, ben) = (list.watch(session("ana")), list.watch(session("ben")));
        list.revoke(session("ana"), 100, Duration::from_secs(10));
        assert!(*ana.revoked.borrow() && !*ben.revoked.borrow());
        assert!(list.has(&session("ana")) && *list.watch(session("ana")).revoked.borrow());
        assert!(!list.has(&session("ben")));
    }

    #[test]
    fn what_nobody_can_name_or_watches_any_more_is_forgotten() {
        let list = Revocations::default();
        let tabs = [list.watch(session("ana")), list.watch(session("ana"))];
        list.revoke(session("ana"), 100, Duration::from_secs(10));
        list.revoke(session("ben"), 200, Duration::from_secs(100));
        assert!(!list.has(&session("ana")) && list.has(&session("ben")));
        let [one, two] = tabs;
        drop(one);
        assert_eq!(list.known().waiting.len(), 1);
        drop(two);
        assert!(list.known().waiting.is_empty());
    }
}
