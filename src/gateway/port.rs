//! What goes into a connection's machine and what comes out.

use crate::contract::close::CloseReason;
use crate::contract::frame::{ClientFrame, ServerFrame};
use crate::contract::id::{ClientId, ConnectionId, ThreadId, UserId};
use crate::contract::thread::{Accepted, Refused, SubmitTurn, TailLine, ThreadHead};
use std::time::Duration;

/// Who is at the other end.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    /// The subject of the token.
    pub(super) user: UserId,
    /// Names the connection in logs.
    pub(super) connection_id: ConnectionId,
    /// When the token ends, on the machine's clock.
    pub(super) expires: Duration,
    /// How much earlier than the others the first ping comes, so that a fleet that connected at once is not
    /// pinged at once; below the heartbeat.
    pub(super) phase: Duration,
}

/// What happens to a connection.
#[derive(Debug)]
pub(super) enum Input {
    /// A frame of the client.
    Frame(ClientFrame),
    /// A pong or ping of the WebSocket protocol.
    Control,
    /// The peer sent something that is no frame.
    Broken(CloseReason),
    /// The user sends too much over all connections together.
    Overspent,
    /// The peer took some of what was to be written; so many frames still wait.
    Wrote {
        /// Frames that wait.
        waiting: usize,
    },
    /// The supervisor opened the thread, or would not.
    Opened(Result<ThreadHead, CallFailure>),
    /// The supervisor took the turn, or would not.
    Submitted(Result<Accepted, CallFailure>),
    /// A line of the tail.
    Line(TailLine),
    /// The tail ended.
    TailEnded,
    /// The token in an `auth` frame was good until then, or was not.
    Reauthorized(Option<Duration>),
    /// The session of the token was revoked.
    Revoked,
    /// The gateway is to stop, this connection after that delay.
    Drain {
        /// How long the connection may still live.
        after: Duration,
    },
    /// The deadline passed.
    Wake,
}

/// Why a call to the supervisor brought nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallFailure {
    /// It said no.
    Refused(Refused),
    /// It did not answer.
    Away,
}

/// Who has said hello.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    /// The client instance.
    pub(super) client_id: ClientId,
    /// Which of its attempts, if it counts them.
    pub(super) attempt: Option<u64>,
}

/// Which of a client's connections this is: the supervisor ends the tail of a lower claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    /// The client instance.
    pub(super) client_id: ClientId,
    /// From the supervisor; a newer connection has a higher one.
    pub(super) number: u64,
}

/// What is to be done for a connection.
#[derive(Debug, PartialEq)]
pub(super) enum Output {
    /// Write this frame.
    Send(ServerFrame),
    /// Ask the supervisor for the thread.
    Open { thread: ThreadId, user: UserId, caller: Caller },
    /// Give the supervisor a turn.
    Submit { thread: ThreadId, turn: SubmitTurn },
    /// Read the log from here, instead of from where it was read so far.
    Follow { thread: ThreadId, after: u64, claim: Claim },
    /// Check this token; it must be about the same user.
    Reauthorize { token: String },
    /// A ping was answered after so long; for the metrics.
    Answered(Duration),
    /// Write a close frame and end. The last thing a connection says.
    Close(CloseReason),
}
