//! Mistakes in session files, each made in an otherwise good one, and what the author is told.

use crate::scenario::{DiskFailure, Fault, Host, Intrusion, Misbehaviour, Trigger};
use crate::session::{Broken, Catalogs, Ink, Session, broken};
use std::time::Duration;

const PATH: &str = "sessions/golden.yaml";

pub(super) const GOOD: &str = r#"session: golden
about: Everything a session may say.
tags: [search, smoke]
seed: 7
world: { catalog: willamette, gateways: 2, latency: 10ms, jitter: 0ms, limit: 2m }
clients:
  - { name: ana, user: u-1, thread: t-1 }
  - { name: tab2, user: u-1, thread: t-1 }
turns:
  - user: "Häuser in Salem, max 400k"
    by: ana
    pause: 2s
    faults:
      - at: { frame: recommendations, nth: 2 }
        do: { crash: { host: supervisor, down: 2s } }
      - at: { elapsed: 150ms }
        do: { partition: { between: [gateway-1, supervisor], lasts: 3s } }
    expect:
      agent: real_estate
      intent: { one_of: [property_search, refine] }
      slots: { city: Salem, price_max: 400000, beds_min: none }
      listings:
        ids: [W-1, W-2]
        count: { between: [1, 3] }
        each: { price: { lte: 420000 } }
      relaxation: { price_max: { from: 400000, to: { lte: 420000 } } }
      refers_to: { any_order: [W-2, W-1] }
      reply: { contains: ["two homes", Salem], not_contains: sorry, regex: "(?i)nothing" }
      frames: [user_turn, recommendations, message]
  - user: and now?
    by: tab2
    expect:
      listings: unchanged
      relaxation: none
      error: { code: agent_unavailable, retryable: false }
faults:
  - at: { elapsed: 1m }
    do: { cut: { client: tab2 } }
"#;

fn catalogs() -> Catalogs {
    let ids = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect();
    Catalogs::from([
        ("willamette".to_owned(), ids(&["W-1", "W-2", "W-30"])),
        ("empty".to_owned(), ids(&[])),
    ])
}

pub(super) fn read(text: &str) -> Result<Session, Broken> {
    Session::read(PATH, text, &catalogs())
}

/// A piece of the good session, what stands there instead, and what the author reads.
type Case = (&'static str, &'static str, &'static [&'static str]);

/// Puts a mistake into the good session: `^` is where the mark must stand, and the author reads `words`.
#[track_caller]
pub(super) fn told(good: &str, marked: &str, words: &[&str]) {
    assert_eq!(GOOD.matches(good).count(), 1, "{good:?} in the good session");
    let marked = GOOD.replace(good, marked);
    let (before, after) = marked.split_once('^').expect("a mark");
    let line = before.lines().count().max(1) + usize::from(before.ends_with('\n'));
    let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    let error = read(&format!("{before}{after}")).expect_err("a mistake was accepted");
    let text = broken(&error, Ink::Plain);
    let place = format!("[{PATH}:{line}:{column}]");
    for part in words.iter().copied().chain([place.as_str()]) {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

#[test]
fn reads_a_good_session() {
    let session = read(GOOD).unwrap();
    assert_eq!(session.tags, ["search", "smoke"]);
    assert_eq!(session.expectations(), 20);
    let scenario = &session.scenario;
    assert_eq!(scenario.seed, 7);
    assert_eq!(scenario.world.limit, Duration::from_secs(120));
    assert_eq!(scenario.turns[1].client, 1);
    assert_eq!(scenario.turns[0].pause, Duration::from_secs(2));
    assert_eq!(
        scenario.turns[0].faults[0].at,
        Trigger::Frame { event: "recommendations".to_owned(), nth: 2 }
    );
    assert_eq!(
        scenario.turns[0].faults[1].fault,
        Fault::Partition {
            between: [Host::Gateway(1), Host::Supervisor],
            lasts: Duration::from_secs(3)
        }
    );
    assert_eq!(scenario.faults[0].fault, Fault::Cut { client: Host::Client("tab2".to_owned()) });
}

#[test]
fn reads_every_fault_of_a_client_a_link_and_a_clock() {
    let (ana, lasts) = (|| Host::Client("ana".to_owned()), Duration::from_secs(2));
    for (yaml, fault) in [
        ("slow_reader: { client: ana, lasts: 2s }", Fault::SlowReader { client: ana(), lasts }),
        ("half_open: { client: ana, lasts: 2s }", Fault::HalfOpen { client: ana(), lasts }),
        ("offline: { client: ana, lasts: 2s }", Fault::Offline { client: ana(), lasts }),
        ("pause: { host: ana, lasts: 2s }", Fault::Pause { host: ana(), lasts }),
        (
            "misbehave: { host: agent, how: garble, lasts: 2s }",
            Fault::Misbehave { host: Host::Agent, how: Misbehaviour::Garble, lasts },
        ),
        (
            "bad_disk: { host: supervisor, how: full, lasts: 2s }",
            Fault::BadDisk { host: Host::Supervisor, how: DiskFailure::Full, lasts },
        ),
        (
            "fragment: { client: ana, bytes: 7, lasts: 2s }",
            Fault::Fragment { client: ana(), bytes: 7, lasts },
        ),
        (
            "intrude: { host: gateway-1, how: flood }",
            Fault::Intrude { host: Host::Gateway(1), how: Intrusion::Flood },
        ),
        ("sign_out: { client: ana }", Fault::SignOut { client: ana() }),
        ("refuse: { host: agent, lasts: 2s }", Fault::Refuse { host: Host::Agent, lasts }),
        ("black_hole: { host: agent, lasts: 2s }", Fault::BlackHole { host: Host::Agent, lasts }),
        (
            "lost_sync: { host: supervisor, lasts: 2s }",
            Fault::LostSync { host: Host::Supervisor, lasts },
        ),
        (
            "slow_sync: { host: supervisor, by: 2s, lasts: 2s }",
            Fault::SlowSync { host: Host::Supervisor, by: lasts, lasts },
        ),
        (
            "one_way: { from: ana, to: agent, lasts: 2s }",
            Fault::OneWay { from: ana(), to: Host::Agent, lasts },
        ),
        (
            "flap: { between: [ana, agent], every: 2s, lasts: 2s }",
            Fault::Flap { between: [ana(), Host::Agent], every: lasts, lasts },
        ),
        (
            "latency: { between: [ana, agent], by: 2s, lasts: 2s }",
            Fault::Latency { between: [ana(), Host::Agent], by: lasts, lasts },
        ),
        ("skew: { host: agent, by: 90s }", Fault::Skew { host: Host::Agent, by_ms: 90_000 }),
        ("skew: { host: agent, by: -2m }", Fault::Skew { host: Host::Agent, by_ms: -120_000 }),
    ] {
        let session = read(&GOOD.replace(CUT, yaml)).unwrap();
        assert_eq!(session.scenario.faults[0].fault, fault);
    }
}

#[test]
fn reads_the_example_of_the_readme() {
    let readme = include_str!("../../../../README.md");
    let (_, yaml) = readme.split_once("```yaml\n").expect("an example");
    let (yaml, _) = yaml.split_once("```").expect("its end");
    let ids = ["L-0051", "L-0052"].map(str::to_owned);
    let catalogs = Catalogs::from([("willamette".to_owned(), ids.into())]);
    let session = Session::read("sessions/budget-relaxation.yaml", yaml, &catalogs);
    assert!(session.is_ok(), "{}", broken(&session.unwrap_err(), Ink::Plain));
}

#[test]
fn every_value_keeps_its_place() {
    let session = read(GOOD).unwrap();
    let claims = session.expects.iter().flat_map(|expect| &expect.claims);
    let spans = claims
        .map(|claim| claim.span)
        .chain(session.turns.clone())
        .chain(session.faults.clone())
        .chain(session.turn_faults.concat());
    for span in spans {
        assert!(span.start > 0 && span.start + span.len <= GOOD.len(), "{span:?}");
    }
    let reply = &session.expects[0].claims[1];
    assert!(GOOD[reply.span.start..].starts_with("{ one_of"), "{reply:?}");
}

#[test]
fn one_client_and_the_usual_world_need_no_words() {
    let text = "session: golden\nseed: 1\nturns:\n  - user: hi\n    expect: { agent: general }\n";
    let session = read(&format!("\u{feff}{text}")).unwrap();
    assert_eq!(session.scenario.clients[0].name, "user");
    assert_eq!(session.scenario.world.catalog, "willamette");
    assert_eq!(session.sources.files().next().unwrap().text, text);
}

#[test]
fn refuses_what_is_not_yaml() {
    told("tags: [search, smoke]\nseed: 7", "tags: [search, smoke\nseed^: 7", &["1 mistake"]);
    told("seed: 7", "\t^seed: 7", &["while parsing"]);
    told(
        "faults:\n  - at: { elapsed: 1m }",
        "^---\nfaults:\n  - at: { elapsed: 1m }",
        &["one document"],
    );
    let error = read("").expect_err("nothing was accepted");
    assert!(broken(&error, Ink::Plain).contains("end of"), "{error:?}");
}

#[test]
fn refuses_unknown_and_duplicate_and_missing_keys() {
    told("seed: 7", "^sede: 7", &["unknown key `sede`", "did you mean `seed`?"]);
    told(
        "seed: 7",
        "seed: 7\n^fixtures: {}",
        &["unknown key `fixtures`", "one of: session, about"],
    );
    told("seed: 7", "seed: 7\n^seed: 8", &["duplicate key `seed`"]);
    let (lost, end) = ("seed: 7\n", "faults:\n  - at: { elapsed: 1m }");
    let between = GOOD.split(lost).last().unwrap().split(end).next().unwrap();
    told(&format!("{lost}{between}{end}"), &format!("{between}^{end}"), &["missing key `seed`"]);
    told("    by: ana\n", "    ^bye: ana\n", &["unknown key `bye`", "`by`?"]);
    told("intent: {", "^intend: {", &["unknown key `intend`", "`intent`?"]);
    told("        ids: [", "        ^id: [", &["unknown key `id`", "`ids`?"]);
    told("down: 2s", "down: 2s, ^up: 1s", &["unknown key `up`"]);
    told("beds_min: none", "^city: Salem", &["duplicate key `city`"]);
    told("code: agent", "^coed: agent", &["unknown key `coed`"]);
}

#[test]
fn refuses_the_wrong_type() {
    told("seed: 7", "seed: ^seven", &["expected a whole number"]);
    told("seed: 7", "seed: ^-7", &["expected a whole number"]);
    told("tags: [search, smoke]", "tags: ^search", &["expected a list"]);
    told("user: and now?", "user: ^12", &["expected text, got `12`", "quote it"]);
    told("pause: 2s", "pause^:", &["expected text, got nothing"]);
    told("gateways: 2", "gateways: ^9", &["expected 1 to 4 gateways, got 9"]);
    told("{ lte: 420000 } }\n      rel", "{ lte: ^cheap } }\n      rel", &["expected a number"]);
    told("retryable: false", "retryable: ^no", &["expected true or false"]);
    told("agent: real_estate", "agent^:", &["got nothing", "`none`"]);
}

const NAMES: &[Case] = &[
    ("[W-1, W-2]", "[W-1, ^W-3]", &["unknown listing `W-3`", "did you mean `W-1`?"]),
    ("catalog: willamette", "catalog: ^wilamette", &["unknown catalogue", "`willamette`?"]),
    ("catalog: willamette", "catalog: ^oregon", &["one of: empty, willamette"]),
    ("host: supervisor", "host: ^superviser", &["unknown host", "`supervisor`?"]),
    ("[gateway-1,", "[^gateway-3,", &["unknown host `gateway-3`"]),
    ("by: tab2", "by: ^tab3", &["unknown client `tab3`", "`tab2`?"]),
    ("client: tab2", "client: ^bob", &["unknown client `bob`", "one of: ana, tab2"]),
    ("agent: real_estate", "agent: ^real-estate", &["unknown agent", "`real_estate`?"]),
    ("[property_search,", "[^property_serch,", &["unknown intent", "`property_search`?"]),
    ("slots: { city", "slots: { ^town", &["unknown slot `town`"]),
    ("each: { price", "each: { ^prise", &["unknown field of a listing", "`price`?"]),
    ("relaxation: { price_max", "relaxation: { ^price", &["unknown constraint `price`"]),
    ("code: agent_unavailable", "code: ^agent_down", &["unknown code `agent_down`"]),
    ("[user_turn,", "[^user_trun,", &["unknown durable frame", "`user_turn`?"]),
    ("frame: recommendations", "frame: ^recomendations", &["unknown frame"]),
    ("do: { cut", "do: { ^cute", &["unknown name `cute`", "`cut`?"]),
    ("{ any_order:", "{ ^anyorder:", &["unknown operator `anyorder`", "`any_order`?"]),
    ("reply: { contains", "reply: { ^contians", &["unknown operator", "`contains`?"]),
];

#[test]
fn refuses_unknown_names() {
    for (good, marked, words) in NAMES {
        told(good, marked, words);
    }
}

const AGENT: &str = "agent: real_estate";
const INTENT: &str = "{ one_of: [property_search, refine] }";
const SLOT: &str = "beds_min: none";
const EACH: &str = "{ price: { lte: 420000 } }";
const COUNT: &str = "{ between: [1, 3] }";
const STRETCH: &str = "{ price_max: { from: 400000, to: { lte: 420000 } } }";
const REPLY: &str =
    "{ contains: [\"two homes\", Salem], not_contains: sorry, regex: \"(?i)nothing\" }";
const REFERS: &str = "{ any_order: [W-2, W-1] }";
const FRAMES: &str = "[user_turn, recommendations, message]";
const RETRY: &str = "retryable: false";

/// Values and operators of another kind than what they are held against.
const UNFIT: &[Case] = &[
    (AGENT, "agent: ^7", &["expected a name, got `7`"]),
    (AGENT, "agent: ^none", &["expected a name, got `none`", "never is"]),
    (AGENT, "agent: ^[general]", &["expected a name, got a list"]),
    (
        AGENT,
        "agent: { ^gte: 1 }",
        &["expected an operator for a name, got `gte`", "one of: one_of"],
    ),
    (INTENT, "^5", &["expected a name, got `5`"]),
    (INTENT, "{ one_of: [refine, ^5] }", &["expected a name, got `5`"]),
    (INTENT, "{ one_of: ^refine }", &["expected a list, got `refine`"]),
    (INTENT, "{ one_of: [refine, ^none] }", &["unknown intent `none`"]),
    (SLOT, "beds_min: ^two", &["expected a number, got `two`"]),
    (SLOT, "beds_min: ^[2]", &["expected a number, got a list"]),
    (SLOT, "beds_min: { gte: ^two }", &["expected a number, got `two`"]),
    (SLOT, "beds_min: { between: [1, ^two] }", &["expected a number, got `two`"]),
    (SLOT, "beds_min: { one_of: [1, ^two] }", &["expected a number, got `two`"]),
    (SLOT, "beds_min: { ^regex: two }", &["expected an operator for a number, got `regex`"]),
    (SLOT, "beds_min: { ^contains: 2 }", &["operator for a number, got `contains`"]),
    (SLOT, "beds_min: { ^any_order: [2] }", &["operator for a number, got `any_order`"]),
    (SLOT, "parking: ^1", &["expected true or false, got `1`"]),
    (SLOT, "parking: { ^lte: 1 }", &["expected an operator for true or false, got `lte`"]),
    (SLOT, "listing_type: ^sell", &["unknown listing_type `sell`", "one of: buy, rent"]),
    (SLOT, "hard: ^city", &["expected a list, got `city`"]),
    (SLOT, "hard: { contains: ^3 }", &["expected text, got `3`", "quote it"]),
    (SLOT, "hard: { ^regex: city }", &["expected an operator for a list, got `regex`"]),
    ("city: Salem,", "city: ^9,", &["expected text, got `9`", "quote it"]),
    ("city: Salem,", "city: ^[Salem],", &["expected text, got a list"]),
    ("[W-1, W-2]", "^W-1", &["expected a list, got `W-1`"]),
    ("[W-1, W-2]", "[W-1, ^2]", &["expected a name, got `2`"]),
    ("[W-1, W-2]", "^none", &["expected a list, got `none`"]),
    (COUNT, "^three", &["expected a number, got `three`"]),
    (COUNT, "^none", &["expected a number, got `none`"]),
    (COUNT, "{ between: ^3 }", &["expected [low, high], got `3`"]),
    (EACH, "{ price: ^cheap }", &["expected a number, got `cheap`"]),
    (EACH, "{ id: ^none }", &["expected text, got `none`"]),
    (EACH, "{ notes: { ^lte: 1 } }", &["expected an operator for a list, got `lte`"]),
    (STRETCH, "{ price_max: { from: ^lots } }", &["expected a number, got `lots`"]),
    (STRETCH, "{ price_max: { to: ^none } }", &["expected a number, got `none`"]),
    (STRETCH, "{ city: { to: ^Bend } }", &["expected a list, got `Bend`"]),
    (STRETCH, "{ parking: { from: ^true } }", &["there is no `from` here"]),
    (REPLY, "^5", &["expected text, got `5`", "quote it"]),
    (REPLY, "^none", &["expected text, got `none`"]),
    (REPLY, "{ contains: [Salem, ^3] }", &["expected text, got `3`", "quote it"]),
    (REPLY, "{ contains: [^[Salem]] }", &["expected text, got a list"]),
    (REPLY, "{ regex: ^3 }", &["expected a regular expression, got `3`"]),
    (REPLY, "{ ^any_order: [Salem] }", &["expected an operator for text, got `any_order`"]),
    (REFERS, "^3", &["expected a list, got `3`"]),
    (REFERS, "{ any_order: ^W-1 }", &["expected a list, got `W-1`"]),
    (REFERS, "{ any_order: [W-2, ^1] }", &["expected a name, got `1`"]),
    (FRAMES, "^none", &["expected a list, got `none`"]),
    (FRAMES, "^message", &["expected a list, got `message`"]),
    ("code: agent_unavailable", "code: ^3", &["expected a name, got `3`"]),
    (RETRY, "retryable: ^1", &["expected true or false, got `1`"]),
];

#[test]
fn refuses_what_never_fits() {
    for (good, marked, words) in UNFIT {
        told(good, marked, words);
    }
}

/// The same places with what does fit, besides what stands in the good session.
const FIT: &[(&str, &[&str])] = &[
    (AGENT, &["agent: { regex: estate }", "agent: { not_contains: general }"]),
    (INTENT, &["refine", "{ regex: _search$ }"]),
    (SLOT, &["beds_min: 2", "beds_min: { gte: 1, lte: 2.5 }", "beds_min: { one_of: [1, 2] }"]),
    (SLOT, &["parking: true", "parking: none", "parking: { one_of: [true] }"]),
    (SLOT, &["listing_type: buy", "listing_type: none", "hard: none"]),
    (SLOT, &["hard: [city]", "hard: { contains: city }", "hard: { any_order: [city] }"]),
    ("city: Salem,", &["city: \"9\",", "city: { regex: ^S },", "city: { one_of: [Bend] },"]),
    ("[W-1, W-2]", &["[]", "{ contains: W-1, not_contains: [W-2] }", "{ one_of: [[W-1], []] }"]),
    (COUNT, &["3", "{ gte: 1 }", "{ one_of: [1, 2] }"]),
    (EACH, &["{ id: W-1 }", "{ price: none }", "{ notes: { contains: pets not stated } }"]),
    (STRETCH, &["{ city: { from: Salem, to: [Bend] } }", "{ parking: {} }"]),
    (REPLY, &["\"5\"", "{ contains: \"3\" }", "{ one_of: [yes, \"no\"] }"]),
    (REFERS, &["[]", "[W-1]", "{ contains: W-1 }"]),
    (FRAMES, &["{ contains: message, not_contains: error }"]),
    (RETRY, &["retryable: true"]),
];

#[test]
fn accepts_what_fits() {
    for (good, others) in FIT {
        for other in *others {
            assert_eq!(GOOD.matches(good).count(), 1, "{good:?} in the good session");
            let text = GOOD.replace(good, other);
            assert!(read(&text).is_ok(), "{}", broken(&read(&text).unwrap_err(), Ink::Plain));
        }
    }
}

#[test]
fn refuses_what_proves_nothing() {
    let last = "      listings: unchanged
      relaxation: none
      error: { code: agent_unavailable, retryable: false }
";
    told(
        &format!("and now?\n    by: tab2\n    expect:\n{last}"),
        "^and now?\n",
        &["a turn without `expect`"],
    );
    told(&format!("expect:\n{last}"), "expect: ^{}\n", &["an empty `expect`"]);
    told(&format!("expect:\n{last}"), "expect^:\n", &["expected a mapping"]);
    told("{ code: agent_unavailable, retryable: false }", "^{}", &["an empty mapping"]);
    told("listings: unchanged", "listings: ^{}", &["an empty mapping"]);
    told("{ price: { lte: 420000 } }", "^{}", &["an empty mapping"]);
    told("not_contains: sorry", "not_contains: ^[]", &["demands nothing"]);
    told("{ between: [1, 3] }", "^{}", &["expected an operator: gte"]);
}

const ELAPSED: &str = "{ elapsed: 150ms }
        do: { partition: { between: [gateway-1, supervisor], lasts: 3s } }";

const CUT: &str = "cut: { client: tab2 }";

const SENSELESS: &[Case] = &[
    ("session: golden", "session: ^gold", &["expected `golden`, the name of the file"]),
    ("session: golden", "session: ^gol__den", &["`__` in a name"]),
    ("elapsed: 150ms", "elapsed: ^150", &["expected text, got `150`", "10ms"]),
    ("elapsed: 150ms", "elapsed: ^soon", &["expected a duration such as 150ms"]),
    ("latency: 10ms", "latency: ^0ms", &["expected at least 1ms"]),
    ("\"(?i)nothing\"", "^\"(?i)nothing(\"", &["not a regular expression: unclosed group"]),
    ("listings: unchanged", "listings: ^unchnged", &["expected `unchanged` or a mapping"]),
    ("relaxation: none", "relaxation: ^no", &["expected `none` or a mapping"]),
    ("nth: 2", "nth: ^0", &["counted from 1"]),
    ("{ elapsed: 150ms }", "^{ nth: 1 }", &["expected either `frame`"]),
    ("{ elapsed: 1m }", "^{ frame: ack }", &["only faults of a turn wait for a frame"]),
    (ELAPSED, "{ elapsed: ^150ms }\n        do: { duplicate: { client: ana } }", &["to a frame"]),
    (ELAPSED, "{ elapsed: ^150ms }\n        do: { reorder: { client: ana } }", &["to a frame"]),
    (CUT, "pause: { host: ^agent, lasts: 2s }", &["a serving host cannot be paused"]),
    (
        CUT,
        "misbehave: { host: ^supervisor, how: hang, lasts: 2s }",
        &["expected agent or token-service"],
    ),
    (
        CUT,
        "bad_disk: { host: ^agent, how: io, lasts: 2s }",
        &["expected supervisor or token-service"],
    ),
    (CUT, "offline: { client: ^agent, lasts: 2s }", &["unknown client `agent`"]),
    (CUT, "slow_reader: { client: ana, lasts: ^long }", &["expected a duration"]),
    (CUT, "half_open: { client: ana, lasts: ^2h }", &["expected a duration"]),
    (CUT, "skew: { host: ^ana, by: 90s }", &["expected a serving host"]),
    (CUT, "skew: { host: agent, by: ^+90s }", &["expected a skew such as 90s or -2m"]),
    (CUT, "skew: { host: agent, by: ^0s }", &["expected a skew"]),
    (CUT, "one_way: { from: ana, to: ^ana, lasts: 2s }", &["another host"]),
    (CUT, "flap: { between: [ana, agent], every: ^often, lasts: 2s }", &["expected a duration"]),
    (CUT, "refuse: { host: ^ana, lasts: 2s }", &["expected a serving host"]),
    (
        CUT,
        "slow_sync: { host: ^agent, by: 1s, lasts: 2s }",
        &["expected supervisor or token-service"],
    ),
    (CUT, "intrude: { host: ^agent, how: flood }", &["expected a gateway"]),
    (CUT, "sign_out: { client: ^agent }", &["unknown client `agent`"]),
    (CUT, "offline: { ^client: ana }", &["missing key `lasts`"]),
    ("[gateway-1, supervisor]", "^[supervisor]", &["expected two hosts"]),
    ("[gateway-1, supervisor]", "[agent, ^agent]", &["another host"]),
    ("name: tab2", "name: ^ana", &["a second client `ana`"]),
    ("name: tab2", "name: ^agent", &["no other host's"]),
    ("name: ana, user: u-1", "name: ana, user: ^u/1", &["`u/1` is not an id"]),
    ("{ between: [1, 3] }", "{ between: ^[1] }", &["expected [low, high]"]),
];

#[test]
fn refuses_values_that_make_no_sense() {
    for (good, marked, words) in SENSELESS {
        told(good, marked, words);
    }
}

#[test]
fn tells_all_mistakes_at_once_with_a_caret_under_each() {
    let text = "session: golden
seed: 7
turns:
  - user: Häuser in Salem
    pause: soon
    expect: { agent: realestate }
  - user: and?
";
    let error = read(text).expect_err("mistakes were accepted");
    let expected = r#"
sessions/golden.yaml cannot be played: 3 mistakes
  × expected a duration such as 150ms, 2s or 1m, got `soon`
   ╭─[sessions/golden.yaml:5:12]
 4 │   - user: Häuser in Salem
 5 │     pause: soon
   ·            ────
 6 │     expect: { agent: realestate }
   ╰────
  × unknown agent `realestate`
   ╭─[sessions/golden.yaml:6:22]
 5 │     pause: soon
 6 │     expect: { agent: realestate }
   ·                      ──────────
 7 │   - user: and?
   ╰────
  help: did you mean `real_estate`?
  × a turn without `expect` proves nothing
   ╭─[sessions/golden.yaml:7:11]
 6 │     expect: { agent: realestate }
 7 │   - user: and?
   ·           ────
   ╰────
"#;
    assert_eq!(broken(&error, Ink::Plain), expected.trim_start());
}
