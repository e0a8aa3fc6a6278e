//! Holds a process back: while it is frozen, nobody polls it, and time goes on.

use futures_util::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};

/// Clones hold the same process.
#[derive(Debug, Clone, Default)]
pub(super) struct Freeze(Arc<Mutex<Frozen>>);

#[derive(Debug, Default)]
struct Frozen {
    /// How many faults want it so.
    times: usize,
    waker: Option<Waker>,
}

impl Freeze {
    fn frozen(&self) -> MutexGuard<'_, Frozen> {
        self.0.lock().expect("no panic while it is held")
    }

    /// Nobody polls the process until [`Freeze::thaw`].
    pub(super) fn freeze(&self) {
        self.frozen().times += 1;
    }

    /// Ends one [`Freeze::freeze`].
    pub(super) fn thaw(&self) {
        let mut frozen = self.frozen();
        frozen.times = frozen.times.saturating_sub(1);
        let waker = if frozen.times == 0 { frozen.waker.take() } else { None };
        drop(frozen);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Runs `process`, except while it is frozen.
    pub(super) async fn hold<F: Future>(self, process: F) -> F::Output {
        let mut process = pin!(process);
        poll_fn(|context| {
            let mut frozen = self.frozen();
            if frozen.times > 0 {
                frozen.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
            drop(frozen);
            process.as_mut().poll(context)
        })
        .await
    }
}
