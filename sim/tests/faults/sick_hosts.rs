//! Hosts that run and are not well: they answer wrongly, or their disk fails.

use super::{
    Bit, after, count, crash, cut, during, hold_true, ms, on, power_loss, scenario, script,
};
use rehearse::project::Project;
use rehearse::rehearsal::Rehearsal;
use rehearse::scenario::{DiskFailure, Fault, Host, Misbehaviour};
use rehearse::trace::{Trace, What, Wire};
use rehearse::world::EngineKind;
use std::path::Path;

#[test]
fn an_agent_that_misbehaves_delays_an_answer_and_changes_none() {
    let misbehave = |how| {
        let lasts = ms(4_000);
        vec![after(0, Fault::Misbehave { host: Host::Agent, how, lasts })]
    };
    let told = |trace: &Trace, code: &str| {
        let code = format!("\"code\":\"{code}\"");
        during(trace).into_iter().any(|event| {
            matches!(&event.what, What::Received { frame: Wire::Text(text), .. } if text.contains(&code))
        })
    };
    let unavailable = |trace: &Trace| told(trace, "agent_unavailable");
    let invalid = |trace: &Trace| told(trace, "agent_invalid");
    hold_true(&[
        (misbehave(Misbehaviour::Refuse), &unavailable),
        (misbehave(Misbehaviour::Garble), &invalid),
        (misbehave(Misbehaviour::Drift), &invalid),
        // Two calls of two seconds each, and one more retry than the fault lasts.
        (misbehave(Misbehaviour::Hang), &|trace| script(trace) > ms(8_000)),
    ]);
}

#[test]
fn a_token_service_that_misbehaves_keeps_nobody_out_for_long() {
    let misbehave = |how| {
        let fault = Fault::Misbehave { host: Host::TokenService, how, lasts: ms(3_000) };
        vec![after(0, fault), after(10, cut())]
    };
    let back = |trace: &Trace| script(trace) > ms(6_000);
    let hows =
        [Misbehaviour::Refuse, Misbehaviour::Garble, Misbehaviour::Drift, Misbehaviour::Hang];
    hold_true(&hows.map(|how| {
        let bit: Bit<'_> = &back;
        (misbehave(how), bit)
    }));
}

#[test]
fn a_host_whose_disk_fails_dies_and_comes_back_with_all_it_had() {
    let died = |host: Host| {
        move |trace: &Trace| {
            count(trace, |at, what| *at == host && matches!(what, What::Died { .. })) > 0
        }
    };
    let bad = |host: &Host, how| {
        let fault = Fault::BadDisk { host: host.clone(), how, lasts: ms(3_000) };
        vec![after(0, fault), after(10, cut())]
    };
    for host in [Host::Supervisor, Host::TokenService] {
        let died = died(host.clone());
        hold_true(&[DiskFailure::Io, DiskFailure::Full].map(|how| {
            let bit: Bit<'_> = &died;
            (bad(&host, how), bit)
        }));
    }
}

#[test]
fn a_disk_that_is_slow_delays_and_one_that_lies_shows_nothing_while_the_power_holds() {
    let (host, lasts) = (Host::Supervisor, ms(9_000));
    let slow = Fault::SlowSync { host: host.clone(), by: ms(800), lasts };
    let lie = Fault::LostSync { host: host.clone(), lasts };
    hold_true(&[
        (vec![after(0, slow)], &|trace| script(trace) > ms(7_800)),
        (vec![after(0, lie), on("ack", crash(host, 500))], &|trace| script(trace) > ms(6_500)),
    ]);
}

#[test]
fn a_disk_that_lies_and_a_power_loss_together_are_noticed() {
    let project = Project::around(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("it is around us");
    let host = Host::Supervisor;
    let lie = after(0, Fault::LostSync { host: host.clone(), lasts: ms(9_000) });
    let scenario = scenario(1, vec![lie, on("recommendations", power_loss(host, 500))]);
    let run = Rehearsal::on(EngineKind::Event, &project, &scenario).expect("the harness works");
    let objects = |oracle| run.violations.iter().any(|violation| violation.oracle == oracle);
    assert!(objects("recovery"), "{:#?}", run.violations);
}
