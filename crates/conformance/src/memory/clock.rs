use std::sync::Mutex;
use std::time::Duration;

use jerry_domain::Timestamp;
use jerry_domain::ports::Clock;

use super::held;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock at 2026-01-01T00:00:00Z.
    #[must_use]
    pub fn new() -> Self {
        Self(Mutex::new(Timestamp::constant(1_767_225_600, 0)))
    }

    /// Sets the clock, back too.
    pub fn set(&self, to: Timestamp) {
        *held(&self.0) = to;
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        let mut now = held(&self.0);
        *now += by;
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *held(&self.0)
    }
}
