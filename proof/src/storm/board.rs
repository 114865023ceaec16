//! What those who ask know of each other: which items there are, and what was acknowledged of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jerry_domain::WorkId;

use super::ledger::{Answer, Written};
use crate::dice::Dice;

/// Shared by everyone who asks.
#[derive(Debug)]
pub(super) struct Board {
    known: Mutex<Known>,
    /// How many of the newest items get most of the writes.
    hot: usize,
    /// How many commands are still to be given.
    left: AtomicU64,
    /// How long a command takes at present, in microseconds.
    usual: AtomicU64,
}

#[derive(Debug, Default)]
struct Known {
    alive: Vec<WorkId>,
    versions: HashMap<WorkId, u64>,
}

impl Board {
    pub(super) fn new(commands: u64, hot: usize) -> Self {
        Self {
            known: Mutex::default(),
            hot,
            left: AtomicU64::new(commands),
            usual: AtomicU64::new(3_000),
        }
    }

    /// Whether there is one more command to give.
    pub(super) fn take(&self) -> bool {
        let one_less = |left: u64| left.checked_sub(1);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }

    pub(super) fn is_over(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }

    /// An item that was there a moment ago.
    pub(super) fn any(&self, dice: &mut Dice) -> Option<WorkId> {
        let known = self.known();
        let hot = known.alive.len().saturating_sub(self.hot);
        let from = if dice.one_in(3) { 0 } else { hot };
        dice.pick(&known.alive[from..]).cloned()
    }

    /// The greatest version that was acknowledged.
    pub(super) fn version(&self, id: &WorkId) -> u64 {
        self.known().versions.get(id).copied().unwrap_or(0)
    }

    pub(super) fn learn(&self, answer: &Answer) {
        let mut known = self.known();
        match answer {
            Answer::Wrote(all) => {
                for Written { id, version, .. } in all {
                    let newest = known.versions.entry(id.clone()).or_default();
                    let is_new = *newest == 0;
                    *newest = (*newest).max(*version);
                    if is_new {
                        known.alive.push(id.clone());
                    }
                }
            }
            Answer::Deleted(Written { id, .. }) => known.alive.retain(|other| other != id),
            _ => {}
        }
    }

    pub(super) fn took(&self, time: Duration) {
        let usual = self.usual.load(Ordering::Relaxed);
        let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).min(100_000);
        self.usual.store((usual * 7 + time) / 8, Ordering::Relaxed);
    }

    /// Some moment of a command's life, which may be over by then.
    pub(super) fn moment(&self, dice: &mut Dice) -> Duration {
        Duration::from_micros(dice.below(self.usual.load(Ordering::Relaxed)))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
