//! Links and connections that are neither well nor dead.

use super::{after, ana, count, cut, ended, hold_true, ms, on, script};
use rehearse::scenario::{Fault, Host};
use rehearse::trace::{Trace, What, Wire};

#[test]
fn what_is_lost_one_way_only_delays() {
    let (gateway, supervisor) = (|| Host::Gateway(1), || Host::Supervisor);
    let way = |from, to| vec![after(0, Fault::OneWay { from, to, lasts: ms(8_000) })];
    let slow = |trace: &Trace| script(trace) > ms(10_000);
    hold_true(&[
        (way(ana(), gateway()), &slow),
        (way(gateway(), ana()), &slow),
        (way(gateway(), supervisor()), &slow),
        (way(supervisor(), gateway()), &slow),
        (way(supervisor(), Host::Agent), &slow),
        (way(Host::Agent, supervisor()), &slow),
    ]);
}

#[test]
fn a_link_that_flaps_or_is_slow_only_delays() {
    let between = || [ana(), Host::Gateway(1)];
    let flap = Fault::Flap { between: between(), every: ms(1_500), lasts: ms(8_000) };
    let slow = Fault::Latency { between: between(), by: ms(600), lasts: ms(20_000) };
    hold_true(&[
        (vec![after(0, flap)], &|trace| script(trace) > ms(7_300)),
        (vec![after(0, slow)], &|trace| script(trace) > ms(7_500)),
    ]);
}

#[test]
fn gateways_that_take_nobody_are_tried_again() {
    let gateways = [Host::Gateway(1), Host::Gateway(2)];
    let all = |fault: fn(Host) -> Fault| {
        let faults = gateways.clone().into_iter().map(|host| after(0, fault(host)));
        faults.chain([after(10, cut())]).collect::<Vec<_>>()
    };
    let refused = |trace: &Trace| {
        let refused = |host: &Host, what: &What| {
            *host == ana()
                && matches!(what, What::NotConnected { to: Host::Gateway(_), why } if why == "connection refused")
        };
        count(trace, refused) > 0 && script(trace) > ms(9_000)
    };
    hold_true(&[
        (all(|host| Fault::Refuse { host, lasts: ms(6_000) }), &refused),
        (all(|host| Fault::BlackHole { host, lasts: ms(6_000) }), &|trace| {
            script(trace) > ms(9_000)
        }),
    ]);
}

#[test]
fn a_connection_may_end_at_any_byte_of_a_frame() {
    for bytes in [0, 1, 2, 3, 4, 5, 40, 1_000_000] {
        let tear = || Fault::Tear { client: ana(), bytes };
        let torn = |trace: &Trace| ended(trace, &ana(), "connection reset");
        hold_true(&[
            (vec![on("ack", tear())], &torn),
            (vec![on("recommendations", tear())], &torn),
            (vec![on("message", tear())], &torn),
        ]);
    }
}

#[test]
fn what_comes_in_pieces_is_put_together() {
    let fragment =
        |bytes| vec![after(0, Fault::Fragment { client: ana(), bytes, lasts: ms(9_000) })];
    // The trace knows whole frames only; that pieces are pieces is tested on the wires.
    let whole = |trace: &Trace| {
        let reads = |host: &Host, what: &What| {
            *host == ana()
                && matches!(what, What::Received { frame: Wire::Text(text), .. } if text.contains("recommendations"))
        };
        count(trace, reads) > 0
    };
    hold_true(&[(fragment(1), &whole), (fragment(7), &whole), (fragment(0), &whole)]);
}

#[test]
fn who_is_signed_out_stays_out_and_is_told() {
    let sign_out = || Fault::SignOut { client: ana() };
    let gone = |trace: &Trace| super::said(trace, "signed-out");
    hold_true(&[
        (vec![after(0, sign_out())], &gone),
        (vec![on("ack", sign_out())], &gone),
        (vec![on("recommendations", sign_out()), after(5, cut())], &gone),
    ]);
}
