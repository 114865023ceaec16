use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StorageError;
use crate::digest::fnv_1a;
use crate::{Reach, RequestId, WorkId};

/// So many, that requests rarely wait for one another, and so few, that they need no cleaning.
const REQUEST_LOCKS: u64 = 64;

/// What a lock is called: letters, digits, `.`, `_` and `-`, at most 100, not starting with a dot.
///
/// Names come from ids and paths relative to the store, so that every process, wherever it sees
/// the store mounted, means the same lock by the same name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockName(String);

impl LockName {
    /// Checks a name.
    ///
    /// Returns `None` when it could not be a file's name everywhere.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let valid = (1..=100).contains(&name.len()) && name.bytes().all(plain);
        (valid && !name.starts_with('.')).then(|| Self(name.to_owned()))
    }

    /// The lock of one item: held by whoever writes it.
    #[must_use]
    pub fn item(id: &WorkId) -> Self {
        Self(id.to_string())
    }

    /// The lock of every decision that looks at several items.
    #[must_use]
    pub fn graph() -> Self {
        Self("graph".to_owned())
    }

    /// The lock of the numbers given out.
    #[must_use]
    pub fn sequences() -> Self {
        Self("sequences".to_owned())
    }

    /// The lock of the index.
    #[must_use]
    pub fn index() -> Self {
        Self("index".to_owned())
    }

    /// The lock of what watchers have seen.
    #[must_use]
    pub fn cursors() -> Self {
        Self("cursors".to_owned())
    }

    /// The lock of several items that are written all or none.
    #[must_use]
    pub fn journal() -> Self {
        Self("journal".to_owned())
    }

    /// The lock of one worker slot.
    #[must_use]
    pub fn worker(slot: u16) -> Self {
        Self(format!("worker-{slot:04}"))
    }

    /// The lock of the time behind which every worker slot starts.
    #[must_use]
    pub fn worker_floor() -> Self {
        Self("worker-floor".to_owned())
    }

    /// The lock of the moment in which an item's file gets its name, or loses it.
    #[must_use]
    pub fn naming() -> Self {
        Self("naming".to_owned())
    }

    /// The lock of one batch of insertions.
    #[must_use]
    pub fn batch(number: u32) -> Self {
        Self(format!("batch-{number:02}"))
    }

    /// The lock of a file that is no item, by a digest of its path relative to the store.
    #[must_use]
    pub fn file(path: &str) -> Self {
        Self(format!("file-{:016x}", fnv_1a(path.as_bytes())))
    }

    /// The lock of whoever looks whether a request has been made already and makes it if not. A few
    /// requests may have one.
    #[must_use]
    pub fn request(request: &RequestId) -> Self {
        Self(format!("request-{:02}", request.digest() % REQUEST_LOCKS))
    }

    /// The lock of whoever works on an item for as long as a command of theirs runs. It is held while
    /// other locks come and go, the item's own among them.
    #[must_use]
    pub fn work(id: &WorkId) -> Self {
        Self(format!("{WORK}{id}"))
    }

    /// Whether it is one of [`LockName::work`], which are held for hours.
    #[must_use]
    pub fn is_of_work(&self) -> bool {
        self.0.starts_with(WORK)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const WORK: &str = "work-";

impl fmt::Display for LockName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Who holds a lock, as they said themselves. For messages only: whether a lock is held is never
/// decided by this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id, on `host`.
    pub pid: u32,
    /// When the process started, in the kernel's own units; tells it from a later one of this pid.
    pub started: Option<u64>,
    /// The machine.
    pub host: String,
    /// The user.
    pub user: String,
    /// What runs there.
    pub command: String,
    /// When the lock was taken.
    pub since: Timestamp,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, host, user, command, since, .. } = self;
        write!(f, "process {pid} ({command}) of {user}@{host} since {since}")
    }
}

/// Why a lock was not taken. It is not held afterwards.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Someone else held it for as long as the caller wanted to wait.
    #[error("lock {name} is busy after {} ms: held by {}", waited.as_millis(), held_by(holder))]
    TimedOut {
        /// The lock.
        name: LockName,
        /// How long was waited.
        waited: Duration,
        /// Who holds it, where that could be read.
        holder: Option<Box<Holder>>,
    },
    /// The storage did not let it be taken.
    #[error("cannot take the lock {name}")]
    Storage {
        /// The lock.
        name: LockName,
        /// What failed.
        #[source]
        source: StorageError,
    },
}

fn held_by(holder: &Option<Box<Holder>>) -> String {
    holder.as_ref().map_or_else(|| "a process that left no name".to_owned(), ToString::to_string)
}

/// A lock that is held. Dropping it releases it.
pub trait LockGuard: Send {
    /// The lock.
    fn name(&self) -> &LockName;

    /// Whether the programs that this process starts from now on are to hold the lock too: until the
    /// last of them ends, or this guard is dropped. `false` where that cannot be had; then the lock
    /// ends with this process.
    ///
    /// # Errors
    /// [`LockError::Storage`]; nothing was changed.
    fn share_with_children(&self, _share: bool) -> Result<bool, LockError> {
        Ok(false)
    }
}

/// What can be told of a lock that was once taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Somebody holds it.
    Held,
    /// Nobody holds it, and who took it will not come back.
    Gone,
    /// It was taken where this manager cannot see.
    Unknown,
}

/// Mutual exclusion between processes and threads.
///
/// # Contract
/// - At most one guard of a name exists at any time, over all processes and threads that use the
///   store, on whatever path they see it.
/// - A holder that dies, however it dies, is a holder no more; nobody has to clean up after it.
/// - Waiting is fair enough that nobody starves: the order of arrival decides where the system
///   lets it.
/// - Not reentrant: a second acquisition by a holder waits like anyone else's.
/// - Several locks are taken in this order: a request, `graph`, `journal`, a batch, items ascending, `sequences`,
///   `naming`. `index` and worker slots are only tried, never waited for.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait LockManager: Send + Sync {
    /// Waits for the lock and takes it.
    ///
    /// `timeout` is how long to wait; `None` leaves it to the settings.
    ///
    /// # Errors
    /// [`LockError::TimedOut`] with the holder when it stays held; [`LockError::Storage`].
    async fn acquire(
        &self,
        name: &LockName,
        timeout: Option<Duration>,
    ) -> Result<Box<dyn LockGuard>, LockError>;

    /// Takes the lock if nobody holds it, else returns `None` at once.
    ///
    /// # Errors
    /// [`LockError::Storage`].
    async fn try_acquire(&self, name: &LockName) -> Result<Option<Box<dyn LockGuard>>, LockError>;

    /// Where the locks that this manager takes mean something; `None` where that cannot be told.
    fn reach(&self) -> Option<Reach>;

    /// Whether the lock that was taken within `reach` is still held. Does not wait, and keeps nobody
    /// from taking it for longer than a look.
    ///
    /// # Errors
    /// [`LockError::Storage`].
    fn presence(&self, name: &LockName, reach: &Reach) -> Result<Presence, LockError>;
}

/// One lock, as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockState {
    /// The lock.
    pub name: LockName,
    /// Whether somebody holds it now.
    pub held: bool,
    /// Who holds it, where they left their name.
    pub holder: Option<Holder>,
    /// Whether it has been held for longer than five minutes.
    pub stale: bool,
}

/// What became of a request to break a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BreakOutcome {
    /// Nobody held it.
    Idle,
    /// It was taken from a holder that no longer lives, or that an administrator gave up.
    Broken(Option<Holder>),
    /// It cannot be broken without making two holders; the holder has to be ended.
    Refused(Option<Holder>),
}

/// A look at the locks from outside, for the people who run the machine.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait LockAdmin: Send + Sync {
    /// Every lock that has a file, by name.
    ///
    /// # Errors
    /// [`StorageError`] when they cannot be listed.
    async fn list(&self) -> Result<Vec<LockState>, StorageError>;

    /// Removes what idle locks leave behind, and says which. Safe while others lock and unlock.
    ///
    /// # Errors
    /// [`StorageError`] when they cannot be listed or removed.
    async fn clean(&self) -> Result<Vec<LockName>, StorageError>;

    /// Breaks a lock where that can be done without making two holders.
    ///
    /// # Errors
    /// [`StorageError`] when it cannot be looked at or removed.
    async fn break_lock(&self, name: &LockName) -> Result<BreakOutcome, StorageError>;
}
