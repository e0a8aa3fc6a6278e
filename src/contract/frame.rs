//! What client and gateway say to each other: one flat JSON object a text message, tagged by `event`.
//!
//! # Design
//! A [`LogFrame`] is a place in the thread log and a body. On the wire both lie flat in one object, because
//! that is what foreign clients read most easily. Hence the only `flatten` and the only `untagged` of the
//! project: a reader first tries the ephemeral events, then the durable ones. The alternative, repeating
//! the five header fields in four structs, would let them drift apart.
//!
//! Clients are held to the letter (unknown fields and events are refused); a client ignores what a newer
//! server adds.

use super::agent::{Card, Intent, RelaxationNote};
use super::id::{ClientId, ConnectionId, Cursor, MessageId, ThreadId, TraceId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version that `hello` names; another one is refused with close code 4400.
pub const PROTOCOL: u32 = 1;

/// Client to server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientFrame {
    /// The first frame of a connection; the first hello on a thread creates it.
    Hello {
        /// [`PROTOCOL`].
        protocol: u32,
        /// This client instance.
        client_id: ClientId,
        /// Which of its attempts this is; a later one has a higher number, and its connection is the one that
        /// counts. Without it, the one whose hello came last is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attempt: Option<u64>,
        /// The conversation to join.
        thread_id: ThreadId,
        /// What the client has already; `{epoch: 0, seq: 0}` asks for the whole log.
        cursor: Cursor,
    },
    /// A user turn.
    UserMessage {
        /// Chosen by the client, the same in every repetition.
        message_id: MessageId,
        /// What the user wrote.
        text: String,
    },
    /// Answers `ping`.
    Pong {
        /// The number of the ping.
        n: u64,
    },
    /// A fresh token for a connection whose token is about to expire.
    Auth {
        /// A JSON Web Token.
        token: String,
    },
    /// Asks for the log again after a hole.
    Catchup {
        /// The last frame in hand.
        after: u64,
    },
}

impl ClientFrame {
    /// The value of `event` on the wire.
    #[must_use]
    pub fn event(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::UserMessage { .. } => "user_message",
            Self::Pong { .. } => "pong",
            Self::Auth { .. } => "auth",
            Self::Catchup { .. } => "catchup",
        }
    }
}

/// Server to client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The connection is authenticated and joined to its thread.
    Welcome {
        /// This connection.
        connection_id: ConnectionId,
        /// The longest silence of the server, milliseconds.
        heartbeat_ms: u64,
        /// What the client must keep to.
        limits: Limits,
    },
    /// Every frame after `from` up to `to` has been sent again; live frames follow.
    Resumed {
        /// The client's cursor.
        from: u64,
        /// The head of the log when the replay began.
        to: u64,
        /// Always true: a partial recovery does not exist.
        recovered: bool,
    },
    /// The cursor cannot be served; no frame was replayed.
    ResumeFailed {
        /// Why not.
        why: ResumeFailure,
        /// The head of the log.
        head: u64,
        /// The epoch of the log.
        epoch: u64,
    },
    /// The turn is durable.
    Ack {
        /// The accepted turn.
        message_id: MessageId,
        /// Its place in the log.
        seq: u64,
    },
    /// An answer is being worked on.
    Typing {
        /// The turn.
        in_reply_to: MessageId,
    },
    /// When to come back if the connection closes now.
    ReconnectAdvice {
        /// The reason.
        why: AdviceReason,
        /// Wait at least this long, milliseconds.
        min_ms: u64,
        /// Wait at most this long, milliseconds.
        max_ms: u64,
    },
    /// Asks for a sign of life.
    Ping {
        /// Counts up on a connection.
        n: u64,
    },
    /// A durable frame.
    #[serde(untagged)]
    Log(LogFrame),
}

impl ServerFrame {
    /// The value of `event` on the wire.
    #[must_use]
    pub fn event(&self) -> &'static str {
        match self {
            Self::Welcome { .. } => "welcome",
            Self::Resumed { .. } => "resumed",
            Self::ResumeFailed { .. } => "resume_failed",
            Self::Ack { .. } => "ack",
            Self::Typing { .. } => "typing",
            Self::ReconnectAdvice { .. } => "reconnect_advice",
            Self::Ping { .. } => "ping",
            Self::Log(frame) => frame.body.event(),
        }
    }
}

/// A durable frame: a place in the thread log and what stands there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogFrame {
    /// The log it belongs to.
    pub thread_id: ThreadId,
    /// The epoch of that log.
    pub epoch: u64,
    /// 1, 2, 3 … without holes.
    pub seq: u64,
    /// The turn it belongs to.
    pub in_reply_to: MessageId,
    /// What identifies this one frame in logs.
    pub meta: Meta,
    /// What it says.
    #[serde(flatten)]
    pub body: LogBody,
}

/// What identifies a frame in logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Meta {
    /// Unique per frame.
    pub trace: TraceId,
}

/// The content of a durable frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum LogBody {
    /// The user's own turn, as every client of the thread sees it.
    UserTurn {
        /// The turn.
        message_id: MessageId,
        /// What the user wrote.
        text: String,
    },
    /// Listings to show.
    Recommendations {
        /// Who recommends.
        agent: AgentName,
        /// In the order to be shown.
        recommendations: Vec<Card>,
        /// What was stretched to find them; absent when they match exactly.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        relaxation: Option<RelaxationNote>,
    },
    /// The reply; ends the turn.
    Message {
        /// Who replies.
        agent: AgentName,
        /// How the turn was understood.
        intent: Intent,
        /// The reply.
        text: String,
    },
    /// The turn failed; ends the turn.
    Error {
        /// What failed.
        code: ErrorCode,
        /// A sentence for the user.
        message: String,
        /// Whether sending the same text as a new turn may succeed.
        retryable: bool,
    },
}

impl LogBody {
    /// The value of `event` on the wire.
    #[must_use]
    pub fn event(&self) -> &'static str {
        match self {
            Self::UserTurn { .. } => "user_turn",
            Self::Recommendations { .. } => "recommendations",
            Self::Message { .. } => "message",
            Self::Error { .. } => "error",
        }
    }

    /// Whether this frame ends its turn. Exactly one frame of a turn does.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Message { .. } | Self::Error { .. } => true,
            Self::UserTurn { .. } | Self::Recommendations { .. } => false,
        }
    }
}

/// Who speaks.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AgentName {
    /// Searches and answers questions about listings.
    RealEstate,
    /// Greets, thanks and says what it cannot do.
    General,
}

/// Why a turn failed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The agent could not be reached or did not answer in time.
    AgentUnavailable,
    /// The agent answered something that breaks the contract.
    AgentInvalid,
}

/// Why a cursor cannot be served.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ResumeFailure {
    /// The log was created anew since.
    Epoch,
    /// The cursor lies beyond the head.
    Ahead,
}

impl ResumeFailure {
    /// The name on the wire and in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Epoch => "epoch",
            Self::Ahead => "ahead",
        }
    }
}

/// Why a client should come back later.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AdviceReason {
    /// The gateway restarts.
    Drain,
    /// The gateway or what stands behind it is at its limit.
    Overload,
    /// The client does not read fast enough.
    Slow,
    /// The client sends too fast.
    Rate,
    /// The token is about to expire.
    Auth,
}

impl AdviceReason {
    /// The name on the wire and in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::Overload => "overload",
            Self::Slow => "slow",
            Self::Rate => "rate",
            Self::Auth => "auth",
        }
    }
}

/// What a client must keep to, said in `welcome`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// The longest text message, bytes.
    pub message_bytes_max: u64,
    /// The longest `user_message.text`, characters.
    pub text_chars_max: u64,
    /// Most frames in a row; 0 if the server does not say.
    #[serde(default)]
    pub frames_burst_max: u32,
    /// Most frames a second after such a row; 0 if the server does not say.
    #[serde(default)]
    pub frames_per_second_max: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_lie_flat_and_read_back() {
        for text in [
            r#"{"event":"ping","n":3}"#,
            r#"{"event":"resumed","from":2,"to":5,"recovered":true}"#,
            r#"{"thread_id":"t","epoch":9,"seq":1,"in_reply_to":"m","meta":{"trace":"9-1"},"event":"user_turn","message_id":"m","text":"hi"}"#,
            r#"{"thread_id":"t","epoch":9,"seq":2,"in_reply_to":"m","meta":{"trace":"9-2"},"event":"error","code":"agent_unavailable","message":"x","retryable":true}"#,
        ] {
            let frame: ServerFrame = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&frame).unwrap(), text);
            assert!(text.contains(&format!(r#""event":"{}""#, frame.event())));
        }
    }

    #[test]
    fn a_client_is_held_to_the_letter_and_a_server_is_not() {
        assert!(serde_json::from_str::<ClientFrame>(r#"{"event":"pong","n":1}"#).is_ok());
        assert!(serde_json::from_str::<ClientFrame>(r#"{"event":"pong","n":1,"x":2}"#).is_err());
        assert!(serde_json::from_str::<ClientFrame>(r#"{"event":"shout"}"#).is_err());
        assert!(serde_json::from_str::<ServerFrame>(r#"{"event":"ping","n":1,"x":2}"#).is_ok());
    }
}
