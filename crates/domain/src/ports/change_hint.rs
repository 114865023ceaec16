use std::sync::Arc;
use std::time::Duration;

/// Tells that something may have changed, so that nobody needs to look all the time. A hint and
/// nothing more: it may be false, come late or not at all, and says nothing of what changed.
///
/// # Contract
/// - After [`arm`](ChangeHint::arm) and before the wait nothing is forgotten: a change that the
///   hint can tell of and that is made in between ends the wait at once.
/// - A wait ends in time, hint or no hint.
pub trait ChangeHint: Send {
    /// Listens from now on. To be called before the look whose findings the wait is about. `false`
    /// when nothing will be told, so that one has to look more often.
    fn arm(&mut self) -> bool;

    /// Blocks until something may have changed since [`arm`](ChangeHint::arm): for `at_least`, and
    /// `at_most` as long as that, or `at_least` where that is longer. `false` when nothing has been
    /// told.
    fn wait(&mut self, at_least: Duration, at_most: Duration) -> bool;
}

/// Makes a hint for each who watches.
pub type NewHint = Arc<dyn Fn() -> Box<dyn ChangeHint> + Send + Sync>;
