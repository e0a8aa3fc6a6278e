//! The header `Retry-After`: seconds, or a date, which the server's own `Date` turns into seconds.

use hyper::{HeaderMap, header};
use std::time::Duration;

/// How long a server wants to be left alone (RFC 9110 section 10.2.3), if it says so.
///
/// Its date is compared with its own clock and not with ours, which may be wrong; without a `Date` it means
/// nothing. A date that has passed is no wait.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let wanted = text(header::RETRY_AFTER)?;
    if let Ok(seconds) = wanted.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let wanted = httpdate::parse_http_date(wanted).ok()?;
    let now = httpdate::parse_http_date(text(header::DATE)?).ok()?;
    Some(wanted.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn understands_seconds_and_dates() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (wanted, now, seconds) in [
            (Some("0"), None, Some(0)),
            (Some(" 120 "), Some(date), Some(120)),
            (Some("Sun, 06 Nov 1994 08:50:07 GMT"), Some(date), Some(30)),
            // The two obsolete forms that a recipient has to understand (RFC 9110 section 5.6.7).
            (Some("Sunday, 06-Nov-94 08:49:40 GMT"), Some(date), Some(3)),
            (Some("Sun Nov  6 08:49:41 1994"), Some(date), Some(4)),
            (Some("Sun, 06 Nov 1994 08:49:36 GMT"), Some(date), Some(0)),
            (Some("Sun, 06 Nov 1994 08:50:07 GMT"), None, None),
            (Some("Sun, 06 Nov 1994 08:50:07 GMT"), Some("now"), None),
            (Some("-1"), Some(date), None),
            (Some("1.5"), Some(date), None),
            (Some("soon"), Some(date), None),
            (Some("99999999999999999999"), Some(date), None),
            (None, Some(date), None),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [(header::RETRY_AFTER, wanted), (header::DATE, now)] {
                headers.extend(value.map(|value| (name, HeaderValue::from_static(value))));
            }
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(retry_after(&headers), expected, "{wanted:?} at {now:?}");
        }
        let garbage = HeaderValue::from_bytes(&[0xff, 0xfe]).unwrap();
        assert_eq!(retry_after(&HeaderMap::from_iter([(header::RETRY_AFTER, garbage)])), None);
    }
}
