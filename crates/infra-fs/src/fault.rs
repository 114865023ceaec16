//! What an operating-system error means to jerry.

use std::io;
use std::path::Path;

use jerry_domain::ports::{StorageError, StorageFault};

/// Names the file and what was tried, and sorts the error by what a person can do about it.
pub(crate) fn storage_error(action: &'static str, path: &Path, source: io::Error) -> StorageError {
    let fault = match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StorageFault::Full,
        io::ErrorKind::ReadOnlyFilesystem => StorageFault::ReadOnly,
        io::ErrorKind::PermissionDenied => StorageFault::Denied,
        io::ErrorKind::CrossesDevices => StorageFault::CrossDevice,
        _ if is_too_many_open(&source) => StorageFault::TooManyOpen,
        _ => StorageFault::Other,
    };
    StorageError { action, resource: path.display().to_string(), fault, source: Box::new(source) }
}

#[cfg(unix)]
fn is_too_many_open(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}

#[cfg(not(unix))]
fn is_too_many_open(_: &io::Error) -> bool {
    false
}

/// `None` for a file that is not there. Only "not found" means absent: every other error stays
/// one, or an unreadable item would be taken for a missing one and overwritten.
pub(crate) fn if_present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
