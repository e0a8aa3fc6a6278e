//! AU-EXPIRE, AU-REVOKE and AU-NO-LOOP: a token is good for its time and no longer, a session that was ended is over
//! at once, and a token that is refused is not presented for ever.
//!
//! A trace holds no token. It tells when the token service was asked: what a connection lives on is no younger
//! than the last such answer before it began, or before a new token came over it. A scenario in which clocks are
//! wrong says nothing about the end of a token.

use super::calm::Calm;
use super::wire;
use super::{Oracle, Violation, is_final};
use crate::scenario::{Armed, Fault, Host, Scenario};
use crate::trace::{Event, Trace, What};
use assistant::config::ClientPolicy;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const NAME: &str = "auth";

pub(super) const ORACLE: Oracle = Oracle {
    name: NAME,
    asks: "is nobody served on a token that has ended, or asked in vain for ever?",
    judge,
};

/// How long after the end of its token a connection may still bring a frame (AU-EXPIRE).
const LATE_MAX: Duration = Duration::from_secs(5);
/// How long an answer of the token service may be on its way after the connection to it, at most.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// How soon a session is over for its client once it was ended, while nothing else is wrong.
const OVER_WITHIN: Duration = Duration::from_secs(15);
/// The same for a client that is connected: gateways are told at once.
const CLOSED_WITHIN: Duration = Duration::from_secs(3);

/// What a client lives on.
#[derive(Default)]
struct Credentials {
    /// When the token service was last connected to.
    asked: Option<Duration>,
    /// The connection, and the same for the token that it lives on.
    conn: Option<(u64, Duration)>,
    /// Upgrades refused in a row for their token.
    refused: u32,
}

fn judge(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    let config = &scenario.world.config;
    let lasts = config.token.access_ttl + ANSWER_MAX + LATE_MAX;
    let refused_max = ClientPolicy::default().forced_refreshes_max.saturating_add(1);
    let clocks_are_right = !has_skew(scenario);
    let mut endings = Endings::default();
    let mut clients: BTreeMap<&Host, Credentials> = BTreeMap::new();
    let mut found = Vec::new();
    for event in &trace.events {
        found.extend(endings.step(event));
        if let Some((client, conn)) = renewed(event, &clients) {
            let held = clients.entry(client).or_default();
            held.conn = held.asked.map(|asked| (conn, asked));
        }
        if !matches!(event.host, Host::Client(_)) {
            continue;
        }
        let client = clients.entry(&event.host).or_default();
        let what = client.step(event, refused_max).or_else(|| {
            let served = client.served(event).filter(|_| clocks_are_right);
            served.filter(|age| *age > lasts).map(|age| {
                format!(
                    "was served on a token of {} s, which is good for {} s",
                    age.as_secs(),
                    config.token.access_ttl.as_secs()
                )
            })
        });
        let words = |what| format!("{} {what}", event.host);
        found.extend(what.map(|what| Violation::at(NAME, event, words(what))));
    }
    found
}

/// Sessions that were ended from elsewhere.
#[derive(Default)]
struct Endings<'t> {
    /// Those that their clients have not felt yet, since when, and how long that may go on.
    open: BTreeMap<&'t Host, (u64, Duration)>,
    /// Clients that have a connection.
    connected: BTreeSet<&'t Host>,
    /// Clients that had gone for good before.
    gone: BTreeSet<&'t Host>,
    /// What else is wrong.
    others: Calm,
}

impl<'t> Endings<'t> {
    fn step(&mut self, event: &'t Event) -> Option<Violation> {
        self.others.hear_of(event, |fault| !matches!(fault, Fault::SignOut { .. }));
        match (&event.what, &event.host) {
            (What::Injected { fault: Fault::SignOut { client }, .. }, _) => {
                if !self.gone.contains(client) {
                    let is_connected = self.connected.contains(client);
                    let most = if is_connected { CLOSED_WITHIN } else { OVER_WITHIN };
                    self.open.insert(client, (event.at_us, most));
                }
            }
            (What::Link { state }, host) if is_final(state) || state == "closed" => {
                self.open.remove(host);
                self.gone.insert(host);
                self.connected.remove(host);
            }
            (What::Link { state }, host) if state == "connected" => {
                self.connected.insert(host);
            }
            (What::Link { .. }, host) => {
                self.connected.remove(host);
                if let Some((_, most)) = self.open.get_mut(host) {
                    *most = OVER_WITHIN;
                }
            }
            (_, _) => {}
        }
        let since = |at: u64| Duration::from_micros(event.at_us.saturating_sub(at));
        let is_calm = self.others.reigns(event.at_us);
        let late = self.open.iter().find(|(_, (at, most))| is_calm && since(*at) > *most);
        let (client, most) = late.map(|(client, (_, most))| (*client, *most))?;
        self.open.remove(client);
        let what = format!("{client} goes on though its session was ended {most:?} ago");
        Some(Violation::at(NAME, event, what))
    }
}

fn has_skew(scenario: &Scenario) -> bool {
    let of_turns = scenario.turns.iter().flat_map(|turn| &turn.faults);
    let is_skew = |armed: &Armed| matches!(armed.fault, Fault::Skew { .. });
    scenario.faults.iter().chain(of_turns).any(is_skew)
}

/// The client whose new token a gateway has read, and the connection.
fn renewed<'t>(
    event: &Event,
    clients: &BTreeMap<&'t Host, Credentials>,
) -> Option<(&'t Host, u64)> {
    if !matches!(event.host, Host::Gateway(_)) {
        return None;
    }
    let frame = wire::frame(event).filter(|frame| frame.head.event == "auth")?;
    let holds = |held: &Credentials| held.conn.is_some_and(|(conn, _)| conn == frame.conn);
    let (client, _) = clients.iter().find(|(_, held)| holds(held))?;
    Some((client, frame.conn))
}

impl Credentials {
    fn step(&mut self, event: &Event, refused_max: u32) -> Option<String> {
        let at = Duration::from_micros(event.at_us);
        match (&event.what, self.asked) {
            (What::Connected { to: Host::TokenService, .. }, _) => self.asked = Some(at),
            (What::Connected { conn, to: Host::Gateway(_) }, Some(asked)) => {
                self.conn = Some((*conn, asked));
            }
            (What::Link { state }, _) if state == "connected" => self.refused = 0,
            (What::Refused { status: 401 | 403, .. }, _) => {
                self.refused += 1;
                let refused = self.refused;
                return (refused > refused_max)
                    .then(|| format!("was refused for its token {refused} times in a row"));
            }
            (_, _) => {}
        }
        None
    }

    /// How old the token was on which a durable frame came.
    fn served(&self, event: &Event) -> Option<Duration> {
        let frame = wire::frame(event).filter(|frame| frame.head.is_durable())?;
        let (_, asked) = self.conn.filter(|(conn, _)| *conn == frame.conn)?;
        Some(Duration::from_micros(event.at_us).saturating_sub(asked))
    }
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, client, healthy};
    use super::*;
    use assistant::contract::frame::{ClientFrame, ServerFrame};

    /// Ben has a token, connects, and after so long something is said to him.
    fn served(mut run: Bench, seconds: u64) -> Bench {
        run.tell(client("ben"), What::Connected { conn: 8, to: Host::TokenService });
        run.join("ben", 9, 7);
        later(&mut run, seconds);
        run
    }

    fn later(run: &mut Bench, seconds: u64) {
        run.tell(Host::World, What::ScriptDone);
        run.trace.events.last_mut().expect("an event").at_us += seconds * 1_000_000;
        let frame = ServerFrame::Log(run.log()[6].clone());
        run.receives("ben", 9, &frame);
    }

    #[test]
    fn accepts_a_healthy_run() {
        healthy().accepted_by(&ORACLE);
        served(healthy(), 600).accepted_by(&ORACLE);
    }

    #[test]
    fn refuses_to_serve_on_a_token_that_has_ended() {
        let words = "ben was served on a token of 620 s, which is good for 600 s";
        served(healthy(), 620).refused_by(&ORACLE, words);
        let mut run = healthy();
        run.scenario.world.config.token.access_ttl = Duration::from_secs(60);
        served(run, 80).refused_by(&ORACLE, "token of 80 s, which is good for 60 s");
    }

    #[test]
    fn a_new_token_prolongs_a_connection_once() {
        let mut run = served(healthy(), 590);
        run.tell(client("ben"), What::Connected { conn: 10, to: Host::TokenService });
        run.sends(9, &ClientFrame::Auth { token: "secret".to_owned() });
        later(&mut run, 590);
        run.accepted_by(&ORACLE);
        later(&mut run, 40);
        run.refused_by(&ORACLE, "ben was served on a token of 630 s");
    }

    #[test]
    fn says_nothing_about_the_end_of_a_token_where_clocks_are_wrong() {
        let mut run = served(healthy(), 620);
        let fault = Fault::Skew { host: Host::Gateway(1), by_ms: -60_000 };
        let at = crate::scenario::Trigger::Elapsed(Duration::ZERO);
        run.scenario.faults.push(Armed { at, fault });
        run.accepted_by(&ORACLE);
    }

    #[test]
    fn au_no_loop_refuses_a_client_that_presents_a_refused_token_for_ever() {
        let mut run = healthy();
        let refused = What::Refused { conn: 8, status: 403, retry_after: None };
        run.tell(client("ben"), refused.clone());
        run.tell(client("ben"), refused.clone());
        run.accepted_by(&ORACLE);
        run.tell(client("ben"), refused);
        run.refused_by(&ORACLE, "ben was refused for its token 3 times in a row");
    }

    #[test]
    fn refuses_a_session_that_goes_on_after_its_end() {
        let fault = || Fault::SignOut { client: client("ben") };
        let mut run = healthy();
        run.tell(Host::World, What::ScriptDone);
        run.trace.events.last_mut().expect("an event").at_us += 100_000_000;
        run.tell(Host::World, What::Injected { turn: None, index: 0, fault: fault() });
        let mut over = run.clone();
        let mut away = run.clone();
        away.link("ben", "waiting 3.2s (attempt 1)");
        let mut gone = healthy();
        gone.link("ben", "stopped (Code(4403))");
        gone.tell(Host::World, What::Injected { turn: None, index: 0, fault: fault() });
        gone.tell(client("ana"), What::ViewReset);
        gone.trace.events.last_mut().expect("an event").at_us += 100_000_000;
        gone.accepted_by(&ORACLE);
        run.tell(client("ben"), What::ViewReset);
        run.trace.events.last_mut().expect("an event").at_us += 2_000_000;
        run.accepted_by(&ORACLE);
        run.trace.events.last_mut().expect("an event").at_us += 1_000_000;
        run.refused_by(&ORACLE, "ben goes on though its session was ended 3s ago");
        away.tell(client("ben"), What::ViewReset);
        away.trace.events.last_mut().expect("an event").at_us += 14_000_000;
        away.accepted_by(&ORACLE);
        away.trace.events.last_mut().expect("an event").at_us += 2_000_000;
        away.refused_by(&ORACLE, "ben goes on though its session was ended 15s ago");
        over.link("ben", "signed-out (Refused)");
        over.tell(client("ben"), What::ViewReset);
        over.trace.events.last_mut().expect("an event").at_us += 16_000_000;
        over.accepted_by(&ORACLE);
    }
}
