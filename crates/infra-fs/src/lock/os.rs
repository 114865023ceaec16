//! Locks of the operating system on files beside the data: `flock` on Unix, `LockFileEx` on
//! Windows. The kernel releases them however their holder ends.
//!
//! A lock file may be removed, but only by whoever holds it. So a lock counts only if the locked
//! file is still the one at the path; otherwise the path is opened anew. On Windows the system
//! itself removes no file that a holder or waiter has open, and renames none, so it always is.

#![expect(clippy::disallowed_methods, reason = "this is the one module that locks files")]

use std::fs::File;
use std::io;
use std::path::Path;

use fs4::{FileExt, TryLockError};
use jerry_domain::ports::{BreakOutcome, Holder, StorageError};

use super::holder;
use super::wait::{self, Patience};
use crate::fault::{if_present, storage_error};
use crate::steps;

/// How a lock is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Alone.
    Exclusive,
    /// With others who take it so.
    Shared,
}

/// A locked file.
#[derive(Debug)]
pub(super) struct OsLock(File);

enum Attempt {
    Won(OsLock),
    Busy(File),
}

impl OsLock {
    /// Locks `file` if that can be done at once.
    fn attempt(file: File, mode: Mode) -> io::Result<Attempt> {
        loop {
            let tried = match mode {
                Mode::Exclusive => FileExt::try_lock(&file),
                Mode::Shared => FileExt::try_lock_shared(&file),
            };
            match tried {
                Ok(()) => return Ok(Attempt::Won(Self(file))),
                Err(TryLockError::WouldBlock) => return Ok(Attempt::Busy(file)),
                Err(TryLockError::Error(error)) if is_interrupted(&error) => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// Whether programs that are started from now on have the file open too, and so hold the lock: it
    /// belongs to the open file, which they share. All that the standard library opens is closed in
    /// them otherwise.
    #[cfg(unix)]
    pub(super) fn share_with_children(&self, share: bool) -> io::Result<bool> {
        use rustix::io::{FdFlags, fcntl_setfd};
        let flags = if share { FdFlags::empty() } else { FdFlags::CLOEXEC };
        fcntl_setfd(&self.0, flags)?;
        Ok(share)
    }

    /// A range lock belongs to the process that took it.
    #[cfg(not(unix))]
    pub(super) fn share_with_children(&self, _: bool) -> io::Result<bool> {
        Ok(false)
    }

    /// Locks `file`, waiting in the kernel's queue for as long as it takes.
    fn wait(file: File, mode: Mode) -> io::Result<Self> {
        loop {
            let locked = match mode {
                Mode::Exclusive => FileExt::lock(&file),
                Mode::Shared => FileExt::lock_shared(&file),
            };
            match locked {
                Ok(()) => return Ok(Self(file)),
                Err(error) if is_interrupted(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for OsLock {
    /// Unlocks before the file is closed: a child that was forked meanwhile shares the open file,
    /// and would keep the lock. When unlocking fails, closing does it.
    fn drop(&mut self) {
        while FileExt::unlock(&self.0).is_err_and(|error| is_interrupted(&error)) {}
    }
}

fn is_interrupted(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Interrupted
}

/// Takes the lock at `path`; `None` when patience ends before that.
pub(super) fn acquire(
    path: &Path,
    mode: Mode,
    patience: Patience,
) -> Result<Option<OsLock>, StorageError> {
    for _ in 0..MOST_REPLACED {
        let file = open(path)?;
        let attempt = OsLock::attempt(file, mode).and_then(|attempt| match attempt {
            Attempt::Won(lock) => Ok(Some(lock)),
            Attempt::Busy(file) => wait::in_queue(patience, move || OsLock::wait(file, mode)),
        });
        let Some(lock) = attempt.map_err(|error| storage_error("lock", path, error))? else {
            return Ok(None);
        };
        if is_at(&lock.0, path).map_err(|error| storage_error("look at", path, error))? {
            // The record is for messages only: a full disk must not keep a lock from anyone,
            // who may want to delete something.
            drop(holder::write(&lock.0, path));
            return Ok(Some(lock));
        }
    }
    let error = io::Error::other("what is locked is never what is at the path");
    Err(storage_error("lock", path, error))
}

/// Cleaning replaces a lock file now and then. One that is replaced more often than this is on a
/// file system that gives a file two identities.
const MOST_REPLACED: u32 = 1_000;

fn open(path: &Path) -> Result<File, StorageError> {
    let opened = match if_present(steps::open_or_create(path)) {
        Ok(Some(file)) => Ok(file),
        Ok(None) => {
            super::make_folder_of(path)?;
            steps::open_or_create(path)
        }
        Err(error) => Err(error),
    };
    opened.map_err(|error| storage_error("open", path, error))
}

/// Whether `file` is a regular file and the one at `path`.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use rustix::fs::FileType;
    let ours = rustix::fs::fstat(file)?;
    if FileType::from_raw_mode(ours.st_mode) != FileType::RegularFile {
        return Err(io::Error::other("it is not a regular file"));
    }
    let there = if_present(rustix::fs::lstat(path).map_err(io::Error::from))?;
    let same = |there: rustix::fs::Stat| (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino);
    Ok(ours.st_nlink > 0 && there.is_some_and(same))
}

/// It was opened so that it cannot leave its path: [`steps::open_or_create`].
#[cfg(windows)]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Who holds the lock at `path`, if they left their name.
pub(super) fn holder_of(path: &Path) -> Option<Holder> {
    holder::read(path)
}

/// Whether somebody holds the lock at `path` now, and who; `None` when it has no file.
///
/// Asks by a shared lock for a moment, so that two who look do not see each other. Holders of a
/// shared lock are not seen.
pub(super) fn state_of(path: &Path) -> Result<Option<(bool, Option<Holder>)>, StorageError> {
    let looked = if_present(steps::open_existing(path)).and_then(|file| {
        let Some(file) = file else { return Ok(None) };
        Ok(match OsLock::attempt(file, Mode::Shared)? {
            Attempt::Won(_) => Some((false, None)),
            Attempt::Busy(_) => Some((true, holder::read(path))),
        })
    });
    looked.map_err(|error| storage_error("look at", path, error))
}

/// Removes the lock file at `path` if nobody holds it, and says whether it did.
pub(super) fn remove_if_idle(path: &Path) -> Result<bool, StorageError> {
    let removed = if_present(steps::open_for_update(path)).and_then(|file| {
        let Some(file) = file else { return Ok(false) };
        match OsLock::attempt(file, Mode::Exclusive)? {
            Attempt::Won(lock) if is_at(&lock.0, path)? => remove(lock, path),
            Attempt::Won(_) | Attempt::Busy(_) => Ok(false),
        }
    });
    removed.map_err(|error| storage_error("remove", path, error))
}

/// Removed while it is held: whoever locks it afterwards sees by [`is_at`] that it is gone.
#[cfg(unix)]
fn remove(_held: OsLock, path: &Path) -> io::Result<bool> {
    steps::remove_file(path).map(|()| true)
}

/// Removed only if nobody has it open, not even this process.
#[cfg(windows)]
fn remove(held: OsLock, path: &Path) -> io::Result<bool> {
    if let Some(record) = holder::beside(path) {
        if_present(steps::remove_file(&record))?;
    }
    drop(held);
    Ok(if_present(steps::remove_unless_open(path))? == Some(true))
}

/// Never breaks anything: a lock file that is removed while it is held makes two holders.
pub(super) fn break_lock(path: &Path) -> Result<BreakOutcome, StorageError> {
    Ok(match state_of(path)? {
        None | Some((false, _)) => BreakOutcome::Idle,
        Some((true, holder)) => BreakOutcome::Refused(holder),
    })
}
