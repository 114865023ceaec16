//! JSON files that many processes read and write at once, for whatever else belongs into a store:
//! the same locks, the same publishing and the same suspicion as the items have.
//!
//! ```
//! use std::path::Path;
//! use jerry_infra_fs::AtomicFiles;
//! use jerry_infra_fs::lock::{FsLocks, LockBackend, LockSettings};
//!
//! # let folder = tempfile::tempdir()?;
//! # let root = folder.path().to_owned();
//! let locks = FsLocks::new(root.join("local/locks"), LockBackend::Os, LockSettings::default());
//! let files = AtomicFiles::new(root, locks);
//! let counter = Path::new("data/counter.json");
//! files.update(counter, |count: Option<u64>| Some(count.unwrap_or(0) + 1))?;
//! assert_eq!(files.read::<u64>(counter)?, Some(1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::io;
use std::path::{Path, PathBuf};

use jerry_domain::ports::{LockError, LockName, Malformed, StorageError, Unreadable};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec;
use crate::fault::{if_present, storage_error};
use crate::layout;
use crate::lock::FsLocks;
use crate::publish::{self, Creation, PublishError};
use crate::read::{self, Content, MAX_FILE_BYTES};
use crate::steps;

/// Why an operation on a file was not done. Unless it is [`AtomicFileError::Indeterminate`],
/// everything is as it was.
#[derive(Debug, thiserror::Error)]
pub enum AtomicFileError {
    /// The path is not one inside the folder.
    #[error("{path} is not a plain path inside the store")]
    Path {
        /// What was given.
        path: PathBuf,
    },
    /// The file's lock was not to be had.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The file does not hold what it should.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// What should be written is larger than a file may be.
    #[error("{path} would have {size} bytes; the limit is {MAX_FILE_BYTES}")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// How many bytes it would have.
        size: u64,
    },
    /// Something that does not use locks wrote the file while it was being updated.
    #[error("{path} was changed by another program while it was being written")]
    ChangedOutside {
        /// The file.
        path: PathBuf,
    },
    /// The file system did not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It is done and visible, but may not survive a power cut.
    #[error("the write was made, but it is not known whether it survives a power cut")]
    Indeterminate(#[source] StorageError),
}

/// What becomes of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextEdit {
    /// It is this from now on.
    Replace(String),
    /// Its file goes.
    Remove,
}

/// JSON files below one folder. Paths are relative to it, without `.` and `..`, nor on Windows what
/// names a device or a stream there; folders on the way are made as needed.
///
/// Files are written with indent 2, non-ASCII as it is and a trailing newline.
#[derive(Clone)]
pub struct AtomicFiles {
    folder: PathBuf,
    locks: FsLocks,
}

impl AtomicFiles {
    /// The files below `folder`, guarded by `locks`.
    #[must_use]
    pub fn new(folder: PathBuf, locks: FsLocks) -> Self {
        Self { folder, locks }
    }

    /// Files below another folder, guarded by the same locks. Two files of one relative path have
    /// one lock.
    #[must_use]
    pub fn below(&self, folder: PathBuf) -> Self {
        Self { folder, locks: self.locks.clone() }
    }

    /// Reads a file that is text without a lock. `None` when it is not there.
    ///
    /// # Errors
    /// [`AtomicFileError::Malformed`] when it is not UTF-8; [`AtomicFileError::Storage`].
    pub fn read_text(&self, path: &Path) -> Result<Option<String>, AtomicFileError> {
        let place = self.place(path)?;
        let content = read::bytes(&place.path, &place.shown)?;
        content.map(|content| utf8(&place, &content).map(str::to_owned)).transpose()
    }

    /// Reads a file without a lock: a writer replaces it whole, so that there is always one whole
    /// version to read. `None` when it is not there.
    ///
    /// # Errors
    /// [`AtomicFileError::Malformed`] when it still does not parse after 3 × 50 ms, in which a
    /// program that writes in place may have come to its end; [`AtomicFileError::Storage`].
    pub fn read<T: DeserializeOwned>(&self, path: &Path) -> Result<Option<T>, AtomicFileError> {
        Ok(self.load(&self.place(path)?)?.map(|(value, _)| value))
    }

    /// Reads a file under its lock, shared with other readers: no writer of jerry's is at work
    /// meanwhile. With directory locks the lock is exclusive.
    ///
    /// # Errors
    /// As [`AtomicFiles::read`], and [`AtomicFileError::Lock`].
    pub fn read_shared<T: DeserializeOwned>(
        &self,
        path: &Path,
    ) -> Result<Option<T>, AtomicFileError> {
        let place = self.place(path)?;
        let _guard = self.locks.acquire_shared(&place.lock, None)?;
        Ok(self.load(&place)?.map(|(value, _)| value))
    }

    /// Puts `value` in place of whatever is there. Durable when it returns.
    ///
    /// # Errors
    /// [`AtomicFileError`].
    pub fn write<T: Serialize>(&self, path: &Path, value: &T) -> Result<(), AtomicFileError> {
        let place = self.place(path)?;
        let text = encode(&place, value)?;
        let _guard = self.lock(&place)?;
        Ok(publish::replace(&place.path, &text)?)
    }

    /// Reads, changes and writes a file as one operation under its lock: nobody else's update is
    /// lost. `change` gets `None` where there is no file, and answers `None` to leave all as it
    /// is. Durable when it returns, also what was there. Answers whether it wrote.
    ///
    /// # Errors
    /// [`AtomicFileError`].
    pub fn update<T: Serialize + DeserializeOwned>(
        &self,
        path: &Path,
        change: impl FnOnce(Option<T>) -> Option<T>,
    ) -> Result<bool, AtomicFileError> {
        let place = self.place(path)?;
        let _guard = self.lock(&place)?;
        let (value, content) = match self.load(&place)? {
            Some((value, content)) => (Some(value), Some(content)),
            None => (None, None),
        };
        let Some(changed) = change(value) else { return unchanged(&place) };
        let text = encode(&place, &changed)?;
        let text = match &content {
            Some(content) => codec::respell(&content.bytes, text, &[]),
            None => text,
        };
        publish_over(&place, content.as_ref(), &text)
    }

    /// As [`AtomicFiles::update`], for a file that is text of another kind than JSON: settings,
    /// for example. `change` may refuse with an error of its own, and then nothing is written.
    ///
    /// # Errors
    /// What `change` refuses; [`AtomicFileError`]; [`AtomicFileError::Malformed`] when the file is
    /// not UTF-8.
    pub fn update_text<E: From<AtomicFileError>>(
        &self,
        path: &Path,
        change: impl FnOnce(Option<&str>) -> Result<Option<String>, E>,
    ) -> Result<bool, E> {
        self.edit_text(path, |text| Ok(change(text)?.map(TextEdit::Replace)))
    }

    /// As [`AtomicFiles::update_text`], for a change that may also take the file away.
    ///
    /// # Errors
    /// As [`AtomicFiles::update_text`].
    pub fn edit_text<E: From<AtomicFileError>>(
        &self,
        path: &Path,
        change: impl FnOnce(Option<&str>) -> Result<Option<TextEdit>, E>,
    ) -> Result<bool, E> {
        let place = self.place(path)?;
        let _guard = self.lock(&place)?;
        let content = read::bytes(&place.path, &place.shown).map_err(AtomicFileError::from)?;
        let text = content.as_ref().map(|content| utf8(&place, content)).transpose()?;
        match change(text)? {
            None => Ok(unchanged(&place)?),
            Some(TextEdit::Replace(text)) => {
                Ok(publish_over(&place, content.as_ref(), text.as_bytes())?)
            }
            Some(TextEdit::Remove) => Ok(remove_read(&place, content.as_ref())?),
        }
    }

    /// Creates a file unless something is there. Durable when it answers [`Creation::Created`].
    ///
    /// # Errors
    /// [`AtomicFileError`].
    pub fn create_unique<T: Serialize>(
        &self,
        path: &Path,
        value: &T,
    ) -> Result<Creation, AtomicFileError> {
        let place = self.place(path)?;
        let text = encode(&place, value)?;
        let _guard = self.lock(&place)?;
        Ok(publish::create(&place.path, &text)?)
    }

    /// Removes a file under its lock. Durable when it returns. Answers whether it was there.
    ///
    /// # Errors
    /// [`AtomicFileError`].
    pub fn delete(&self, path: &Path) -> Result<bool, AtomicFileError> {
        let place = self.place(path)?;
        let _guard = self.locks.acquire(&place.lock, None)?;
        Ok(publish::remove(&place.path)?)
    }

    /// Removes the folders on the way to `path` that are empty; not this one itself.
    ///
    /// # Errors
    /// [`AtomicFileError::Storage`].
    pub fn remove_empty_folders(&self, path: &Path) -> Result<(), AtomicFileError> {
        let place = self.place(path)?;
        for folder in place.path.ancestors().skip(1).take_while(|folder| *folder != self.folder) {
            match if_present(steps::remove_dir(folder)) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => break,
                Err(error) => return Err(storage_error("remove", folder, error).into()),
            }
        }
        Ok(())
    }

    fn place(&self, path: &Path) -> Result<Place, AtomicFileError> {
        if path.as_os_str().is_empty() || !path.components().all(layout::is_plain_name) {
            return Err(AtomicFileError::Path { path: path.to_owned() });
        }
        let shown = layout::shown(path);
        Ok(Place { path: self.folder.join(path), lock: lock_name(&shown), shown })
    }

    /// Takes the lock and makes sure that the file's folder is there.
    fn lock(&self, place: &Place) -> Result<crate::lock::FsLockGuard, AtomicFileError> {
        let guard = self.locks.acquire(&place.lock, None)?;
        let folder = place.path.parent().unwrap_or(&self.folder);
        publish::make_dirs(folder, &self.folder)?;
        Ok(guard)
    }

    fn load<T: DeserializeOwned>(
        &self,
        place: &Place,
    ) -> Result<Option<(T, Content)>, AtomicFileError> {
        Ok(read::json(&place.path, &place.shown)?)
    }
}

struct Place {
    path: PathBuf,
    /// The path relative to the folder, with `/` on every system.
    shown: String,
    lock: LockName,
}

/// An item's file has the item's lock; any other is locked by a hash of its relative path, which
/// is the same in every process, wherever the folder is mounted. In lower case: some file systems
/// know one file by every spelling.
fn lock_name(shown: &str) -> LockName {
    let shown = shown.to_lowercase();
    let item = shown.strip_prefix("data/items/").and_then(|name| name.strip_suffix(".json"));
    let item = item.and_then(|id| id.to_uppercase().parse().ok());
    item.map_or_else(|| LockName::file(&shown), |id| LockName::item(&id))
}

/// What stands there is answered for: it may have been written by a process that was killed before it
/// was durable.
fn unchanged(place: &Place) -> Result<bool, AtomicFileError> {
    publish::sync_entry_of_another(&place.path)?;
    Ok(false)
}

/// Removes what was read, unless something else stands there by now.
fn remove_read(place: &Place, read: Option<&Content>) -> Result<bool, AtomicFileError> {
    let Some(read) = read else { return unchanged(place) };
    if !read::is_still(read, &place.path, &place.shown)? {
        return Err(AtomicFileError::ChangedOutside { path: place.path.clone() });
    }
    Ok(publish::remove(&place.path)?)
}

/// Puts `text` in place of what was read, unless something else stands there by now.
fn publish_over(
    place: &Place,
    read: Option<&Content>,
    text: &[u8],
) -> Result<bool, AtomicFileError> {
    let changed_outside = || AtomicFileError::ChangedOutside { path: place.path.clone() };
    let Some(read) = read else {
        return match publish::create(&place.path, text)? {
            Creation::Created => Ok(true),
            Creation::Exists => Err(changed_outside()),
        };
    };
    match publish::replace_unchanged::<AtomicFileError>(&place.path, &place.shown, read, text)? {
        true => Ok(true),
        false => Err(changed_outside()),
    }
}

fn utf8<'a>(place: &Place, content: &'a Content) -> Result<&'a str, AtomicFileError> {
    std::str::from_utf8(&content.bytes).map_err(|error| {
        let reason = format!("is not UTF-8 text from byte {} on", error.valid_up_to());
        Malformed { path: place.shown.clone(), line: 0, column: 0, reason }.into()
    })
}

fn encode<T: Serialize>(place: &Place, value: &T) -> Result<Vec<u8>, AtomicFileError> {
    let text =
        codec::encode(value).map_err(|error| storage_error("write", &place.path, error.into()))?;
    let size = text.len() as u64;
    if size > MAX_FILE_BYTES {
        return Err(AtomicFileError::TooLarge { path: place.path.clone(), size });
    }
    Ok(text)
}

impl From<PublishError> for AtomicFileError {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Failed(error) => Self::Storage(error),
            PublishError::Indeterminate(error) => Self::Indeterminate(error),
        }
    }
}

impl From<Unreadable> for AtomicFileError {
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::Malformed(error) => Self::Malformed(error),
            Unreadable::Storage(error) => Self::Storage(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_items_file_has_the_items_lock() {
        assert_eq!(lock_name("data/items/WORK-042.json").as_str(), "WORK-042");
        assert_eq!(lock_name("data/other.json").as_str(), "file-712870361b85a990");
        assert_eq!(lock_name("Data/Items/work-042.json").as_str(), "WORK-042");
        assert_eq!(lock_name("Data/Other.JSON"), lock_name("data/other.json"));
    }
}
