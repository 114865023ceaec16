use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jerry_domain::ports::{Holder, LockError, LockGuard, LockManager, LockName, Presence};
use jerry_domain::{Extra, Reach, Timestamp, WorkId};

use super::held;

/// Locks between threads.
///
/// Panics where a caller breaks the contract: a lock waited for by the thread that holds it, locks
/// taken out of order, `index` or a worker slot waited for instead of tried, and a guard that is
/// still there when the locks go.
pub struct MemoryLocks {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    held: Mutex<HashMap<LockName, Owner>>,
    released: Condvar,
}

struct Owner {
    thread: ThreadId,
    holder: Holder,
}

struct Guard {
    name: LockName,
    shared: Arc<Shared>,
}

/// The place of a lock in the order in which several are taken. Other names have none.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Request,
    Graph,
    Item(WorkId),
    Sequences,
}

impl MemoryLocks {
    /// How long is waited where the caller leaves it to the settings.
    const TIMEOUT: Duration = Duration::from_secs(30);

    /// Locks that nobody holds.
    #[must_use]
    pub fn new() -> Self {
        Self { shared: Arc::default() }
    }

    /// The names of the locks that are held now, sorted.
    #[must_use]
    pub fn held(&self) -> Vec<LockName> {
        let mut names: Vec<_> = held(&self.shared.held).keys().cloned().collect();
        names.sort();
        names
    }

    fn guard(&self, name: &LockName, held: &mut HashMap<LockName, Owner>) -> Box<dyn LockGuard> {
        let thread = thread::current();
        let holder = Holder {
            pid: std::process::id(),
            started: None,
            host: "memory".to_owned(),
            user: "test".to_owned(),
            command: thread.name().unwrap_or("a thread").to_owned(),
            since: Timestamp::now(),
        };
        held.insert(name.clone(), Owner { thread: thread.id(), holder });
        Box::new(Guard { name: name.clone(), shared: self.shared.clone() })
    }

    /// Panics where waiting for `name` is against the contract.
    fn check(&self, name: &LockName) {
        let is_tried_only = *name == LockName::index() || name.as_str().starts_with("worker-");
        assert!(!is_tried_only, "{name} is waited for; it may only be tried");
        let me = thread::current().id();
        let mine: Vec<_> = {
            let held = held(&self.shared.held);
            held.iter().filter(|(_, own)| own.thread == me).map(|(name, _)| name.clone()).collect()
        };
        for own in mine {
            assert!(own != *name, "{name} is waited for by the thread that holds it");
            if let (Some(before), Some(after)) = (place(&own), place(name)) {
                assert!(before < after, "{name} is taken after {own}, against the order");
            }
        }
    }
}

impl Default for MemoryLocks {
    fn default() -> Self {
        Self::new()
    }
}

fn place(name: &LockName) -> Option<Place> {
    if name.as_str().starts_with("request-") {
        Some(Place::Request)
    } else if *name == LockName::graph() {
        Some(Place::Graph)
    } else if *name == LockName::sequences() {
        Some(Place::Sequences)
    } else {
        name.as_str().parse().ok().map(Place::Item)
    }
}

#[async_trait]
impl LockManager for MemoryLocks {
    async fn acquire(
        &self,
        name: &LockName,
        timeout: Option<Duration>,
    ) -> Result<Box<dyn LockGuard>, LockError> {
        self.check(name);
        let begun = Instant::now();
        let timeout = timeout.unwrap_or(Self::TIMEOUT);
        let left = || timeout.saturating_sub(begun.elapsed());
        let held = held(&self.shared.held);
        let wait =
            self.shared.released.wait_timeout_while(held, left(), |held| held.contains_key(name));
        let (mut held, _) = wait.unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(owner) = held.get(name) {
            return Err(LockError::TimedOut {
                name: name.clone(),
                waited: begun.elapsed(),
                holder: Some(Box::new(owner.holder.clone())),
            });
        }
        Ok(self.guard(name, &mut held))
    }

    async fn try_acquire(&self, name: &LockName) -> Result<Option<Box<dyn LockGuard>>, LockError> {
        let mut held = held(&self.shared.held);
        Ok(if held.contains_key(name) { None } else { Some(self.guard(name, &mut held)) })
    }

    fn reach(&self) -> Option<Reach> {
        Some(Reach { boot: "memory".to_owned(), machine: None, extra: Extra::new() })
    }

    fn presence(&self, name: &LockName, reach: &Reach) -> Result<Presence, LockError> {
        let is_held = || held(&self.shared.held).contains_key(name);
        Ok(match self.reach() {
            Some(here) if here.boot != reach.boot => Presence::Unknown,
            _ if is_held() => Presence::Held,
            _ => Presence::Gone,
        })
    }
}

impl LockGuard for Guard {
    fn name(&self) -> &LockName {
        &self.name
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        held(&self.shared.held).remove(&self.name);
        self.shared.released.notify_all();
    }
}

impl Drop for MemoryLocks {
    fn drop(&mut self) {
        let left = self.held();
        assert!(left.is_empty() || thread::panicking(), "locks are still held: {left:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::id;
    use pollster::block_on;

    fn take(locks: &MemoryLocks, name: &LockName) -> Box<dyn LockGuard> {
        block_on(locks.acquire(name, Some(Duration::ZERO))).expect("free")
    }

    #[test]
    #[should_panic(expected = "graph is taken after WORK-001, against the order")]
    fn the_graph_is_not_taken_while_an_item_is_held() {
        let locks = MemoryLocks::new();
        let _item = take(&locks, &LockName::item(&id(1)));
        let _graph = take(&locks, &LockName::graph());
    }

    #[test]
    #[should_panic(expected = "WORK-999 is taken after WORK-1000, against the order")]
    fn items_are_taken_in_the_order_of_their_numbers() {
        let locks = MemoryLocks::new();
        let _high = take(&locks, &LockName::item(&id(1000)));
        let _low = take(&locks, &LockName::item(&id(999)));
    }

    #[test]
    #[should_panic(expected = "WORK-001 is taken after sequences, against the order")]
    fn an_item_is_not_taken_while_the_sequences_are_held() {
        let locks = MemoryLocks::new();
        let _sequences = take(&locks, &LockName::sequences());
        let _item = take(&locks, &LockName::item(&id(1)));
    }

    #[test]
    #[should_panic(expected = "graph is waited for by the thread that holds it")]
    fn nobody_waits_for_themselves() {
        let locks = MemoryLocks::new();
        let _once = take(&locks, &LockName::graph());
        let _twice = take(&locks, &LockName::graph());
    }

    #[test]
    #[should_panic(expected = "index is waited for; it may only be tried")]
    fn nobody_waits_for_the_index() {
        let _index = take(&MemoryLocks::new(), &LockName::index());
    }

    #[test]
    #[should_panic(expected = "locks are still held")]
    fn a_leaked_guard_is_noticed() {
        let locks = MemoryLocks::new();
        std::mem::forget(take(&locks, &LockName::graph()));
    }
}
