//! Mistakes in session files, each made in an otherwise good one, and what the author is told.

use crate::scenario::{Fault, Host, Trigger};
use crate::session::{Broken, Catalogs, Ink, Session, broken};
use std::time::Duration;

const PATH: &str = "sessions/golden.yaml";

const GOOD: &str = r#"session: golden
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

fn read(text: &str) -> Result<Session, Broken> {
    Session::read(PATH, text, &catalogs())
}

/// A piece of the good session, what stands there instead, and what the author reads.
type Case = (&'static str, &'static str, &'static [&'static str]);

/// Puts a mistake into the good session: `^` is where the mark must stand, and the author reads `words`.
#[track_caller]
fn told(good: &str, marked: &str, words: &[&str]) {
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
    assert_eq!(session.text, text);
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
    told("seed: 7", "seed: 7\n^vars: {}", &["unknown key `vars`", "one of: session, about"]);
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
    ("code: agent_unavailable", "code: ^agent_down", &["unknown error code"]),
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
sessions/golden.yaml is not a session: 3 mistakes
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
