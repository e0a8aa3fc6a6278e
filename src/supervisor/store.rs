//! What survives: threads, their logs, accepted turns and those still without an answer.
//!
//! On redb over any `StorageBackend`: a file in production, a simulated disk in the harness. Calls are
//! short and synchronous; a commit returns when it is on disk.
//!
//! | table | key | value |
//! |---|---|---|
//! | `threads` | thread | owner, epoch, head, conversation state (JSON) |
//! | `frames` | thread, seq | the frame (JSON) |
//! | `turns` | thread, message id | seq of the `user_turn` frame |
//! | `open_turns` | order of arrival | thread, message id (JSON) |
//! | `counters` | `starts` | how often the store was opened |

use super::state::{BadState, SupervisorState};
use crate::contract::frame::{LogBody, LogFrame, Meta};
use crate::contract::id::{MessageId, ThreadId, TraceId, UserId};
use crate::contract::thread::{Accepted, Refused, SubmitTurn, ThreadHead};
use redb::{
    Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition, WriteTransaction,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

const THREADS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("threads");
const FRAMES: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("frames");
const TURNS: TableDefinition<'_, (&str, &str), u64> = TableDefinition::new("turns");
const OPEN_TURNS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("open_turns");
const COUNTERS: TableDefinition<'_, &str, u64> = TableDefinition::new("counters");

/// Why the store has no answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The caller may not do this.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The database or the disk below it failed.
    #[error("the store failed")]
    Database(#[source] Box<redb::Error>),
    /// A record is not what this version writes.
    #[error("a record of the store is not readable")]
    Record(#[from] serde_json::Error),
    /// The state of a conversation is not what this version or an earlier one writes.
    #[error("the state of a conversation is not readable: {0}")]
    State(String),
}

impl From<BadState> for StoreError {
    fn from(error: BadState) -> Self {
        Self::State(error.to_string())
    }
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

#[derive(Debug, Serialize, Deserialize)]
struct Thread {
    owner: UserId,
    epoch: u64,
    head: u64,
    /// A [`SupervisorState`] of any version.
    state: Value,
}

/// An accepted turn that has no final frame yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OpenTurn {
    /// Its number in the order of arrival.
    pub(super) arrival: u64,
    pub(super) thread_id: ThreadId,
    pub(super) message_id: MessageId,
    pub(super) text: String,
}

/// Threads and their logs.
#[derive(Debug)]
pub struct Store {
    database: Database,
    starts: u64,
}

impl Store {
    /// Opens what `backend` holds, or starts it empty.
    ///
    /// # Errors
    /// [`StoreError::Database`] if the disk fails or holds something else.
    pub fn open(backend: impl StorageBackend) -> Result<Self, StoreError> {
        let database = Database::builder().create_with_backend(backend)?;
        let write = database.begin_write()?;
        write.open_table(THREADS)?;
        write.open_table(FRAMES)?;
        write.open_table(TURNS)?;
        write.open_table(OPEN_TURNS)?;
        let mut counters = write.open_table(COUNTERS)?;
        let starts = counters.get("starts")?.map_or(0, |count| count.value()) + 1;
        counters.insert("starts", starts)?;
        drop(counters);
        write.commit()?;
        Ok(Self { database, starts })
    }

    /// How often the store has been opened, this time included.
    pub(super) fn starts(&self) -> u64 {
        self.starts
    }

    /// The thread's head; creates the thread with `new_epoch` if it does not exist.
    ///
    /// # Errors
    /// [`Refused::NotOwner`], or a failing database.
    pub(super) fn open_thread(
        &self,
        thread_id: &ThreadId,
        user: &UserId,
        new_epoch: u64,
    ) -> Result<ThreadHead, StoreError> {
        if let Some(thread) = self.thread(thread_id)? {
            return match thread.owner == *user {
                true => Ok(head_of(thread_id, &thread)),
                false => Err(Refused::NotOwner.into()),
            };
        }
        let thread = Thread {
            owner: user.clone(),
            epoch: new_epoch,
            head: 0,
            state: serde_json::to_value(SupervisorState::default())?,
        };
        let write = self.database.begin_write()?;
        put_thread(&write, thread_id, &thread)?;
        write.commit()?;
        Ok(head_of(thread_id, &thread))
    }

    /// Accepts a turn once: appends its `user_turn` frame and leaves it open. `None` in the second place
    /// if the turn had been accepted before.
    ///
    /// # Errors
    /// [`Refused::NotOwner`], [`Refused::NoThread`], or a failing database.
    pub(super) fn accept(
        &self,
        thread_id: &ThreadId,
        turn: &SubmitTurn,
    ) -> Result<(Accepted, Option<OpenTurn>), StoreError> {
        let write = self.database.begin_write()?;
        let mut thread = get_thread(&write, thread_id)?.ok_or(Refused::NoThread)?;
        if thread.owner != turn.user {
            return Err(Refused::NotOwner.into());
        }
        let key = (thread_id.as_str(), turn.message_id.as_str());
        let known = write.open_table(TURNS)?.get(key)?.map(|seq| seq.value());
        if let Some(seq) = known {
            return Ok((Accepted { message_id: turn.message_id.clone(), seq }, None));
        }
        let body =
            LogBody::UserTurn { message_id: turn.message_id.clone(), text: turn.text.clone() };
        append(&write, thread_id, &mut thread, &turn.message_id, body)?;
        put_thread(&write, thread_id, &thread)?;
        write.open_table(TURNS)?.insert(key, thread.head)?;
        let mut table = write.open_table(OPEN_TURNS)?;
        let open = OpenTurn {
            arrival: table.last()?.map_or(1, |(last, _turn)| last.value() + 1),
            thread_id: thread_id.clone(),
            message_id: turn.message_id.clone(),
            text: turn.text.clone(),
        };
        table.insert(open.arrival, serde_json::to_vec(&open)?.as_slice())?;
        drop(table);
        write.commit()?;
        Ok((Accepted { message_id: turn.message_id.clone(), seq: thread.head }, Some(open)))
    }

    /// Ends a turn once: appends its reply frames, keeps the conversation's new state. Returns the head.
    ///
    /// # Errors
    /// A failing database.
    pub(super) fn finish(
        &self,
        turn: &OpenTurn,
        bodies: Vec<LogBody>,
        state: SupervisorState,
    ) -> Result<u64, StoreError> {
        let write = self.database.begin_write()?;
        let mut thread = get_thread(&write, &turn.thread_id)?.ok_or(Refused::NoThread)?;
        if write.open_table(OPEN_TURNS)?.remove(turn.arrival)?.is_none() {
            return Ok(thread.head);
        }
        for body in bodies {
            append(&write, &turn.thread_id, &mut thread, &turn.message_id, body)?;
        }
        thread.state = serde_json::to_value(state)?;
        put_thread(&write, &turn.thread_id, &thread)?;
        write.commit()?;
        Ok(thread.head)
    }

    /// Accepted turns without a final frame, in the order of their arrival.
    ///
    /// # Errors
    /// A failing database.
    pub(super) fn open_turns(&self) -> Result<Vec<OpenTurn>, StoreError> {
        let read = self.database.begin_read()?;
        let table = read.open_table(OPEN_TURNS)?;
        let mut turns = Vec::new();
        for row in table.iter()? {
            turns.push(from_record(row?.1.value())?);
        }
        Ok(turns)
    }

    /// Whose conversation it is, and where it stands.
    ///
    /// # Errors
    /// [`Refused::NoThread`], a state that is not readable, or a failing database.
    pub(super) fn conversation(
        &self,
        thread_id: &ThreadId,
    ) -> Result<(UserId, SupervisorState), StoreError> {
        let thread = self.thread(thread_id)?.ok_or(Refused::NoThread)?;
        Ok((thread.owner, SupervisorState::read(thread.state)?))
    }

    /// At most `limit` frames after `after`, in order.
    ///
    /// # Errors
    /// A failing database.
    pub fn frames(
        &self,
        thread_id: &ThreadId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<LogFrame>, StoreError> {
        let read = self.database.begin_read()?;
        let table = read.open_table(FRAMES)?;
        let name = thread_id.as_str();
        let mut frames = Vec::new();
        for row in table.range((name, after.saturating_add(1))..=(name, u64::MAX))?.take(limit) {
            frames.push(from_record(row?.1.value())?);
        }
        Ok(frames)
    }

    /// The head of a thread's log; `None` if nobody has opened the thread.
    ///
    /// # Errors
    /// A failing database.
    pub fn head(&self, thread_id: &ThreadId) -> Result<Option<ThreadHead>, StoreError> {
        Ok(self.thread(thread_id)?.map(|thread| head_of(thread_id, &thread)))
    }

    /// Every thread, in the order of their ids.
    ///
    /// # Errors
    /// A failing database.
    pub fn threads(&self) -> Result<Vec<ThreadId>, StoreError> {
        let read = self.database.begin_read()?;
        let table = read.open_table(THREADS)?;
        let mut threads = Vec::new();
        for row in table.iter()? {
            threads.extend(ThreadId::new(row?.0.value()));
        }
        Ok(threads)
    }

    fn thread(&self, thread_id: &ThreadId) -> Result<Option<Thread>, StoreError> {
        let read = self.database.begin_read()?;
        let table = read.open_table(THREADS)?;
        table.get(thread_id.as_str())?.map(|record| from_record(record.value())).transpose()
    }
}

fn head_of(thread_id: &ThreadId, thread: &Thread) -> ThreadHead {
    ThreadHead { thread_id: thread_id.clone(), epoch: thread.epoch, head: thread.head, claim: 0 }
}

fn from_record<T: DeserializeOwned>(record: &[u8]) -> Result<T, StoreError> {
    Ok(serde_json::from_slice(record)?)
}

fn get_thread(write: &WriteTransaction, id: &ThreadId) -> Result<Option<Thread>, StoreError> {
    let table = write.open_table(THREADS)?;
    table.get(id.as_str())?.map(|record| from_record(record.value())).transpose()
}

fn put_thread(write: &WriteTransaction, id: &ThreadId, thread: &Thread) -> Result<(), StoreError> {
    let record = serde_json::to_vec(thread)?;
    write.open_table(THREADS)?.insert(id.as_str(), record.as_slice())?;
    Ok(())
}

/// Gives `body` the next number of the log. The trace id needs no generator: a log never numbers twice.
fn append(
    write: &WriteTransaction,
    thread_id: &ThreadId,
    thread: &mut Thread,
    in_reply_to: &MessageId,
    body: LogBody,
) -> Result<(), StoreError> {
    thread.head += 1;
    let trace = TraceId::new(format!("{:x}-{}", thread.epoch, thread.head))
        .expect("a hexadecimal and a decimal number are an id");
    let frame = LogFrame {
        thread_id: thread_id.clone(),
        epoch: thread.epoch,
        seq: thread.head,
        in_reply_to: in_reply_to.clone(),
        meta: Meta { trace },
        body,
    };
    let record = serde_json::to_vec(&frame)?;
    write.open_table(FRAMES)?.insert((thread_id.as_str(), thread.head), record.as_slice())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::agent::Intent;
    use crate::contract::frame::AgentName;
    use redb::backends::InMemoryBackend;

    fn turn(message_id: &str) -> SubmitTurn {
        SubmitTurn {
            user: "u-1".parse().unwrap(),
            message_id: message_id.parse().unwrap(),
            text: "hello".to_owned(),
        }
    }

    fn reply() -> LogBody {
        let text = "hi".to_owned();
        LogBody::Message { agent: AgentName::General, intent: Intent::Greeting, text }
    }

    #[test]
    fn accepts_a_turn_once_and_keeps_it_open_until_it_ends() {
        let store = Store::open(InMemoryBackend::new()).unwrap();
        let thread: ThreadId = "t-1".parse().unwrap();
        store.open_thread(&thread, &"u-1".parse().unwrap(), 7).unwrap();
        let (first, open) = store.accept(&thread, &turn("m-1")).unwrap();
        let (again, known) = store.accept(&thread, &turn("m-1")).unwrap();
        assert_eq!((first, known), (again, None));
        let open = open.unwrap();
        assert_eq!(store.open_turns().unwrap(), vec![open.clone()]);
        let (_owner, state) = store.conversation(&thread).unwrap();
        assert_eq!(store.finish(&open, vec![reply()], state).unwrap(), 2);
        assert_eq!(store.open_turns().unwrap(), vec![]);
        let seqs: Vec<u64> =
            store.frames(&thread, 0, 10).unwrap().iter().map(|frame| frame.seq).collect();
        assert_eq!(seqs, [1, 2]);
        assert_eq!(store.threads().unwrap(), vec![thread]);
    }

    #[test]
    fn refuses_strangers_and_unknown_threads() {
        let store = Store::open(InMemoryBackend::new()).unwrap();
        let thread: ThreadId = "t-1".parse().unwrap();
        let missing = store.accept(&thread, &turn("m-1"));
        assert!(matches!(missing, Err(StoreError::Refused(Refused::NoThread))));
        store.open_thread(&thread, &"u-2".parse().unwrap(), 7).unwrap();
        let stranger = store.accept(&thread, &turn("m-1"));
        assert!(matches!(stranger, Err(StoreError::Refused(Refused::NotOwner))));
        let stranger = store.open_thread(&thread, &"u-1".parse().unwrap(), 8);
        assert!(matches!(stranger, Err(StoreError::Refused(Refused::NotOwner))));
    }

    #[test]
    fn logs_of_neighbouring_threads_do_not_mix() {
        let store = Store::open(InMemoryBackend::new()).unwrap();
        for name in ["a", "a-", "a0", "b"] {
            let thread: ThreadId = name.parse().unwrap();
            store.open_thread(&thread, &"u-1".parse().unwrap(), 7).unwrap();
            store.accept(&thread, &turn("m-1")).unwrap();
            assert_eq!(store.frames(&thread, 0, 10).unwrap().len(), 1, "{name}");
        }
    }
}
