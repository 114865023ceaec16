//! Mutual exclusion between the processes that share a store.
//!
//! Each lock is a file (or, for file systems whose locks do not work, a directory) of its own in
//! `.jerry/local/locks`, never the data file itself: data files are replaced by renames, and a
//! lock on a file that is no longer at its path excludes nobody.

mod directory;
pub(crate) mod holder;
mod os;
mod registry;
#[cfg(all(test, feature = "schedules"))]
mod schedules;
mod wait;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jerry_domain::Reach;
use jerry_domain::ports::{
    BreakOutcome, Holder, LockAdmin, LockError, LockGuard, LockManager, LockName, LockState,
    Presence, StorageError,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::directory::DirectoryLock;
pub use self::directory::release_all;
use self::os::{Mode, OsLock};
use self::wait::Patience;
use crate::fault::{if_present, storage_error};
use crate::machine;
use crate::publish::{self, PublishError};

/// How a store's locks are made. All processes that share a store must use the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LockBackend {
    /// The operating system's file locks, which end with their holder.
    #[default]
    Os,
    /// Directories, for file systems whose locks do not work.
    Directory,
}

impl fmt::Display for LockBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Os => "os",
            Self::Directory => "directory",
        })
    }
}

/// How long locks are waited for and held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockSettings {
    /// How long an acquisition waits unless its caller says otherwise.
    pub timeout: Duration,
    /// For how long a lock may be held before it is reported as stale. It is never broken for it.
    pub stale_after: Duration,
    /// How a busy directory lock is asked for again. OS locks do not poll.
    pub back_off: BackOff,
}

/// How a busy directory lock is asked for again: after `base · 2^n`, at most `cap`, plus a random
/// time up to `jitter`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackOff {
    /// The wait after the first attempt.
    pub base: Duration,
    /// The longest wait, jitter aside.
    pub cap: Duration,
    /// The longest random addition, which keeps waiters from asking in step.
    pub jitter: Duration,
    /// After how many attempts to give up, even if the timeout has not passed.
    pub max_attempts: u32,
}

impl Default for LockSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            stale_after: Duration::from_secs(5 * 60),
            back_off: BackOff::default(),
        }
    }
}

impl Default for BackOff {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(2),
            cap: Duration::from_millis(100),
            jitter: Duration::from_millis(20),
            max_attempts: 2_000,
        }
    }
}

/// The locks of one store. Cheap to clone; clones are the same locks.
#[derive(Debug, Clone)]
pub struct FsLocks {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    backend: LockBackend,
    settings: LockSettings,
}

/// A lock that is held, and released when this is dropped.
#[derive(Debug)]
pub struct FsLockGuard {
    name: LockName,
    held: Held,
}

#[derive(Debug)]
enum Held {
    Os(OsLock),
    Directory(#[expect(dead_code, reason = "held for its destructor")] DirectoryLock),
}

impl FsLocks {
    /// The locks in `folder`. Nothing is read or made before the first use: a missing folder, and
    /// its parent, are made by the first acquisition.
    #[must_use]
    pub fn new(folder: PathBuf, backend: LockBackend, settings: LockSettings) -> Self {
        Self { inner: Arc::new(Inner { folder, backend, settings }) }
    }

    /// Waits for the lock, for the settings' time if `timeout` is `None`, and takes it alone.
    ///
    /// # Errors
    /// [`LockError::TimedOut`] with the holder when it stays held; [`LockError::Storage`].
    pub fn acquire(
        &self,
        name: &LockName,
        timeout: Option<Duration>,
    ) -> Result<FsLockGuard, LockError> {
        self.take(name, Mode::Exclusive, timeout)
    }

    /// As [`FsLocks::acquire`], but any number of those who take it so may hold it together.
    /// Directory locks have no such thing and are taken alone.
    ///
    /// # Errors
    /// As [`FsLocks::acquire`].
    pub fn acquire_shared(
        &self,
        name: &LockName,
        timeout: Option<Duration>,
    ) -> Result<FsLockGuard, LockError> {
        self.take(name, Mode::Shared, timeout)
    }

    /// Takes the lock alone if that can be done at once, else returns `None`.
    ///
    /// `None` may be spurious: [`FsLocks::list`] and [`FsLocks::clean`] hold each lock for a
    /// moment.
    ///
    /// # Errors
    /// [`LockError::Storage`].
    pub fn try_acquire(&self, name: &LockName) -> Result<Option<FsLockGuard>, LockError> {
        self.attempt(name, Mode::Exclusive, Patience::new(Duration::ZERO))
    }

    fn take(
        &self,
        name: &LockName,
        mode: Mode,
        timeout: Option<Duration>,
    ) -> Result<FsLockGuard, LockError> {
        let patience = Patience::new(timeout.unwrap_or(self.inner.settings.timeout));
        self.attempt(name, mode, patience)?.ok_or_else(|| LockError::TimedOut {
            name: name.clone(),
            waited: patience.waited(),
            holder: self.holder_of(name).map(Box::new),
        })
    }

    fn attempt(
        &self,
        name: &LockName,
        mode: Mode,
        patience: Patience,
    ) -> Result<Option<FsLockGuard>, LockError> {
        let path = self.path(name);
        let held = match self.inner.backend {
            LockBackend::Os => os::acquire(&path, mode, patience).map(|lock| lock.map(Held::Os)),
            LockBackend::Directory => {
                directory::acquire(&path, &self.inner.settings.back_off, patience)
                    .map(|lock| lock.map(Held::Directory))
            }
        };
        held.map(|held| held.map(|held| FsLockGuard { name: name.clone(), held }))
            .map_err(|source| LockError::Storage { name: name.clone(), source })
    }

    fn holder_of(&self, name: &LockName) -> Option<Holder> {
        match self.inner.backend {
            LockBackend::Os => os::holder_of(&self.path(name)),
            LockBackend::Directory => directory::holder_of(&self.path(name)),
        }
    }

    /// Every lock that has a file, by name.
    ///
    /// # Errors
    /// [`StorageError`] when they cannot be listed or looked at.
    pub fn list(&self) -> Result<Vec<LockState>, StorageError> {
        let mut states = Vec::new();
        for (name, path) in self.locks()? {
            let seen = match self.inner.backend {
                LockBackend::Os => os::state_of(&path)?,
                LockBackend::Directory => directory::state_of(&path)?,
            };
            if let Some((held, holder)) = seen {
                let stale = held
                    && !name.is_of_work()
                    && holder.as_ref().is_some_and(|holder| self.is_stale(holder));
                states.push(LockState { name, held, holder, stale });
            }
        }
        Ok(states)
    }

    /// Whether a lock that was taken within `reach` is still held. Directory locks are taken for a
    /// moment to tell, which proves the death of a holder.
    ///
    /// # Errors
    /// [`LockError::Storage`].
    pub fn presence(&self, name: &LockName, reach: &Reach) -> Result<Presence, LockError> {
        let Some(here) = machine::reach() else { return Ok(Presence::Unknown) };
        if here.boot != reach.boot {
            let same_machine = here.machine.is_some() && here.machine == reach.machine;
            return Ok(if same_machine { Presence::Gone } else { Presence::Unknown });
        }
        let held = match self.inner.backend {
            LockBackend::Os => os::state_of(&self.path(name))
                .map_err(|source| LockError::Storage { name: name.clone(), source })?
                .is_some_and(|(held, _)| held),
            LockBackend::Directory => self.try_acquire(name)?.is_none(),
        };
        Ok(if held { Presence::Held } else { Presence::Gone })
    }

    fn is_stale(&self, holder: &Holder) -> bool {
        let held_for = Duration::try_from(Timestamp::now().duration_since(holder.since));
        held_for.is_ok_and(|held_for| held_for > self.inner.settings.stale_after)
    }

    /// Removes what idle locks leave behind, and says which. Safe while others lock and unlock;
    /// never touches a held lock.
    ///
    /// # Errors
    /// [`StorageError`] when they cannot be listed or removed.
    pub fn clean(&self) -> Result<Vec<LockName>, StorageError> {
        if self.inner.backend == LockBackend::Directory {
            directory::sweep(&self.inner.folder, self.inner.settings.stale_after)?;
        }
        let mut removed = Vec::new();
        for (name, path) in self.locks()? {
            let gone = match self.inner.backend {
                LockBackend::Os => os::remove_if_idle(&path)?,
                LockBackend::Directory => directory::remove_if_idle(&path)?,
            };
            if gone {
                removed.push(name);
            }
        }
        Ok(removed)
    }

    /// Breaks a lock where that can be done without making two holders. An OS lock never can: its
    /// holder has to be ended. A directory lock is broken unless its holder is seen to live.
    ///
    /// # Errors
    /// [`StorageError`] when it cannot be looked at or removed.
    pub fn break_lock(&self, name: &LockName) -> Result<BreakOutcome, StorageError> {
        match self.inner.backend {
            LockBackend::Os => os::break_lock(&self.path(name)),
            LockBackend::Directory => directory::break_lock(&self.path(name)),
        }
    }

    fn path(&self, name: &LockName) -> PathBuf {
        self.inner.folder.join(format!("{name}{SUFFIX}"))
    }

    /// Every lock that has an entry in the folder, by name.
    fn locks(&self) -> Result<Vec<(LockName, PathBuf)>, StorageError> {
        let folder = &self.inner.folder;
        let failed = |error| storage_error("list", folder, error);
        let Some(entries) = if_present(fs::read_dir(folder)).map_err(failed)? else {
            return Ok(Vec::new());
        };
        let mut locks = Vec::new();
        for entry in entries {
            let file_name = entry.map_err(failed)?.file_name();
            let name = file_name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
            if let Some(name) = name.and_then(LockName::new) {
                let path = self.path(&name);
                locks.push((name, path));
            }
        }
        locks.sort();
        Ok(locks)
    }
}

const SUFFIX: &str = ".lock";

/// Makes the folder of locks, and `local/` around it, which no checkout brings. The store's own
/// folder is not made: without it there is no store.
fn make_folder_of(lock: &Path) -> Result<(), StorageError> {
    let Some(locks) = lock.parent() else { return Ok(()) };
    let root = locks.parent().and_then(Path::parent).unwrap_or(locks);
    publish::make_volatile_dir(locks, root).map_err(|error| match error {
        PublishError::Failed(error) | PublishError::Indeterminate(error) => error,
    })
}

#[async_trait]
impl LockManager for FsLocks {
    async fn acquire(
        &self,
        name: &LockName,
        timeout: Option<Duration>,
    ) -> Result<Box<dyn LockGuard>, LockError> {
        self.acquire(name, timeout).map(|guard| Box::new(guard) as _)
    }

    async fn try_acquire(&self, name: &LockName) -> Result<Option<Box<dyn LockGuard>>, LockError> {
        self.try_acquire(name).map(|guard| guard.map(|guard| Box::new(guard) as _))
    }

    fn reach(&self) -> Option<Reach> {
        machine::reach()
    }

    fn presence(&self, name: &LockName, reach: &Reach) -> Result<Presence, LockError> {
        self.presence(name, reach)
    }
}

#[async_trait]
impl LockAdmin for FsLocks {
    async fn list(&self) -> Result<Vec<LockState>, StorageError> {
        self.list()
    }

    async fn clean(&self) -> Result<Vec<LockName>, StorageError> {
        self.clean()
    }

    async fn break_lock(&self, name: &LockName) -> Result<BreakOutcome, StorageError> {
        self.break_lock(name)
    }
}

impl LockGuard for FsLockGuard {
    fn name(&self) -> &LockName {
        &self.name
    }

    fn share_with_children(&self, share: bool) -> Result<bool, LockError> {
        let Held::Os(lock) = &self.held else { return Ok(false) };
        lock.share_with_children(share).map_err(|error| LockError::Storage {
            name: self.name.clone(),
            source: storage_error("share", Path::new(self.name.as_str()), error),
        })
    }
}
