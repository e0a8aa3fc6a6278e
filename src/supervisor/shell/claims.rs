//! Which connection of a client counts: the one with the highest claim.
//!
//! # Design
//! Two gateways may hold connections of one client, so only who stands behind both can order them. Claims
//! grow over restarts, because the number of the start stands in their upper half; so after a restart the
//! tails that come back decide the matter again, in whatever order they come. Nothing is written for a claim.

use crate::contract::id::{ClientId, ThreadId};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use tokio::sync::watch;

/// Claims of one start, at most.
const CLAIMS_BITS: u32 = 32;

/// The highest claim of each client that is followed or has just asked.
#[derive(Debug)]
pub(super) struct Claims(Mutex<Known>);

#[derive(Debug)]
struct Known {
    last: u64,
    highest: BTreeMap<(ThreadId, ClientId), watch::Sender<u64>>,
}

impl Claims {
    /// Claims above those of all earlier starts; the first start is 1.
    pub(super) fn after(start: u64) -> Self {
        Self(Mutex::new(Known { last: start << CLAIMS_BITS, highest: BTreeMap::new() }))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().expect("no panic while it is held")
    }

    /// A claim above all others; whoever follows with a lower one of the same client learns of it.
    pub(super) fn raise(&self, thread: &ThreadId, client: &ClientId) -> u64 {
        let mut known = self.known();
        known.last += 1;
        let claim = known.last;
        if let Some(highest) = known.highest.get(&(thread.clone(), client.clone())) {
            highest.send_replace(claim);
        }
        claim
    }

    /// Watches the highest claim of a client, to which this one counts as well.
    pub(super) fn watch(
        &self,
        thread: &ThreadId,
        client: &ClientId,
        claim: u64,
    ) -> watch::Receiver<u64> {
        let mut known = self.known();
        let key = (thread.clone(), client.clone());
        known.highest.retain(|other, sender| *other == key || sender.receiver_count() > 0);
        let highest = known.highest.entry(key).or_insert_with(|| watch::Sender::new(claim));
        highest.send_if_modified(|known| {
            let higher = claim > *known;
            *known = claim.max(*known);
            higher
        });
        highest.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> (ThreadId, ClientId) {
        (ThreadId::new("t").unwrap(), ClientId::new("c").unwrap())
    }

    #[test]
    fn sw_one_the_newest_claim_is_the_highest_in_whatever_order_tails_come() {
        let (thread, client) = ids();
        let claims = Claims::after(1);
        let (old, new) = (claims.raise(&thread, &client), claims.raise(&thread, &client));
        assert!(new > old);
        for order in [[old, new], [new, old]] {
            let claims = Claims::after(2);
            let tails = order.map(|claim| (claim, claims.watch(&thread, &client, claim)));
            for (claim, highest) in &tails {
                assert_eq!(*highest.borrow() > *claim, *claim == old, "{claim} of {order:?}");
            }
        }
    }

    #[test]
    fn a_claim_after_a_restart_is_above_all_before_it() {
        let (thread, client) = ids();
        let before = Claims::after(1).raise(&thread, &client);
        let claims = Claims::after(2);
        let followed = claims.watch(&thread, &client, before);
        let after = claims.raise(&thread, &client);
        assert!(after > before);
        assert_eq!(*followed.borrow(), after);
    }

    #[test]
    fn other_clients_and_threads_are_left_alone_and_the_gone_are_forgotten() {
        let (thread, client) = ids();
        let claims = Claims::after(1);
        let followed = claims.watch(&thread, &client, 1);
        claims.raise(&thread, &ClientId::new("d").unwrap());
        claims.raise(&ThreadId::new("u").unwrap(), &client);
        assert_eq!(*followed.borrow(), 1);
        drop(followed);
        drop(claims.watch(&thread, &ClientId::new("d").unwrap(), 1));
        assert_eq!(claims.known().highest.len(), 1);
    }
}
