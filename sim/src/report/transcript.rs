//! A run as text: what was said and what was shown, one fact a line, for a reader who has never seen the code.
//!
//! No times, no ids of messages, no connections, no seeds: the text of a calm run is the same over any network.

use super::listings::{cards, stretched};
use crate::scenario::{
    ClientSpec, DiskFailure, Fault, Intrusion, Misbehaviour, Scenario, Trigger, Turn,
};
use crate::trace::Trace;
use crate::view::{Fact, Link, Seen, Stray, view};
use assistant::contract::frame::{AgentName, ErrorCode, LogBody};
use assistant::contract::id::Cursor;
use std::time::Duration;

/// Where the second column begins.
const LABEL: usize = 8;

/// The transcript of a run.
#[must_use]
pub fn transcript(scenario: &Scenario, trace: &Trace) -> String {
    let view = view(scenario, trace);
    let mut page = Page { text: format!("session  {}\n", scenario.name) };
    for (place, client) in scenario.clients.iter().enumerate() {
        let label = if place == 0 { "clients" } else { "" };
        page.put(&format!("{label:LABEL$} "), &client_words(client));
    }
    if !view.opening.is_empty() {
        page.put("\n", "before the first turn");
        for fact in &view.opening {
            page.fact(scenario, None, fact);
        }
    }
    for (place, (turn, facts)) in scenario.turns.iter().zip(&view.turns).enumerate() {
        let name = client_name(scenario, turn.client);
        let head = format!("\nturn {}  {name}: ", number(place));
        page.put(&head, &turn.text);
        match facts {
            Some(facts) => page.turn(scenario, turn, facts),
            None => page.line("nothing", "this turn was never said"),
        }
    }
    page.text
}

/// What came of the last turn of a run, without the turn.
#[must_use]
pub fn last_turn(scenario: &Scenario, trace: &Trace) -> String {
    let view = view(scenario, trace);
    let mut page = Page { text: String::new() };
    if let (Some(turn), Some(facts)) = (scenario.turns.last(), view.turns.last()) {
        match facts {
            Some(facts) => page.turn(scenario, turn, facts),
            None => page.line("nothing", "this turn was never said"),
        }
    }
    page.text
}

/// The faults of a scenario, a line each.
#[must_use]
pub fn schedule(scenario: &Scenario) -> String {
    let lines = scenario.armed().map(|place| {
        let at = place.turn.map_or("run".to_owned(), |turn| format!("turn {}", number(turn)));
        let at_words = trigger(&place.armed.at, place.turn.is_some());
        format!("  {at:LABEL$} {}{at_words}\n", fault_words(&place.armed.fault))
    });
    lines.collect()
}

/// A transcript in the making.
struct Page {
    text: String,
}

impl Page {
    /// A line; further lines of `text` are aligned below its first.
    fn put(&mut self, head: &str, text: &str) {
        self.text.push_str(head);
        let indent = head.trim_start_matches('\n').chars().count();
        for (place, line) in text.lines().enumerate() {
            if place > 0 {
                self.text.push_str(&" ".repeat(indent));
            }
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
        if text.is_empty() {
            self.text.push('\n');
        }
    }

    fn line(&mut self, label: &str, text: &str) {
        self.put(&format!("  {label:LABEL$} "), text);
    }

    /// What happened in a turn: first to its speaker and the world, then to everybody else.
    fn turn(&mut self, scenario: &Scenario, turn: &Turn, facts: &[Fact]) {
        let of = |who: usize| facts.iter().filter(move |fact| fact.client == Some(who));
        let here =
            facts.iter().filter(|fact| fact.client.is_none_or(|client| client == turn.client));
        self.facts(scenario, Some(turn.client), here);
        let thread = scenario.clients.get(turn.client).map(|client| &client.thread);
        for (who, client) in scenario.clients.iter().enumerate() {
            if who == turn.client {
                continue;
            }
            let same_thread = Some(&client.thread) == thread;
            let saw = shown(of(who));
            if same_thread && saw.as_ref().is_some_and(Vec::is_empty) {
                self.facts(scenario, Some(turn.client), of(who));
                self.line(&client.name, "saw no answer");
            } else if saw.is_some() && saw == shown(of(turn.client)) {
                let rest = of(who).filter(|fact| !matches!(fact.what, Seen::Frame { .. }));
                self.facts(scenario, Some(turn.client), rest);
                if same_thread {
                    self.line(&client.name, "saw the same");
                }
            } else {
                self.facts(scenario, Some(turn.client), of(who));
            }
        }
    }

    /// Facts in order; changes of a connection that follow each other share a line.
    fn facts<'f>(
        &mut self,
        scenario: &Scenario,
        speaker: Option<usize>,
        facts: impl Iterator<Item = &'f Fact>,
    ) {
        let mut links: Vec<String> = Vec::new();
        let mut facts = facts.peekable();
        while let Some(fact) = facts.next() {
            let Seen::Link(link) = &fact.what else {
                self.fact(scenario, speaker, fact);
                continue;
            };
            links.push(link_word(link));
            let next = facts.peek();
            if !next.is_some_and(|next| {
                matches!(next.what, Seen::Link(_)) && next.client == fact.client
            }) {
                let who = stranger(scenario, speaker, fact);
                self.said(who, "link", &links.join(", "));
                links.clear();
            }
        }
    }

    /// A line, below the name of a client that is not the speaker.
    fn said(&mut self, who: Option<&str>, label: &str, text: &str) {
        match who {
            Some(name) => self.put(&format!("  {name:LABEL$} {label:LABEL$} "), text),
            None => self.line(label, text),
        }
    }

    fn fact(&mut self, scenario: &Scenario, speaker: Option<usize>, fact: &Fact) {
        let who = stranger(scenario, speaker, fact);
        match &fact.what {
            Seen::Frame { body, stray } => self.frame(who, body, *stray),
            Seen::SaidAgain => {
                self.said(who, "again", "said once more, after an error that invites it");
            }
            Seen::GivenUp { why } => self.said(who, "gave up", why),
            Seen::Link(link) => self.said(who, "link", &link_word(link)),
            Seen::StartedAgain { frames } => {
                let text = format!("started again, {} shown anew", count(*frames, "frame"));
                self.said(who, "view", &text);
            }
            Seen::Fault { fault, at, in_turn } => {
                let at = at.as_ref().map(|at| trigger(at, *in_turn)).unwrap_or_default();
                self.line("fault", &format!("{}{at}", fault_words(fault)));
            }
            Seen::Died { host, why } => self.line("died", &format!("{host}: {why}")),
            Seen::TimedOut { outstanding } => {
                self.line("timeout", &format!("the run was given up\n{}", outstanding.join("\n")));
            }
        }
    }

    fn frame(&mut self, who: Option<&str>, body: &LogBody, stray: Option<Stray>) {
        let stray = match stray {
            None => String::new(),
            Some(Stray::Turn(turn)) => format!(" (belongs to turn {})", number(turn)),
            Some(Stray::Unknown) => " (belongs to nothing said here)".to_owned(),
        };
        self.said(who, "showed", &body_words(body, &stray));
    }
}

/// What a frame says, a fact a line; `stray` tells where it belongs, if not here.
pub(crate) fn body_words(body: &LogBody, stray: &str) -> String {
    match body {
        LogBody::UserTurn { text, .. } => format!("the turn{stray}: {text}"),
        LogBody::Message { agent, intent, text } => {
            format!("message from {} ({}){stray}: {text}", agent_name(*agent), intent.as_str())
        }
        LogBody::Error { code, message, retryable } => {
            let again = if *retryable { "may be said again" } else { "final" };
            format!("error {} ({again}){stray}: {message}", error_name(*code))
        }
        LogBody::Recommendations { agent, recommendations, relaxation } => {
            let listings = count(recommendations.len(), "listing");
            let agent = agent_name(*agent);
            let mut lines = vec![format!("recommendations from {agent}, {listings}{stray}")];
            lines.extend(cards(recommendations).into_iter().map(|card| format!("  {card}")));
            lines.extend(relaxation.iter().map(stretched));
            lines.join("\n")
        }
    }
}

/// What a client was shown in a turn besides the turn itself; absent if a frame was out of its turn.
fn shown<'f>(facts: impl Iterator<Item = &'f Fact>) -> Option<Vec<&'f LogBody>> {
    let mut bodies = Vec::new();
    for fact in facts {
        if let Seen::Frame { body, stray } = &fact.what {
            if stray.is_some() {
                return None;
            }
            bodies.push(&**body);
        }
    }
    bodies.retain(|body| !matches!(body, LogBody::UserTurn { .. }));
    Some(bodies)
}

/// The name of the fact's client, if it is not the speaker.
fn stranger<'s>(scenario: &'s Scenario, speaker: Option<usize>, fact: &Fact) -> Option<&'s str> {
    let client = fact.client?;
    (speaker != Some(client)).then(|| client_name(scenario, client))
}

/// Who a client is, and what is special about it.
fn client_words(client: &ClientSpec) -> String {
    let ClientSpec { name, user, thread, instance, arrives, kept, hasty: _ } = client;
    let mut text = format!("{name} ({user}) on {thread}");
    if let Some(original) = instance {
        text.push_str(&format!(", a copy of {original}"));
    }
    if let Some(turn) = arrives {
        text.push_str(&format!(", from turn {} on", number(*turn)));
    }
    if let Some(Cursor { seq, .. }) = kept {
        let seen = count(usize::try_from(*seq).unwrap_or(usize::MAX), "frame");
        text.push_str(&format!(", which remembers {seen} of an earlier log"));
    }
    text
}

fn client_name(scenario: &Scenario, client: usize) -> &str {
    scenario.clients.get(client).map_or("?", |client| &client.name)
}

/// Turns are counted from 1 in everything that people read.
fn number(place: usize) -> usize {
    place.saturating_add(1)
}

fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

fn agent_name(agent: AgentName) -> &'static str {
    match agent {
        AgentName::RealEstate => "real_estate",
        AgentName::General => "general",
    }
}

fn error_name(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::AgentUnavailable => "agent_unavailable",
        ErrorCode::AgentInvalid => "agent_invalid",
    }
}

fn link_word(link: &Link) -> String {
    match link {
        Link::Lost => "lost".to_owned(),
        Link::Reconnected => "reconnected".to_owned(),
        Link::Other(word) => word.clone(),
        Link::Gone(word, Some(why)) => format!("{word}: {}", why.text()),
        Link::Gone(word, None) => word.clone(),
    }
}

#[expect(clippy::too_many_lines, reason = "a sentence a fault")]
pub(crate) fn fault_words(fault: &Fault) -> String {
    match fault {
        Fault::Crash { host, down } => format!("crash {host}, back after {down:?}"),
        Fault::PowerLoss { host, down } => format!("power loss of {host}, back after {down:?}"),
        Fault::Bounce { host } => format!("bounce {host}"),
        Fault::Partition { between: [a, b], lasts } => {
            format!("partition {a} and {b} for {lasts:?}")
        }
        Fault::Hold { between: [a, b], lasts } => {
            format!("hold everything between {a} and {b} for {lasts:?}")
        }
        Fault::OneWay { from, to, lasts } => {
            format!("lose what {from} sends {to} for {lasts:?}")
        }
        Fault::Flap { between: [a, b], every, lasts } => {
            format!("the link of {a} and {b} goes and comes every {every:?} for {lasts:?}")
        }
        Fault::Latency { between: [a, b], by, lasts } => {
            format!("{by:?} more between {a} and {b} for {lasts:?}")
        }
        Fault::Refuse { host, lasts } => format!("{host} refuses connections for {lasts:?}"),
        Fault::BlackHole { host, lasts } => {
            format!("connections to {host} are swallowed for {lasts:?}")
        }
        Fault::Lose { client } => format!("lose a frame on its way to {client}"),
        Fault::Tear { client, bytes } => {
            format!("reset {client}'s connection {bytes} bytes into a frame")
        }
        Fault::Fragment { client, bytes, lasts } => {
            format!("{client} reads {bytes} bytes at a time for {lasts:?}")
        }
        Fault::LostSync { host, lasts } => {
            format!("{host}'s disk only says that it syncs for {lasts:?}")
        }
        Fault::SlowSync { host, by, lasts } => {
            format!("{host}'s disk takes {by:?} to sync for {lasts:?}")
        }
        Fault::Intrude { host, how } => {
            let does = match how {
                Intrusion::Silent => "says nothing",
                Intrusion::Binary => "sends a binary frame",
                Intrusion::Garbage => "sends no JSON",
                Intrusion::Huge => "sends too much at once",
                Intrusion::Flood => "sends too fast",
                Intrusion::Crowd => "sends too fast over many connections",
                Intrusion::Expired => "brings a token that has ended",
                Intrusion::Revoked => "brings a token of a session that was ended",
                Intrusion::Forged => "brings a token of its own making",
                Intrusion::Latin1 => "sends text that is not UTF-8",
                Intrusion::Reserved => "sends a frame of no known kind",
            };
            format!("somebody connects to {host} and {does}")
        }
        Fault::SignOut { client } => format!("{client}'s session is ended from elsewhere"),
        Fault::Cut { client } => format!("cut {client}'s connection"),
        Fault::Duplicate { client } => format!("deliver a frame to {client} twice"),
        Fault::Reorder { client } => format!("deliver a frame to {client} behind the next one"),
        Fault::SlowReader { client, lasts } => format!("{client} reads nothing for {lasts:?}"),
        Fault::HalfOpen { client, lasts } => {
            format!("{client}'s connections pass nothing, untold for {lasts:?}")
        }
        Fault::Offline { client, lasts } => format!("{client} is offline for {lasts:?}"),
        Fault::Pause { host, lasts } => format!("pause {host} for {lasts:?}"),
        Fault::Misbehave { host, how, lasts } => {
            let does = match how {
                Misbehaviour::Refuse => "answers 500",
                Misbehaviour::Garble => "answers garbled",
                Misbehaviour::Drift => "breaks the contract",
                Misbehaviour::Hang => "does not answer",
                Misbehaviour::Fail => "fails inside and closes everybody",
            };
            format!("{host} {does} for {lasts:?}")
        }
        Fault::BadDisk { host, how, lasts } => {
            let does = match how {
                DiskFailure::Io => "fails",
                DiskFailure::Full => "is full",
            };
            format!("{host}'s disk {does} for {lasts:?}")
        }
        Fault::Skew { host, by_ms } => {
            let by = Duration::from_millis(by_ms.unsigned_abs());
            let way = if *by_ms < 0 { "back" } else { "ahead" };
            format!("set {host}'s wall clock {way} by {by:?}")
        }
    }
}

fn trigger(at: &Trigger, in_turn: bool) -> String {
    match at {
        Trigger::Frame { event, nth } => format!(" (on {event} #{nth})"),
        Trigger::Elapsed(Duration::ZERO) if in_turn => " (as the turn begins)".to_owned(),
        Trigger::Elapsed(time) if in_turn => format!(" ({time:?} into the turn)"),
        Trigger::Elapsed(time) => format!(" ({time:?} into the run)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::bench::{Bench, by, client, frame, healthy, message};
    use crate::scenario::Pace;
    use crate::trace::What;

    fn text(run: &Bench) -> String {
        transcript(&run.scenario, &run.trace)
    }

    /// The same words without faults.
    fn calm() -> Bench {
        let mut run = healthy();
        run.scenario.turns[0].faults.clear();
        run.forget(|event| matches!(event.what, What::Injected { .. } | What::Healed { .. }));
        run
    }

    #[test]
    fn tells_a_run_with_faults_one_fact_a_line() {
        assert_eq!(text(&healthy()), include_str!("transcript.txt"));
    }

    #[test]
    fn tells_nothing_of_connections_when_no_fault_was_armed() {
        let text = text(&calm());
        assert!(!text.contains("link"), "{text}");
        assert!(!text.contains("fault"), "{text}");
    }

    #[test]
    fn tells_the_same_however_two_clients_interleave() {
        let mut run = calm();
        let calm = text(&run);
        let (late, rest): (Vec<_>, Vec<_>) = run
            .trace
            .events
            .into_iter()
            .partition(|event| by(event, "ben") && matches!(event.what, What::Shown { .. }));
        run.trace.events = rest;
        run.trace.events.extend(late);
        assert_eq!(text(&run), calm);
        run.scenario.pace = Pace::Apart;
        assert_eq!(text(&run), calm);
    }

    #[test]
    fn tells_what_another_client_did_not_see() {
        let mut run = calm();
        run.forget(|event| {
            by(event, "ben") && matches!(&event.what, What::Shown { frame } if frame.seq == 2)
        });
        run.forget(|event| {
            by(event, "ben") && matches!(&event.what, What::Shown { frame } if frame.seq == 7)
        });
        let text = text(&run);
        assert!(text.contains("ben      showed   message from real_estate"), "{text}");
        assert!(text.contains("ben      saw no answer"), "{text}");
    }

    #[test]
    fn shows_a_frame_out_of_its_turn_where_it_appeared() {
        let mut run = calm();
        let stray = message(3, "m-1", "I found 2 homes.");
        run.show("ana", &stray);
        run.show("ana", &message(8, "m-9", "Who asked?"));
        let text = text(&run);
        let last = text.split("turn 3").nth(1).expect("a third turn");
        assert!(last.contains("(belongs to turn 1): I found 2 homes."), "{text}");
        assert!(last.contains("(belongs to nothing said here): Who asked?"), "{text}");
    }

    #[test]
    fn tells_of_errors_repetitions_and_turns_given_up() {
        let mut run = calm();
        let error = LogBody::Error {
            code: ErrorCode::AgentUnavailable,
            message: "Please try again.".to_owned(),
            retryable: true,
        };
        run.show("ana", &frame(8, "m-3", error));
        run.say("ana", 2, "m-4", "Thanks");
        run.give_up("ana", "m-4");
        let text = text(&run);
        let end = "  showed   error agent_unavailable (may be said again): Please try again.
  again    said once more, after an error that invites it
  gave up  expired
";
        assert!(text.contains(end), "{text}");
    }

    #[test]
    fn tells_of_a_view_that_started_again() {
        let mut run = healthy();
        run.replay("ana");
        let text = text(&run);
        assert!(text.contains("  view     started again, 7 frames shown anew\n"), "{text}");
    }

    #[test]
    fn tells_of_deaths_and_of_turns_never_said() {
        let mut run = calm();
        run.trace.events.truncate(8);
        let why = "panicked".to_owned();
        run.tell(client("ben"), What::Died { why });
        let text = text(&run);
        assert!(text.contains("  died     ben: panicked\n"), "{text}");
        assert!(text.contains("  nothing  this turn was never said\n"), "{text}");
    }
}
