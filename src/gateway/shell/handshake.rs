//! What the headers of an upgrade request say. Pure; whether a token is good is not known here.

use axum::http::{HeaderMap, HeaderValue, header};

/// The subprotocol that a browser offers beside its `bearer.<jwt>`.
pub(super) const SUBPROTOCOL: &str = "chat.v1";

/// A token and the way it came, which decides how a refusal is told.
#[derive(Debug)]
pub(super) enum Credential {
    /// In a header: a refusal is an HTTP 403.
    Header(String),
    /// As a subprotocol, as browsers must: a refusal is a close frame, since a browser would see a failed
    /// upgrade as 1006 and come back for ever.
    Subprotocol(String),
}

/// The token of a request, if it brings one.
pub(super) fn credential(headers: &HeaderMap) -> Option<Credential> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if let Some(token) = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "))
    {
        return Some(Credential::Header(token.to_owned()));
    }
    let offers = text(header::SEC_WEBSOCKET_PROTOCOL)?;
    let token = offers.split(',').find_map(|offer| offer.trim().strip_prefix("bearer."))?;
    Some(Credential::Subprotocol(token.to_owned()))
}

/// The key of a well-formed upgrade request (RFC 6455 section 4.2.1).
pub(super) fn upgrade_key(headers: &HeaderMap) -> Option<&[u8]> {
    let has = |name, token: &str| {
        let value = headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        value.is_some_and(|v| v.split(',').any(|part| part.trim().eq_ignore_ascii_case(token)))
    };
    let asked = has(header::CONNECTION, "upgrade")
        && has(header::UPGRADE, "websocket")
        && has(header::SEC_WEBSOCKET_VERSION, "13");
    headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| asked).map(HeaderValue::as_bytes)
}
