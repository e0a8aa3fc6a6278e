//! Lengths of time as people write them: `150ms`, `2s`, `1m`.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};
use std::time::Duration;

/// What a text says, if it is a length of time.
pub(crate) fn read(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit {
        "ns" => Some(Duration::from_nanos(number)),
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        _ => None,
    }
}

/// In the largest unit, up to the second, that loses nothing.
pub(crate) fn write(length: Duration) -> String {
    if length.subsec_nanos() == 0 {
        format!("{}s", length.as_secs())
    } else if length.subsec_nanos().is_multiple_of(1_000_000) {
        format!("{}ms", length.as_millis())
    } else {
        format!("{}ns", length.as_nanos())
    }
}

pub(super) fn serialize<S: Serializer>(length: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&write(*length))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    read(&text).ok_or_else(|| {
        D::Error::custom(format!("expected a duration such as 150ms, 2s or 1m, got `{text}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_they_were_written() {
        let lengths = [
            (Duration::ZERO, "0s"),
            (Duration::from_millis(150), "150ms"),
            (Duration::from_millis(1_500), "1500ms"),
            (Duration::from_secs(120), "120s"),
            (Duration::from_micros(7), "7000ns"),
        ];
        for (length, text) in lengths {
            assert_eq!(write(length), text);
            assert_eq!(read(text), Some(length));
        }
        assert_eq!(read("2m"), Some(Duration::from_secs(120)));
        for text in ["", "5", "ms", "1h", "-1s", "1.5s", "99999999999999999999s"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
