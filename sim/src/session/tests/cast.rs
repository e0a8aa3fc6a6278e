//! Clients of session files that are more than a name: copies, latecomers, those that remember, and how they are closed.

use super::broken::{GOOD, read, told};
use crate::scenario::{Fault, Host, Intrusion, Misbehaviour};
use crate::session::{bless, check};
use crate::trace::{Event, Trace, What, Wire};
use assistant::contract::id::Cursor;

const TAB: &str = "  - { name: tab2, user: u-1, thread: t-1 }";

#[test]
fn reads_a_copy_that_comes_later_and_remembers() {
    let copy = "  - { name: tab2, user: u-1, thread: t-1, copy_of: ana, arrives: 2, remembers: 9 }";
    let session = read(&GOOD.replace(TAB, copy)).unwrap();
    let tab = &session.scenario.clients[1];
    assert_eq!((tab.instance(), tab.arrives), ("ana", Some(1)));
    assert_eq!(tab.kept, Some(Cursor { epoch: 1, seq: 9 }));
    assert!(session.scenario.is_contested("t-1"));
    assert_eq!(session.scenario.check(), Ok(()));
    let plain = read(GOOD).unwrap().scenario;
    assert_eq!((plain.clients[1].arrives, plain.clients[1].kept), (None, None));
    assert!(!plain.is_contested("t-1"));
}

#[test]
fn refuses_clients_that_cannot_be() {
    for (keys, words) in [
        ("copy_of: ^bob", &["unknown client `bob`"][..]),
        ("copy_of: ^tab2", &["unknown client `tab2`", "one of: ana"]),
        ("arrives: ^3", &["expected a turn from 1 to 2, got 3"]),
        ("arrives: ^0", &["expected a turn from 1 to 2, got 0"]),
        ("remembers: ^0", &["expected at least one frame"]),
        ("closed: ^superseded", &["expected a list, got `superseded`"]),
        ("closed: [^superceded]", &["unknown close reason", "`superseded`?"]),
        ("closed: { ^gte: 1 }", &["expected an operator for a list, got `gte`"]),
    ] {
        told(TAB, &format!("  - {{ name: tab2, user: u-1, thread: t-1, {keys} }}"), words);
    }
    for (keys, words) in [
        ("user: u-2, thread: t-1", "a copy has the user and the thread of `ana`: u-1 on t-1"),
        ("user: u-1, thread: t-2", "a copy has the user and the thread of `ana`"),
    ] {
        told(TAB, &format!("  - {{ name: tab2, {keys}, copy_of: ^ana }}"), &[words]);
    }
    let ana = "name: ana, user: u-1, thread: t-1";
    told(ana, &format!("{ana}, arrives: ^2"), &["`ana` says turn 1, so it arrives before that"]);
}

#[test]
fn who_says_nothing_may_come_first_or_last() {
    for keys in ["arrives: 1", "arrives: 2", "closed: []", "closed: { contains: drain }"] {
        let tab = format!("  - {{ name: tab2, user: u-1, thread: t-1, {keys} }}");
        assert!(read(&GOOD.replace(TAB, &tab)).is_ok(), "{keys}");
    }
}

#[test]
fn reads_and_refuses_what_befalls_gateways_and_sockets() {
    let session = read(&GOOD.replace("jitter: 0ms", "jitter: 0ms, socket_bytes: 512")).unwrap();
    assert_eq!(session.scenario.world.socket_bytes, 512);
    told("jitter: 0ms", "jitter: 0ms, socket_bytes: ^9", &["expected at least 256 bytes, got 9"]);
    let cut = "cut: { client: tab2 }";
    let (gateway, lasts) = (Host::Gateway(1), std::time::Duration::from_secs(2));
    for (yaml, fault) in [
        (
            "misbehave: { host: gateway-1, how: fail, lasts: 2s }",
            Fault::Misbehave { host: gateway.clone(), how: Misbehaviour::Fail, lasts },
        ),
        (
            "intrude: { host: gateway-1, how: latin1 }",
            Fault::Intrude { host: gateway.clone(), how: Intrusion::Latin1 },
        ),
        (
            "intrude: { host: gateway-1, how: reserved }",
            Fault::Intrude { host: gateway.clone(), how: Intrusion::Reserved },
        ),
    ] {
        let session = read(&GOOD.replace(cut, yaml)).unwrap();
        assert_eq!(session.scenario.faults[0].fault, fault);
        assert_eq!(session.scenario.check(), Ok(()));
    }
    let agent = "misbehave: { host: ^agent, how: fail, lasts: 2s }";
    told(cut, agent, &["expected a gateway: only a gateway can `fail`"]);
    let gateway = "misbehave: { host: ^gateway-1, how: hang, lasts: 2s }";
    told(cut, gateway, &["expected agent or token-service"]);
}

fn closes(host: Host, conn: u64, code: u16, reason: &str) -> Event {
    let frame = Wire::Close { code: Some(code), reason: reason.to_owned() };
    Event { at_us: 0, host, what: What::Received { conn, frame } }
}

/// What is said of `closed` in this file.
fn said(closed: &str, events: &[Event]) -> Vec<String> {
    let tab = format!("  - {{ name: tab2, user: u-1, thread: t-1, closed: {closed} }}");
    let session = read(&GOOD.replace(TAB, &tab)).unwrap();
    assert_eq!(session.expectations(), 21);
    let misses = check(&session, &Trace { events: events.to_vec() }).into_iter();
    let own = misses.filter(|miss| miss.title == "tab2: closed");
    own.map(|miss| miss.text).collect()
}

#[test]
fn closed_is_what_gateways_say_first_until_all_is_said() {
    let (gateway, tab) = (Host::Gateway(1), Host::Client("tab2".to_owned()));
    let events = [
        closes(tab.clone(), 1, 1013, "overload"),
        closes(gateway.clone(), 1, 1013, "overload"),
        // This one is the client's own, and answered.
        closes(gateway, 2, 1000, "normal"),
        closes(tab.clone(), 2, 1000, "normal"),
        closes(Host::Client("ana".to_owned()), 3, 4409, "superseded"),
        closes(tab.clone(), 4, 4411, "slow_consumer"),
        Event { at_us: 0, host: Host::World, what: What::ScriptDone },
        closes(tab, 4, 1012, "drain"),
    ];
    assert_eq!(said("[overload, slow_consumer]", &events), [""; 0]);
    assert_eq!(said("{ contains: overload, not_contains: drain }", &events), [""; 0]);
    let missed = said("[overload]", &events);
    assert!(missed[0].contains("got [overload, slow_consumer]"), "{missed:?}");
    assert_eq!(said("[]", &[]), [""; 0]);
    let tab = TAB.replace(" }", ", closed: [drain] }");
    let session = read(&GOOD.replace(TAB, &tab)).unwrap();
    let blessed = bless(&session, &Trace { events: events.to_vec() });
    assert!(blessed.text.contains("closed: [overload, slow_consumer] }"), "{}", blessed.text);
}
