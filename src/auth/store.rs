//! What survives: how far each session has come, and which were revoked.
//!
//! On redb over any `StorageBackend`: a file in production, a simulated disk in the harness. Calls are
//! short and synchronous; a commit returns when it is on disk. Nothing is kept for longer than it can matter.
//!
//! | table | key | value |
//! |---|---|---|
//! | `chains` | session | the chain of its refresh tokens (JSON) |
//! | `ends` | when a chain may be forgotten (seconds since 1970), session | |
//! | `revocations` | order of revocation | session, until when its access tokens are good (seconds since 1970) |

use super::chain::{Chain, Verdict};
use crate::config::TokenConfig;
use crate::contract::id::{BadId, SessionId};
use crate::contract::token::RevocationLine;
use crate::token::{Claims, LEEWAY};
use redb::{
    Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition, WriteTransaction,
};
use std::time::Duration;

const CHAINS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("chains");
const ENDS: TableDefinition<'_, (u64, &str), ()> = TableDefinition::new("ends");
const REVOCATIONS: TableDefinition<'_, u64, (&str, u64)> = TableDefinition::new("revocations");

/// Why the store has no answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database or the disk below it failed.
    #[error("the store failed")]
    Database(#[source] Box<redb::Error>),
    /// A record is not what this version writes.
    #[error("a record of the store is not readable")]
    Record(#[from] serde_json::Error),
    /// A session is stored under a name that is none.
    #[error("a record of the store names no session")]
    Name(#[from] BadId),
}

macro_rules! database_error {
    ($($kind:ident)*) => {$(
        impl From<redb::$kind> for StoreError {
            fn from(error: redb::$kind) -> Self {
                Self::Database(Box::new(error.into()))
            }
        }
    )*};
}
database_error!(DatabaseError TransactionError TableError StorageError CommitError);

/// The sessions whose refresh tokens were used, and those that were revoked.
#[derive(Debug)]
pub struct Store {
    database: Database,
}

impl Store {
    /// Opens what `backend` holds, or starts it empty.
    ///
    /// # Errors
    /// [`StoreError::Database`] if the disk fails or holds something else.
    pub fn open(backend: impl StorageBackend) -> Result<Self, StoreError> {
        let database = Database::builder().create_with_backend(backend)?;
        let write = database.begin_write()?;
        write.open_table(CHAINS)?;
        write.open_table(ENDS)?;
        write.open_table(REVOCATIONS)?;
        write.commit()?;
        Ok(Self { database })
    }

    /// Uses a refresh token that is genuine and has not expired; what that changes is on disk on return.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn present(
        &self,
        claims: &Claims,
        now: Duration,
        config: &TokenConfig,
    ) -> Result<Verdict, StoreError> {
        self.change(claims, now, config, |chain| chain.present(claims, now, config))
    }

    /// Ends the session of a refresh token that is genuine and has not expired. Whether it had not ended before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn revoke(
        &self,
        claims: &Claims,
        now: Duration,
        config: &TokenConfig,
    ) -> Result<bool, StoreError> {
        self.change(claims, now, config, |chain| chain.revoke(claims))
    }

    fn change<T>(
        &self,
        claims: &Claims,
        now: Duration,
        config: &TokenConfig,
        change: impl FnOnce(&mut Chain) -> T,
    ) -> Result<T, StoreError> {
        let session = claims.sid.as_str();
        let write = self.database.begin_write()?;
        let known =
            write.open_table(CHAINS)?.get(session)?.map(|record| from_record(record.value()));
        let before: Chain = known.transpose()?.unwrap_or_default();
        let mut after = before.clone();
        let outcome = change(&mut after);
        if after == before {
            return Ok(outcome);
        }
        write.open_table(CHAINS)?.insert(session, serde_json::to_vec(&after)?.as_slice())?;
        let mut ends = write.open_table(ENDS)?;
        ends.remove((before.ends.as_secs(), session))?;
        ends.insert((after.ends.as_secs(), session), ())?;
        drop(ends);
        if after.revoked && !before.revoked {
            let mut revocations = write.open_table(REVOCATIONS)?;
            let order = revocations.last()?.map_or(1, |(last, _revoked)| last.value() + 1);
            let until = now + config.access_ttl + LEEWAY;
            revocations.insert(order, (session, until.as_secs()))?;
        }
        forget(&write, now)?;
        write.commit()?;
        Ok(outcome)
    }

    /// At most `limit` revocations after the `after`-th that are still in force, in order, each with its
    /// number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn revocations(
        &self,
        after: u64,
        now: Duration,
        limit: usize,
    ) -> Result<Vec<(u64, RevocationLine)>, StoreError> {
        let read = self.database.begin_read()?;
        let table = read.open_table(REVOCATIONS)?;
        let mut lines = Vec::new();
        for row in table.range(after.saturating_add(1)..)? {
            if lines.len() == limit {
                break;
            }
            let (order, revoked) = row?;
            let (session, until) = revoked.value();
            if until > now.as_secs() {
                let session = SessionId::new(session)?;
                lines.push((order.value(), RevocationLine::Revoked { session, until }));
            }
        }
        Ok(lines)
    }
}

fn from_record(record: &[u8]) -> Result<Chain, StoreError> {
    Ok(serde_json::from_slice(record)?)
}

/// Drops what cannot matter any longer.
fn forget(write: &WriteTransaction, now: Duration) -> Result<(), StoreError> {
    let mut chains = write.open_table(CHAINS)?;
    let mut ends = write.open_table(ENDS)?;
    for ended in ends.extract_from_if(..(now.as_secs(), ""), |_ended, ()| true)? {
        chains.remove(ended?.0.value().1)?;
    }
    let mut revocations = write.open_table(REVOCATIONS)?;
    // The last one stays, so that its number is not given again to followers that have seen it.
    let last = revocations.last()?.map_or(0, |(last, _revoked)| last.value());
    revocations.retain_in(..last, |_order, (_session, until)| until > now.as_secs())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use redb::backends::InMemoryBackend;

    const NOW: Duration = Duration::from_secs(1_800_000_000);

    fn claims(session: &str, n: u64, now: Duration) -> Claims {
        let (user, ttl) = ("u".parse().unwrap(), TokenConfig::default().refresh_ttl);
        Claims::refresh(user, session.parse().unwrap(), n, now, ttl)
    }

    fn present(store: &Store, claims: &Claims, now: Duration) -> Verdict {
        store.present(claims, now, &TokenConfig::default()).unwrap()
    }

    fn revoked(store: &Store, after: u64, now: Duration) -> Vec<u64> {
        let lines = store.revocations(after, now, 10).unwrap();
        lines.into_iter().map(|(order, _line)| order).collect()
    }

    /// Rows of `chains`, `ends` and `revocations`.
    fn rows(store: &Store) -> [u64; 3] {
        use redb::ReadableTableMetadata;
        let read = store.database.begin_read().unwrap();
        [
            read.open_table(CHAINS).unwrap().len().unwrap(),
            read.open_table(ENDS).unwrap().len().unwrap(),
            read.open_table(REVOCATIONS).unwrap().len().unwrap(),
        ]
    }

    #[test]
    fn sessions_do_not_mix_and_a_revocation_is_listed_once() {
        let store = Store::open(InMemoryBackend::new()).unwrap();
        let config = TokenConfig::default();
        assert_eq!(present(&store, &claims("a", 1, NOW), NOW), Verdict::Advance);
        assert_eq!(present(&store, &claims("b", 1, NOW), NOW), Verdict::Advance);
        assert!(store.revoke(&claims("a", 1, NOW), NOW, &config).unwrap());
        assert!(!store.revoke(&claims("a", 2, NOW), NOW, &config).unwrap());
        assert_eq!(present(&store, &claims("a", 2, NOW), NOW), Verdict::Revoked);
        assert_eq!(present(&store, &claims("b", 2, NOW), NOW), Verdict::Advance);
        let line = RevocationLine::Revoked { session: "a".parse().unwrap(), until: 1_800_000_605 };
        assert_eq!(store.revocations(0, NOW, 10).unwrap(), [(1, line)]);
    }

    #[test]
    fn a_revocation_is_in_force_until_the_last_access_token_has_expired() {
        let store = Store::open(InMemoryBackend::new()).unwrap();
        let config = TokenConfig::default();
        let access =
            Claims::access("u".parse().unwrap(), "a".parse().unwrap(), NOW, config.access_ttl);
        for session in ["a", "b", "c"] {
            store.revoke(&claims(session, 1, NOW), NOW, &config).unwrap();
        }
        let last_moment = access.good_until() - Duration::from_nanos(1);
        assert_eq!(revoked(&store, 1, last_moment), [2, 3]);
        assert_eq!(store.revocations(0, NOW, 2).unwrap().len(), 2);
        let after = access.good_until();
        assert_eq!(revoked(&store, 0, after), [0; 0]);
        // Whoever follows has seen three; the next one is the fourth, though they are forgotten.
        store.revoke(&claims("d", 1, after), after, &config).unwrap();
        assert_eq!(revoked(&store, 3, after), [4]);
        assert_eq!(rows(&store), [4, 4, 1]);
    }

    #[test]
    fn a_session_is_forgotten_when_its_tokens_have_expired_and_not_before() {
        let store = Store::open(InMemoryBackend::new()).unwrap();
        let config = TokenConfig::default();
        let first = claims("a", 1, NOW);
        present(&store, &first, NOW);
        present(&store, &claims("b", 1, NOW), NOW);
        let late = first.good_until() - Duration::from_secs(1);
        assert_eq!(present(&store, &first, late), Verdict::Repeat);
        let second = claims("a", 2, late);
        store.revoke(&first, late, &config).unwrap();
        let last_moment = second.good_until() - Duration::from_nanos(1);
        assert_eq!(present(&store, &claims("c", 1, last_moment), last_moment), Verdict::Advance);
        assert_eq!(present(&store, &second, last_moment), Verdict::Revoked);
        let end = second.good_until() + Duration::from_secs(2);
        assert_eq!(present(&store, &claims("c", 2, end), end), Verdict::Advance);
        assert_eq!(rows(&store), [1, 1, 1]);
    }
}
