//! Close codes: what each of the 65,536 values means to a client, and which may go on the wire.
//!
//! The table is data with a source per row: RFC 6455 section 7.4, the IANA WebSocket close code registry,
//! and this contract's own private codes (4xxx).

/// Why a gateway closes a connection; the only codes and reasons it ever sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloseReason {
    /// The client asked.
    Normal,
    /// The gateway restarts.
    Drain,
    /// A frame that breaks the WebSocket protocol.
    Protocol,
    /// A binary message.
    Binary,
    /// Text that is not UTF-8.
    Utf8,
    /// A message beyond the limit.
    TooBig,
    /// Something failed in the gateway.
    Internal,
    /// Behind the gateway nothing answers, or it is full.
    Overload,
    /// Text that is not a client frame.
    BadRequest,
    /// The token is missing, forged or expired at the upgrade.
    Unauthorized,
    /// Someone else's thread.
    Forbidden,
    /// No hello, or no sign of life.
    Timeout,
    /// A newer connection of the same client.
    Superseded,
    /// The token ran out.
    TokenExpired,
    /// The client does not read fast enough.
    SlowConsumer,
    /// The client sends too fast.
    RateLimited,
}

impl CloseReason {
    /// Every reason, in the order of its code.
    pub const ALL: [Self; 16] = [
        Self::Normal,
        Self::Protocol,
        Self::Binary,
        Self::Utf8,
        Self::TooBig,
        Self::Internal,
        Self::Drain,
        Self::Overload,
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::Timeout,
        Self::Superseded,
        Self::TokenExpired,
        Self::SlowConsumer,
        Self::RateLimited,
    ];

    /// The code on the wire.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::Protocol => 1002,
            Self::Binary => 1003,
            Self::Utf8 => 1007,
            Self::TooBig => 1009,
            Self::Internal => 1011,
            Self::Drain => 1012,
            Self::Overload => 1013,
            Self::BadRequest => 4400,
            Self::Unauthorized => 4401,
            Self::Forbidden => 4403,
            Self::Timeout => 4408,
            Self::Superseded => 4409,
            Self::TokenExpired => 4410,
            Self::SlowConsumer => 4411,
            Self::RateLimited => 4429,
        }
    }

    /// The reason on the wire and in metrics: at most 123 bytes, from this closed set.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Protocol => "protocol",
            Self::Binary => "binary",
            Self::Utf8 => "utf8",
            Self::TooBig => "too_big",
            Self::Internal => "internal",
            Self::Drain => "drain",
            Self::Overload => "overload",
            Self::BadRequest => "bad_request",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::Timeout => "timeout",
            Self::Superseded => "superseded",
            Self::TokenExpired => "token_expired",
            Self::SlowConsumer => "slow_consumer",
            Self::RateLimited => "rate_limited",
        }
    }
}

/// What a client does after a connection ended with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The end both sides wanted; once more if work is pending that the user did not cancel.
    Stop,
    /// Never again on its own.
    Never,
    /// Again, after backoff.
    Retry,
    /// Again, but at most this many times in a row.
    RetryAtMost(u8),
    /// Again after the server's advice, otherwise after a random time up to this many seconds.
    RetryWithin(u16),
    /// Again after the server's advice, otherwise not before this many seconds.
    RetryAfter(u16),
    /// Again at once, with a fresh token.
    RefreshFirst,
}

/// One row of the table: a range of codes, the verdict, and where the rule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseRule {
    /// First code of the range.
    pub first: u16,
    /// Last code of the range, inclusive.
    pub last: u16,
    /// What the client does.
    pub verdict: Verdict,
    /// Where the rule comes from.
    pub source: &'static str,
}

const fn row(first: u16, last: u16, verdict: Verdict, source: &'static str) -> CloseRule {
    CloseRule { first, last, verdict, source }
}

/// The whole table: ordered, without holes or overlaps, from 0 to 65535.
pub const CLOSE_TABLE: &[CloseRule] = &[
    row(0, 999, Verdict::RetryAtMost(3), "RFC 6455 7.4.2: not used; a broken peer, as 1002"),
    row(1000, 1000, Verdict::Stop, "RFC 6455 7.4.1: normal closure"),
    row(1001, 1001, Verdict::Retry, "RFC 6455 7.4.1: going away"),
    row(
        1002,
        1002,
        Verdict::RetryAtMost(3),
        "RFC 6455 7.4.1; tungstenite reports a proxy's 1014 so",
    ),
    row(1003, 1003, Verdict::Never, "RFC 6455 7.4.1: unsupported data; our own fault"),
    row(1004, 1004, Verdict::RetryAtMost(3), "RFC 6455 7.4.1: reserved, as 1002"),
    row(1005, 1006, Verdict::Retry, "RFC 6455 7.4.1: synthesised locally; the network failed"),
    row(1007, 1008, Verdict::Never, "RFC 6455 7.4.1: bad payload, policy; our own fault"),
    row(
        1009,
        1009,
        Verdict::RetryAtMost(1),
        "RFC 6455 7.4.1: too big; the offending turn goes first",
    ),
    row(1010, 1010, Verdict::Never, "RFC 6455 7.4.1: extension missing"),
    row(1011, 1011, Verdict::Retry, "RFC 6455 7.4.1: internal error"),
    row(1012, 1012, Verdict::RetryWithin(5), "IANA: service restart; 0-5 s from RFC 6455 7.2.3"),
    row(1013, 1013, Verdict::RetryAfter(10), "IANA: try again later"),
    row(1014, 1015, Verdict::Retry, "IANA: bad gateway; RFC 6455 7.4.1: TLS, local"),
    row(1016, 2999, Verdict::RetryAtMost(3), "RFC 6455 7.4.2: reserved for the protocol, as 1002"),
    row(3000, 3000, Verdict::Never, "IANA: unauthorized"),
    row(3001, 3002, Verdict::Retry, "IANA: registered by frameworks"),
    row(3003, 3003, Verdict::Never, "IANA: forbidden"),
    row(3004, 3999, Verdict::Retry, "IANA: timeout (3008) and codes of frameworks"),
    row(4000, 4399, Verdict::RetryAtMost(3), "private, unknown: Centrifugo's temporary band"),
    row(4400, 4401, Verdict::Never, "this contract: bad request, unauthorized"),
    row(4402, 4402, Verdict::RetryAtMost(3), "private, unknown: Centrifugo's temporary band"),
    row(4403, 4403, Verdict::Never, "this contract: forbidden"),
    row(4404, 4407, Verdict::RetryAtMost(3), "private, unknown: Centrifugo's temporary band"),
    row(4408, 4408, Verdict::Retry, "this contract: timeout"),
    row(4409, 4409, Verdict::Never, "this contract: superseded by a newer connection"),
    row(4410, 4410, Verdict::RefreshFirst, "this contract: token expired in session"),
    row(4411, 4411, Verdict::Retry, "this contract: slow consumer"),
    row(4412, 4428, Verdict::RetryAtMost(3), "private, unknown: Centrifugo's temporary band"),
    row(4429, 4429, Verdict::RetryAfter(5), "this contract: rate limited"),
    row(4430, 4498, Verdict::RetryAtMost(3), "private, unknown: Centrifugo's temporary band"),
    row(4499, 4499, Verdict::Retry, "this contract: the client's own watchdog"),
    row(4500, 4999, Verdict::Never, "private, unknown: Centrifugo's terminal band"),
    row(5000, 65535, Verdict::RetryAtMost(3), "RFC 6455 7.4.2: undefined; a broken peer, as 1002"),
];

/// What a client does after this code.
#[must_use]
pub fn verdict(code: u16) -> Verdict {
    CLOSE_TABLE
        .iter()
        .find(|rule| (rule.first..=rule.last).contains(&code))
        .map_or(Verdict::RetryAtMost(3), |rule| rule.verdict)
}

/// Whether a code may stand in a close frame (RFC 6455 7.4, IANA registry).
#[must_use]
pub fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_no_hole_and_no_overlap() {
        let mut next = 0u32;
        for rule in CLOSE_TABLE {
            assert_eq!(u32::from(rule.first), next, "before {rule:?}");
            assert!(rule.first <= rule.last, "{rule:?}");
            next = u32::from(rule.last) + 1;
        }
        assert_eq!(next, 65_536);
    }

    #[test]
    fn a_gateway_sends_only_legal_codes_and_short_reasons() {
        for reason in CloseReason::ALL {
            assert!(may_be_sent(reason.code()), "{reason:?}");
            assert!(reason.text().len() <= 123, "{reason:?}");
        }
    }
}
