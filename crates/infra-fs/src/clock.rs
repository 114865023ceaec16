//! The machine's clock.

use jerry_domain::Timestamp;
use jerry_domain::ports::Clock;

/// The machine's clock, to the microsecond: finer digits would only make files harder to read.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}
