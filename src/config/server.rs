//! What the serving roles keep to.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The token service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenConfig {
    /// How long an access token is good for. Default 10 minutes: short, since a gateway that does not hear of
    /// a revocation accepts it to its end.
    pub access_ttl: Duration,
    /// How long a refresh token is good for; the next one lasts as long anew, so that a session ends only by
    /// a logout or after this much silence. Default 30 days.
    pub refresh_ttl: Duration,
    /// How long after its successor was used a spent refresh token is taken for a late repetition and not for
    /// a stolen one. Default 30 s (Okta's grace period for rotation; Auth0 calls it the overlap period).
    pub reuse_leeway: Duration,
    /// The longest silence of the followed list of revocations. Default 5 s, well below a
    /// gateway's patience of 12 s.
    pub revocations_beat: Duration,
    /// How many revocations one step of the followed list reads. Default 256.
    pub revocations_max: usize,
    /// How long requests may take to finish after the wish to stop. Default 2 s.
    pub grace: Duration,
}

impl Default for TokenConfig {
    fn default() -> Self {
        Self {
            access_ttl: Duration::from_secs(600),
            refresh_ttl: Duration::from_secs(30 * 86_400),
            reuse_leeway: Duration::from_secs(30),
            revocations_beat: Duration::from_secs(5),
            revocations_max: 256,
            grace: Duration::from_secs(2),
        }
    }
}

/// The real-estate agent's server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AgentConfig {
    /// How long requests may take to finish after the wish to stop. Default 2 s.
    pub grace: Duration,
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self { grace: Duration::from_secs(2) }
    }
}

/// The supervisor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SupervisorConfig {
    /// How long an agent may take for one call. Default 2 s (Dialogflow CX gives webhooks 5 s; a person
    /// waits for two of ours at most).
    pub agent_deadline: Duration,
    /// How often an agent is called for one turn before it ends in an error. Default 2.
    pub agent_calls_max: u32,
    /// The pause before an agent is called again. Default 200 ms.
    pub agent_retry_pause: Duration,
    /// After how many failed calls in a row the agent is left alone for a while; 0 for never. Default 5
    /// (resilience4j and Polly count more calls over a window; ours are few and slow to fail).
    pub breaker_failures_max: u32,
    /// For how long; then one call may try. Default 5 s.
    pub breaker_rest: Duration,
    /// The longest silence of a gateway's link: half of it is waited, then it is pinged, and has the other
    /// half to answer. Default 12 s, as gateways have.
    pub peer_patience: Duration,
    /// How many frames one step of a followed log reads. Default 256.
    pub tail_frames_max: usize,
    /// How long turns may take to finish after the wish to stop; later ones are finished by the next
    /// start. Default 5 s.
    pub grace: Duration,
}

impl Default for SupervisorConfig {
    fn default() -> Self {
        Self {
            agent_deadline: Duration::from_secs(2),
            agent_calls_max: 2,
            agent_retry_pause: Duration::from_millis(200),
            breaker_failures_max: 5,
            breaker_rest: Duration::from_secs(5),
            peer_patience: Duration::from_secs(12),
            tail_frames_max: 256,
            grace: Duration::from_secs(5),
        }
    }
}

/// The gateway. "B8" and so on are the sections of the project's study of gateways and clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GatewayConfig {
    /// How long a connection may take to say hello. Default 10 s (Centrifugo closes a stale one after 10 s).
    pub hello_timeout: Duration,
    /// How often a connection is pinged. Default 25 s (Centrifugo, Socket.IO).
    pub heartbeat: Duration,
    /// How long a ping may go without any answer. Default 10 s (Centrifugo).
    pub pong_timeout: Duration,
    /// The longest message of a client, bytes. Default 64 KiB (OWASP `WebSocket` sheet).
    pub message_bytes_max: usize,
    /// The longest `user_message.text`, characters. Default 4,000.
    pub text_chars_max: usize,
    /// Most messages of a connection in a row, its pings included. Default 40 (B9).
    pub frames_burst_max: u32,
    /// Most messages of a connection a second after such a row; 0 for no limit. Default 20 (B9).
    pub frames_per_second_max: u32,
    /// Most messages of a user in a row, over all connections. Default 120.
    pub user_frames_burst_max: u32,
    /// Most messages of a user a second after such a row; 0 for no limit. Default 60.
    pub user_frames_per_second_max: u32,
    /// Turns of one connection that wait for their ack. Default 64; the client keeps to 32.
    pub turns_waiting_max: usize,
    /// Frames of one connection that wait to be written. Default 256 (B9). While so many wait, neither its
    /// log nor the client is read.
    pub queue_frames_max: usize,
    /// The same in bytes. Default 1 MiB (Centrifugo).
    pub queue_bytes_max: usize,
    /// How long the next frame may wait for a peer that does not read. Default 5 s (B9; Centrifugo 1 s).
    pub write_timeout: Duration,
    /// `read_buffer_size` of the `WebSocket`, bytes. Default 4 KiB: tungstenite's 128 KiB are cleared for
    /// every connection.
    pub read_buffer_bytes: usize,
    /// `write_buffer_size` of the `WebSocket`, bytes: frames that are written together take one call to the
    /// operating system. Default 4 KiB (B9).
    pub write_buffer_bytes: usize,
    /// Most connections. Default 20,000; more are answered with 503 and `Retry-After`.
    pub connections_max: usize,
    /// Most connections of one user. Default 10 (B9); more are answered with 429, or closed with 4429.
    pub connections_per_user_max: usize,
    /// Most upgrades in a row. Default 1,000; more are answered with 503 and `Retry-After`.
    pub upgrades_burst_max: u32,
    /// Most upgrades a second after such a row; 0 for no limit. Default 500 (Centrifugo's
    /// `connection_rate_limit`; an upgrade costs some 0.3 ms of one core).
    pub upgrades_per_second_max: u32,
    /// The origins whose pages may connect, as browsers send them (`https://host[:port]`), exactly. A
    /// request without an origin must bring its token in a header, which no page can do. Default: none.
    pub origins: Vec<String>,
    /// How long the supervisor may take for one call. Default 2 s.
    pub supervisor_deadline: Duration,
    /// The first pause before the supervisor is called again; doubles up to `supervisor_pause_max`.
    /// Default 200 ms.
    pub supervisor_pause: Duration,
    /// The longest pause before the supervisor, or the token service, is called again. Default 2 s.
    pub supervisor_pause_max: Duration,
    /// How long the supervisor may be away before a connection is closed with 1013. Default 20 s.
    pub supervisor_patience: Duration,
    /// The longest silence of the link to the supervisor, which is pinged after half of it, and of the list
    /// of revocations. Default 12 s: so long a user may wait after the supervisor's machine has died without
    /// a word.
    pub peer_patience: Duration,
    /// How long before its token ends a client is told so. Default 30 s.
    pub expiry_notice: Duration,
    /// How long a peer may take to answer a close frame. Default 2 s.
    pub close_timeout: Duration,
    /// How long after the wish to stop nothing is closed yet, so that balancers can look elsewhere.
    /// Default 5 s (B8: Kubernetes removes an endpoint and asks it to stop at the same time).
    pub drain_notice: Duration,
    /// Over how long the closes of a drain are spread. Default 25 s (B8; Phoenix and Centrifugo 30 s).
    pub drain_window: Duration,
    /// The longest time between two closes of a drain, so that a few connections do not take the whole
    /// window. Default 100 ms.
    pub drain_gap_max: Duration,
    /// How long everything may take to finish after the wish to stop. Default 40 s: notice, window and
    /// 10 s (B8).
    pub grace: Duration,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            hello_timeout: Duration::from_secs(10),
            heartbeat: Duration::from_secs(25),
            pong_timeout: Duration::from_secs(10),
            message_bytes_max: 64 * 1024,
            text_chars_max: 4_000,
            frames_burst_max: 40,
            frames_per_second_max: 20,
            user_frames_burst_max: 120,
            user_frames_per_second_max: 60,
            turns_waiting_max: 64,
            queue_frames_max: 256,
            queue_bytes_max: 1024 * 1024,
            write_timeout: Duration::from_secs(5),
            read_buffer_bytes: 4 * 1024,
            write_buffer_bytes: 4 * 1024,
            connections_max: 20_000,
            connections_per_user_max: 10,
            upgrades_burst_max: 1_000,
            upgrades_per_second_max: 500,
            origins: Vec::new(),
            supervisor_deadline: Duration::from_secs(2),
            supervisor_pause: Duration::from_millis(200),
            supervisor_pause_max: Duration::from_secs(2),
            supervisor_patience: Duration::from_secs(20),
            peer_patience: Duration::from_secs(12),
            expiry_notice: Duration::from_secs(30),
            close_timeout: Duration::from_secs(2),
            drain_notice: Duration::from_secs(5),
            drain_window: Duration::from_secs(25),
            drain_gap_max: Duration::from_millis(100),
            grace: Duration::from_secs(40),
        }
    }
}
