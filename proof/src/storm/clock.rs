//! A clock that somebody keeps setting.

use std::sync::atomic::{AtomicI64, Ordering};

use jerry_domain::Timestamp;
use jerry_domain::ports::Clock;
use jerry_infra_fs::SystemClock;

use crate::dice::Dice;

/// How far ahead and behind it is set, in milliseconds.
const AHEAD: u64 = 3_000;
const BEHIND: u64 = 3_600_000;

/// The machine's clock and what was added to it.
#[derive(Debug, Default)]
pub(super) struct SteppingClock(AtomicI64);

impl SteppingClock {
    /// Sets it: often to one of a few times, so that what was once the time is the time again.
    pub(super) fn step(&self, dice: &mut Dice) {
        let offset = match dice.below(4) {
            0 => -(BEHIND as i64),
            1 => -1_000,
            2 => AHEAD as i64,
            _ => dice.below(BEHIND + AHEAD) as i64 - BEHIND as i64,
        };
        self.0.store(offset, Ordering::Relaxed);
    }
}

impl Clock for SteppingClock {
    fn now(&self) -> Timestamp {
        let now = SystemClock.now();
        let set = now.as_microsecond() + self.0.load(Ordering::Relaxed) * 1_000;
        Timestamp::from_microsecond(set).unwrap_or(now)
    }
}
