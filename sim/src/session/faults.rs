//! The faults of a session file: their moments, whom they befall, and what cannot be.
//!
//! It goes on where `file.rs` has read who is there.

use super::expect::Known;
use super::fault_model::{ArmedYaml, FaultYaml};
use super::file::Reader;
use super::names::closest;
use super::yaml::{At, Problem, Span};
use crate::scenario::{Armed, Fault, Host, Misbehaviour, Trigger, length};

impl Reader {
    /// `known` is absent for faults of the run: they cannot wait for a frame.
    pub(super) fn armed(&mut self, yaml: &[ArmedYaml], known: Option<&Known>) -> Vec<Armed> {
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
                let host = self.replaceable(host, *how)?;
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

    fn replaceable(&mut self, name: &At<String>, how: Misbehaviour) -> Option<Host> {
        let host = self.host(name)?;
        if !how.can_befall(&host) {
            let text = match how {
                Misbehaviour::Fail => "expected a gateway: only a gateway can `fail`",
                Misbehaviour::Refuse
                | Misbehaviour::Garble
                | Misbehaviour::Drift
                | Misbehaviour::Hang => {
                    "expected agent or token-service: nothing can stand in for others"
                }
            };
            self.wrong(name.span, text);
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
pub(super) fn moment(armed: &ArmedYaml) -> Span {
    let at = &armed.at.value;
    let word = at.frame.as_ref().or(at.elapsed.as_ref());
    word.map_or(armed.at.span, |word| word.span)
}
