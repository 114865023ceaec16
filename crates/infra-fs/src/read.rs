//! Reading a file that others may be replacing, writing in place, or have put something else in
//! place of.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::thread;
use std::time::Duration;

use jerry_domain::ports::{Malformed, Unreadable};
use serde::de::DeserializeOwned;

use crate::codec;
use crate::fault::{if_present, storage_error};
use crate::steps;

/// The most bytes that a file of the store may have; none is meant to be larger than an item.
pub(crate) const MAX_FILE_BYTES: u64 = jerry_domain::MAX_ITEM_BYTES;

/// How often, and how far apart, a file that does not parse is read again: something that does
/// not replace atomically may be in the middle of writing it.
const RETRIES: u32 = 3;
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// A file's bytes and what it was when they were read.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) bytes: Vec<u8>,
    pub(crate) metadata: Metadata,
}

/// Reads a whole file. `None` when it is not there.
///
/// Refuses what is no regular file (a link could lead out of the store, a pipe would hang) and
/// what is larger than [`MAX_FILE_BYTES`].
pub(crate) fn bytes(path: &Path, shown: &str) -> Result<Option<Content>, Unreadable> {
    let malformed =
        |reason: String| Malformed { path: shown.to_owned(), line: 0, column: 0, reason };
    let failed = |error| storage_error("read", path, error);
    let opened = match open_if_present(path, steps::open_existing) {
        Err(error) => match no_file_of_its_own(path) {
            Some(what) => return Err(malformed(what.to_owned()).into()),
            None => return Err(failed(error).into()),
        },
        Ok(opened) => opened,
    };
    let Some(file) = opened else { return Ok(None) };
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(malformed(NOT_REGULAR.to_owned()).into());
    }
    let too_large = || {
        malformed(format!("has more than {MAX_FILE_BYTES} bytes, the most that jerry reads")).into()
    };
    if metadata.len() > MAX_FILE_BYTES {
        return Err(too_large());
    }
    // One byte more than its size, so that the end is seen without another growth of the buffer.
    let mut bytes = Vec::with_capacity(metadata.len() as usize + 1);
    read_up_to(&file, MAX_FILE_BYTES + 1, &mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(too_large());
    }
    Ok(Some(Content { bytes, metadata }))
}

/// A file that is replaced all the time is missed at most this often in a row.
const MOST_MISSED: u32 = 1_000;

/// Opens a file; `None` when it is not there.
///
/// A file that is being replaced is there at every instant, but not every file system says so:
/// through FUSE, opening may come upon the old file when it is just gone. What is missed is
/// therefore looked for by its name, and if that is there, opened again.
fn open_if_present(
    path: &Path,
    open: impl Fn(&Path) -> io::Result<File>,
) -> io::Result<Option<File>> {
    for _ in 0..MOST_MISSED {
        match if_present(open(path))? {
            None if if_present(std::fs::symlink_metadata(path))?.is_some() => thread::yield_now(),
            opened => return Ok(opened),
        }
    }
    Err(io::Error::other("it is there, but opening does not find it"))
}

/// Whether the file still has the bytes of `content`: people and git write without locks.
pub(crate) fn is_still(content: &Content, path: &Path, shown: &str) -> Result<bool, Unreadable> {
    let now = bytes(path, shown)?;
    Ok(now.is_some_and(|now| now.bytes == content.bytes))
}

/// Reads a file as JSON with [`bytes`]; one that does not parse is read again for a while.
pub(crate) fn json<T: DeserializeOwned>(
    path: &Path,
    shown: &str,
) -> Result<Option<(T, Content)>, Unreadable> {
    let mut retries = RETRIES;
    loop {
        let Some(content) = bytes(path, shown)? else { return Ok(None) };
        match codec::decode(shown, &content.bytes) {
            Ok(value) => return Ok(Some((value, content))),
            Err(error) if retries == 0 || !is_recent(&content.metadata) => {
                return Err(error.into());
            }
            Err(_) => {
                retries -= 1;
                thread::sleep(RETRY_AFTER);
            }
        }
    }
}

/// Whether something may be writing the file at this moment. One that has been left alone is
/// broken, and waiting would only make every list slow.
fn is_recent(metadata: &Metadata) -> bool {
    const RECENT: Duration = Duration::from_secs(2);
    let age = metadata.modified().ok().and_then(|modified| modified.elapsed().ok());
    age.is_none_or(|age| age < RECENT)
}

fn read_up_to(file: &File, limit: u64, bytes: &mut Vec<u8>) -> io::Result<usize> {
    file.take(limit).read_to_end(bytes)
}

const NOT_REGULAR: &str = "is not a regular file";

/// What stands at the path that could not be opened, unless it is a file. Every system has another
/// error for opening a link without following it, and some have one for opening a folder.
fn no_file_of_its_own(path: &Path) -> Option<&'static str> {
    let found = std::fs::symlink_metadata(path).ok()?;
    match () {
        () if found.is_symlink() => Some("is a symbolic link, not a file of its own"),
        () if !found.is_file() => Some(NOT_REGULAR),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_file_that_is_there_is_not_taken_for_absent() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = || -> io::Result<File> { Err(io::ErrorKind::NotFound.into()) };
        let left = Cell::new(3);
        let late = |path: &Path| match left.replace(left.get() - 1) {
            0 => File::open(path),
            _ => missing(),
        };
        let there = folder.path().join("there");
        File::create_new(&there).expect("creates it");
        assert!(open_if_present(&there, late).expect("opens").is_some());
        assert!(open_if_present(&there, |_| missing()).is_err());
        let absent = folder.path().join("absent");
        assert!(open_if_present(&absent, |_| missing()).expect("looks").is_none());
    }
}
