//! What a world cannot play, wherever the scenario came from.
//!
//! Session files are checked by their reader, which knows the places; this is the last word for values that
//! were generated, shrunk, or read from an artefact.

use super::{Armed, Fault, Host, Pace, Scenario, Target, Trigger, Turn};
use std::collections::BTreeSet;

/// Why a scenario cannot be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unplayable {
    /// A serving host shall be paused.
    #[error("{0} cannot be paused: only clients can")]
    Unpausable(Host),
    /// A client shall be stopped.
    #[error("{0} cannot be stopped or set wrong: only serving hosts can")]
    NotServing(Host),
    /// Nothing can stand in for this host.
    #[error("{0} cannot misbehave like this: agent and token-service can, and a gateway can fail")]
    Irreplaceable(Host),
    /// Only a gateway has peers that nobody knows.
    #[error("{0} cannot be intruded on: only a gateway can")]
    NoGateway(Host),
    /// This host keeps nothing on a disk.
    #[error("{0} has no disk: only supervisor and token-service have one")]
    NoDisk(Host),
    /// A fault of a client befalls something else.
    #[error("{0} is no client of this world")]
    NoClient(Host),
    /// Hosts that are not there, or one host twice.
    #[error("{0} and {1} are not two hosts of this world")]
    NoPair(Host, Host),
    /// A fault of the run waits for a frame.
    #[error("a fault of the run waits for a frame: frames belong to turns")]
    FrameOfRun,
    /// A fault that happens to a frame waits for a time.
    #[error("{0:?} waits for a time: it happens to a frame")]
    NoFrame(Fault),
    /// A turn of nobody.
    #[error("turn {turn} is of client {client}, counted from 0: there are {clients}")]
    Nobody {
        /// Its number, from 1.
        turn: usize,
        /// Who was meant.
        client: usize,
        /// How many there are.
        clients: usize,
    },
    /// A client that comes before a turn which is not there or waits for no other, or that has spoken by then.
    #[error(
        "{0} connects before a turn that is not there or waits for no other, or speaks earlier"
    )]
    NoArrival(Host),
    /// Two clients of one name, or one with a name that is no client's.
    #[error("`{0}` is a second client's name, or none at all")]
    Name(String),
    /// Too few or too many gateways.
    #[error("a world has 1 to 4 gateways, not {0}")]
    Gateways(u32),
}

impl Scenario {
    /// Whether a world can play this.
    ///
    /// # Errors
    /// [`Unplayable`]: the first thing that it cannot.
    pub fn check(&self) -> Result<(), Unplayable> {
        if !(1..=4).contains(&self.world.gateways) {
            return Err(Unplayable::Gateways(self.world.gateways));
        }
        let mut names = BTreeSet::new();
        for (place, client) in self.clients.iter().enumerate() {
            let is_host = matches!(client.name.parse(), Ok(Host::Client(_)));
            if !is_host || !names.insert(client.name.as_str()) {
                return Err(Unplayable::Name(client.name.clone()));
            }
            if !client.arrives.is_none_or(|turn| self.may_arrive(place, turn)) {
                return Err(Unplayable::NoArrival(client.host()));
            }
        }
        for (index, turn) in self.turns.iter().enumerate() {
            if turn.client >= self.clients.len() {
                let (turn, client, clients) = (index + 1, turn.client, self.clients.len());
                return Err(Unplayable::Nobody { turn, client, clients });
            }
            turn.faults.iter().try_for_each(|armed| self.check_fault(armed))?;
        }
        for armed in &self.faults {
            if let Trigger::Frame { .. } = armed.at {
                return Err(Unplayable::FrameOfRun);
            }
            self.check_fault(armed)?;
        }
        Ok(())
    }

    /// Whether a client can come right before a turn: it is there, and says none before it.
    fn may_arrive(&self, client: usize, turn: usize) -> bool {
        let speaks = |said: &Turn| said.client == client;
        turn < self.turns.len()
            && self.pace == Pace::Together
            && !self.turns.iter().take(turn).any(speaks)
    }

    fn check_fault(&self, armed: &Armed) -> Result<(), Unplayable> {
        let Armed { at, fault } = armed;
        if fault.is_of_frame() && matches!(at, Trigger::Elapsed(_)) {
            return Err(Unplayable::NoFrame(fault.clone()));
        }
        let found = |is_found: bool, other: Unplayable| is_found.then_some(()).ok_or(other);
        match fault.target() {
            Target::Client(host) => {
                let is_client = matches!(host, Host::Client(_));
                let is_pause = matches!(fault, Fault::Pause { .. });
                found(is_client || !is_pause, Unplayable::Unpausable(host.clone()))?;
                found(is_client && self.has(host), Unplayable::NoClient(host.clone()))
            }
            Target::Server(host) => {
                let is_server = self.has(host) && !matches!(host, Host::Client(_));
                found(is_server, Unplayable::NotServing(host.clone()))?;
                of_role(fault, host)
            }
            Target::Link(one, other) => {
                let are_two = self.has(one) && self.has(other) && one != other;
                found(are_two, Unplayable::NoPair(one.clone(), other.clone()))
            }
        }
    }

    fn has(&self, host: &Host) -> bool {
        match host {
            Host::Gateway(number) => (1..=self.world.gateways).contains(number),
            Host::Supervisor | Host::Agent | Host::TokenService => true,
            Host::Client(name) => self.clients.iter().any(|client| client.name == *name),
            Host::World => false,
        }
    }
}

/// Whether a fault of a serving host can befall this one.
fn of_role(fault: &Fault, host: &Host) -> Result<(), Unplayable> {
    let has_disk = matches!(host, Host::Supervisor | Host::TokenService);
    let needs_disk =
        matches!(fault, Fault::BadDisk { .. } | Fault::LostSync { .. } | Fault::SlowSync { .. });
    if needs_disk && !has_disk {
        return Err(Unplayable::NoDisk(host.clone()));
    }
    if matches!(fault, Fault::Intrude { .. }) && !matches!(host, Host::Gateway(_)) {
        return Err(Unplayable::NoGateway(host.clone()));
    }
    if let Fault::Misbehave { how, .. } = fault
        && !how.can_befall(host)
    {
        return Err(Unplayable::Irreplaceable(host.clone()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Misbehaviour;
    use super::*;
    use crate::oracle::bench::healthy;
    use std::time::Duration;

    #[test]
    fn whoever_comes_later_has_said_nothing_before() {
        let mut scenario = healthy().scenario;
        for (client, arrives, is_good) in
            [(1, 0, true), (1, 2, true), (1, 3, false), (0, 0, true), (0, 1, false)]
        {
            scenario.clients[client].arrives = Some(arrives);
            let refused = Err(Unplayable::NoArrival(scenario.clients[client].host()));
            let expected = if is_good { Ok(()) } else { refused };
            assert_eq!(scenario.check(), expected, "{client} before {arrives}");
            scenario.clients[client].arrives = None;
        }
        scenario.clients[1].arrives = Some(0);
        scenario.pace = Pace::Apart;
        assert!(matches!(scenario.check(), Err(Unplayable::NoArrival(_))));
    }

    #[test]
    fn a_gateway_misbehaves_in_one_way_and_others_in_the_others() {
        let lasts = Duration::from_secs(1);
        for how in Misbehaviour::ALL {
            for host in [Host::Gateway(1), Host::Agent, Host::TokenService, Host::Supervisor] {
                let mut scenario = healthy().scenario;
                let fault = Fault::Misbehave { host: host.clone(), how, lasts };
                scenario.faults.push(Armed { at: Trigger::Elapsed(lasts), fault });
                let is_gateway = host == Host::Gateway(1);
                let is_good = match how {
                    Misbehaviour::Fail => is_gateway,
                    Misbehaviour::Refuse
                    | Misbehaviour::Garble
                    | Misbehaviour::Drift
                    | Misbehaviour::Hang => !is_gateway && host != Host::Supervisor,
                };
                assert_eq!(scenario.check().is_ok(), is_good, "{how:?} of {host}");
            }
        }
    }
}
