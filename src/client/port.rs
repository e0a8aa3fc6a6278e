//! What goes into the client and what comes out: the whole surface between the machine and a shell.

use crate::contract::frame::{ClientFrame, LogFrame};
use crate::contract::id::{Cursor, MessageId, ThreadId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Everything that can happen to a client.
///
/// `generation` numbers the attempts. It comes with [`Output::Refresh`] or [`Output::Open`] and returns with
/// all that follows from them; inputs of any but the attempt under way are dropped and counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The app wants a connection.
    Connect,
    /// The app wants none.
    Close,
    /// The network came back.
    Online,
    /// The network went away.
    Offline,
    /// The user looks at the conversation again.
    Visible,
    /// The user's turn. One that still waits for its ack is not taken twice, whatever the state.
    Send {
        /// Chosen by the app, never used for another turn.
        message_id: MessageId,
        /// What the user wrote.
        text: String,
    },
    /// [`Client::deadline`](super::Client::deadline) has passed.
    Wake,
    /// The token service granted a token.
    TokenGranted {
        /// The attempt.
        generation: u64,
        /// A JSON Web Token.
        token: String,
        /// How long it is valid.
        expires_in: Duration,
    },
    /// The token service refused: the credential is revoked.
    TokenRefused {
        /// The attempt.
        generation: u64,
    },
    /// The token service did not answer.
    TokenUnreachable {
        /// The attempt.
        generation: u64,
    },
    /// The upgrade succeeded.
    SocketOpened {
        /// The attempt.
        generation: u64,
    },
    /// The upgrade was answered with something other than 101.
    SocketRejected {
        /// The attempt.
        generation: u64,
        /// The HTTP status.
        status: u16,
        /// The header `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// There was no answer to the upgrade: DNS, refusal, timeout, end of stream.
    SocketFailed {
        /// The attempt.
        generation: u64,
    },
    /// A text message.
    Frame {
        /// The attempt.
        generation: u64,
        /// As received.
        text: String,
    },
    /// Any other bytes from the server, such as a WebSocket ping.
    Alive {
        /// The attempt.
        generation: u64,
    },
    /// The socket ended.
    SocketClosed {
        /// The attempt.
        generation: u64,
        /// The code of the server's close frame, if there was one.
        code: Option<u16>,
    },
}

impl Input {
    /// The attempt that this answers, if it is an answer.
    #[must_use]
    pub fn generation(&self) -> Option<u64> {
        match self {
            Self::Connect
            | Self::Close
            | Self::Online
            | Self::Offline
            | Self::Visible
            | Self::Send { .. }
            | Self::Wake => None,
            Self::TokenGranted { generation, .. }
            | Self::TokenRefused { generation }
            | Self::TokenUnreachable { generation }
            | Self::SocketOpened { generation }
            | Self::SocketRejected { generation, .. }
            | Self::SocketFailed { generation }
            | Self::Frame { generation, .. }
            | Self::Alive { generation }
            | Self::SocketClosed { generation, .. } => Some(*generation),
        }
    }
}

/// Everything a shell may be asked to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Ask the token service.
    Refresh {
        /// The attempt.
        generation: u64,
    },
    /// Dial and upgrade.
    Open {
        /// The attempt.
        generation: u64,
        /// For the gateway.
        token: String,
    },
    /// Send a frame.
    Transmit {
        /// The attempt.
        generation: u64,
        /// What to send.
        frame: ClientFrame,
    },
    /// Say goodbye with this code, then forget all of this generation, a refresh in flight included.
    CloseSocket {
        /// The attempt.
        generation: u64,
        /// The close code.
        code: u16,
    },
    /// Drop all of this generation now: a refresh in flight, the dial, the socket.
    AbortSocket {
        /// The attempt.
        generation: u64,
    },
    /// Show a frame to the user; each comes once, in the order of the log.
    Show(LogFrame),
    /// An answer is being worked on.
    Typing {
        /// The turn.
        in_reply_to: MessageId,
    },
    /// The turn is durable; once a turn.
    Acked {
        /// The turn.
        message_id: MessageId,
        /// Its place in the log.
        seq: u64,
    },
    /// The turn will not be sent (again); once a turn.
    Failed {
        /// The turn.
        message_id: MessageId,
        /// Why not.
        why: SendFailure,
    },
    /// The state is another one than after the last step. The last output of its step.
    StateChanged(State),
    /// The log is shown again from its start: forget the view.
    ResumeRestarted,
}

/// What a person wants to know of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Never asked to connect.
    Idle,
    /// Asking for a token.
    Refreshing {
        /// 1 for the first of a row of attempts.
        attempt: u32,
    },
    /// Dialling, or upgraded and not yet welcomed.
    Connecting {
        /// 1 for the first of a row of attempts.
        attempt: u32,
    },
    /// Welcomed.
    Connected,
    /// Waiting for the next attempt.
    Waiting {
        /// When it begins.
        until: Duration,
        /// Its number in the row.
        attempt: u32,
        /// The rule that chose the time.
        pause: Pause,
    },
    /// The network is away; `online` wakes it.
    Offline,
    /// Gave up for now; `online`, `visible`, a send or a connect wakes it.
    Parked {
        /// Why.
        why: ParkReason,
    },
    /// The credentials do not serve; only a connect wakes it.
    SignedOut {
        /// Why.
        why: SignOutReason,
    },
    /// The server ended it; only a connect wakes it, and a send after a normal end.
    Stopped {
        /// Why.
        why: StopReason,
    },
    /// The app ended it; only a connect wakes it.
    Closed,
}

/// Which rule chose the time of the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pause {
    /// The ladder.
    Backoff {
        /// The step, 0 for the first.
        step: u32,
    },
    /// The server's advice.
    Advice,
    /// A random time from zero, so that a fleet does not return at once.
    Spread,
    /// Not before the time that the close code demands.
    Floor,
    /// The header `Retry-After`.
    RetryAfter,
    /// At once, were it not that attempts follow each other no faster.
    Kick,
}

/// Why a client parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ParkReason {
    /// Too many attempts failed in a row.
    Attempts,
    /// Too many connections in a row ended with this code.
    Code(u16),
}

/// Why the credentials do not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignOutReason {
    /// The token service refused.
    Revoked,
    /// The gateway answered fresh tokens with this HTTP status.
    Status(u16),
    /// The gateway closed with this code.
    Code(u16),
}

/// Why the server ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopReason {
    /// A normal close (1000).
    Normal,
    /// This close code.
    Code(u16),
    /// This HTTP status: the client is set up wrongly.
    Status(u16),
}

/// Why a turn will not be sent (again).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SendFailure {
    /// No ack in time. It may have been accepted nevertheless.
    Expired,
    /// Too many turns, or too much text, wait already.
    OutboxFull,
    /// The gateway closed whenever it came.
    Poison,
    /// Beyond the server's limits.
    TooLong,
    /// The client is closed, stopped or signed out.
    NotConnected,
}

/// What a later instance needs to go on: written by [`Client::kept`](super::Client::kept).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The conversation.
    pub thread_id: ThreadId,
    /// What has been shown.
    pub cursor: Cursor,
    /// How many attempts were made: a supervisor takes the connection with the most for the latest, so a later
    /// instance of one name goes on counting. 0 in a file of before.
    #[serde(default)]
    pub attempts: u64,
    /// Unacknowledged turns, oldest first.
    pub outbox: Vec<KeptTurn>,
}

/// An unacknowledged turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptTurn {
    /// The turn.
    pub message_id: MessageId,
    /// What the user wrote.
    pub text: String,
    /// How long it has waited, milliseconds.
    pub waited_ms: u64,
    /// How often the gateway closed at it.
    pub closed_at: u32,
}
