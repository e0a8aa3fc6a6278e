//! Each kind of fault against the whole assistant: the promises hold, the fault began, bit and ended.

mod links;
mod sick_hosts;

use rehearse::project::Project;
use rehearse::rehearsal::Rehearsal;
use rehearse::report::transcript::transcript;
use rehearse::scenario::{
    Armed, ClientSpec, Fault, Host, Pace, Scenario, Trigger, Turn, WorldSpec,
};
use rehearse::trace::{Event, Trace, What, Wire};
use rehearse::world::EngineKind;
use std::path::Path;
use std::time::Duration;

const SEEDS: std::ops::Range<u64> = 0..5;

/// Whether a fault has left its mark on a run.
type Bit<'a> = &'a dyn Fn(&Trace) -> bool;

fn ms(number: u64) -> Duration {
    Duration::from_millis(number)
}

fn ana() -> Host {
    Host::Client("ana".to_owned())
}

fn after(milliseconds: u64, fault: Fault) -> Armed {
    Armed { at: Trigger::Elapsed(ms(milliseconds)), fault }
}

fn on(event: &str, fault: Fault) -> Armed {
    Armed { at: Trigger::Frame { event: event.to_owned(), nth: 1 }, fault }
}

fn crash(host: Host, down: u64) -> Fault {
    Fault::Crash { host, down: ms(down) }
}

fn power_loss(host: Host, down: u64) -> Fault {
    Fault::PowerLoss { host, down: ms(down) }
}

fn bounce(host: Host) -> Fault {
    Fault::Bounce { host }
}

fn partition(a: Host, b: Host, lasts: u64) -> Fault {
    Fault::Partition { between: [a, b], lasts: ms(lasts) }
}

fn hold(a: Host, b: Host, lasts: u64) -> Fault {
    Fault::Hold { between: [a, b], lasts: ms(lasts) }
}

fn cut() -> Fault {
    Fault::Cut { client: ana() }
}

/// Ana and Ben, three turns; `faults` wait for the second, which is Ana's.
fn scenario(seed: u64, faults: Vec<Armed>) -> Scenario {
    let client = |name: &str| ClientSpec::new(name, &format!("u-{name}"), &format!("t-{name}"));
    let turn = |client, text: &str, faults| {
        let (text, pause) = (text.to_owned(), Duration::from_secs(2));
        Turn { client, text, pause, faults }
    };
    Scenario {
        name: format!("faults-{seed}"),
        seed,
        world: WorldSpec::default(),
        clients: vec![client("ana"), client("ben")],
        turns: vec![
            turn(1, "Hello there", Vec::new()),
            turn(0, "2 bed homes to buy in Portland under $400k", faults),
            turn(0, "Does the second one have parking?", Vec::new()),
        ],
        pace: Pace::Together,
        faults: Vec::new(),
    }
}

fn count(trace: &Trace, wanted: impl Fn(&Host, &What) -> bool) -> usize {
    trace.events.iter().filter(|event| wanted(&event.host, &event.what)).count()
}

fn starts(trace: &Trace, wanted: &Host) -> usize {
    count(trace, |host, what| host == wanted && matches!(what, What::Started))
}

fn stops(trace: &Trace, wanted: &Host) -> usize {
    count(trace, |host, what| host == wanted && matches!(what, What::Stopped { .. }))
}

fn ended(trace: &Trace, wanted: &Host, why: &str) -> bool {
    let ends = |host: &Host, what: &What| {
        host == wanted && matches!(what, What::Ended { how, .. } if how == why)
    };
    count(trace, ends) > 0
}

/// What happened after the moment at which the first fault began, until it ended.
fn during(trace: &Trace) -> Vec<&Event> {
    let began = trace.events.iter().find(|e| matches!(e.what, What::Injected { .. }));
    let moment = began.expect("a fault began").at_us;
    let rest = trace.events.iter().filter(|event| event.at_us > moment);
    rest.take_while(|event| !matches!(event.what, What::Healed { .. })).collect()
}

/// Whether ana read no frame while the first fault lasted, and many in all.
fn deaf(trace: &Trace) -> bool {
    let reads = |event: &&Event| event.host == ana() && matches!(event.what, What::Received { .. });
    during(trace).into_iter().filter(reads).count() == 0
        && trace.events.iter().filter(reads).count() > 5
}

/// Whether ana's app said so.
fn said(trace: &Trace, wanted: &str) -> bool {
    let says = |host: &Host, what: &What| {
        *host == ana() && matches!(what, What::Link { state } if state.starts_with(wanted))
    };
    count(trace, says) > 0
}

/// How long the users were busy.
fn script(trace: &Trace) -> Duration {
    let done = trace.events.iter().find(|event| matches!(event.what, What::ScriptDone));
    Duration::from_micros(done.map_or(0, |event| event.at_us))
}

/// Who plays what.
type Run<'a> = (EngineKind, u64, &'a [Armed]);

/// What is wrong with a run of these faults.
fn wrong(project: &Project, (engine, seed, faults): Run<'_>, bit: Bit<'_>) -> Option<String> {
    let scenario = scenario(seed, faults.to_vec());
    let run = Rehearsal::on(engine, project, &scenario).expect("the harness works");
    let trace = &run.trace;
    let injected = count(trace, |_, what| matches!(what, What::Injected { .. }));
    let healed = count(trace, |_, what| matches!(what, What::Healed { .. }));
    let lasting = faults.iter().filter(|armed| !armed.fault.is_momentary()).count();
    let why = if !run.violations.is_empty() {
        format!("{:#?}", run.violations)
    } else if (injected, healed) != (faults.len(), lasting) {
        format!("{injected} began, {healed} ended")
    } else if !bit(trace) {
        "no effect".to_owned()
    } else {
        return None;
    };
    Some(format!("{engine:?}, seed {seed}, {faults:?}\n{why}\n{}", transcript(&scenario, trace)))
}

/// Plays the faults of every case over all seeds.
fn hold_true(cases: &[(Vec<Armed>, Bit<'_>)]) {
    let project = Project::around(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("it is around us");
    let engines = [EngineKind::Turmoil, EngineKind::Event];
    let runs = engines.into_iter().flat_map(|engine| SEEDS.map(move |seed| (engine, seed)));
    let found: Vec<_> = runs
        .flat_map(|(engine, seed)| {
            cases.iter().filter_map({
                let project = &project;
                move |(faults, bit)| wrong(project, (engine, seed, faults), *bit)
            })
        })
        .collect();
    assert!(found.is_empty(), "{} runs are wrong\n{}", found.len(), found.join("\n"));
}

fn serving_hosts() -> [Host; 5] {
    [Host::Gateway(1), Host::Gateway(2), Host::Supervisor, Host::Agent, Host::TokenService]
}

#[test]
fn without_a_fault_the_users_are_served_within_a_second_a_turn() {
    hold_true(&[(Vec::new(), &|trace| script(trace) < ms(9_000))]);
}

#[test]
fn every_serving_host_may_crash_at_any_point_of_a_turn() {
    for host in serving_hosts() {
        let restarted = |trace: &Trace| starts(trace, &host) == 2;
        let at = |event| vec![on(event, crash(host.clone(), 1_000))];
        hold_true(&[
            (vec![after(0, crash(host.clone(), 6_000))], &restarted),
            (at("ack"), &restarted),
            (at("user_turn"), &restarted),
            (at("recommendations"), &restarted),
        ]);
    }
}

#[test]
fn every_serving_host_may_lose_its_power() {
    for host in serving_hosts() {
        let restarted = |trace: &Trace| starts(trace, &host) == 2;
        hold_true(&[
            (vec![after(0, power_loss(host.clone(), 5_000))], &restarted),
            (vec![on("ack", power_loss(host.clone(), 1_000))], &restarted),
        ]);
    }
}

#[test]
fn every_serving_host_may_be_deployed() {
    for host in serving_hosts() {
        let twice = |trace: &Trace| starts(trace, &host) == 2 && stops(trace, &host) == 2;
        hold_true(&[
            (vec![after(0, bounce(host.clone()))], &twice),
            (vec![on("ack", bounce(host.clone()))], &twice),
        ]);
    }
}

#[test]
fn both_gateways_may_be_deployed_at_once() {
    let both = |trace: &Trace| [1, 2].into_iter().all(|n| stops(trace, &Host::Gateway(n)) == 2);
    let gateways = [1, 2].map(|n| after(20, bounce(Host::Gateway(n))));
    hold_true(&[(gateways.to_vec(), &both)]);
}

#[test]
fn a_host_may_be_killed_in_the_middle_of_a_deploy() {
    let host = Host::Gateway(1);
    let faults = vec![after(0, bounce(host.clone())), after(50, crash(host, 2_000))];
    hold_true(&[(faults, &|trace| starts(trace, &Host::Gateway(1)) == 2)]);
}

#[test]
fn a_partition_only_delays() {
    let slow = |trace: &Trace| script(trace) > ms(10_000);
    let timed_out = |trace: &Trace| ended(trace, &ana(), "timed out");
    let (gateway, supervisor) = (|| Host::Gateway(1), || Host::Supervisor);
    hold_true(&[
        (vec![after(0, partition(gateway(), supervisor(), 8_000))], &slow),
        (vec![on("ack", partition(gateway(), supervisor(), 8_000))], &slow),
        (vec![after(0, partition(supervisor(), Host::Agent, 8_000))], &slow),
        (vec![after(0, partition(ana(), gateway(), 8_000))], &slow),
        (vec![after(0, partition(ana(), gateway(), 30_000))], &timed_out),
    ]);
}

#[test]
fn a_hold_only_delays() {
    let slow = |trace: &Trace| script(trace) > ms(10_000);
    hold_true(&[
        (vec![after(0, hold(Host::Supervisor, Host::Agent, 5_000))], &slow),
        (vec![after(0, hold(Host::Gateway(1), Host::Supervisor, 5_000))], &slow),
        (vec![after(0, hold(ana(), Host::Gateway(1), 5_000))], &slow),
        // All that Ana asks for a token with arrives at once, long after she gave up on most of it.
        (vec![after(0, hold(ana(), Host::TokenService, 8_000)), after(10, cut())], &slow),
    ]);
}

#[test]
fn a_cut_is_mended_by_a_new_connection() {
    let reset = |trace: &Trace| ended(trace, &ana(), "connection reset");
    hold_true(&[
        (vec![after(0, cut())], &reset),
        (vec![after(60, cut())], &reset),
        (vec![on("ack", cut())], &reset),
        (vec![on("user_turn", cut())], &reset),
        (vec![on("recommendations", cut())], &reset),
        (vec![on("message", cut())], &reset),
    ]);
}

#[test]
fn a_cut_without_a_token_service_is_mended_once_it_is_back() {
    let refused = |host: &Host, what: &What| {
        *host == ana() && matches!(what, What::NotConnected { to: Host::TokenService, .. })
    };
    let faults = vec![after(0, crash(Host::TokenService, 12_000)), after(10, cut())];
    hold_true(&[(faults, &|trace| count(trace, refused) > 0)]);
}

#[test]
fn overlapping_faults_each_end_once() {
    let faults = vec![
        after(0, hold(Host::Supervisor, Host::Agent, 4_000)),
        after(10, partition(Host::Agent, Host::Supervisor, 2_000)),
        after(20, crash(Host::Supervisor, 1_000)),
        after(30, power_loss(Host::Agent, 3_000)),
    ];
    let twice = |trace: &Trace| {
        [Host::Supervisor, Host::Agent].into_iter().all(|host| starts(trace, &host) == 2)
    };
    hold_true(&[(faults, &twice)]);
}

/// Whether every acked turn is in a log.
fn nothing_lost(trace: &Trace) -> bool {
    let in_log = |id| {
        trace.events.iter().any(|event| {
            matches!(&event.what, What::Log { frames, .. }
                if frames.iter().any(|frame| frame.in_reply_to == id))
        })
    };
    let acked = trace.events.iter().filter_map(|event| {
        if let What::Acked { message_id, .. } = &event.what { Some(message_id) } else { None }
    });
    acked.cloned().all(in_log)
}

#[test]
fn no_acked_turn_is_lost_whenever_the_supervisor_loses_its_power_or_its_process() {
    let kept = |trace: &Trace| starts(trace, &Host::Supervisor) == 2 && nothing_lost(trace);
    for at in (0..=200).step_by(10) {
        hold_true(&[
            (vec![after(at, power_loss(Host::Supervisor, 500))], &kept),
            (vec![after(at, crash(Host::Supervisor, 500))], &kept),
        ]);
    }
}

#[test]
fn nobody_is_signed_out_whenever_the_token_service_loses_its_power_or_its_process() {
    let signed_in = |trace: &Trace| {
        let signed_out = |_: &Host, what: &What| matches!(what, What::Link { state } if state.starts_with("signed-out"));
        starts(trace, &Host::TokenService) == 2 && count(trace, signed_out) == 0
    };
    // Ana is cut off and asks for a token about a second later.
    for at in (800..=1_300).step_by(50) {
        hold_true(&[
            (vec![after(0, cut()), after(at, power_loss(Host::TokenService, 500))], &signed_in),
            (vec![after(0, cut()), after(at, crash(Host::TokenService, 500))], &signed_in),
        ]);
    }
}

#[test]
fn a_client_that_reads_nothing_for_a_while_catches_up() {
    let slow = |lasts| Fault::SlowReader { client: ana(), lasts: ms(lasts) };
    let bit = |trace: &Trace| deaf(trace) && script(trace) > ms(9_000);
    hold_true(&[
        (vec![after(0, slow(6_000))], &bit),
        (vec![on("ack", slow(6_000))], &bit),
        // So long that both ends give the connection up, and its successors too.
        (vec![after(0, slow(90_000))], &bit),
    ]);
}

#[test]
fn a_half_open_connection_is_given_up_by_both_ends_or_reset_at_the_end() {
    let half_open = |lasts| Fault::HalfOpen { client: ana(), lasts: ms(lasts) };
    let reset = |trace: &Trace| deaf(trace) && ended(trace, &ana(), "connection reset");
    let replaced = |trace: &Trace| {
        let connects = |event: &Event| {
            event.host == ana()
                && matches!(&event.what, What::Connected { to: Host::Gateway(_), .. })
        };
        during(trace).into_iter().any(connects) && !ended(trace, &ana(), "connection reset")
    };
    hold_true(&[
        (vec![after(0, half_open(8_000))], &reset),
        (vec![on("ack", half_open(8_000))], &reset),
        (vec![after(0, half_open(120_000))], &replaced),
    ]);
}

#[test]
fn a_client_offline_says_so_and_returns_as_soon_as_it_is_online() {
    let offline = |lasts| Fault::Offline { client: ana(), lasts: ms(lasts) };
    let bit = |trace: &Trace| deaf(trace) && said(trace, "offline");
    hold_true(&[
        (vec![after(0, offline(5_000))], &bit),
        (vec![on("ack", offline(5_000))], &bit),
        (vec![after(0, offline(60_000))], &bit),
    ]);
}

#[test]
fn a_paused_client_does_nothing_and_goes_on_where_it_was() {
    let pause = |lasts| Fault::Pause { host: ana(), lasts: ms(lasts) };
    let still = |trace: &Trace| {
        let does = |event: &Event| event.host == ana() && !matches!(event.what, What::Said { .. });
        !during(trace).into_iter().any(does) && script(trace) > ms(9_000)
    };
    hold_true(&[
        (vec![on("ack", pause(6_000))], &still),
        (vec![on("user_turn", pause(120_000))], &still),
    ]);
}

#[test]
fn clocks_a_little_apart_are_tolerated() {
    let skew = |host, by_ms| after(0, Fault::Skew { host, by_ms });
    let anything =
        |trace: &Trace| count(trace, |_, what| matches!(what, What::Injected { .. })) > 0;
    for host in serving_hosts() {
        let faults = |by_ms| vec![skew(host.clone(), by_ms), after(10, cut())];
        hold_true(&[(faults(2_000), &anything), (faults(-2_000), &anything)]);
    }
}

#[test]
fn a_gateway_whose_clock_is_ahead_ends_a_token_early() {
    let project = Project::around(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("it is around us");
    let skews = [1, 2].map(|n| after(0, Fault::Skew { host: Host::Gateway(n), by_ms: 580_000 }));
    let mut scenario = scenario(1, [&skews[..], &[after(10, cut())]].concat());
    scenario.world.lasts = Duration::from_secs(60);
    let run = Rehearsal::of_scenario(&project, &scenario).expect("the harness works");
    let expired = |host: &Host, what: &What| {
        let close = |frame: &Wire| matches!(frame, Wire::Close { code: Some(4410), .. });
        *host == ana() && matches!(what, What::Received { frame, .. } if close(frame))
    };
    assert!(count(&run.trace, expired) > 0, "{}", transcript(&scenario, &run.trace));
    assert!(run.violations.is_empty(), "{:#?}", run.violations);
}

#[test]
fn serving_hosts_are_not_paused() {
    let project = Project::around(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("it is around us");
    let pause = Fault::Pause { host: Host::Agent, lasts: ms(10) };
    let refused = Rehearsal::of_scenario(&project, &scenario(1, vec![after(0, pause)]));
    let why = refused.map(drop).expect_err("it was played");
    let cause = std::error::Error::source(&why).map(ToString::to_string);
    assert_eq!(cause.as_deref(), Some("agent cannot be paused: only clients can"));
}

#[test]
fn roles_and_clients_keep_to_the_configuration_of_the_scenario() {
    let project = Project::around(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("it is around us");
    let mut scenario = scenario(1, Vec::new());
    scenario.world.lasts = Duration::from_secs(20);
    scenario.world.config.gateway.heartbeat = Duration::from_secs(1);
    scenario.world.config.token.access_ttl = Duration::from_secs(8);
    let run = Rehearsal::of_scenario(&project, &scenario).expect("the harness works");
    let read = |wanted: &dyn Fn(&Wire) -> bool| {
        count(&run.trace, |host, what| {
            *host == ana() && matches!(what, What::Received { frame, .. } if wanted(frame))
        })
    };
    let ping = |frame: &Wire| matches!(frame, Wire::Text(text) if text.contains("\"ping\""));
    assert!(read(&ping) > 10, "{} pings", read(&ping));
    let expired = |frame: &Wire| matches!(frame, Wire::Close { code: Some(4410), .. });
    assert!(read(&expired) > 0, "no token ended");
}

#[test]
fn rc_authz_a_client_of_somebody_else_is_told_so_and_shown_nothing() {
    let project = Project::around(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("it is around us");
    let mut scenario = scenario(1, vec![after(0, crash(Host::Gateway(1), 2_000))]);
    scenario.clients[1].thread = "t-ana".to_owned();
    scenario.turns.remove(0);
    scenario.world.arrive_over = Duration::from_secs(2);
    let run = Rehearsal::of_scenario(&project, &scenario).expect("the harness works");
    assert!(run.violations.is_empty(), "{:#?}", run.violations);
    let told = |host: &Host, what: &What| {
        let is_ben = *host == Host::Client("ben".to_owned());
        let shown = matches!(what, What::Shown { .. });
        assert!(!(is_ben && shown), "he was shown {what:?}");
        let close = |frame: &Wire| matches!(frame, Wire::Close { code: Some(4403), .. });
        is_ben && matches!(what, What::Received { frame, .. } if close(frame))
    };
    assert_eq!(count(&run.trace, told), 1);
}
