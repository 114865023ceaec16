//! What this process holds and no kernel releases when it ends.

use std::sync::PoisonError;
use std::time::Duration;

use crate::sync::{Condvar, Mutex, MutexGuard};

/// Things that are held, until it is closed: then nothing is taken any more, and what is held ends.
pub(super) struct Registry<T> {
    state: Mutex<Registered<T>>,
    changed: Condvar,
}

struct Registered<T> {
    held: Vec<T>,
    /// Whose holders could not end them. This process may end them when it comes by again.
    given_up: Vec<T>,
    closed: bool,
}

impl<T: Clone + PartialEq> Registry<T> {
    pub(super) const fn new() -> Self {
        let state = Registered { held: Vec::new(), given_up: Vec::new(), closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Lets `take` take `thing` and say whether it did; `None` when this is closed. Nobody closes it
    /// in between.
    pub(super) fn enter<E>(
        &self,
        thing: &T,
        take: impl FnOnce() -> Result<bool, E>,
    ) -> Option<Result<bool, E>> {
        let mut state = self.lock();
        if state.closed {
            return None;
        }
        let taken = take();
        if let Ok(true) = taken {
            state.held.push(thing.clone());
        }
        Some(taken)
    }

    /// Nobody holds `thing` any more; `ended` says whether others see that.
    pub(super) fn leave(&self, thing: &T, ended: bool) {
        let mut state = self.lock();
        state.held.retain(|other| other != thing);
        if !ended {
            state.given_up.push(thing.clone());
        }
        self.changed.notify_all();
    }

    pub(super) fn has_given_up(&self, thing: &T) -> bool {
        self.lock().given_up.contains(thing)
    }

    /// Lets nobody enter any more, waits up to `grace` for everyone to leave, and ends what is left.
    /// Its holder may end it at the same time.
    pub(super) fn close(&self, grace: Duration, end: impl FnMut(T)) {
        let mut state = self.lock();
        state.closed = true;
        let waited = self.changed.wait_timeout_while(state, grace, |state| !state.held.is_empty());
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let Registered { held, given_up, .. } = &mut *state;
        held.drain(..).chain(given_up.drain(..)).for_each(end);
    }

    fn lock(&self) -> MutexGuard<'_, Registered<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
