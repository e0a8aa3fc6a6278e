//! The clients of a session file: who they are, when they come, and how gateways are to close their connections.
//!
//! It goes on where `file.rs` has read the shape.

use super::expect::{Claim, Subject};
use super::file::Reader;
use super::kind::{Field, Kind, close_reasons};
use super::matcher::Raw;
use super::model::{ClientYaml, TurnYaml};
use super::yaml::At;
use crate::scenario::{ClientSpec, Host};
use assistant::contract::id::{Cursor, ThreadId, UserId};

/// The epoch of a log that is gone; no new log has it but by a chance that nobody will see.
const EARLIER_EPOCH: u64 = 1;

impl Reader {
    /// Reads who talks; left out, it is one client. Returns what is claimed of them.
    pub(super) fn clients(
        &mut self,
        yaml: Option<&At<Vec<ClientYaml>>>,
        turns: &[TurnYaml],
    ) -> Vec<Claim> {
        let Some(yaml) = yaml else {
            self.clients.push(ClientSpec::new("user", "u-1", "t-1"));
            return Vec::new();
        };
        if yaml.value.is_empty() {
            self.wrong(yaml.span, "expected at least one client");
        }
        let mut claims = Vec::new();
        for (place, client) in yaml.value.iter().enumerate() {
            let spec = self.spec(client, turns);
            self.clients.push(spec);
            if let Some(raw) = &client.closed {
                claims.extend(self.closed(place, raw));
            }
        }
        claims
    }

    fn closed(&mut self, client: usize, raw: &At<Raw>) -> Option<Claim> {
        let reason = Kind::Name("close reason".to_owned(), close_reasons());
        let kind = Kind::List(reason.into());
        let field = Field { kind, optional: false, about: String::new() };
        let matcher = field.read(raw, &mut self.problems)?;
        Some(Claim { subject: Subject::Closed(client), matcher, span: raw.span })
    }

    fn spec(&mut self, yaml: &ClientYaml, turns: &[TurnYaml]) -> ClientSpec {
        let ClientYaml { name, user, thread, copy_of, arrives, remembers, closed: _ } = yaml;
        if !matches!(name.value.parse(), Ok(Host::Client(_))) {
            let text = "expected a name of letters, digits and `_` that is no other host's";
            self.wrong(name.span, text);
        } else if self.clients.iter().any(|other| other.name == name.value) {
            self.wrong(name.span, format!("a second client `{}`", name.value));
        }
        if let Err(error) = UserId::new(user.value.as_str()) {
            self.wrong(user.span, error.to_string());
        }
        if let Err(error) = ThreadId::new(thread.value.as_str()) {
            self.wrong(thread.span, error.to_string());
        }
        if let Some(At { value: 0, span }) = remembers {
            self.wrong(*span, "expected at least one frame; left out, it remembers none");
        }
        let kept = remembers.as_ref();
        ClientSpec {
            instance: copy_of.as_ref().and_then(|other| self.original(other, yaml)),
            arrives: arrives.as_ref().and_then(|turn| self.arrival(turn, name, turns)),
            kept: kept.map(|seen| Cursor { epoch: EARLIER_EPOCH, seq: seen.value }),
            ..ClientSpec::new(&name.value, &user.value, &thread.value)
        }
    }

    /// What a copy calls itself: what the client does of which it is one.
    fn original(&mut self, other: &At<String>, copy: &ClientYaml) -> Option<String> {
        let place = self.client(other);
        let original = self.clients.get(place)?.clone();
        let is_alike = original.user == copy.user.value && original.thread == copy.thread.value;
        if !is_alike && original.name == other.value {
            let ClientSpec { name, user, thread, .. } = &original;
            let text =
                format!("a copy has the user and the thread of `{name}`: {user} on {thread}");
            self.wrong(other.span, text);
        }
        Some(original.instance.unwrap_or(original.name))
    }

    /// The turn before which a client comes; it cannot have said anything until then.
    fn arrival(&mut self, turn: &At<u32>, name: &At<String>, turns: &[TurnYaml]) -> Option<usize> {
        let place = usize::try_from(turn.value).ok().and_then(|number| number.checked_sub(1));
        let place = place.filter(|place| *place < turns.len());
        let Some(before) = place.and_then(|place| turns.get(..place)) else {
            let count = turns.len();
            self.wrong(turn.span, format!("expected a turn from 1 to {count}, got {}", turn.value));
            return None;
        };
        let is_first = self.clients.is_empty();
        let speaks = |said: &TurnYaml| {
            said.by.as_ref().map_or(is_first, |speaker| speaker.value == name.value)
        };
        if let Some(early) = before.iter().position(speaks) {
            let (name, said) = (&name.value, early + 1);
            let text =
                format!("`{name}` says turn {said}, so it arrives before that at the latest");
            self.wrong(turn.span, text);
        }
        place
    }
}
