//! Wakes whom something arrives for at the moment at which it does, and not before.
//!
//! A reader that were woken by the sending, only to set a timer, would be polled twice for everything it reads; and
//! a reader is often the whole task of a connection.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};
use tokio::time::{Instant, sleep_until};

/// Parcels that are under way, each to somebody; clones are the same courier.
#[derive(Debug)]
pub(super) struct Courier<T>(Arc<Mutex<Bag<T>>>);

#[derive(Debug)]
struct Bag<T> {
    /// By the time of arrival; what arrives at one instant does so in the order of sending.
    parcels: BinaryHeap<Reverse<Parcel<T>>>,
    sent: u64,
    /// Wakes the courier.
    courier: Option<Waker>,
}

#[derive(Debug)]
struct Parcel<T> {
    at: Instant,
    number: u64,
    to: T,
}

impl<T> Clone for Courier<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Courier<T> {
    fn default() -> Self {
        let bag = Bag { parcels: BinaryHeap::new(), sent: 0, courier: None };
        Self(Arc::new(Mutex::new(bag)))
    }
}

impl<T> PartialEq for Parcel<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Parcel<T> {}

impl<T> PartialOrd for Parcel<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Parcel<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl<T> Courier<T> {
    fn bag(&self) -> MutexGuard<'_, Bag<T>> {
        self.0.lock().expect("no panic while it is held")
    }

    /// Something is under way to `to`.
    pub(super) fn send(&self, at: Instant, to: T) {
        let mut bag = self.bag();
        let is_next = bag.parcels.peek().is_none_or(|Reverse(next)| at < next.at);
        bag.sent += 1;
        let number = bag.sent;
        bag.parcels.push(Reverse(Parcel { at, number, to }));
        let courier = if is_next { bag.courier.take() } else { None };
        drop(bag);
        if let Some(courier) = courier {
            courier.wake();
        }
    }

    /// Delivers, for ever: `reader` says whom to wake.
    pub(super) async fn run(&self, reader: impl Fn(T) -> Option<Waker>) {
        let mut timer = pin!(sleep_until(Instant::now()));
        poll_fn(|context| -> Poll<()> {
            loop {
                let mut bag = self.bag();
                bag.courier = Some(context.waker().clone());
                let Some(Reverse(next)) = bag.parcels.peek() else { return Poll::Pending };
                if next.at <= Instant::now() {
                    let parcel = bag.parcels.pop();
                    drop(bag);
                    let reader = parcel.and_then(|Reverse(parcel)| reader(parcel.to));
                    reader.into_iter().for_each(Waker::wake);
                    continue;
                }
                let at = next.at;
                drop(bag);
                if timer.deadline() != at {
                    timer.as_mut().reset(at);
                }
                if timer.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
            }
        })
        .await;
    }
}
