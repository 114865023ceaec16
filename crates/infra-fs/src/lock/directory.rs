//! Locks that are directories, for file systems whose own locks do not work.
//!
//! A lock is held while `<name>.lock/` contains `owner-<nonce>`, the record of its holder under a
//! name that occurs once only. Everything rests on three things that file systems do in one step:
//!
//! - **Acquire:** make `prepare-<nonce>/`, write the record into it, make it durable, rename the
//!   directory to `<name>.lock`. The rename is refused where a record stands and replaces an empty
//!   directory, so at most one succeeds and what it puts there has its owner in it.
//! - **Release, take over, break:** unlink `<name>.lock/owner-<nonce>`. Because of its name this
//!   removes that one acquisition and never a later one; of any number who try, one succeeds. The
//!   empty directory is nobody's lock; it is removed in passing.
//! - **Sweep** what a killed process prepared: rename it away first, so that it cannot become a
//!   lock while it is taken apart.
//!
//! Whoever is killed leaves, before the rename, litter that nobody takes for a lock; after it, a
//! lock with an owner; after the unlink, an empty directory that is free. There is no state in
//! which someone has to come back to finish.
//!
//! A lock is taken over only when its owner is proven dead (see [`machine::life`]). Otherwise it
//! is waited for, and a person may break it.
//!
//! [`machine::life`]: crate::machine::life

use std::collections::hash_map::RandomState;
use std::ffi::OsString;
use std::fs;
use std::hash::BuildHasher;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use jerry_domain::ports::{BreakOutcome, Holder, StorageError};
use jiff::Timestamp;

use super::BackOff;
use super::holder::Record;
use super::registry::Registry;
use super::wait::Patience;
use crate::fault::{if_present, storage_error};
use crate::in_use::{FOR_A_CHANGE, is_in_use, outlast};
use crate::machine::Life;
use crate::steps;

const OWNER: &str = "owner-";
const PREPARED: &str = "prepare-";
const SWEPT: &str = "swept-";

/// A directory lock that is held.
#[derive(Debug)]
pub(super) struct DirectoryLock(Held);

/// A lock's directory and the record that makes it held.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    directory: PathBuf,
    owner: PathBuf,
}

impl Held {
    /// Ends this acquisition and no other; `false` when it had ended already.
    fn end(&self) -> Result<bool, StorageError> {
        let removed = match if_present(steps::remove_file(&self.owner)) {
            Ok(removed) => removed.is_some(),
            // A network file system may answer with an error what it did.
            Err(_) if !is_there(&self.owner)? => true,
            Err(error) => return Err(storage_error("remove", &self.owner, error)),
        };
        // The lock is nobody's by now, whether or not the directory goes.
        let _ = remove_if_empty(&self.directory);
        Ok(removed)
    }
}

/// Takes the lock at `path`; `None` when patience or the attempts end before that.
pub(super) fn acquire(
    path: &Path,
    back_off: &BackOff,
    patience: Patience,
) -> Result<Option<DirectoryLock>, StorageError> {
    let mut attempt = 0;
    loop {
        if let Some(lock) = attempt_at(path)? {
            return Ok(Some(lock));
        }
        attempt += 1;
        let left = patience.left();
        if left.is_zero() || attempt >= back_off.max_attempts {
            return Ok(None);
        }
        thread::sleep(back_off.delay(attempt - 1).min(left));
    }
}

fn attempt_at(path: &Path) -> Result<Option<DirectoryLock>, StorageError> {
    match look(path)? {
        Seen::Nothing => {}
        // Not every file system lets a rename replace an empty directory.
        Seen::Empty => remove_if_empty(path)?,
        Seen::Owned(owner) if owner.life() == Life::Dead || REGISTRY.has_given_up(&owner.held) => {
            owner.held.end()?;
        }
        Seen::Owned(_) => return Ok(None),
    }
    Prepared::new(path)?.put_in_place(path)
}

impl BackOff {
    /// The wait after attempt `n`, from 0.
    fn delay(&self, n: u32) -> Duration {
        let doubled = self.base.saturating_mul(2_u32.saturating_pow(n));
        let jitter = (random() % 1_000) as u32;
        doubled.min(self.cap) + self.jitter * jitter / 1_000
    }
}

/// The standard library seeds each of its hash maps from the system's randomness.
fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

fn nonce() -> String {
    format!("{:016x}{:016x}", random(), random())
}

/// A directory with this process's record in it, removed unless it becomes a lock.
struct Prepared {
    directory: PathBuf,
    owner: OsString,
    in_place: bool,
}

impl Prepared {
    fn new(lock: &Path) -> Result<Self, StorageError> {
        let nonce = nonce();
        let directory = lock.with_file_name(format!("{PREPARED}{nonce}"));
        let prepared = Self { directory, owner: format!("{OWNER}{nonce}").into(), in_place: false };
        let directory = &prepared.directory;
        let failed = |error| storage_error("create", directory, error);
        if if_present(steps::make_dir(directory)).map_err(failed)?.is_none() {
            super::make_folder_of(lock)?;
            steps::make_dir(directory).map_err(failed)?;
        }
        let owner = prepared.directory.join(&prepared.owner);
        write_record(&owner).map_err(|error| storage_error("write", &owner, error))?;
        Ok(prepared)
    }

    /// Makes this the lock at `path`, unless there is one.
    fn put_in_place(mut self, path: &Path) -> Result<Option<DirectoryLock>, StorageError> {
        let held = Held { directory: path.to_owned(), owner: path.join(&self.owner) };
        let place = || match steps::rename_dir(&self.directory, path) {
            Ok(()) => Ok(true),
            Err(error) => match error.kind() {
                io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => Ok(false),
                // What Windows says of a directory that is there, empty or not.
                _ if is_in_use(&error) => Ok(false),
                // A network file system may answer with an error what it did, or ask twice because
                // the answer to the first rename was lost.
                _ if is_there(&held.owner)? => Ok(true),
                // Swept by someone who took this process for dead.
                io::ErrorKind::NotFound => Ok(false),
                _ => Err(storage_error("rename to", path, error)),
            },
        };
        let ending = || io::Error::other("this process is ending");
        self.in_place = REGISTRY
            .enter(&held, place)
            .unwrap_or_else(|| Err(storage_error("rename to", path, ending())))?;
        Ok(self.in_place.then(|| DirectoryLock(held)))
    }
}

impl Drop for Prepared {
    /// What cannot be removed is swept later.
    fn drop(&mut self) {
        if !self.in_place {
            drop(steps::remove_file(&self.directory.join(&self.owner)));
            drop(steps::remove_dir(&self.directory));
        }
    }
}

/// Durable, or a power cut could leave a lock whose owner cannot be read.
fn write_record(path: &Path) -> io::Result<()> {
    let file = steps::create_new(path)?;
    let mut record = serde_json::to_vec(&Record::of_this_process(Timestamp::now()))?;
    record.push(b'\n');
    steps::write_all(&file, &record)?;
    steps::sync_file(&file)
}

fn is_there(path: &Path) -> Result<bool, StorageError> {
    let found = if_present(fs::symlink_metadata(path));
    Ok(found.map_err(|error| storage_error("look at", path, error))?.is_some())
}

impl Drop for DirectoryLock {
    fn drop(&mut self) {
        let ended = self.0.end();
        REGISTRY.leave(&self.0, ended.is_ok());
    }
}

/// The directory locks that this process holds. Where one could not be released it is provably
/// nobody's once the process has ended.
static REGISTRY: Registry<Held> = Registry::new();

/// How long [`release_all`] waits for guards to be dropped.
const GRACE: Duration = Duration::from_secs(2);

/// Releases every directory lock that this process holds, before it ends: on SIGINT, SIGTERM and
/// `exit`, which run no destructors. OS locks need nothing of the kind.
///
/// No directory lock is taken in this process any more. Whoever holds one has two seconds to
/// finish what it protects; then it is removed. The caller ends the process at once afterwards:
/// a thread that went on writing would do so without its lock.
///
/// To be called from an ordinary thread, not inside a signal handler: it takes a mutex. On Unix
/// one signal-watching thread is the usual way.
pub fn release_all() {
    // The process is ending: its death is the proof by which others take what stays behind.
    REGISTRY.close(GRACE, |held| drop(held.end()));
}

/// What is at a lock's path.
enum Seen {
    Nothing,
    /// A directory without an owner: not a lock.
    Empty,
    Owned(Box<Owner>),
}

struct Owner {
    held: Held,
    /// `None` when it cannot be read; then nothing is proven of it.
    record: Option<Record>,
}

impl Owner {
    fn life(&self) -> Life {
        self.record.as_ref().map_or(Life::Unknown, Record::life)
    }

    fn holder(self) -> Option<Holder> {
        self.record.map(|record| record.holder)
    }
}

fn look(directory: &Path) -> Result<Seen, StorageError> {
    let owner = if_present(outlast(FOR_A_CHANGE, || owner_in(directory)))
        .map_err(|error| storage_error("look at", directory, error))?;
    Ok(match owner {
        None => Seen::Nothing,
        Some(None) => Seen::Empty,
        Some(Some(owner)) => {
            let text = fs::read(&owner).ok();
            let record = text.and_then(|text| serde_json::from_slice(&text).ok());
            let held = Held { directory: directory.to_owned(), owner };
            Seen::Owned(Box::new(Owner { held, record }))
        }
    })
}

/// The owner's record in a lock's directory, if there is one. On a network file system the
/// directory may be gone in the middle of it.
fn owner_in(directory: &Path) -> io::Result<Option<PathBuf>> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(OWNER.as_bytes()) {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

fn remove_if_empty(directory: &Path) -> Result<(), StorageError> {
    match if_present(steps::remove_dir(directory)) {
        Err(error)
            // On Windows someone may be looking into it; it is removed another time.
            if !is_in_use(&error)
                && !matches!(
                    error.kind(),
                    io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists
                ) =>
        {
            Err(storage_error("remove", directory, error))
        }
        _ => Ok(()),
    }
}

/// Who holds the lock at `path`, as far as that can be read.
pub(super) fn holder_of(path: &Path) -> Option<Holder> {
    match look(path).ok()? {
        Seen::Owned(owner) => owner.holder(),
        Seen::Nothing | Seen::Empty => None,
    }
}

/// Whether somebody holds the lock at `path` now, and who; `None` when nothing is there. An owner
/// that is proven dead holds nothing.
pub(super) fn state_of(path: &Path) -> Result<Option<(bool, Option<Holder>)>, StorageError> {
    Ok(match look(path)? {
        Seen::Nothing => None,
        Seen::Empty => Some((false, None)),
        Seen::Owned(owner) => Some((owner.life() != Life::Dead, owner.holder())),
    })
}

/// Removes the lock at `path` if it is nobody's, and says whether it did.
pub(super) fn remove_if_idle(path: &Path) -> Result<bool, StorageError> {
    match look(path)? {
        Seen::Owned(owner) if owner.life() == Life::Dead => owner.held.end(),
        Seen::Nothing | Seen::Owned(_) => Ok(false),
        Seen::Empty => {
            remove_if_empty(path)?;
            Ok(!is_there(path)?)
        }
    }
}

/// Breaks the lock at `path` unless its holder is seen to live: then it has to be ended first.
pub(super) fn break_lock(path: &Path) -> Result<BreakOutcome, StorageError> {
    loop {
        match look(path)? {
            Seen::Nothing | Seen::Empty => return Ok(BreakOutcome::Idle),
            Seen::Owned(owner) if owner.life() == Life::Alive => {
                return Ok(BreakOutcome::Refused(owner.holder()));
            }
            Seen::Owned(owner) => {
                if owner.held.end()? {
                    return Ok(BreakOutcome::Broken(owner.holder()));
                }
            }
        }
    }
}

/// Removes what killed processes left in `folder` while they took or swept: litter, not locks.
/// What is not proven dead must be older than `age`; should its process live after all, it
/// prepares anew.
pub(super) fn sweep(folder: &Path, age: Duration) -> Result<(), StorageError> {
    let failed = |error| storage_error("list", folder, error);
    let Some(entries) = if_present(fs::read_dir(folder)).map_err(failed)? else { return Ok(()) };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let name = entry.file_name();
        let begins = |prefix: &str| name.as_encoded_bytes().starts_with(prefix.as_bytes());
        if begins(SWEPT) {
            take_apart(&path)?;
        } else if begins(PREPARED) && is_litter(&path, age)? {
            let away = folder.join(format!("{SWEPT}{}", nonce()));
            let moved = if_present(steps::rename_dir(&path, &away));
            if moved.map_err(|error| storage_error("rename", &path, error))?.is_some() {
                take_apart(&away)?;
            }
        }
    }
    Ok(())
}

fn is_litter(prepared: &Path, age: Duration) -> Result<bool, StorageError> {
    if let Seen::Owned(owner) = look(prepared)?
        && owner.life() == Life::Dead
    {
        return Ok(true);
    }
    let made = if_present(fs::symlink_metadata(prepared).and_then(|metadata| metadata.modified()))
        .map_err(|error| storage_error("look at", prepared, error))?;
    let lain = made.and_then(|made| SystemTime::now().duration_since(made).ok());
    Ok(lain.is_some_and(|lain| lain > age))
}

fn take_apart(swept: &Path) -> Result<(), StorageError> {
    if let Seen::Owned(owner) = look(swept)? {
        owner.held.end()?;
    }
    remove_if_empty(swept)
}
