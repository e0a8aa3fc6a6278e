//! Reads along on a connection: turns the bytes that a host has read into frames and agent messages.
//!
//! It sees what the reader sees, unmasked, so a trace holds no key and no mask. What it cannot read it
//! lets pass: the assistant's own parsers judge it.

use crate::trace::Wire;
use assistant::contract::agent::{AgentRequest, AgentResponse};
use std::io::Cursor;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, OpCode};

/// The longest message head, bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// The most header fields of a message.
const FIELDS_MAX: usize = 64;

/// Where in the bytes just read something lay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// Its first byte; absent if that came earlier.
    pub start: Option<usize>,
    /// Behind its last byte.
    pub end: usize,
}

/// What a tap has made out.
#[derive(Debug, PartialEq)]
pub(super) enum Heard {
    /// A whole WebSocket frame.
    Frame(Wire),
    /// A request to an agent.
    Asked(Box<AgentRequest>),
    /// A whole response; on the connection of an agent, its answer.
    Answered {
        /// The HTTP status.
        status: u16,
        /// `Retry-After`, seconds.
        retry_after: Option<u64>,
        /// The response, if it is one.
        response: Option<Box<AgentResponse>>,
    },
}

/// Reads along in one direction of a connection.
#[derive(Debug, Default)]
pub(super) struct Tap {
    state: State,
    buffer: Vec<u8>,
    /// Fragments of a text message.
    fragments: Vec<u8>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Head,
    Body {
        length: usize,
        meaning: Meaning,
    },
    Frames,
    /// Something the tap does not follow.
    Lost,
}

#[derive(Debug, Clone, Copy)]
enum Meaning {
    AgentRequest,
    Response { status: u16, retry_after: Option<u64> },
    Other,
}

impl Meaning {
    /// The same, with what its head says of the next attempt.
    fn with(self, retry_after: Option<u64>) -> Self {
        match self {
            Self::Response { status, .. } => Self::Response { status, retry_after },
            Self::AgentRequest | Self::Other => self,
        }
    }
}

impl Tap {
    /// A tap that begins between two frames.
    pub(super) fn between_frames() -> Self {
        Self { state: State::Frames, ..Self::default() }
    }

    /// Takes what was read; says what became whole, and where in `chunk`.
    pub(super) fn read(&mut self, chunk: &[u8]) -> Vec<(Extent, Heard)> {
        let before = self.buffer.len();
        self.buffer.extend_from_slice(chunk);
        let (mut used, mut heard) = (0, Vec::new());
        while let Some((length, item)) = self.next(used) {
            let start = used.checked_sub(before);
            used += length;
            let extent = Extent { start, end: used.saturating_sub(before) };
            heard.extend(item.map(|item| (extent, item)));
        }
        match self.state {
            State::Lost => self.buffer.clear(),
            State::Head | State::Body { .. } | State::Frames => drop(self.buffer.drain(..used)),
        }
        heard
    }

    /// The next whole thing after `used` bytes of the buffer, and its length.
    fn next(&mut self, used: usize) -> Option<(usize, Option<Heard>)> {
        let rest = self.buffer.get(used..)?;
        match self.state {
            // Everything but an empty body takes bytes.
            State::Lost | State::Head | State::Frames if rest.is_empty() => None,
            State::Lost => None,
            State::Head => match head(rest) {
                Head::Partial if rest.len() < HEAD_BYTES_MAX => None,
                Head::Partial | Head::Broken => {
                    self.state = State::Lost;
                    None
                }
                Head::Whole { length, then } => {
                    self.state = then;
                    Some((length, None))
                }
            },
            State::Body { length, meaning } => {
                let body = rest.get(..length)?;
                let item = understood(meaning, body);
                self.state = State::Head;
                Some((length, item))
            }
            State::Frames => {
                let (length, opcode, is_final, payload) = frame(rest)?;
                Some((length, self.wire(opcode, is_final, payload).map(Heard::Frame)))
            }
        }
    }

    fn wire(&mut self, opcode: OpCode, is_final: bool, payload: Vec<u8>) -> Option<Wire> {
        match opcode {
            OpCode::Data(_) => {
                self.fragments.extend(payload);
                if !is_final {
                    return None;
                }
                match String::from_utf8(std::mem::take(&mut self.fragments)) {
                    Ok(text) => Some(Wire::Text(text)),
                    Err(error) => Some(Wire::Binary(error.as_bytes().len())),
                }
            }
            OpCode::Control(Control::Close) => {
                let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                let reason = String::from_utf8_lossy(payload.get(2..).unwrap_or_default());
                Some(Wire::Close { code, reason: reason.into_owned() })
            }
            OpCode::Control(control) => Some(Wire::Control(control.to_string())),
        }
    }
}

enum Head {
    Partial,
    Broken,
    Whole { length: usize, then: State },
}

/// Reads the head of a request or a response.
fn head(bytes: &[u8]) -> Head {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let (parsed, meaning) = if bytes.starts_with(b"HTTP/") {
        let mut response = httparse::Response::new(&mut fields);
        let parsed = response.parse(bytes);
        (parsed, Meaning::Response { status: response.code.unwrap_or(0), retry_after: None })
    } else {
        let mut request = httparse::Request::new(&mut fields);
        let parsed = request.parse(bytes);
        let is_turn = request.path == Some("/v1/turn");
        (parsed, if is_turn { Meaning::AgentRequest } else { Meaning::Other })
    };
    let length = match parsed {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Head::Partial,
        Err(_) => return Head::Broken,
    };
    let field = |name: &str| {
        let found = fields.iter().find(|field| field.name.eq_ignore_ascii_case(name));
        found.and_then(|field| std::str::from_utf8(field.value).ok())
    };
    let upgrades = field("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
    let then = if upgrades {
        State::Frames
    } else if field("transfer-encoding").is_some() {
        State::Lost
    } else {
        let length = field("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
        let retry_after = field("retry-after").and_then(|value| value.parse().ok());
        State::Body { length, meaning: meaning.with(retry_after) }
    };
    Head::Whole { length, then }
}

fn understood(meaning: Meaning, body: &[u8]) -> Option<Heard> {
    match meaning {
        Meaning::AgentRequest => serde_json::from_slice(body).ok().map(Heard::Asked),
        Meaning::Response { status, retry_after } => {
            let response = serde_json::from_slice(body).ok();
            Some(Heard::Answered { status, retry_after, response })
        }
        Meaning::Other => None,
    }
}

/// One whole frame: its length on the wire, opcode, finality and unmasked payload.
fn frame(bytes: &[u8]) -> Option<(usize, OpCode, bool, Vec<u8>)> {
    let mut cursor = Cursor::new(bytes);
    let (header, length) = FrameHeader::parse(&mut cursor).ok()??;
    let start = usize::try_from(cursor.position()).ok()?;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    let mut payload = bytes.get(start..end)?.to_vec();
    if let Some(mask) = header.mask {
        for (byte, key) in payload.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= key;
        }
    }
    Some((end, header.opcode, header.is_final, payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPGRADE: &[u8] = b"GET /ws HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\n\r\n";

    #[test]
    fn tells_where_each_frame_ends_however_the_bytes_are_cut() {
        let mut bytes = UPGRADE.to_vec();
        bytes.extend([0x81, 0x02, b'h', b'i']);
        bytes.extend([0x81, 0x83, 1, 1, 1, 1, b'a' ^ 1, b'b' ^ 1, b'c' ^ 1]);
        bytes.extend([0x88, 0x02, 0x03, 0xf4]);
        let texts = |heard: Vec<(Extent, Heard)>| heard.into_iter().map(|(_, item)| item);
        let whole: Vec<Heard> = texts(Tap::default().read(&bytes)).collect();
        assert_eq!(
            whole,
            [
                Heard::Frame(Wire::Text("hi".to_owned())),
                Heard::Frame(Wire::Text("abc".to_owned())),
                Heard::Frame(Wire::Close { code: Some(1012), reason: String::new() }),
            ]
        );
        let mut tap = Tap::default();
        let single: Vec<Heard> = bytes.iter().flat_map(|b| texts(tap.read(&[*b]))).collect();
        assert_eq!(single, whole);
        let ends: Vec<usize> = Tap::default().read(&bytes).iter().map(|(at, _)| at.end).collect();
        assert_eq!(ends, [UPGRADE.len() + 4, UPGRADE.len() + 13, bytes.len()]);
    }

    #[test]
    fn hears_a_refusal_with_and_without_a_body() {
        for (head, body, retry_after) in [
            ("HTTP/1.1 503 No\r\nretry-after: 4\r\ncontent-length: 2", "no", Some(4)),
            ("HTTP/1.1 503 No\r\ncontent-length: 0", "", None),
        ] {
            let heard = Tap::default().read(format!("{head}\r\n\r\n{body}").as_bytes());
            let heard: Vec<Heard> = heard.into_iter().map(|(_, item)| item).collect();
            assert_eq!(heard, [Heard::Answered { status: 503, retry_after, response: None }]);
        }
    }

    #[test]
    fn lets_pass_what_it_cannot_read() {
        for noise in [&b"\xff\xff\xff"[..], b"GET / HTTP/9.9\r\n\r\n", b"HTTP/1.1 200 OK\r\n"] {
            assert!(Tap::default().read(noise).is_empty());
        }
    }
}
