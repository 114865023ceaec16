//! Lists a folder and looks at each of its files, without opening any.

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jerry_domain::ports::StorageError;

use super::cores;
use crate::fault::storage_error;

/// What a file looks like from outside. Two equal looks, the first of them
/// [settled](Fingerprint::settled), mean that the file was not written in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub(crate) inode: u64,
    pub(crate) size: u64,
    /// Nanoseconds since the Unix epoch.
    pub(crate) mtime: i64,
    /// Nanoseconds since the Unix epoch; cannot be set by a program.
    pub(crate) ctime: i64,
}

impl Fingerprint {
    /// Whether the file had been left alone for `age` at `now`.
    pub(crate) fn settled(self, now: SystemTime, age: Duration) -> bool {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let newest = self.mtime.max(self.ctime);
        i64::try_from(now.saturating_sub(age).as_nanos()).is_ok_and(|limit| newest < limit)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Other,
}

#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) fingerprint: Fingerprint,
}

/// The names in a folder that end in `.json` and do not start with a dot, each once. A folder that
/// is not there is empty: git keeps no empty folders.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>, StorageError> {
    all_names(folder, |name| name.ends_with(".json") && !name.starts_with('.'))
        .map_err(|error| storage_error("list", folder, error))
}

/// The names in a folder that `wanted` picks, each once.
pub(crate) fn all_names(folder: &Path, wanted: impl Fn(&str) -> bool) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        // A name that is no UTF-8 is shown as well as it can be, and reported by whoever opens it.
        let name = entry?.file_name().into_string();
        let name = name.unwrap_or_else(|name| name.to_string_lossy().into_owned());
        if wanted(&name) {
            names.push(name);
        }
    }
    // A file replaced while the folder is listed may be listed twice.
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// Every file of [`names`] with what it looks like.
pub(crate) fn files(folder: &Path) -> Result<Vec<Found>, StorageError> {
    const WORTH_A_THREAD: usize = 4096;
    let names = names(folder)?;
    let Some(looker) = Looker::open(folder)? else { return Ok(Vec::new()) };
    let look = |names: Vec<String>| -> Result<Vec<Found>, StorageError> {
        names.into_iter().filter_map(|name| looker.look(name).transpose()).collect()
    };
    let mut found = Vec::with_capacity(names.len());
    for part in cores::share(names, WORTH_A_THREAD, look) {
        found.extend(part?);
    }
    Ok(found)
}

/// One file with what it looks like; `None` when it is not there.
pub(crate) fn file(folder: &Path, name: &str) -> Result<Option<Found>, StorageError> {
    match Looker::open(folder)? {
        Some(looker) => looker.look(name.to_owned()),
        None => Ok(None),
    }
}

/// Looks at files relative to an open folder, which spares the kernel the way to it.
struct Looker<'a> {
    folder: &'a Path,
    #[cfg(unix)]
    open: std::fs::File,
}

impl<'a> Looker<'a> {
    /// `None` when the folder is not there.
    fn open(folder: &'a Path) -> Result<Option<Self>, StorageError> {
        #[cfg(unix)]
        {
            let open = crate::fault::if_present(std::fs::File::open(folder))
                .map_err(|error| storage_error("open", folder, error))?;
            Ok(open.map(|open| Self { folder, open }))
        }
        #[cfg(not(unix))]
        Ok(Some(Self { folder }))
    }

    #[cfg(unix)]
    fn look(&self, name: String) -> Result<Option<Found>, StorageError> {
        use rustix::fs::{AtFlags, FileType, statat};
        use rustix::io::Errno;
        let stat = match statat(&self.open, &name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => {
                return Err(storage_error("look at", &self.folder.join(name), error.into()));
            }
        };
        let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        Ok(Some(Found {
            name,
            kind: if regular { Kind::File } else { Kind::Other },
            fingerprint: Fingerprint {
                inode: stat.st_ino,
                size: stat.st_size.cast_unsigned(),
                mtime: nanos_since_epoch(stat.st_mtime, stat.st_mtime_nsec),
                ctime: nanos_since_epoch(stat.st_ctime, stat.st_ctime_nsec),
            },
        }))
    }

    /// Without a number of the file, and without a time that no program can set: the creation's
    /// time stands in for it.
    #[cfg(not(unix))]
    fn look(&self, name: String) -> Result<Option<Found>, StorageError> {
        use crate::in_use::{FOR_A_READER, outlast};
        let path = self.folder.join(&name);
        let look = || std::fs::symlink_metadata(&path);
        let Some(metadata) = crate::fault::if_present(outlast(FOR_A_READER, look))
            .map_err(|error| storage_error("look at", &path, error))?
        else {
            return Ok(None);
        };
        let nanos = |time: io::Result<SystemTime>| {
            let since = time.ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            since.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(i64::MAX)
        };
        Ok(Some(Found {
            name,
            kind: if metadata.is_file() { Kind::File } else { Kind::Other },
            fingerprint: Fingerprint {
                inode: 0,
                size: metadata.len(),
                mtime: nanos(metadata.modified()),
                ctime: nanos(metadata.created()),
            },
        }))
    }
}

/// Unixes have different types for the nanoseconds.
#[cfg(unix)]
fn nanos_since_epoch(seconds: i64, nanos: impl Into<i128>) -> i64 {
    let all = i128::from(seconds) * 1_000_000_000 + nanos.into();
    all.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}
