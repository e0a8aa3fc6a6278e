//! What a world cannot play, wherever the scenario came from.
//!
//! Session files are checked by their reader, which knows the places; this is the last word for values that
//! were generated, shrunk, or read from an artefact.

use super::{Armed, Fault, Host, Scenario, Target, Trigger};
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
    #[error("{0} cannot misbehave: only agent and token-service can")]
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
        for client in &self.clients {
            let is_host = matches!(client.name.parse(), Ok(Host::Client(_)));
            if !is_host || !names.insert(client.name.as_str()) {
                return Err(Unplayable::Name(client.name.clone()));
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
    let is_stand_in = matches!(fault, Fault::Misbehave { .. });
    if is_stand_in && !matches!(host, Host::Agent | Host::TokenService) {
        return Err(Unplayable::Irreplaceable(host.clone()));
    }
    Ok(())
}
