use jiff::Timestamp;

/// What time it is.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Clock: Send + Sync {
    /// The present time. May go backwards: clocks are set.
    fn now(&self) -> Timestamp;
}
