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

/// Whether the page that asks, if a page asks, is one of ours.
///
/// Browsers always send an `Origin` and can set no header, so a request without one must bring its token in
/// a header: then it is no browser, and no page can have made it (OWASP, cross-site `WebSocket` hijacking).
pub(super) fn origin_is_ours(
    headers: &HeaderMap,
    origins: &[String],
    credential: Option<&Credential>,
) -> bool {
    match headers.get(header::ORIGIN) {
        Some(origin) => origins.iter().any(|ours| origin.as_bytes() == ours.as_bytes()),
        None => !matches!(credential, Some(Credential::Subprotocol(_))),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn au_origin_only_listed_pages_may_ask() {
        let origins = ["https://chat.example".to_owned(), "http://localhost:8000".to_owned()];
        let by_header = Credential::Header("t".to_owned());
        let by_page = Credential::Subprotocol("t".to_owned());
        let asked = |origin: Option<&str>, credential: Option<&Credential>| {
            let mut headers = HeaderMap::new();
            headers.extend(origin.map(|o| (header::ORIGIN, HeaderValue::from_str(o).unwrap())));
            origin_is_ours(&headers, &origins, credential)
        };
        for good in &origins {
            assert!(asked(Some(good), Some(&by_page)) && asked(Some(good), Some(&by_header)));
        }
        for bad in [
            "null",
            "https://chat.example.evil.example",
            "https://chat.example:8443",
            "http://chat.example",
            "https://CHAT.example",
            "",
        ] {
            assert!(!asked(Some(bad), Some(&by_page)), "{bad} by a page");
            assert!(!asked(Some(bad), Some(&by_header)), "{bad} with a header");
        }
        assert!(asked(None, Some(&by_header)) && !asked(None, Some(&by_page)));
    }
}
