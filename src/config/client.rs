//! The client's policy: a field for every rule, so that the harness can remove one at a time.
//!
//! The default is the standing design. Each field has a legal "off" (named in its line), with which the
//! client still runs, only worse. "B1" and so on are the sections of the project's study of reconnecting
//! clients; a project named as a source ships that number or was bitten by its absence.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Whether a rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rule {
    /// It does.
    On,
    /// It does not; for the harness only.
    Off,
}

/// When the backoff starts again from its first step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CountReset {
    /// At the end of a connection that was welcomed for at least this long.
    AfterStable(Duration),
    /// As soon as a socket opens; the off value: a server that accepts and drops is hammered.
    OnOpen,
}

/// When the token service is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refreshing {
    /// Before every connection.
    EveryConnection,
    /// Before the first connection, and again only when the gateway refuses the token.
    OnlyAtStart,
    /// Once, because there is no other source of a token; never again.
    Never,
}

/// Who decides what follows a close code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CloseCodes {
    /// The contract's table.
    Table,
    /// Every code is retried; the off value.
    RetryAll,
}

/// Every rule of the reconnecting client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientPolicy {
    /// First backoff delay. 1 s (B3).
    pub backoff_base: Duration,
    /// Longest nominal backoff delay. 16 s (B3); off: equal to the base.
    pub backoff_cap: Duration,
    /// Half-width of the jitter in percent of the nominal delay, 0 to 100, applied after the cap so that
    /// it does not vanish there (ferd/backoff#8). 20 (B3); off: 0.
    pub jitter_percent: u32,
    /// Failed attempts in a row until the client parks. 10 (B3); off: `None`.
    pub attempts_max: Option<u32>,
    /// When the count of attempts starts again. After 10 s welcomed (B3; pladaria 5 s, jitsi 60 s).
    pub count_reset: CountReset,
    /// The first retry after a close that the server announced is delayed at random by up to this.
    /// 5 s (RFC 6455 section 7.2.3); off: zero, which leaves the plain backoff.
    pub first_retry_spread: Duration,
    /// Longest advice taken seriously; a longer one is ignored. 60 s (B4); off: zero.
    pub advice_max: Duration,
    /// Longest `Retry-After` honoured; a longer one is cut. 60 s (B2); off: zero.
    pub retry_after_max: Duration,
    /// Random surplus on `Retry-After`, percent. 20 (B2); off: 0.
    pub retry_after_surplus_percent: u32,
    /// Shortest time between the starts of two attempts, whatever asks for the second, a server's advice
    /// included; only a token that was refused is replaced at once. 0.8 s, the shortest first delay (C,
    /// BO-BOUND); off: zero.
    pub attempt_interval: Duration,
    /// Shortest time between two attempts that a person or the network asked for. 1 s (B3; `PocketShell`
    /// #1522 let `online` bypass the ladder); off: zero.
    pub kick_interval: Duration,
    /// How old an attempt must be before `online` or an explicit connect replaces it. 5 s (B3;
    /// tutanota#1294).
    pub kick_patience: Duration,
    /// Whether `offline` closes the connection and stops all attempts. On (B3).
    pub heed_offline: Rule,
    /// What follows a close code. The table (B1).
    pub close_codes: CloseCodes,
    /// Retries in a row after a normal close (1000) that nobody asked for while work is pending.
    /// 1 (B1; phoenix#3161 stayed dead); off: 0.
    pub normal_retries_max: u32,
    /// Whether a service restart (1012) counts as a failed attempt. Off (B1).
    pub count_restarts: Rule,
    /// When the token is refreshed. Before every connection (B2, B6).
    pub refreshing: Refreshing,
    /// Attempts with a fresh token after the gateway refused one (401, 403, 4410). 1 (B2); off: 0.
    pub forced_refreshes_max: u32,
    /// Attempts in a row that ended before there was a socket and without an HTTP status, until the next
    /// one fetches a token: behind a browser a refused token looks like this. 2 (B2); off: `None`.
    pub blind_failures_max: Option<u32>,
    /// Whether a token that has run out (4410) and comes back from the token service unchanged counts as
    /// refused. On (B1).
    pub distrust_same_token: Rule,
    /// Longest wait for the token service. 10 s (as for the upgrade); off: `None`.
    pub refresh_timeout: Option<Duration>,
    /// Longest wait for the answer to an upgrade. 10 s (B2); off: `None`.
    pub open_timeout: Option<Duration>,
    /// Longest wait for `welcome` after the upgrade. 10 s (B5); off: `None`.
    pub welcome_timeout: Option<Duration>,
    /// Whether inputs of an older attempt are dropped. On (B6).
    pub check_generation: Rule,
    /// Whether durable frames are placed by their `(epoch, seq)`. On (B5); off: they are shown as they
    /// come, held back only by the memory of seen ids, and every hello asks for the whole log.
    pub cursor: Rule,
    /// Frames kept beyond a hole before the client gives the connection up. 256 (B5); off: 0.
    pub hole_frames_max: usize,
    /// Whether a hole is asked for with `catchup`. On (B5).
    pub catchup: Rule,
    /// Remembered ids of frames without a `seq`, and of all frames if the cursor is off. 200 (B5); off: 0,
    /// no deduplication.
    pub seen_max: usize,
    /// Silence allowed beyond the heartbeat that `welcome` names. 10 s (B7, centrifuge-js); off: `None`.
    pub silence_grace: Option<Duration>,
    /// Longest heartbeat believed. 5 min (ours, so that a server cannot switch the watchdog off).
    pub heartbeat_max: Duration,
    /// Wait for a sign of life after a probe. 5 s (B7); off: zero, silence ends the connection at once.
    pub probe_timeout: Duration,
    /// A timer later than this means that the machine slept: probe again before giving up. 5 s (B7;
    /// react-use-websocket#269); off: `None`.
    pub clock_jump: Option<Duration>,
    /// Whether the server's `ping` is answered. On (B7).
    pub answer_pings: Rule,
    /// Most unacknowledged turns kept. 500 (B5).
    pub outbox_entries_max: usize,
    /// Most bytes of text in them. 1 MiB (B5).
    pub outbox_bytes_max: usize,
    /// How long a turn may wait for its ack. 5 min (B5); off: `None`.
    pub outbox_expiry: Option<Duration>,
    /// Turns sent and not yet acknowledged. 32 (B5); off: `usize::MAX`.
    pub window: usize,
    /// Share of the server's limit on frames that turns may use, percent, 0 to 100; the rest is for frames
    /// that cannot wait. 50 (ours); off: 0, turns go out at once.
    pub pace_percent: u32,
    /// Whether unacknowledged turns are sent again on the next connection. On (B5).
    pub resend: Rule,
    /// Resends of a turn at which the gateway closed (1009, 4400); none if it was too big for certain. 1
    /// (B1); off: `None`, for ever.
    pub poison_resends_max: Option<u32>,
    /// Whether turns beyond the limits that `welcome` names are refused here. On (B9).
    pub heed_limits: Rule,
}

impl Default for ClientPolicy {
    fn default() -> Self {
        let ten_seconds = Duration::from_secs(10);
        Self {
            backoff_base: Duration::from_secs(1),
            backoff_cap: Duration::from_secs(16),
            jitter_percent: 20,
            attempts_max: Some(10),
            count_reset: CountReset::AfterStable(ten_seconds),
            first_retry_spread: Duration::from_secs(5),
            advice_max: Duration::from_secs(60),
            retry_after_max: Duration::from_secs(60),
            retry_after_surplus_percent: 20,
            attempt_interval: Duration::from_millis(800),
            kick_interval: Duration::from_secs(1),
            kick_patience: Duration::from_secs(5),
            heed_offline: Rule::On,
            close_codes: CloseCodes::Table,
            normal_retries_max: 1,
            count_restarts: Rule::Off,
            refreshing: Refreshing::EveryConnection,
            forced_refreshes_max: 1,
            blind_failures_max: Some(2),
            distrust_same_token: Rule::On,
            refresh_timeout: Some(ten_seconds),
            open_timeout: Some(ten_seconds),
            welcome_timeout: Some(ten_seconds),
            check_generation: Rule::On,
            cursor: Rule::On,
            hole_frames_max: 256,
            catchup: Rule::On,
            seen_max: 200,
            silence_grace: Some(ten_seconds),
            heartbeat_max: Duration::from_secs(300),
            probe_timeout: Duration::from_secs(5),
            clock_jump: Some(Duration::from_secs(5)),
            answer_pings: Rule::On,
            outbox_entries_max: 500,
            outbox_bytes_max: 1024 * 1024,
            outbox_expiry: Some(Duration::from_secs(300)),
            window: 32,
            pace_percent: 50,
            resend: Rule::On,
            poison_resends_max: Some(1),
            heed_limits: Rule::On,
        }
    }
}
