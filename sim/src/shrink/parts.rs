//! Scenarios with fewer parts.

use super::{Trials, ddmin};
use crate::scenario::{ClientSpec, Fault, Host, Scenario, Target};

type Found<E> = Result<Scenario, E>;

pub(super) fn fewer_faults<E>(scenario: &Scenario, trials: &mut Trials<'_, E>) -> Found<E> {
    let all = scenario.armed().map(|place| (place.turn, place.index)).collect();
    let kept = ddmin(all, &mut |kept| trials.fails(&with_faults(scenario, kept)))?;
    Ok(with_faults(scenario, &kept))
}

pub(super) fn fewer_clients<E>(scenario: &Scenario, trials: &mut Trials<'_, E>) -> Found<E> {
    let all = (0..scenario.clients.len()).collect();
    let kept = ddmin(all, &mut |kept| trials.fails(&with_clients(scenario, kept)))?;
    Ok(with_clients(scenario, &kept))
}

pub(super) fn fewer_turns<E>(scenario: &Scenario, trials: &mut Trials<'_, E>) -> Found<E> {
    let all = (0..scenario.turns.len()).collect();
    let kept = ddmin(all, &mut |kept| trials.fails(&with_turns(scenario, kept)))?;
    Ok(with_turns(scenario, &kept))
}

fn with_faults(scenario: &Scenario, kept: &[(Option<usize>, usize)]) -> Scenario {
    let mut smaller = scenario.clone();
    smaller.faults.clear();
    for turn in &mut smaller.turns {
        turn.faults.clear();
    }
    for place in scenario.armed().filter(|place| kept.contains(&(place.turn, place.index))) {
        match place.turn.and_then(|turn| smaller.turns.get_mut(turn)) {
            Some(turn) => turn.faults.push(place.armed.clone()),
            None => smaller.faults.push(place.armed.clone()),
        }
    }
    smaller
}

/// Without the turns of the other clients, and without the faults that befall them.
fn with_clients(scenario: &Scenario, kept: &[usize]) -> Scenario {
    let mut smaller = scenario.clone();
    smaller.clients = only(&scenario.clients, kept);
    smaller.turns.retain_mut(|turn| {
        let place = kept.iter().position(|client| *client == turn.client);
        turn.client = place.unwrap_or_default();
        place.is_some()
    });
    let gone: Vec<Host> = scenario
        .clients
        .iter()
        .filter(|client| !smaller.clients.contains(client))
        .map(ClientSpec::host)
        .collect();
    let stays = |fault: &Fault| !gone.iter().any(|host| names(fault, host));
    smaller.faults.retain(|armed| stays(&armed.fault));
    for turn in &mut smaller.turns {
        turn.faults.retain(|armed| stays(&armed.fault));
    }
    smaller
}

/// A client that comes before a turn that is left out comes before the next that is not, or with the last.
fn with_turns(scenario: &Scenario, kept: &[usize]) -> Scenario {
    let turns = only(&scenario.turns, kept);
    let mut clients = scenario.clients.clone();
    for turn in clients.iter_mut().filter_map(|client| client.arrives.as_mut()) {
        let next = kept.iter().position(|place| place >= turn);
        *turn = next.unwrap_or(turns.len().saturating_sub(1));
    }
    Scenario { turns, clients, ..scenario.clone() }
}

fn only<T: Clone>(items: &[T], kept: &[usize]) -> Vec<T> {
    kept.iter().filter_map(|place| items.get(*place).cloned()).collect()
}

/// Whether a fault befalls a client.
fn names(fault: &Fault, client: &Host) -> bool {
    match fault.target() {
        Target::Client(host) | Target::Server(host) => host == client,
        Target::Link(one, other) => one == client || other == client,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::bench::healthy;

    #[test]
    fn who_comes_before_a_turn_that_goes_comes_before_the_next_that_stays() {
        let mut scenario = healthy().scenario;
        scenario.clients[1].arrives = Some(1);
        for (kept, arrives) in [(&[0, 1, 2][..], 1), (&[1, 2], 0), (&[0, 2], 1), (&[0], 0)] {
            let smaller = with_turns(&scenario, kept);
            assert_eq!(smaller.clients[1].arrives, Some(arrives), "{kept:?}");
            assert_eq!(smaller.check(), Ok(()), "{kept:?}");
        }
    }
}
