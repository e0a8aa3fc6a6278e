//! A session file becomes a scenario and its expectations, or a list of everything that is wrong with it.
//!
//! It opens no file: path, text and catalogues are handed in.

use super::expect::{self, Expect, Known};
use super::model::{ArmedYaml, ClientYaml, FaultYaml, SessionYaml, TurnYaml, WorldYaml};
use super::names::closest;
use super::yaml::{At, Problem, Span, parse};
use crate::scenario::{
    Armed, ClientSpec, Config, Fault, Host, Pace, Scenario, Trigger, Turn, WorldSpec, length,
};
use assistant::contract::id::{ThreadId, UserId};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// The listing ids of every catalogue a session may name, by the catalogue's name.
pub type Catalogs = BTreeMap<String, BTreeSet<String>>;

/// A golden session.
#[derive(Debug, Clone)]
pub struct Session {
    /// The file, as it was named by the caller.
    pub path: String,
    /// What it says, for diagnostics; without a byte order mark.
    pub text: String,
    /// A sentence on what it proves.
    pub about: String,
    /// Words to choose sessions by.
    pub tags: Vec<String>,
    /// What shall happen.
    pub scenario: Scenario,
    /// What must come of it: one for each turn of the scenario.
    pub expects: Vec<Expect>,
    /// Where the faults of each turn stand, in the order of the scenario.
    pub turn_faults: Vec<Vec<Span>>,
    /// Where the faults of the run stand, in the order of the scenario.
    pub faults: Vec<Span>,
    /// Where each turn's text stands.
    pub turns: Vec<Span>,
}

/// A session file, or an artefact, that cannot be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path} cannot be played: {} mistakes", problems.len())]
pub struct Broken {
    /// The file, as it was named by the caller.
    pub path: String,
    /// What it says; without a byte order mark.
    pub text: String,
    /// What is wrong, in the order of the file; never empty.
    pub problems: Vec<Problem>,
}

impl Session {
    /// Reads a session file.
    ///
    /// # Errors
    /// [`Broken`] with every mistake that can be told apart: one if the file is no YAML of the right shape,
    /// otherwise all of them.
    pub fn read(path: &str, text: &str, catalogs: &Catalogs) -> Result<Self, Broken> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let broken = |mut problems: Vec<Problem>| {
            problems.sort_by_key(|problem| problem.span);
            Broken { path: path.to_owned(), text: text.to_owned(), problems }
        };
        let yaml: SessionYaml = parse(text).map_err(|problem| broken(vec![problem]))?;
        let mut reader = Reader::default();
        reader.name(&yaml.session, path);
        let world = reader.world(&yaml.world, catalogs);
        let known = Known::new(catalogs.get(&world.catalog));
        reader.gateways = world.gateways;
        reader.clients(yaml.clients.as_ref());
        let turns = reader.turns(&yaml.turns, &known);
        let faults = reader.armed(&yaml.faults, None);
        let expects = reader.expects(&yaml.turns.value, &known);
        if !reader.problems.is_empty() {
            return Err(broken(reader.problems));
        }
        let spans = |armed: &[ArmedYaml]| armed.iter().map(moment).collect();
        Ok(Self {
            path: path.to_owned(),
            text: text.to_owned(),
            about: yaml.about,
            tags: yaml.tags,
            expects,
            turn_faults: yaml.turns.value.iter().map(|t| spans(&t.faults)).collect(),
            faults: spans(&yaml.faults),
            turns: yaml.turns.value.iter().map(|t| t.user.span).collect(),
            scenario: Scenario {
                name: yaml.session.value,
                seed: yaml.seed,
                world,
                clients: reader.clients,
                turns,
                pace: Pace::Together,
                faults,
            },
        })
    }

    /// How many things must hold: every claim, and that every fault fires.
    #[must_use]
    pub fn expectations(&self) -> usize {
        let claims: usize = self.expects.iter().map(|expect| expect.claims.len()).sum();
        let faults: usize = self.turn_faults.iter().map(Vec::len).sum();
        claims + faults + self.faults.len()
    }
}

#[derive(Debug, Default)]
struct Reader {
    problems: Vec<Problem>,
    clients: Vec<ClientSpec>,
    gateways: u32,
}

impl Reader {
    fn wrong(&mut self, span: Span, text: impl Into<String>) {
        self.problems.push(Problem::new(span, text));
    }

    fn name(&mut self, name: &At<String>, path: &str) {
        let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str());
        if name.value.contains("__") {
            let text = "`__` in a name: snapshots use it for the `/` of a path";
            self.wrong(name.span, text);
        }
        if stem != Some(&name.value) {
            let stem = stem.unwrap_or_default();
            let text = format!("expected `{stem}`, the name of the file, got `{}`", name.value);
            self.wrong(name.span, text);
        }
    }

    fn world(&mut self, yaml: &WorldYaml, catalogs: &Catalogs) -> WorldSpec {
        let usual = WorldSpec::default();
        let available: Vec<&String> = catalogs.keys().collect();
        if let Some(name) = &yaml.catalog
            && !catalogs.contains_key(&name.value)
        {
            self.problems.push(Problem::unknown("catalogue", name, &available));
        }
        if let Some(At { value: n, span }) = yaml.gateways
            && !(1..=4).contains(&n)
        {
            self.wrong(span, format!("expected 1 to 4 gateways, got {n}"));
        }
        WorldSpec {
            catalog: yaml.catalog.as_ref().map_or(usual.catalog, |c| c.value.clone()),
            gateways: yaml.gateways.as_ref().map_or(usual.gateways, |g| g.value),
            latency: self.at_least_1ms(yaml.latency.as_ref(), usual.latency),
            jitter: self.duration_or(yaml.jitter.as_ref(), usual.jitter),
            limit: self.at_least_1ms(yaml.limit.as_ref(), usual.limit),
            config: Config { rollout: yaml.rollout.unwrap_or_default(), ..usual.config },
            ..usual
        }
    }

    fn duration(&mut self, text: &At<String>) -> Duration {
        length::read(&text.value).unwrap_or_else(|| {
            let wrong =
                format!("expected a duration such as 150ms, 2s or 1m, got `{}`", text.value);
            self.wrong(text.span, wrong);
            Duration::ZERO
        })
    }

    fn duration_or(&mut self, text: Option<&At<String>>, usual: Duration) -> Duration {
        text.map_or(usual, |text| self.duration(text))
    }

    fn at_least_1ms(&mut self, text: Option<&At<String>>, usual: Duration) -> Duration {
        if let Some(text) = text
            && length::read(&text.value).is_some_and(|length| length.is_zero())
        {
            self.wrong(text.span, "expected at least 1ms");
        }
        self.duration_or(text, usual)
    }

    fn clients(&mut self, yaml: Option<&At<Vec<ClientYaml>>>) {
        let Some(yaml) = yaml else {
            self.clients.push(ClientSpec {
                name: "user".to_owned(),
                user: "u-1".to_owned(),
                thread: "t-1".to_owned(),
                instance: None,
                hasty: false,
            });
            return;
        };
        if yaml.value.is_empty() {
            self.wrong(yaml.span, "expected at least one client");
        }
        for ClientYaml { name, user, thread } in &yaml.value {
            if !matches!(name.value.parse(), Ok(Host::Client(_))) {
                let text = "expected a name of letters, digits and `_` that is no other host's";
                self.wrong(name.span, text);
            } else if self.clients.iter().any(|other| other.name == name.value) {
                self.wrong(name.span, format!("a second client `{}`", name.value));
            }
            if let Err(error) = UserId::new(user.value.as_str()) {
                self.wrong(user.span, error.to_string());
            }
            if let Err(error) = ThreadId::new(thread.value.as_str()) {
                self.wrong(thread.span, error.to_string());
            }
            self.clients.push(ClientSpec {
                name: name.value.clone(),
                user: user.value.clone(),
                thread: thread.value.clone(),
                instance: None,
                hasty: false,
            });
        }
    }

    fn turns(&mut self, yaml: &At<Vec<TurnYaml>>, known: &Known) -> Vec<Turn> {
        if yaml.value.is_empty() {
            self.wrong(yaml.span, "expected at least one turn");
        }
        let mut turns = Vec::new();
        for turn in &yaml.value {
            if turn.user.value.trim().is_empty() {
                self.wrong(turn.user.span, "expected what the user says");
            }
            turns.push(Turn {
                client: turn.by.as_ref().map_or(0, |name| self.client(name)),
                text: turn.user.value.clone(),
                pause: self.duration_or(turn.pause.as_ref(), Duration::ZERO),
                faults: self.armed(&turn.faults, Some(known)),
            });
        }
        turns
    }

    fn expects(&mut self, turns: &[TurnYaml], known: &Known) -> Vec<Expect> {
        let mut expects = Vec::new();
        for turn in turns {
            if let Some(yaml) = &turn.expect {
                expects.push(expect::read(yaml, known, &mut self.problems));
            } else {
                self.wrong(turn.user.span, "a turn without `expect` proves nothing");
            }
        }
        expects
    }

    /// The place of a client in the scenario.
    fn client(&mut self, name: &At<String>) -> usize {
        let place = self.clients.iter().position(|c| c.name == name.value);
        place.unwrap_or_else(|| {
            let names: Vec<&String> = self.clients.iter().map(|client| &client.name).collect();
            let problem = Problem::unknown("client", name, &names);
            self.problems.push(problem);
            0
        })
    }

    /// `known` is absent for faults of the run: they cannot wait for a frame.
    fn armed(&mut self, yaml: &[ArmedYaml], known: Option<&Known>) -> Vec<Armed> {
        let mut armed = Vec::new();
        for one in yaml {
            let at = self.trigger(one, known);
            let fault = self.fault(&one.fault);
            if let (Some(Trigger::Elapsed(_)), Some(fault)) = (&at, &fault)
                && fault.is_of_frame()
            {
                self.wrong(moment(one), "expected `frame`: this fault happens to a frame");
            }
            armed.extend(at.zip(fault).map(|(at, fault)| Armed { at, fault }));
        }
        armed
    }

    fn trigger(&mut self, armed: &ArmedYaml, known: Option<&Known>) -> Option<Trigger> {
        let at = &armed.at.value;
        match (&at.frame, &at.nth, &at.elapsed, known) {
            (Some(event), nth, None, Some(known)) => {
                if !known.frames.contains(&event.value) {
                    let problem = Problem::unknown("frame", event, &known.frames);
                    self.problems.push(problem);
                }
                if let Some(nth) = nth
                    && nth.value == 0
                {
                    self.wrong(nth.span, "frames are counted from 1");
                }
                Some(Trigger::Frame {
                    event: event.value.clone(),
                    nth: nth.as_ref().map_or(1, |nth| nth.value),
                })
            }
            (None, None, Some(elapsed), _) => Some(Trigger::Elapsed(self.duration(elapsed))),
            (_, _, _, Some(_)) => {
                let text = "expected either `frame` (with an optional `nth`) or `elapsed`";
                self.wrong(armed.at.span, text);
                None
            }
            (_, _, _, None) => {
                let text = "expected `elapsed`: only faults of a turn wait for a frame";
                self.wrong(armed.at.span, text);
                None
            }
        }
    }

    #[expect(clippy::too_many_lines, reason = "a table of the faults")]
    fn fault(&mut self, yaml: &FaultYaml) -> Option<Fault> {
        Some(match yaml {
            FaultYaml::Crash { host, down } => {
                let down = self.duration(down);
                let host = self.server(host)?;
                Fault::Crash { host, down }
            }
            FaultYaml::PowerLoss { host, down } => {
                let down = self.duration(down);
                let host = self.server(host)?;
                Fault::PowerLoss { host, down }
            }
            FaultYaml::Bounce { host } => Fault::Bounce { host: self.server(host)? },
            FaultYaml::Partition { between, lasts } => {
                let lasts = self.duration(lasts);
                let between = self.between(between)?;
                Fault::Partition { between, lasts }
            }
            FaultYaml::Hold { between, lasts } => {
                let lasts = self.duration(lasts);
                let between = self.between(between)?;
                Fault::Hold { between, lasts }
            }
            FaultYaml::OneWay { from, to, lasts } => {
                let lasts = self.duration(lasts);
                let [from, to] = self.two(from, to)?;
                Fault::OneWay { from, to, lasts }
            }
            FaultYaml::Flap { between, every, lasts } => {
                let (every, lasts) = (self.duration(every), self.duration(lasts));
                let between = self.between(between)?;
                Fault::Flap { between, every, lasts }
            }
            FaultYaml::Latency { between, by, lasts } => {
                let (by, lasts) = (self.duration(by), self.duration(lasts));
                let between = self.between(between)?;
                Fault::Latency { between, by, lasts }
            }
            FaultYaml::Refuse { host, lasts } => {
                let lasts = self.duration(lasts);
                Fault::Refuse { host: self.server(host)?, lasts }
            }
            FaultYaml::BlackHole { host, lasts } => {
                let lasts = self.duration(lasts);
                Fault::BlackHole { host: self.server(host)?, lasts }
            }
            FaultYaml::LostSync { host, lasts } => {
                let lasts = self.duration(lasts);
                Fault::LostSync { host: self.with_disk(host)?, lasts }
            }
            FaultYaml::SlowSync { host, by, lasts } => {
                let (by, lasts) = (self.duration(by), self.duration(lasts));
                Fault::SlowSync { host: self.with_disk(host)?, by, lasts }
            }
            FaultYaml::Lose { client } => Fault::Lose { client: self.named(client) },
            FaultYaml::Tear { client, bytes } => {
                Fault::Tear { client: self.named(client), bytes: *bytes }
            }
            FaultYaml::Fragment { client, bytes, lasts } => {
                let (client, lasts) = (self.named(client), self.duration(lasts));
                Fault::Fragment { client, bytes: *bytes, lasts }
            }
            FaultYaml::Intrude { host, how } => {
                let host = self.gateway(host)?;
                Fault::Intrude { host, how: *how }
            }
            FaultYaml::SignOut { client } => Fault::SignOut { client: self.named(client) },
            FaultYaml::Cut { client } => Fault::Cut { client: self.named(client) },
            FaultYaml::Duplicate { client } => Fault::Duplicate { client: self.named(client) },
            FaultYaml::Reorder { client } => Fault::Reorder { client: self.named(client) },
            FaultYaml::SlowReader { client, lasts } => {
                Fault::SlowReader { client: self.named(client), lasts: self.duration(lasts) }
            }
            FaultYaml::HalfOpen { client, lasts } => {
                Fault::HalfOpen { client: self.named(client), lasts: self.duration(lasts) }
            }
            FaultYaml::Offline { client, lasts } => {
                Fault::Offline { client: self.named(client), lasts: self.duration(lasts) }
            }
            FaultYaml::Pause { host, lasts } => {
                let lasts = self.duration(lasts);
                let host = self.client_only(host)?;
                Fault::Pause { host, lasts }
            }
            FaultYaml::Misbehave { host, how, lasts } => {
                let lasts = self.duration(lasts);
                let host = self.replaceable(host)?;
                Fault::Misbehave { host, how: *how, lasts }
            }
            FaultYaml::BadDisk { host, how, lasts } => {
                let lasts = self.duration(lasts);
                let host = self.with_disk(host)?;
                Fault::BadDisk { host, how: *how, lasts }
            }
            FaultYaml::Skew { host, by } => {
                let by_ms = self.skew(by);
                let host = self.server(host)?;
                Fault::Skew { host, by_ms }
            }
        })
    }

    fn between(&mut self, yaml: &At<Vec<At<String>>>) -> Option<[Host; 2]> {
        let [a, b] = yaml.value.as_slice() else {
            self.wrong(yaml.span, "expected two hosts");
            return None;
        };
        self.two(a, b)
    }

    fn two(&mut self, a: &At<String>, b: &At<String>) -> Option<[Host; 2]> {
        let pair = self.host(a).zip(self.host(b));
        if a.value == b.value {
            self.wrong(b.span, "expected another host than the first");
        }
        pair.map(|(a, b)| [a, b])
    }

    /// A client as a host.
    fn named(&mut self, client: &At<String>) -> Host {
        self.client(client);
        Host::Client(client.value.clone())
    }

    /// A host that can be stopped and started; users stay.
    fn server(&mut self, name: &At<String>) -> Option<Host> {
        let host = self.host(name)?;
        if let Host::Client(_) = host {
            self.wrong(name.span, "expected a serving host, not a client");
        }
        Some(host)
    }

    /// A host that takes whoever comes.
    fn gateway(&mut self, name: &At<String>) -> Option<Host> {
        let host = self.host(name)?;
        if !matches!(host, Host::Gateway(_)) {
            self.wrong(name.span, "expected a gateway, such as gateway-1");
        }
        Some(host)
    }

    /// A host whose process can be held back.
    fn client_only(&mut self, name: &At<String>) -> Option<Host> {
        let host = self.host(name)?;
        if !matches!(host, Host::Client(_)) {
            self.wrong(name.span, "expected a client: a serving host cannot be paused");
        }
        Some(host)
    }

    fn replaceable(&mut self, name: &At<String>) -> Option<Host> {
        let host = self.host(name)?;
        if !matches!(host, Host::Agent | Host::TokenService) {
            self.wrong(
                name.span,
                "expected agent or token-service: nothing can stand in for others",
            );
        }
        Some(host)
    }

    fn with_disk(&mut self, name: &At<String>) -> Option<Host> {
        let host = self.host(name)?;
        if !matches!(host, Host::Supervisor | Host::TokenService) {
            self.wrong(name.span, "expected supervisor or token-service: others have no disk");
        }
        Some(host)
    }

    /// A duration with a sign, in milliseconds.
    fn skew(&mut self, text: &At<String>) -> i64 {
        let (sign, by) = match text.value.strip_prefix('-') {
            Some(by) => (-1, by),
            None => (1, text.value.as_str()),
        };
        let by = length::read(by).and_then(|by| i64::try_from(by.as_millis()).ok());
        by.filter(|by| *by > 0).map_or_else(
            || {
                let wrong = format!("expected a skew such as 90s or -2m, got `{}`", text.value);
                self.wrong(text.span, wrong);
                0
            },
            |by| sign * by,
        )
    }

    fn host(&mut self, name: &At<String>) -> Option<Host> {
        let fixed = ["supervisor", "agent", "token-service"];
        let mut names: Vec<String> = (1..=self.gateways).map(|n| format!("gateway-{n}")).collect();
        names.extend(fixed.map(str::to_owned));
        names.extend(self.clients.iter().map(|client| client.name.clone()));
        if names.contains(&name.value) {
            return name.value.parse().ok();
        }
        self.problems.push(Problem {
            span: name.span,
            text: format!("unknown host `{}`", name.value),
            advice: Some(closest(&name.value, &names)),
        });
        None
    }
}

/// What a fault waits for, as a place in the file.
fn moment(armed: &ArmedYaml) -> Span {
    let at = &armed.at.value;
    let word = at.frame.as_ref().or(at.elapsed.as_ref());
    word.map_or(armed.at.span, |word| word.span)
}
