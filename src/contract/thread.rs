//! What gateway and supervisor say to each other over HTTP: open a thread, submit a turn, follow the log.
//!
//! | call | body | answer |
//! |---|---|---|
//! | `PUT /v1/threads/{thread}` | [`OpenThread`] | 200 [`ThreadHead`], 403 if it belongs to someone else |
//! | `POST /v1/threads/{thread}/turns` | [`SubmitTurn`] | 200 [`Accepted`], 403, 404 |
//! | `GET /v1/threads/{thread}/frames?after={seq}&follow=true` | | 200, a [`TailLine`] a line |
//!
//! A connection that names its client in [`OpenThread`] gets a claim. It follows with `&client={id}&claim={n}`,
//! and the tail ends with [`TailLine::Superseded`] as soon as somebody follows with a higher claim of the same client.
//!
//! A refusal carries [`Refused`].

use super::frame::LogFrame;
use super::id::{ClientId, MessageId, ThreadId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Creates the thread if it is new; whoever creates it owns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenThread {
    /// Who asks.
    pub user: UserId,
    /// The client instance on whose behalf; its newest connection is the one that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// Which of the client's attempts, as it counts them itself; it becomes the claim. A supervisor that is asked
    /// late, behind a partition or after a restart, could not know the order of attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u64>,
}

/// Where a thread's log stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThreadHead {
    /// The thread.
    pub thread_id: ThreadId,
    /// The epoch of its log, never 0.
    pub epoch: u64,
    /// The last frame's number; 0 for an empty log.
    pub head: u64,
    /// The number of this connection among those of its client: a newer one has a higher claim. 0 if the
    /// question named no client.
    #[serde(default)]
    pub claim: u64,
}

/// A user turn to be accepted durably. Idempotent by `message_id` within the thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitTurn {
    /// Who speaks; must own the thread.
    pub user: UserId,
    /// The turn.
    pub message_id: MessageId,
    /// What the user wrote.
    pub text: String,
}

/// The turn is on disk; a repetition gets the same answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// The turn.
    pub message_id: MessageId,
    /// The number of its `user_turn` frame.
    pub seq: u64,
}

/// One line of a followed log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TailLine {
    /// The next frame.
    Frame(LogFrame),
    /// All that the log held has been told; from here on a line comes when something happens.
    Level {
        /// The head of the log.
        head: u64,
    },
    /// A newer connection of the same client has taken over; the last line.
    Superseded {},
}

/// Why the supervisor refuses.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error,
)]
#[serde(rename_all = "snake_case")]
pub enum Refused {
    /// The thread belongs to another user.
    #[error("the thread belongs to another user")]
    NotOwner,
    /// Nobody has opened this thread.
    #[error("nobody has opened this thread")]
    NoThread,
    /// The supervisor could not write to its store.
    #[error("the store is not available")]
    Store,
}
