//! What git asks a merge driver for: two versions of a file of the store, and the one that both came
//! from, made one. Reads and writes the three files that git names, and nothing of a store.

use std::path::Path;

use jerry_domain::ports::{Malformed, StorageError, Tombstone, Unreadable};
use jerry_domain::{Unmergeable, WorkId, WorkItem};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec;
use crate::layout::id_of_file;
use crate::publish::{self, PublishError};
use crate::read::{self, Content, MAX_FILE_BYTES};

/// Why two versions of a file were not merged. Unless it is [`DriverError::Publish`], all is as it was.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// Neither the file of an item nor a tombstone has this path.
    #[error("{path} is not the path of an item or a tombstone")]
    Path {
        /// The path.
        path: String,
    },
    /// One of the three is missing.
    #[error("there is no {path}")]
    Missing {
        /// The file.
        path: String,
    },
    /// One of the three does not hold what its path says.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// One of the three cannot be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Jerry does not merge them.
    #[error("{path} was not merged")]
    Unmergeable {
        /// The path.
        path: String,
        /// Why not.
        source: Unmergeable,
    },
    /// Together they would be larger than a file may be.
    #[error("{path} would have {size} bytes; the limit is {MAX_FILE_BYTES}")]
    TooLarge {
        /// The path.
        path: String,
        /// How many bytes it would have.
        size: u64,
    },
    /// The result was not written, or perhaps not durably.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

/// Merges `ours` and `theirs`, which both came from `base`, into `ours`. `path` is where the file
/// stands in the repository. An empty `base` is none, as git says it.
///
/// The result is the same, byte by byte, when `ours` and `theirs` change places.
///
/// # Errors
/// [`DriverError`].
pub fn merge_files(base: &Path, ours: &Path, theirs: &Path, path: &str) -> Result<(), DriverError> {
    let (folder, name) = place(path).ok_or_else(|| DriverError::Path { path: path.to_owned() })?;
    let [base, own, their] = [base, ours, theirs].map(|file| content(file, path));
    let (base, own, their) = (base?, own?, their?);
    let base = Some(base).filter(|base| !base.bytes.is_empty());
    let texts = (base.as_ref(), &own, &their);
    let text = match folder {
        Folder::Items => merged(texts, path, |base: Option<&WorkItem>, ours, theirs| {
            WorkItem::merge_files(base, ours, theirs, &name)
        }),
        Folder::Tombstones => merged(texts, path, Tombstone::merge),
    }?;
    Ok(publish::publish_outside(ours, &text)?)
}

enum Folder {
    Items,
    Tombstones,
}

fn place(path: &str) -> Option<(Folder, WorkId)> {
    let mut parts = path.rsplit('/');
    let name = id_of_file(parts.next()?)?;
    match parts.next()? {
        "items" => Some((Folder::Items, name)),
        "tombstones" => Some((Folder::Tombstones, name)),
        _ => None,
    }
}

fn content(file: &Path, path: &str) -> Result<Content, DriverError> {
    let content = read::bytes(file, path).map_err(|error| match error {
        Unreadable::Malformed(error) => DriverError::Malformed(error),
        Unreadable::Storage(error) => DriverError::Storage(error),
    })?;
    content.ok_or_else(|| DriverError::Missing { path: file.display().to_string() })
}

fn merged<T: DeserializeOwned + Serialize>(
    (base, ours, theirs): (Option<&Content>, &Content, &Content),
    path: &str,
    merge: impl FnOnce(Option<&T>, &T, &T) -> Result<T, Unmergeable>,
) -> Result<Vec<u8>, DriverError> {
    let decode = |content: &Content| codec::decode::<T>(path, &content.bytes);
    let base = base.map(decode).transpose()?;
    let result = merge(base.as_ref(), &decode(ours)?, &decode(theirs)?)
        .map_err(|source| DriverError::Unmergeable { path: path.to_owned(), source })?;
    let text = codec::encode(&result).map_err(|error| {
        let source = Unmergeable::Invalid(error.into());
        DriverError::Unmergeable { path: path.to_owned(), source }
    })?;
    // In an order that does not depend on the side.
    let mut spellings = [&ours.bytes, &theirs.bytes];
    spellings.sort();
    let text = spellings.iter().fold(text, |text, old| codec::respell(old, text, &[]));
    match text.len() as u64 {
        size if size > MAX_FILE_BYTES => Err(DriverError::TooLarge { path: path.to_owned(), size }),
        _ => Ok(text),
    }
}
