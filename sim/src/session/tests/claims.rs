//! Every expectation key against a hand-made trace: once as it is, and once as it must not be.

use crate::scenario::{Fault, Host};
use crate::session::{Catalogs, Ink, Session, check, failed};
use crate::trace::{Event, Trace, What};
use assistant::contract::agent::{
    AgentRequest, AgentResponse, AgentState, Card, Change, Intent, ListingType, RelaxationNote,
    Slots, Status,
};
use assistant::contract::frame::{AgentName, ErrorCode, LogBody, LogFrame, Meta};
use assistant::contract::id::{ListingId, MessageId, ThreadId, TraceId};
use std::time::Duration;

fn session(expect: &str) -> Session {
    let text =
        format!("session: demo\nseed: 1\nturns:\n  - user: hi\n    expect:\n      {expect}\n");
    read(&text)
}

fn read(text: &str) -> Session {
    let ids = ["W-1", "W-2", "W-3"].map(str::to_owned);
    let catalogs = Catalogs::from([("willamette".to_owned(), ids.into())]);
    Session::read("sessions/demo.yaml", text, &catalogs).unwrap()
}

fn user() -> Host {
    Host::Client("user".to_owned())
}

fn event(host: Host, what: What) -> Event {
    Event { at_us: 0, host, what }
}

fn said(turn: usize, id: &str) -> Event {
    let what = What::Said {
        turn,
        message_id: MessageId::new(id).unwrap(),
        thread: ThreadId::new("t-1").unwrap(),
        text: "hi".to_owned(),
    };
    event(user(), what)
}

fn shown(seq: u64, id: &str, body: LogBody) -> Event {
    let frame = Box::new(LogFrame {
        thread_id: ThreadId::new("t-1").unwrap(),
        epoch: 1,
        seq,
        in_reply_to: MessageId::new(id).unwrap(),
        meta: Meta { trace: TraceId::new(format!("f-{seq}")).unwrap() },
        body,
    });
    event(user(), What::Shown { frame })
}

fn card(id: &str, price: u64) -> Card {
    Card {
        id: ListingId::new(id).unwrap(),
        title: "A house".to_owned(),
        listing_type: ListingType::Buy,
        price: Some(price),
        beds: Some(3),
        baths: Some(2.0),
        sqft: None,
        city: Some("Salem".to_owned()),
        state: None,
        address: None,
        phone: None,
        property_type: None,
        pets: None,
        parking: None,
        laundry: None,
        furnished: None,
        year_built: None,
        available: None,
        deposit: None,
        notes: vec![],
    }
}

fn user_turn(id: &str) -> LogBody {
    LogBody::UserTurn { message_id: MessageId::new(id).unwrap(), text: "hi".to_owned() }
}

fn recommendations() -> LogBody {
    let changes = vec![Change::PriceMax { from: 400_000, to: 410_000 }, Change::Parking {}];
    LogBody::Recommendations {
        agent: AgentName::RealEstate,
        recommendations: vec![card("W-1", 405_000), card("W-2", 410_000)],
        relaxation: Some(RelaxationNote { changes, count: 2 }),
    }
}

fn message() -> LogBody {
    LogBody::Message {
        agent: AgentName::RealEstate,
        intent: Intent::PropertySearch,
        text: "Nothing under 400k, but two homes in Salem.".to_owned(),
    }
}

fn exchange(conn: u64, id: &str, status: u16, response: AgentResponse) -> [Event; 2] {
    let request = Box::new(AgentRequest {
        version: 1,
        thread_id: ThreadId::new("t-1").unwrap(),
        message_id: MessageId::new(id).unwrap(),
        text: "hi".to_owned(),
        heard: Vec::new(),
        today: "2026-11-22".to_owned(),
        state: AgentState::default(),
    });
    let answered = What::Answered { conn, status, response: Some(Box::new(response)) };
    [event(Host::Agent, What::Asked { conn, request }), event(Host::Supervisor, answered)]
}

fn response(city: &str) -> AgentResponse {
    AgentResponse {
        version: 1,
        status: Status::Done,
        intent: Intent::PropertySearch,
        text: String::new(),
        actions: vec![],
        refers_to: vec![ListingId::new("W-2").unwrap(), ListingId::new("W-1").unwrap()],
        answers: vec![],
        state: AgentState {
            slots: Slots {
                city: Some(city.to_owned()),
                price_max: Some(400_000),
                baths_min: Some(2.0),
                hard: vec!["city".to_owned()],
                ..Slots::default()
            },
            ..AgentState::default()
        },
    }
}

/// A turn that was said twice; the second time it is answered, over a connection that failed before.
fn calm() -> Trace {
    let mut events = vec![said(0, "m-0")];
    events.extend(exchange(3, "m-0", 200, response("Eugene")));
    let failure = LogBody::Error {
        code: ErrorCode::AgentUnavailable,
        message: "Later.".to_owned(),
        retryable: true,
    };
    events.push(shown(1, "m-0", failure));
    events.push(said(0, "m-1"));
    events.extend(exchange(3, "m-1", 500, response("Albany")));
    events.extend(exchange(3, "m-1", 200, response("Salem")));
    events.push(shown(2, "m-1", user_turn("m-1")));
    events.push(shown(3, "m-1", recommendations()));
    events.push(shown(4, "m-1", message()));
    Trace { events }
}

/// A turn that only failed: no agent, no listings.
fn bleak() -> Trace {
    let failure = LogBody::Error {
        code: ErrorCode::AgentInvalid,
        message: "No.".to_owned(),
        retryable: false,
    };
    let events = vec![said(0, "m-1"), shown(1, "m-1", user_turn("m-1")), shown(2, "m-1", failure)];
    Trace { events }
}

#[track_caller]
fn holds(expect: &str, trace: &Trace) {
    let misses = check(&session(expect), trace);
    assert!(misses.is_empty(), "{expect}: {misses:#?}");
}

/// Exactly one miss, with these words, on this piece of the file.
#[track_caller]
fn fails(expect: &str, trace: &Trace, piece: &str, words: &str) {
    let session = session(expect);
    let misses = check(&session, trace);
    assert_eq!(misses.len(), 1, "{expect}: {misses:#?}");
    assert!(misses[0].text.contains(words), "{expect}: {}", misses[0].text);
    let there = &session.sources.files().next().unwrap().text[misses[0].span.start..];
    assert!(there.starts_with(piece), "{expect}: points at {there:?}");
}

#[test]
fn agent_and_intent() {
    holds("{ agent: real_estate, intent: property_search }", &calm());
    holds("{ intent: { one_of: [refine, property_search] } }", &calm());
    fails("agent: general", &calm(), "general", "expected general, got real_estate");
    fails("intent: refine", &calm(), "refine", "expected refine, got property_search");
    fails("intent: { one_of: [refine, more] }", &calm(), "one_of", "one of refine, more");
    fails("agent: general", &bleak(), "general", "the turn ended in the error agent_invalid");
}

#[test]
fn slots_are_a_subset() {
    let good = "slots: { city: Salem, price_max: 400000, baths_min: 2, hard: [city] }";
    holds(good, &calm());
    holds("slots: { beds_min: none, price_max: { gte: 1, lte: 400000 } }", &calm());
    fails("slots: { city: Eugene }", &calm(), "Eugene", "expected Eugene, got Salem");
    fails("slots: { beds_min: 2 }", &calm(), "2 }", "expected 2, got nothing");
    fails("slots: { city: none }", &calm(), "none", "expected none, got Salem");
    fails("slots: { price_max: { gte: 1, lte: 9 } }", &calm(), "lte", "expected at most 9");
    fails("slots: { hard: [city, beds_min] }", &calm(), "[city", "missing beds_min");
    fails("slots: { city: none }", &bleak(), "none", "no agent answered in this turn");
}

#[test]
fn listings() {
    holds("listings: { ids: [W-1, W-2], count: 2, each: { beds: 3, sqft: none } }", &calm());
    holds("listings: { count: { between: [2, 3] }, each: { price: { lte: 410000 } } }", &calm());
    holds("listings: { ids: { any_order: [W-2, W-1] } }", &calm());
    holds("listings: { ids: { contains: W-2, not_contains: [W-3] } }", &calm());
    holds("listings: unchanged", &bleak());
    holds("listings: { count: 0 }", &bleak());
}

#[test]
fn listings_that_are_not_the_expected_ones() {
    fails("listings: { ids: [W-2, W-1] }", &calm(), "[W-2", "(another order)");
    let words = "expected [W-1, W-3], got [W-1, W-2] (missing W-3; extra W-2)";
    fails("listings: { ids: [W-1, W-3] }", &calm(), "[W-1", words);
    fails("listings: { ids: { any_order: [W-1] } }", &calm(), "any_order", "[W-1] in any order");
    fails("listings: { ids: { contains: W-3 } }", &calm(), "contains", "to contain W-3");
    fails("listings: { ids: { not_contains: W-1 } }", &calm(), "not_contains", "not to contain");
    fails("listings: { count: 3 }", &calm(), "3", "expected 3, got 2");
    fails("listings: { count: { between: [3, 4] } }", &calm(), "between", "expected 3 to 4, got 2");
    let words = "W-2: expected at most 405000, got 410000";
    fails("listings: { each: { price: { lte: 405000 } } }", &calm(), "lte", words);
    fails("listings: { each: { beds: 3 } }", &bleak(), "3", "nothing was shown");
    fails("listings: unchanged", &calm(), "unchanged", "expected none, got [W-1, W-2]");
}

#[test]
fn relaxation() {
    holds("relaxation: { price_max: { from: 400000, to: { lte: 420000 } }, parking: {} }", &calm());
    holds("relaxation: none", &bleak());
    fails("relaxation: none", &calm(), "none", "expected none, got [");
    fails("relaxation: { price_max: { from: 1 } }", &calm(), "1", "expected 1, got 400000");
    fails("relaxation: { price_max: { to: { lte: 2 } } }", &calm(), "lte", "expected at most 2");
    fails("relaxation: { city: {} }", &calm(), "city", "expected one, got nothing");
    fails("relaxation: { city: { from: Salem } }", &calm(), "Salem", "got nothing");
}

#[test]
fn refers_to() {
    holds("refers_to: [W-2, W-1]", &calm());
    fails("refers_to: [W-2]", &calm(), "[W-2]", "extra W-1");
    fails("refers_to: []", &bleak(), "[]", "no agent answered");
}

#[test]
fn reply() {
    holds("reply: { contains: [two homes, Salem], not_contains: sorry }", &calm());
    holds("reply: { regex: '(?i)^NOTHING' }", &calm());
    holds("reply: Nothing under 400k, but two homes in Salem.", &calm());
    fails(
        "reply: { contains: [Salem, Bend] }",
        &calm(),
        "contains",
        "to contain Salem, Bend, got \"Nothing",
    );
    fails("reply: { not_contains: Salem }", &calm(), "not_contains", "not to contain Salem");
    fails("reply: { regex: '^two' }", &calm(), "regex", "a match of /^two/");
    fails("reply: { not_contains: Salem }", &bleak(), "{ not", "the turn ended in the error");
}

#[test]
fn frames_repetitions_included() {
    holds("frames: [user_turn, recommendations, message]", &calm());
    holds("frames: [user_turn, error]", &bleak());
    fails("frames: [user_turn, message]", &calm(), "[user", "extra recommendations");
    let mut twice = calm();
    twice.events.push(shown(4, "m-1", message()));
    fails("frames: [user_turn, recommendations, message]", &twice, "[user", "extra message");
    let again = [
        event(user(), What::ViewReset),
        shown(2, "m-1", user_turn("m-1")),
        shown(3, "m-1", recommendations()),
        shown(4, "m-1", message()),
    ];
    twice.events.extend(again);
    holds("frames: [user_turn, recommendations, message]", &twice);
}

#[test]
fn error() {
    holds("error: { code: agent_invalid, retryable: false }", &bleak());
    fails("error: { code: agent_unavailable }", &bleak(), "agent_un", "got agent_invalid");
    fails("error: { retryable: true }", &bleak(), "true", "expected true, got false");
    fails("error: { retryable: true }", &calm(), "true", "the turn ended in a message");
}

#[test]
fn a_turn_that_was_not_said_or_has_no_end() {
    fails("agent: general", &Trace::default(), "hi", "got no such turn");
    let events = vec![said(0, "m-1")];
    fails("agent: general", &Trace { events }, "general", "the turn has no end");
}

const FAULTY: &str = "session: demo
seed: 1
turns:
  - user: hi
    faults:
      - at: { frame: recommendations, nth: 2 }
        do: { bounce: { host: gateway-1 } }
      - at: { elapsed: 1m }
        do: { bounce: { host: gateway-1 } }
    expect:
      agent: general
      reply: { contains: Bend, regex: '^two' }
faults:
  - at: { elapsed: 2s }
    do: { bounce: { host: agent } }
";

#[test]
fn every_fault_fires() {
    let session = read(FAULTY);
    let injected = |turn, index| {
        let fault = Fault::Bounce { host: Host::Agent };
        event(Host::World, What::Injected { turn, index, fault })
    };
    let mut trace = calm();
    let texts = |trace: &Trace| -> Vec<String> {
        let misses = check(&session, trace).into_iter();
        misses.filter(|m| m.title.contains("fault")).map(|m| m.text).collect()
    };
    let all = [
        "fault never fired: no `recommendations` #2 in this turn",
        "fault never fired: the turn was over before 60s",
        "fault never fired: the run was over before 2s",
    ];
    assert_eq!(texts(&trace), all);
    trace.events.push(injected(Some(0), 1));
    assert_eq!(texts(&trace), [all[0], all[2]]);
    trace.events.push(injected(None, 0));
    trace.events.push(injected(Some(0), 0));
    assert!(texts(&trace).is_empty());
    assert_eq!(session.scenario.turns[0].faults.len(), 2);
    assert_eq!(session.scenario.world.limit, Duration::from_secs(600));
}

#[test]
fn tells_every_miss_and_what_to_type() {
    let session = read(FAULTY);
    let misses = check(&session, &calm());
    let expected = r#"
session demo failed: 5 of 5 expectations
  × turn 1: fault 1
   ╭─[sessions/demo.yaml:6:22]
 5 │     faults:
 6 │       - at: { frame: recommendations, nth: 2 }
   ·                      ───────┬───────
   ·                             ╰── fault never fired: no `recommendations` #2 in this turn
 7 │         do: { bounce: { host: gateway-1 } }
   ╰────
  × turn 1: fault 2
   ╭─[sessions/demo.yaml:8:24]
 7 │         do: { bounce: { host: gateway-1 } }
 8 │       - at: { elapsed: 1m }
   ·                        ─┬
   ·                         ╰── fault never fired: the turn was over before 60s
 9 │         do: { bounce: { host: gateway-1 } }
   ╰────
  × turn 1: agent
    ╭─[sessions/demo.yaml:11:14]
 10 │     expect:
 11 │       agent: general
    ·              ───┬───
    ·                 ╰── expected general, got real_estate
 12 │       reply: { contains: Bend, regex: '^two' }
    ╰────
  × turn 1: reply
    ╭─[sessions/demo.yaml:12:16]
 11 │       agent: general
 12 │       reply: { contains: Bend, regex: '^two' }
    ·                ────┬───
    ·                    ╰── expected to contain Bend, got "Nothing under 400k, but two homes in Salem."
 13 │ faults:
    ╰────
  × turn 1: reply
    ╭─[sessions/demo.yaml:12:32]
 11 │       agent: general
 12 │       reply: { contains: Bend, regex: '^two' }
    ·                                ──┬──
    ·                                  ╰── expected a match of /^two/, got "Nothing under 400k, but two homes in Salem."
 13 │ faults:
    ╰────
  × fault 1
    ╭─[sessions/demo.yaml:14:20]
 13 │ faults:
 14 │   - at: { elapsed: 2s }
    ·                    ─┬
    ·                     ╰── fault never fired: the run was over before 2s
 15 │     do: { bounce: { host: agent } }
    ╰────

  reproduce   cargo rehearse run sessions/demo.yaml
  transcript  target/rehearse/demo/transcript.txt
"#;
    assert_eq!(failed(&session, &misses, Ink::Plain), expected.trim_start());
    let coloured = failed(&session, &misses, Ink::Colour);
    assert!(coloured.contains('\u{1b}'));
}

#[test]
fn a_turn_that_shows_the_same_as_an_earlier_one() {
    let text = "session: demo\nseed: 1\nturns:\n  - user: hi\n    expect: { listings: { count: 2 } }\n  \
                - user: hi\n    expect: { same_as: 1 }\n";
    let session = read(text);
    let again = |bodies: Vec<LogBody>| {
        let mut trace = calm();
        trace.events.push(said(1, "m-2"));
        let frames = (5..).zip(bodies).map(|(seq, body)| shown(seq, "m-2", body));
        trace.events.extend(frames);
        check(&session, &trace).into_iter().map(|miss| miss.text).collect::<Vec<_>>()
    };
    assert_eq!(again(vec![user_turn("m-2"), recommendations(), message()]), [""; 0]);
    let misses = again(vec![recommendations()]);
    assert_eq!(misses, ["expected 2 things shown as in turn 1, got 1"]);
    let misses = again(vec![message(), message()]);
    assert!(misses[0].starts_with("expected what turn 1 showed, `recommendations"), "{misses:?}");
}
