//! Which connection of a client counts: the one with the highest claim.
//!
//! # Design
//! A client that counts its attempts orders its connections itself, and its count is the claim: nobody else knows
//! the order when a gateway was cut off, a supervisor was away, or a connection is dead and its gateway has not
//! heard of it. For one that does not, the order of the questions decides, as the best guess there is: claims grow
//! over restarts, because the number of the start stands in their upper half. Nothing is written for a claim.
//!
//! A claim counts from the first tail that brings it, and not as soon as it is asked for: what was asked for a
//! connection that has ended meanwhile may arrive late, behind a partition, and would end its successor.

use crate::contract::id::{ClientId, ThreadId};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use tokio::sync::watch;

/// Claims of one start, at most.
const CLAIMS_BITS: u32 = 32;

/// The highest claim of each client that is followed.
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

    /// A claim above all others, which counts once somebody follows with it.
    pub(super) fn next(&self) -> u64 {
        let mut known = self.known();
        known.last += 1;
        known.last
    }

    /// Watches the highest claim of a client, to which this one counts from now on; whoever follows with a
    /// lower one learns of it.
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
        let (old, new) = (claims.next(), claims.next());
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
        let before = Claims::after(1).next();
        let claims = Claims::after(2);
        let followed = claims.watch(&thread, &client, before);
        let after = claims.next();
        assert!(after > before);
        let newer = claims.watch(&thread, &client, after);
        assert_eq!([*followed.borrow(), *newer.borrow()], [after, after]);
    }

    #[test]
    fn sw_stale_a_claim_that_nobody_follows_with_ends_nobody() {
        let (thread, client) = ids();
        let claims = Claims::after(1);
        let living = claims.next();
        let followed = claims.watch(&thread, &client, living);
        let late = claims.next();
        assert!(late > living);
        assert_eq!(*followed.borrow(), living);
    }

    #[test]
    fn other_clients_and_threads_are_left_alone_and_the_gone_are_forgotten() {
        let (thread, client) = ids();
        let claims = Claims::after(1);
        let followed = claims.watch(&thread, &client, 1);
        let other = ClientId::new("d").unwrap();
        let others = [
            claims.watch(&thread, &other, 7),
            claims.watch(&ThreadId::new("u").unwrap(), &client, 8),
        ];
        assert_eq!(*followed.borrow(), 1);
        drop(others);
        drop(followed);
        drop(claims.watch(&thread, &ClientId::new("d").unwrap(), 1));
        assert_eq!(claims.known().highest.len(), 1);
    }
}
