//! What must come of a turn, as a flat list of claims. It does not know how a trace answers them.

use super::kind::{Field, Fields, Kind, fields, variants};
use super::matcher::{Matcher, Raw};
use super::model::{ErrorYaml, ExpectYaml, ListingsYaml, Pairs, StretchYaml, WordOr};
use super::names::names;
use super::yaml::{At, Problem, Span};
use assistant::contract::agent::{Card, Change, Slots};
use assistant::contract::frame::{LogBody, ServerFrame};
use std::collections::{BTreeMap, BTreeSet};
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
    /// Everything that was shown, beside this earlier turn, an index into the scenario.
    SameAs(usize),
    /// Why the turn failed.
    ErrorCode,
    /// Whether saying it again may help.
    ErrorRetryable,
    /// The reasons with which gateways closed the connections of this client, an index into the scenario, in order.
    Closed(usize),
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
            Self::SameAs(_) => f.write_str("same_as"),
            Self::ErrorCode => f.write_str("error.code"),
            Self::ErrorRetryable => f.write_str("error.retryable"),
            Self::Closed(_) => f.write_str("closed"),
        }
    }
}

/// What expectations and triggers may name, and what kind of value each name stands for.
#[derive(Debug)]
pub(super) struct Known {
    /// By the `event` of a durable frame.
    bodies: BTreeMap<String, Fields>,
    slots: Fields,
    card: Fields,
    changes: BTreeMap<String, Fields>,
    /// What the harness itself derives from a turn.
    derived: Fields,
    /// Every `event` a server sends.
    pub(super) frames: Vec<String>,
}

impl Known {
    /// `ids` are the listings of the session's catalogue; absent if there is no such catalogue.
    pub(super) fn new(ids: Option<&BTreeSet<String>>) -> Self {
        let log_frames = names::<LogBody>("event");
        let mut frames = log_frames.clone();
        frames.extend(names::<ServerFrame>("event"));
        let listing = ids.map_or(Kind::Text, |ids| {
            Kind::Name("listing".to_owned(), ids.iter().cloned().collect())
        });
        let frame = Kind::Name("durable frame".to_owned(), log_frames);
        let derived = [
            ("ids", Kind::List(listing.clone().into())),
            ("count", Kind::Number),
            ("refers_to", Kind::List(listing.into())),
            ("frames", Kind::List(frame.into())),
        ];
        let field = |kind| Field { kind, optional: false, about: String::new() };
        Self {
            bodies: variants::<LogBody>("event"),
            slots: fields::<Slots>(),
            card: fields::<Card>(),
            changes: variants::<Change>("constraint"),
            derived: derived.map(|(name, kind)| (name.to_owned(), field(kind))).into(),
            frames,
        }
    }

    fn body(&self, event: &str) -> &Fields {
        self.bodies.get(event).expect("an event of the contract")
    }
}

/// Reads the expectations of a turn, an index into the scenario; mistakes go to `problems`.
pub(super) fn read(
    yaml: &At<ExpectYaml>,
    turn: usize,
    known: &Known,
    problems: &mut Vec<Problem>,
) -> Expect {
    let before = problems.len();
    let mut reader = Reader { claims: Vec::new(), problems };
    let expect = &yaml.value;
    let message = known.body("message");
    reader.claim(Subject::Agent, expect.agent.as_ref(), (message, "agent"));
    reader.claim(Subject::Intent, expect.intent.as_ref(), (message, "intent"));
    if let Some(Pairs(slots)) = reader.mapping(expect.slots.as_ref()) {
        reader.fields(slots, ("slot", &known.slots), Subject::Slot);
    }
    reader.listings(expect.listings.as_ref(), known);
    reader.relaxation(expect.relaxation.as_ref(), known);
    reader.claim(Subject::RefersTo, expect.refers_to.as_ref(), (&known.derived, "refers_to"));
    reader.claim(Subject::Reply, expect.reply.as_ref(), (message, "text"));
    reader.claim(Subject::Frames, expect.frames.as_ref(), (&known.derived, "frames"));
    if let Some(other) = &expect.same_as {
        reader.same_as(other, turn);
    }
    if let Some(error) = &expect.error {
        reader.error(error, known);
    }
    let claims = reader.claims;
    if claims.is_empty() && problems.len() == before {
        problems.push(Problem::new(yaml.span, "an empty `expect` proves nothing"));
    }
    Expect { claims }
}

struct Reader<'a> {
    claims: Vec<Claim>,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn claim(&mut self, subject: Subject, raw: Option<&At<Raw>>, (fields, name): (&Fields, &str)) {
        let Some(raw) = raw else { return };
        let Some(field) = fields.get(name) else {
            let text = format!("there is no `{name}` here");
            return self.problems.push(Problem::new(raw.span, text));
        };
        let matcher = field.read(raw, self.problems);
        self.claims.extend(matcher.map(|matcher| Claim { subject, matcher, span: raw.span }));
    }

    fn fields(
        &mut self,
        pairs: &[(At<String>, At<Raw>)],
        (what, known): (&str, &Fields),
        subject: fn(String) -> Subject,
    ) {
        for (name, raw) in pairs {
            if known.contains_key(&name.value) {
                self.claim(subject(name.value.clone()), Some(raw), (known, &name.value));
            } else {
                self.problems.push(Problem::unknown(what, name, &keys(known)));
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
        self.claim(Subject::ListingIds, ids.as_ref(), (&known.derived, "ids"));
        self.claim(Subject::ListingCount, count.as_ref(), (&known.derived, "count"));
        if let Some(Pairs(fields)) = self.mapping(each.as_ref()) {
            self.fields(fields, ("field of a listing", &known.card), Subject::Each);
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
            let Some(sides) = known.changes.get(&name.value) else {
                let problem = Problem::unknown("constraint", name, &keys(&known.changes));
                self.problems.push(problem);
                continue;
            };
            let StretchYaml { from, to } = &stretch.value;
            if from.is_none() && to.is_none() {
                self.claims.push(Claim {
                    subject: Subject::Stretched(name.value.clone()),
                    matcher: Matcher::Present,
                    span: name.span,
                });
            }
            let side = |side| Subject::Stretch(name.value.clone(), side);
            self.claim(side(Side::From), from.as_ref(), (sides, "from"));
            self.claim(side(Side::To), to.as_ref(), (sides, "to"));
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

    fn same_as(&mut self, other: &At<u32>, turn: usize) {
        let place = usize::try_from(other.value).ok().and_then(|number| number.checked_sub(1));
        let (matcher, span) = (Matcher::Present, other.span);
        match place.filter(|place| *place < turn) {
            Some(place) => {
                self.claims.push(Claim { subject: Subject::SameAs(place), matcher, span });
            }
            None => self.problems.push(Problem {
                advice: Some("turns are counted from 1, those of fragments first".to_owned()),
                ..Problem::new(span, format!("expected an earlier turn, got {}", other.value))
            }),
        }
    }

    fn error(&mut self, yaml: &At<ErrorYaml>, known: &Known) {
        let ErrorYaml { code, retryable } = &yaml.value;
        if code.is_none() && retryable.is_none() {
            self.empty(yaml.span);
        }
        let fields = known.body("error");
        self.claim(Subject::ErrorCode, code.as_ref(), (fields, "code"));
        self.claim(Subject::ErrorRetryable, retryable.as_ref(), (fields, "retryable"));
    }
}

fn keys<T>(map: &BTreeMap<String, T>) -> Vec<&String> {
    map.keys().collect()
}
