//! A session file becomes a scenario and its expectations, or a list of everything that is wrong with it.
//!
//! It opens no file: path, text and catalogues are handed in.

use super::expect::{self, Claim, Expect, Known};
use super::fault_model::ArmedYaml;
use super::faults::moment;
use super::model::{FragmentYaml, SessionYaml, SweepYaml, TurnYaml, WorldYaml};
use super::quarantine::Quarantine;
use super::source::{Fragments, Sources};
use super::vars::Vars;
use super::yaml::{At, Problem, Span, parse};
use crate::scenario::{ClientSpec, Config, Pace, Scenario, Turn, WorldSpec, length};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// The listing ids of every catalogue a session may name, by the catalogue's name.
pub type Catalogs = BTreeMap<String, BTreeSet<String>>;

/// A socket that holds less lets no head of a request through in one piece.
const SOCKET_BYTES_MIN: usize = 256;

/// A golden session.
#[derive(Debug, Clone)]
pub struct Session {
    /// The file, as it was named by the caller.
    pub path: String,
    /// What it and its fragments say, for diagnostics.
    pub sources: Sources,
    /// A sentence on what it proves.
    pub about: String,
    /// Words to choose sessions by.
    pub tags: Vec<String>,
    /// Under how many more seeds all of this must hold.
    pub sweep: u64,
    /// Why it may fail for a while.
    pub quarantine: Option<Quarantine>,
    /// The fragments that it uses, by name.
    pub uses: Vec<String>,
    /// What shall happen.
    pub scenario: Scenario,
    /// What must come of it: one for each turn of the scenario.
    pub expects: Vec<Expect>,
    /// How gateways must close the connections of clients.
    pub closed: Vec<Claim>,
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
    /// What it and its fragments say.
    pub sources: Sources,
    /// What is wrong, in the order of the file; never empty.
    pub problems: Vec<Problem>,
}

impl Session {
    /// Reads a session file that uses no fragments.
    ///
    /// # Errors
    /// As [`Session::read_with`].
    pub fn read(path: &str, text: &str, catalogs: &Catalogs) -> Result<Self, Broken> {
        Self::read_with(path, text, catalogs, &Fragments::new())
    }

    /// Reads a session file.
    ///
    /// # Errors
    /// [`Broken`] with every mistake that can be told apart: one if the file is no YAML of the right shape,
    /// otherwise all of them.
    pub fn read_with(
        path: &str,
        text: &str,
        catalogs: &Catalogs,
        fragments: &Fragments,
    ) -> Result<Self, Broken> {
        let mut sources = Sources::new(path, text);
        let mut reader = Reader::default();
        let read = reader.whole(&mut sources, catalogs, fragments);
        let mut problems = reader.problems;
        match read {
            Ok(session) if problems.is_empty() => {
                return Ok(Self { path: path.to_owned(), sources, ..session });
            }
            Ok(_) => {}
            Err(problem) => problems.push(problem),
        }
        problems.sort_by_key(|problem| problem.span);
        Err(Broken { path: path.to_owned(), sources, problems })
    }

    /// The scenario with each of the further seeds under which all of this must hold.
    pub fn sweep(&self) -> impl Iterator<Item = Scenario> {
        (1..=self.sweep).map(|more| {
            let seed = self.scenario.seed.wrapping_add(more);
            let name = format!("{}-seed-{seed}", self.scenario.name);
            Scenario { name, seed, ..self.scenario.clone() }
        })
    }

    /// How many things must hold: every claim, and that every fault fires.
    #[must_use]
    pub fn expectations(&self) -> usize {
        let claims: usize = self.expects.iter().map(|expect| expect.claims.len()).sum();
        let faults: usize = self.turn_faults.iter().map(Vec::len).sum();
        claims + self.closed.len() + faults + self.faults.len()
    }
}

/// A session file that is being read.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) problems: Vec<Problem>,
    pub(super) clients: Vec<ClientSpec>,
    pub(super) gateways: u32,
}

impl Reader {
    fn whole(
        &mut self,
        sources: &mut Sources,
        catalogs: &Catalogs,
        fragments: &Fragments,
    ) -> Result<Session, Problem> {
        let own = sources.files().next().map(|own| (own.path.clone(), own.text.clone()));
        let (path, text) = own.unwrap_or_default();
        let mut yaml: SessionYaml = parse(&text)?;
        self.name(&yaml.session, &path);
        self.used(&mut yaml, sources, fragments)?;
        let world = self.world(&yaml.world, catalogs);
        let known = Known::new(catalogs.get(&world.catalog));
        self.gateways = world.gateways;
        let closed = self.clients(yaml.clients.as_ref(), &yaml.turns.value);
        let turns = self.turns(&yaml.turns, &known);
        let faults = self.armed(&yaml.faults, None);
        let expects = self.expects(&yaml.turns.value, &known);
        let spans = |armed: &[ArmedYaml]| armed.iter().map(moment).collect();
        let quarantine = yaml.quarantine.as_ref();
        Ok(Session {
            path: String::new(),
            sources: sources.clone(),
            about: yaml.about,
            tags: yaml.tags,
            sweep: yaml.sweep.as_ref().map_or(0, |sweep| self.sweep(sweep)),
            quarantine: quarantine.map(|q| Quarantine::read(q, &mut self.problems)),
            uses: yaml.uses.iter().map(|name| name.value.clone()).collect(),
            expects,
            closed,
            turn_faults: yaml.turns.value.iter().map(|t| spans(&t.faults)).collect(),
            faults: spans(&yaml.faults),
            turns: yaml.turns.value.iter().map(|t| t.user.span).collect(),
            scenario: Scenario {
                name: yaml.session.value,
                seed: yaml.seed,
                world,
                clients: std::mem::take(&mut self.clients),
                turns,
                pace: Pace::Together,
                faults,
            },
        })
    }

    /// Puts the turns of the fragments first, and fills in the variables of all.
    fn used(
        &mut self,
        yaml: &mut SessionYaml,
        sources: &mut Sources,
        fragments: &Fragments,
    ) -> Result<(), Problem> {
        let mut turns = Vec::new();
        for name in &yaml.uses {
            let Some((path, text)) = fragments.get(&name.value) else {
                let known: Vec<&String> = fragments.keys().collect();
                self.problems.push(Problem::unknown("fragment", name, &known));
                continue;
            };
            let fragment: FragmentYaml = parse(&sources.add(path, text))?;
            self.name(&fragment.fragment, path);
            turns.extend(fragment.turns.value);
        }
        if yaml.turns.value.is_empty() {
            self.wrong(yaml.turns.span, "expected at least one turn");
        }
        turns.append(&mut yaml.turns.value);
        yaml.turns.value = turns;
        let mut vars = Vars::new(yaml.vars.as_ref(), sources);
        vars.fill(&mut yaml.turns.value);
        self.problems.extend(vars.finish());
        Ok(())
    }

    fn sweep(&mut self, yaml: &SweepYaml) -> u64 {
        let At { value: seeds, span } = yaml.seeds;
        if !(1..=1_000).contains(&seeds) {
            self.wrong(span, format!("expected 1 to 1000 seeds, got {seeds}"));
        }
        seeds
    }

    pub(super) fn wrong(&mut self, span: Span, text: impl Into<String>) {
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
            socket_bytes: self.socket_bytes(yaml.socket_bytes.as_ref(), usual.socket_bytes),
            limit: self.at_least_1ms(yaml.limit.as_ref(), usual.limit),
            config: Config { rollout: yaml.rollout.unwrap_or_default(), ..usual.config },
            ..usual
        }
    }

    fn socket_bytes(&mut self, yaml: Option<&At<usize>>, usual: usize) -> usize {
        if let Some(At { value: bytes, span }) = yaml
            && *bytes < SOCKET_BYTES_MIN
        {
            self.wrong(*span, format!("expected at least {SOCKET_BYTES_MIN} bytes, got {bytes}"));
        }
        yaml.map_or(usual, |bytes| bytes.value)
    }

    pub(super) fn duration(&mut self, text: &At<String>) -> Duration {
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

    fn turns(&mut self, yaml: &At<Vec<TurnYaml>>, known: &Known) -> Vec<Turn> {
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
        for (place, turn) in turns.iter().enumerate() {
            if let Some(yaml) = &turn.expect {
                expects.push(expect::read(yaml, place, known, &mut self.problems));
            } else {
                self.wrong(turn.user.span, "a turn without `expect` proves nothing");
            }
        }
        expects
    }

    /// The place of a client in the scenario.
    pub(super) fn client(&mut self, name: &At<String>) -> usize {
        let place = self.clients.iter().position(|c| c.name == name.value);
        place.unwrap_or_else(|| {
            let names: Vec<&String> = self.clients.iter().map(|client| &client.name).collect();
            let problem = Problem::unknown("client", name, &names);
            self.problems.push(problem);
            0
        })
    }
}
