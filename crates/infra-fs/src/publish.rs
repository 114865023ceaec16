//! How a file comes into being: whole, durable, or not at all.
//!
//! # Protocol
//! 1. create a temporary file beside the target (`O_EXCL`, mode of the target or 0666 under umask)
//! 2. write all of it
//! 3. fsync it
//! 4. replace (`rename`) or create (rename without replacing)
//! 5. fsync the directory
//!
//! # Crash points
//! - before 4: the target is untouched; the temporary file is litter, which the next writer of the
//!   same target removes when it finds the name taken, and `doctor` otherwise;
//! - between 4 and 5: the new file is visible; after a power cut the target is the old or the new
//!   file, both whole, because 3 came before 4;
//! - 4 fails: what a network file system answers with an error it may have done. Whether the
//!   temporary file is still the temporary file tells; where it is not, or cannot be told, the
//!   outcome is [`PublishError::Indeterminate`];
//! - 5 fails: the write is visible and may not survive a power cut. That is
//!   [`PublishError::Indeterminate`], never success, and is not tried again: after a failed fsync
//!   the kernel may have dropped the data and would report success the second time.

use std::fs::{File, Metadata, Permissions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};

use jerry_domain::ports::{StorageError, Unreadable};

use crate::fault::{if_present, storage_error};
use crate::read::{self, Content};
use crate::steps;

/// Why a file was not published, or not for certain.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Nothing was changed.
    #[error(transparent)]
    Failed(#[from] StorageError),
    /// The change is visible, but may not survive a power cut.
    #[error("the change was made, but it is not known whether it survives a power cut")]
    Indeterminate(#[source] StorageError),
}

impl PublishError {
    /// The error of a step that only prepares: whatever became of it, nothing that counts was
    /// changed yet.
    pub(crate) fn of_preparation(self) -> StorageError {
        match self {
            Self::Failed(error) | Self::Indeterminate(error) => error,
        }
    }
}

/// What became of a creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation {
    /// The file is there, durably.
    Created,
    /// Something was there already and was not touched.
    Exists,
}

/// A temporary file whose data are durable, on its way to become `target`. Dropped before it got
/// there, it is removed.
#[derive(Debug)]
pub(crate) struct Staged {
    temp: PathBuf,
    target: PathBuf,
    pending: bool,
}

impl Staged {
    /// Steps 1 to 3. The caller holds the lock of `target`, so that a temporary file of this name
    /// can only be the litter of a killed process.
    pub(crate) fn write(
        target: &Path,
        bytes: &[u8],
        permissions: Option<Permissions>,
    ) -> Result<Self, StorageError> {
        let staged = Self::write_unsynced(target, temp_path(target, None), bytes, permissions)?;
        staged.1.sync("write", &staged.0.temp)?;
        Ok(staged.0)
    }

    /// Steps 1 and 2 under a name that carries `nonce`, for a batch that makes all its files
    /// durable at once.
    pub(crate) fn write_for_batch(
        target: &Path,
        bytes: &[u8],
        nonce: &str,
    ) -> Result<(Self, Unsynced), StorageError> {
        Self::write_unsynced(target, temp_path(target, Some(nonce)), bytes, None)
    }

    fn write_unsynced(
        target: &Path,
        temp: PathBuf,
        bytes: &[u8],
        permissions: Option<Permissions>,
    ) -> Result<(Self, Unsynced), StorageError> {
        let failed = |error| storage_error("write", target, error);
        // From here on the drop of `staged` removes the temporary file on every error path, also
        // if it was created in spite of an error: the name is nobody else's.
        let staged = Self { temp, target: target.to_owned(), pending: true };
        let file = create_temp(&staged.temp).map_err(failed)?;
        if let Some(permissions) = permissions {
            adopt_permissions(&file, permissions).map_err(failed)?;
        }
        steps::write_all(&file, bytes).map_err(failed)?;
        Ok((staged, Unsynced(file)))
    }

    /// Step 4, over whatever is there. Step 5 is [`sync_parent`].
    pub(crate) fn replace(mut self) -> Result<(), PublishError> {
        steps::rename_over(&self.temp, &self.target)
            .map_err(|error| self.unless_in_place("replace", error))?;
        self.pending = false;
        Ok(())
    }

    /// Step 4, unless something is there. Step 5 is [`sync_parent`].
    pub(crate) fn create(mut self) -> Result<Creation, PublishError> {
        match steps::rename_new(&self.temp, &self.target) {
            Ok(()) => {
                self.pending = false;
                Ok(Creation::Created)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // A network file system asks again when the first answer was lost, and then finds
                // the link that it has made.
                let ours = matches!(self.names(), Ok((Some(temp), Some(target)))
                    if is_one_file(&temp, &target));
                Ok(if ours { Creation::Created } else { Creation::Exists })
            }
            Err(error) => Err(self.unless_in_place("create", error)),
        }
    }

    /// What an error of step 4 comes to.
    fn unless_in_place(&self, action: &'static str, error: io::Error) -> PublishError {
        let error = storage_error(action, &self.target, error);
        match self.names() {
            Ok((_, None)) => PublishError::Failed(error),
            Ok((Some(temp), Some(target))) if !is_one_file(&temp, &target) => {
                PublishError::Failed(error)
            }
            // It has the target's name, or nobody can tell.
            Ok(_) | Err(_) => PublishError::Indeterminate(error),
        }
    }

    /// What is under the temporary name and under the target's.
    fn names(&self) -> io::Result<(Option<Metadata>, Option<Metadata>)> {
        let look = |path| if_present(std::fs::symlink_metadata(path));
        Ok((look(&self.temp)?, look(&self.target)?))
    }
}

#[cfg(unix)]
fn is_one_file(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Links are not made here.
#[cfg(not(unix))]
fn is_one_file(_: &Metadata, _: &Metadata) -> bool {
    false
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.pending {
            // The error that brought us here is the one to report; what stays is litter, which
            // the next writer and `doctor` know.
            let _ = steps::remove_file(&self.temp);
        }
    }
}

/// A written temporary file whose data are not durable yet.
#[must_use = "its data are not durable"]
pub(crate) struct Unsynced(File);

impl Unsynced {
    /// Step 3.
    pub(crate) fn sync(self, action: &'static str, path: &Path) -> Result<(), StorageError> {
        steps::sync_file(&self.0).map_err(|error| storage_error(action, path, error))
    }
}

/// Puts `bytes` in place of `target`, durably; the caller holds its lock.
pub(crate) fn replace(target: &Path, bytes: &[u8]) -> Result<(), PublishError> {
    Staged::write(target, bytes, permissions_of(target)?)?.replace()?;
    sync_parent(target)
}

/// Puts `text` in place of the file at `path`, durably and with its permissions, if it still has the
/// bytes of `read`: people and git write without locks. `false` when it has not, and nothing was
/// done. The caller holds its lock.
///
/// What is written between the look and the replacement is lost: two system calls that cannot be
/// closed against a program that takes no lock.
pub(crate) fn replace_unchanged<E>(
    path: &Path,
    shown: &str,
    read: &Content,
    text: &[u8],
) -> Result<bool, E>
where
    E: From<StorageError> + From<Unreadable> + From<PublishError>,
{
    let staged = Staged::write(path, text, Some(read.metadata.permissions()))?;
    if !read::is_still(read, path, shown)? {
        return Ok(false);
    }
    staged.replace()?;
    sync_parent(path)?;
    Ok(true)
}

/// Creates `target` with `bytes`, unless something is there; whichever it is, it is durable. The
/// caller holds its lock.
pub(crate) fn create(target: &Path, bytes: &[u8]) -> Result<Creation, PublishError> {
    let creation = Staged::write(target, bytes, None)?.create()?;
    match creation {
        Creation::Created => sync_parent(target)?,
        Creation::Exists => sync_entry_of_another(target)?,
    }
    Ok(creation)
}

/// Steps 1 to 4 of [`create`] for a caller that can hold no lock yet: several processes may try at
/// once, each under a temporary name of its own. Step 5 is the caller's, [`sync_parent`], also of
/// one who came second: the first may not have come to it.
pub(crate) fn create_unlocked(target: &Path, bytes: &[u8]) -> Result<Creation, PublishError> {
    let (staged, unsynced) = Staged::write_for_batch(target, bytes, &own_nonce())?;
    unsynced.sync("write", target)?;
    staged.create()
}

/// Puts `bytes` in place of a file outside the store, durably: `target` is the old file or the new
/// one, whole, at every instant. No lock guards it, so that of several writers the last one stays.
/// The permissions of a file that is there are kept.
///
/// # Errors
/// [`PublishError::Failed`] when nothing was changed, [`PublishError::Indeterminate`] when the new
/// file is there but may not survive a power cut.
pub fn publish_outside(target: &Path, bytes: &[u8]) -> Result<(), PublishError> {
    let absolute = std::path::absolute(target);
    let target = &absolute.map_err(|error| storage_error("write", target, error))?;
    let permissions = permissions_of(target)?;
    let temp = temp_path(target, Some(&own_nonce()));
    let (staged, unsynced) = Staged::write_unsynced(target, temp, bytes, permissions)?;
    unsynced.sync("write", target)?;
    staged.replace()?;
    sync_parent(target)
}

/// Puts `bytes` in place of `target`, whole for every reader, but not durable: for what can be
/// derived again. The caller holds its lock.
pub(crate) fn replace_volatile(target: &Path, bytes: &[u8]) -> Result<(), StorageError> {
    let (staged, _) = Staged::write_unsynced(target, temp_path(target, None), bytes, None)?;
    match staged.replace() {
        // It is visible, and more was not asked for.
        Ok(()) | Err(PublishError::Indeterminate(_)) => Ok(()),
        Err(PublishError::Failed(error)) => Err(error),
    }
}

/// Removes a file, durably; the caller holds its lock. `false` when it was not there.
pub(crate) fn remove(path: &Path) -> Result<bool, PublishError> {
    let removed = unlink(path)?;
    if removed {
        sync_parent(path)?;
    }
    Ok(removed)
}

/// Removes a file, not durably; `false` when it was not there. A network file system may answer
/// with an error what it did: a file that is gone then is removed.
pub(crate) fn unlink(path: &Path) -> Result<bool, PublishError> {
    let error = match if_present(steps::remove_file(path)) {
        Ok(removed) => return Ok(removed.is_some()),
        Err(error) => storage_error("remove", path, error),
    };
    match if_present(std::fs::symlink_metadata(path)) {
        Ok(None) => Ok(true),
        Ok(Some(_)) => Err(PublishError::Failed(error)),
        Err(_) => Err(PublishError::Indeterminate(error)),
    }
}

/// Step 5: makes the entry of `path` in its directory durable. The entry is already visible, so
/// that a failure is [`PublishError::Indeterminate`].
pub(crate) fn sync_parent(path: &Path) -> Result<(), PublishError> {
    sync_folder(path.parent().unwrap_or(path))
}

/// [`sync_parent`] for all that is in `folder`.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), PublishError> {
    steps::sync_dir(folder)
        .map_err(|error| PublishError::Indeterminate(storage_error("make durable", folder, error)))
}

/// Makes sure that a directory is there, durably, and those above it, below `existing`. `existing`
/// itself is not made: where it is gone there is nothing to add to.
///
/// Who made a directory may have been killed before it was durable. One in which something was
/// made later was durable by then, because everybody comes here first; any other one is made
/// durable again.
pub(crate) fn make_dirs(path: &Path, existing: &Path) -> Result<(), PublishError> {
    let failed = |error| storage_error("make the folder", path, error);
    match if_present(std::fs::metadata(path)).map_err(failed)? {
        Some(metadata) if path == existing || has_been_used(&metadata) => return Ok(()),
        Some(_) => return Ok(sync_entry_of_another(path)?),
        None if path == existing => return Err(failed(io::ErrorKind::NotFound.into()).into()),
        None => {}
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_dirs(parent, existing)?;
    }
    let made = add_dir(path)?;
    let durable = sync_entry_of_another(path).inspect_err(|_| {
        if made {
            // Nothing lies in it yet, and the next write must not rely on it.
            let _ = steps::remove_dir(path);
        }
    });
    Ok(durable?)
}

/// [`make_dirs`] for a directory that need not survive a power cut itself.
pub(crate) fn make_volatile_dir(path: &Path, existing: &Path) -> Result<(), PublishError> {
    let failed = |error| storage_error("make the folder", path, error);
    if if_present(std::fs::metadata(path)).map_err(failed)?.is_some() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_dirs(parent, existing)?;
    }
    Ok(add_dir(path).map(drop)?)
}

/// Makes a directory unless it is there; `true` when this made it. To make it durable is the
/// caller's part: [`sync_parent`].
pub(crate) fn add_dir(path: &Path) -> Result<bool, StorageError> {
    match steps::make_dir(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(storage_error("make the folder", path, error)),
    }
}

/// Whether something was made in a directory since it was made itself; where that cannot be told,
/// no.
fn has_been_used(folder: &std::fs::Metadata) -> bool {
    matches!((folder.created(), folder.modified()), (Ok(made), Ok(used)) if used > made)
}

/// [`sync_parent`] for what somebody else put there, who may have been killed before it was
/// durable. A failure changed nothing.
pub(crate) fn sync_entry_of_another(path: &Path) -> Result<(), StorageError> {
    sync_parent(path).map_err(PublishError::of_preparation)
}

/// The name under which `target` is prepared. It starts with a dot, so that nobody takes it for
/// an item.
fn temp_path(target: &Path, nonce: Option<&str>) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let temp = match nonce {
        None => format!(".{name}.tmp"),
        Some(nonce) => format!(".{name}.{nonce}.tmp"),
    };
    target.with_file_name(temp)
}

/// What a name says if it is one of [`temp_path`]'s: the target's name and the batch's nonce.
pub(crate) fn parse_temp_name(name: &str) -> Option<(&str, Option<&str>)> {
    let inner = name.strip_prefix('.')?.strip_suffix(".tmp")?;
    match inner.rsplit_once(".json.") {
        Some((stem, nonce)) => Some((&inner[..stem.len() + ".json".len()], Some(nonce))),
        None => Some((inner, None)),
    }
}

/// For a temporary name that nobody else takes. A pid would not do: containers that share the folder
/// have the same ones, and threads share theirs.
fn own_nonce() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

fn create_temp(temp: &Path) -> io::Result<File> {
    match steps::create_new(temp) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            steps::remove_file(temp)?;
            steps::create_new(temp)
        }
        created => created,
    }
}

/// `None` where the file is not there, or permissions lie elsewhere: Windows has but a flag against
/// writing, which also keeps a file from being replaced.
fn permissions_of(target: &Path) -> Result<Option<Permissions>, StorageError> {
    if cfg!(windows) {
        return Ok(None);
    }
    let metadata = if_present(std::fs::symlink_metadata(target))
        .map_err(|error| storage_error("look at", target, error))?;
    Ok(metadata.map(|metadata| metadata.permissions()))
}

/// Most files have the permissions that a new one gets anyway.
fn adopt_permissions(file: &File, permissions: Permissions) -> io::Result<()> {
    if file.metadata()?.permissions() == permissions {
        Ok(())
    } else {
        steps::set_permissions(file, permissions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_made_below_one_that_exists() {
        let folder = tempfile::tempdir().expect("a folder");
        make_dirs(&folder.path().join("a/b/c"), folder.path()).expect("makes them");
        make_dirs(&folder.path().join("a/b/c"), folder.path()).expect("are there");
        make_dirs(&folder.path().join("x/y/z"), Path::new("/")).expect("makes them");
    }

    /// Under Wine a folder seems to have been made when it was last changed.
    #[test]
    #[cfg(unix)]
    fn a_folder_is_trusted_once_something_was_made_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = folder.path().join("made");
        let look = || has_been_used(&std::fs::metadata(&made).expect("is there"));
        add_dir(&made).expect("makes it");
        let knows_when_it_was_made = std::fs::metadata(&made).expect("is there").created().is_ok();
        assert!(!look());
        while knows_when_it_was_made && !look() {
            // The clock of a file system may stand still for some milliseconds.
            let file = made.join("file");
            steps::create_new(&file).expect("creates it");
            steps::remove_file(&file).expect("removes it");
        }
    }

    #[test]
    fn a_store_that_is_gone_is_not_made_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("gone/.jerry");
        assert!(make_dirs(&root.join("data/items"), &root).is_err());
        assert!(std::fs::symlink_metadata(&root).is_err());
    }

    #[test]
    fn of_many_who_create_a_file_unlocked_one_does_and_it_is_whole() {
        const AT_ONCE: usize = 8;
        let folder = tempfile::tempdir().expect("a folder");
        for round in 0..20 {
            let target = folder.path().join(format!("{round}.json"));
            let start = std::sync::Barrier::new(AT_ONCE);
            let create = |text: Vec<u8>| {
                start.wait();
                create_unlocked(&target, &text).expect("creates or finds it")
            };
            let created = std::thread::scope(|scope| {
                let texts = (0..AT_ONCE).map(|n| vec![b'a' + n as u8; 100_000]);
                let tries: Vec<_> = texts.map(|text| scope.spawn(|| create(text))).collect();
                let done = tries.into_iter().map(|done| done.join().expect("no panic"));
                done.filter(|creation| *creation == Creation::Created).count()
            });
            assert_eq!(created, 1);
            let text = std::fs::read(&target).expect("is there");
            assert_eq!(text.len(), 100_000);
            assert!(text.iter().all(|byte| *byte == text[0]), "it is one writer's");
        }
    }

    #[test]
    fn a_temporary_name_says_what_it_is_for() {
        let target = Path::new("items/WORK-001.json");
        for nonce in [None, Some("3-17")] {
            let temp = temp_path(target, nonce);
            let name = temp.file_name().expect("a name").to_string_lossy().into_owned();
            assert_eq!(parse_temp_name(&name), Some(("WORK-001.json", nonce)));
        }
        assert_eq!(parse_temp_name(".floor.tmp"), Some(("floor", None)));
        assert_eq!(parse_temp_name("WORK-001.json"), None);
    }
}
