//! What must come of a turn, as a flat list of claims. It does not know how a trace answers them.

use super::matcher::{Matcher, Raw};
use super::model::{ErrorYaml, ExpectYaml, ListingsYaml, Pairs, StretchYaml, WordOr};
use super::names::names;
use super::yaml::{At, Problem, Span};
use assistant::contract::agent::{Card, Change, Intent, Slots};
use assistant::contract::frame::{AgentName, ErrorCode, LogBody, ServerFrame};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;

/// What must come of a turn.
#[derive(Debug, Clone, Default)]
pub struct Expect {
    /// In the order of the keys in DESIGN 5.1, not of the file; never empty.
    pub claims: Vec<Claim>,
}

/// One thing that must hold.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Of what.
    pub subject: Subject,
    /// What it must be.
    pub matcher: Matcher,
    /// Where the file says so.
    pub span: Span,
}

/// What a claim speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Who replied.
    Agent,
    /// How the turn was understood.
    Intent,
    /// A slot of the agent's state after the turn.
    Slot(String),
    /// Whether listings were shown at all.
    Listings,
    /// The shown listings, in order.
    ListingIds,
    /// How many were shown.
    ListingCount,
    /// A field of every shown listing.
    Each(String),
    /// Whether a constraint was stretched at all.
    Relaxation,
    /// Whether this constraint was stretched.
    Stretched(String),
    /// The asked or the offered value of a stretched constraint.
    Stretch(String, Side),
    /// The shown listings that the turn spoke of.
    RefersTo,
    /// The text of the reply.
    Reply,
    /// The durable frames that were shown, by their `event`, in order.
    Frames,
    /// Why the turn failed.
    ErrorCode,
    /// Whether saying it again may help.
    ErrorRetryable,
}

/// One end of a stretched constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What was asked.
    From,
    /// What is offered.
    To,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent => f.write_str("agent"),
            Self::Intent => f.write_str("intent"),
            Self::Slot(name) => write!(f, "slots.{name}"),
            Self::Listings => f.write_str("listings"),
            Self::ListingIds => f.write_str("listings.ids"),
            Self::ListingCount => f.write_str("listings.count"),
            Self::Each(field) => write!(f, "listings.each.{field}"),
            Self::Relaxation => f.write_str("relaxation"),
            Self::Stretched(name) => write!(f, "relaxation.{name}"),
            Self::Stretch(name, Side::From) => write!(f, "relaxation.{name}.from"),
            Self::Stretch(name, Side::To) => write!(f, "relaxation.{name}.to"),
            Self::RefersTo => f.write_str("refers_to"),
            Self::Reply => f.write_str("reply"),
            Self::Frames => f.write_str("frames"),
            Self::ErrorCode => f.write_str("error.code"),
            Self::ErrorRetryable => f.write_str("error.retryable"),
        }
    }
}

/// The names that expectations and triggers may use.
#[derive(Debug)]
pub(super) struct Known {
    agents: Vec<String>,
    intents: Vec<String>,
    slots: Vec<String>,
    fields: Vec<String>,
    constraints: Vec<String>,
    codes: Vec<String>,
    log_frames: Vec<String>,
    /// Every `event` a server sends.
    pub(super) frames: Vec<String>,
    /// The listings of the session's catalogue; absent if there is no such catalogue.
    ids: Option<Vec<String>>,
}

impl Known {
    pub(super) fn new(ids: Option<&BTreeSet<String>>) -> Self {
        let log_frames = names::<LogBody>("event");
        let mut frames = log_frames.clone();
        frames.extend(names::<ServerFrame>("event"));
        Self {
            agents: names::<AgentName>(""),
            intents: names::<Intent>(""),
            slots: names::<Slots>(""),
            fields: names::<Card>(""),
            constraints: names::<Change>("constraint"),
            codes: names::<ErrorCode>(""),
            log_frames,
            frames,
            ids: ids.map(|ids| ids.iter().cloned().collect()),
        }
    }
}

/// Reads the expectations of a turn; mistakes go to `problems`.
pub(super) fn read(yaml: &At<ExpectYaml>, known: &Known, problems: &mut Vec<Problem>) -> Expect {
    let before = problems.len();
    let mut reader = Reader { claims: Vec::new(), problems };
    let expect = &yaml.value;
    let ids = known.ids.as_deref().map(|ids| ("listing", ids));
    reader.claim(Subject::Agent, expect.agent.as_ref(), Some(("agent", &known.agents)));
    reader.claim(Subject::Intent, expect.intent.as_ref(), Some(("intent", &known.intents)));
    if let Some(Pairs(slots)) = reader.mapping(expect.slots.as_ref()) {
        reader.fields(slots, ("slot", &known.slots), Subject::Slot);
    }
    reader.listings(expect.listings.as_ref(), known);
    reader.relaxation(expect.relaxation.as_ref(), known);
    reader.claim(Subject::RefersTo, expect.refers_to.as_ref(), ids);
    reader.claim(Subject::Reply, expect.reply.as_ref(), None);
    let log_frames = Some(("durable frame", known.log_frames.as_slice()));
    reader.claim(Subject::Frames, expect.frames.as_ref(), log_frames);
    if let Some(error) = &expect.error {
        reader.error(error, known);
    }
    let claims = reader.claims;
    if claims.is_empty() && problems.len() == before {
        problems.push(Problem::new(yaml.span, "an empty `expect` proves nothing"));
    }
    Expect { claims }
}

/// A kind of name, and the names there are.
type Names<'a> = (&'a str, &'a [String]);

struct Reader<'a> {
    claims: Vec<Claim>,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn claim(&mut self, subject: Subject, raw: Option<&At<Raw>>, names: Option<Names<'_>>) {
        let Some(raw) = raw else { return };
        match Matcher::read(raw) {
            Ok(matcher) => {
                if let Some((kind, known)) = names {
                    self.literals(raw, kind, known);
                }
                self.claims.push(Claim { subject, matcher, span: raw.span });
            }
            Err(problem) => self.problems.push(problem),
        }
    }

    fn literals(&mut self, raw: &At<Raw>, kind: &str, known: &[String]) {
        let mut found = Vec::new();
        Raw::literals(raw, &mut found);
        for literal in found {
            let name = At { value: literal.value.to_owned(), span: literal.span };
            if name.value != "none" && !known.contains(&name.value) {
                self.problems.push(Problem::unknown(kind, &name, known));
            }
        }
    }

    fn fields(
        &mut self,
        pairs: &[(At<String>, At<Raw>)],
        (kind, known): Names<'_>,
        subject: fn(String) -> Subject,
    ) {
        for (name, raw) in pairs {
            if known.contains(&name.value) {
                self.claim(subject(name.value.clone()), Some(raw), None);
            } else {
                self.problems.push(Problem::unknown(kind, name, known));
            }
        }
    }

    /// A mapping of fields, which must not be empty.
    fn mapping<'a, T>(&mut self, pairs: Option<&'a At<Pairs<T>>>) -> Option<&'a Pairs<T>> {
        let pairs = pairs?;
        if pairs.value.0.is_empty() {
            self.empty(pairs.span);
        }
        Some(&pairs.value)
    }

    fn empty(&mut self, span: Span) {
        let text = "an empty mapping proves nothing";
        self.problems.push(Problem::new(span, text));
    }

    fn listings(&mut self, yaml: Option<&At<WordOr<ListingsYaml>>>, known: &Known) {
        let Some(yaml) = yaml else { return };
        let listings = match &yaml.value {
            WordOr::Word(word) => {
                return self.keyword(Subject::Listings, word, "unchanged", yaml.span);
            }
            WordOr::Map(listings) => listings,
        };
        let ListingsYaml { ids, count, each } = listings;
        if ids.is_none() && count.is_none() && each.is_none() {
            self.empty(yaml.span);
        }
        let names = known.ids.as_deref().map(|ids| ("listing", ids));
        self.claim(Subject::ListingIds, ids.as_ref(), names);
        self.claim(Subject::ListingCount, count.as_ref(), None);
        if let Some(Pairs(fields)) = self.mapping(each.as_ref()) {
            self.fields(fields, ("field of a listing", &known.fields), Subject::Each);
        }
    }

    fn relaxation(&mut self, yaml: Option<&At<WordOr<Pairs<At<StretchYaml>>>>>, known: &Known) {
        let Some(yaml) = yaml else { return };
        let changes = match &yaml.value {
            WordOr::Word(word) => {
                return self.keyword(Subject::Relaxation, word, "none", yaml.span);
            }
            WordOr::Map(Pairs(changes)) => changes,
        };
        if changes.is_empty() {
            self.empty(yaml.span);
        }
        for (name, stretch) in changes {
            if !known.constraints.contains(&name.value) {
                let problem = Problem::unknown("constraint", name, &known.constraints);
                self.problems.push(problem);
                continue;
            }
            let StretchYaml { from, to } = &stretch.value;
            if from.is_none() && to.is_none() {
                self.claims.push(Claim {
                    subject: Subject::Stretched(name.value.clone()),
                    matcher: Matcher::Present,
                    span: name.span,
                });
            }
            let side = |side| Subject::Stretch(name.value.clone(), side);
            self.claim(side(Side::From), from.as_ref(), None);
            self.claim(side(Side::To), to.as_ref(), None);
        }
    }

    /// The one word that may stand for a mapping; it says that there is nothing.
    fn keyword(&mut self, subject: Subject, word: &str, only: &str, span: Span) {
        if word == only {
            self.claims.push(Claim { subject, matcher: Matcher::Absent, span });
        } else {
            let text = format!("expected `{only}` or a mapping, got `{word}`");
            self.problems.push(Problem::new(span, text));
        }
    }

    fn error(&mut self, yaml: &At<ErrorYaml>, known: &Known) {
        let ErrorYaml { code, retryable } = &yaml.value;
        if code.is_none() && retryable.is_none() {
            self.empty(yaml.span);
        }
        let codes = Some(("error code", known.codes.as_slice()));
        self.claim(Subject::ErrorCode, code.as_ref(), codes);
        self.claim(Subject::ErrorRetryable, retryable.as_ref(), None);
        if let Some(At { value: Raw::Scalar(Value::String(_) | Value::Number(_)), span }) =
            retryable
        {
            let text = "expected true or false";
            self.problems.push(Problem::new(*span, text));
        }
    }
}
