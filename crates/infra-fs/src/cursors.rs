//! What watchers have seen, in `local/cursors`.
//!
//! A file begins with all that was seen at some time; each further line says what was seen next. A
//! cursor is the name of a file, how many of its bytes count, and their checksum:
//!
//! ```text
//! 4f1c09d2a7b3e856-1c2-a3b1c2d4
//! ```
//!
//! The file is named after a hash of its first line. Who goes on from the file's end adds a line to
//! it; who goes on from an earlier place finds the same line there already (it does again what a
//! killed process did) or begins a file of its own. So an agent that comes back again and again has one
//! file, and what a cursor names never changes.
//!
//! # Protocol of saving, under the lock `cursors`
//! 1. read the file; 2. write it anew with the line added (temporary file, rename), without fsync;
//! 3. answer the cursor; 4. where a file was begun, remove the oldest of too many.
//!
//! # Crash points
//! - before 2: nothing was changed; the temporary file is litter that the next one to begin a file
//!   removes;
//! - between 2 and 3: there is a line more than any cursor names, which harms nobody;
//! - power is cut after 3: the file is as it was, or has lost bytes that the cursor counts. Then its
//!   checksum does not fit, and the cursor is not known.

use std::fs::Metadata;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use jerry_domain::ports::{
    Cursor, CursorError, CursorStore, ItemKey, LockName, Mark, Seen, Step, StorageError,
};
use jerry_domain::{Uid, WorkId, fnv_1a};
use serde::{Deserialize, Serialize};

use crate::fault::{if_present, storage_error};
use crate::index::all_names;
use crate::layout::Layout;
use crate::lock::FsLocks;
use crate::{publish, steps};

/// How long a cursor is kept that nobody comes back with.
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// How many files are kept, and how many bytes in all of them.
const MOST_FILES: usize = 1_000;
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// How far the steps of a file may outgrow its first line.
const STEPS_BEYOND: usize = 64 * 1024;

/// The cursors of one store.
pub(crate) struct FsCursors {
    layout: Layout,
    locks: FsLocks,
}

#[derive(Serialize, Deserialize)]
struct FirstLine {
    schema: u32,
    selection: String,
    items: Vec<Row>,
}

const SCHEMA: u32 = 1;

/// One item: id, uid, and what was seen of it, if it is still there.
#[derive(Serialize, Deserialize)]
struct Row(WorkId, Uid, Option<(u64, u64, bool)>);

impl Row {
    fn new(((id, uid), mark): (&ItemKey, Option<Mark>)) -> Self {
        let mark = mark.map(|mark| (mark.version, mark.digest, mark.is_watched));
        Self(id.clone(), *uid, mark)
    }

    fn read(self) -> (ItemKey, Option<Mark>) {
        let mark = self.2.map(|(version, digest, is_watched)| Mark { version, digest, is_watched });
        ((self.0, self.1), mark)
    }
}

/// The part of a file that a cursor names.
struct Place {
    file: String,
    length: usize,
    checksum: u32,
}

impl Place {
    fn of(file: String, text: &[u8]) -> Self {
        Self { file, length: text.len(), checksum: crc32fast::hash(text) }
    }

    fn named(cursor: &Cursor) -> Option<Self> {
        let mut parts = cursor.as_str().split('-');
        let (file, length, checksum) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || file.len() != 16 {
            return None;
        }
        Some(Self {
            file: file.to_owned(),
            length: usize::from_str_radix(length, 16).ok()?,
            checksum: u32::from_str_radix(checksum, 16).ok()?,
        })
    }

    fn cursor(&self) -> Result<Cursor, StorageError> {
        let name = format!("{}-{:x}-{:08x}", self.file, self.length, self.checksum);
        name.parse()
            .map_err(|error| storage_error("name", Path::new(&self.file), io::Error::other(error)))
    }

    /// What of `text` is meant, if it is still what it was.
    fn within<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        let part = text.get(..self.length)?;
        (crc32fast::hash(part) == self.checksum).then_some(part)
    }
}

impl FsCursors {
    pub(crate) fn new(layout: Layout, locks: FsLocks) -> Self {
        Self { layout, locks }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.layout.cursors().join(format!("{file}.jsonl"))
    }

    /// The whole of the file in which `place` is, if it is as the cursor says.
    fn file_of(&self, place: &Place) -> Result<Option<Vec<u8>>, StorageError> {
        let text = read(&self.path(&place.file))?;
        Ok(text.filter(|text| place.within(text).is_some()))
    }

    fn save(&self, seen: &Seen, since: Option<(&Cursor, &Step)>) -> Result<Cursor, CursorError> {
        let _guard = self.locks.acquire(&LockName::cursors(), None)?;
        if let Some((cursor, step)) = since
            && let Some(place) = Place::named(cursor)
            && let Some(text) = self.file_of(&place)?
            && let Some(next) = self.go_on(place, text, step)?
        {
            return Ok(next.cursor()?);
        }
        let first = first_line(seen).map_err(|error| self.unwritten(error))?;
        let file = format!("{:016x}", fnv_1a(&first));
        let path = self.path(&file);
        let older = read(&path)?.filter(|older| older.starts_with(&first));
        let folder = self.layout.cursors();
        publish::make_dirs(&folder, self.layout.root())
            .map_err(publish::PublishError::of_preparation)?;
        publish::replace_volatile(&path, older.as_deref().unwrap_or(&first))?;
        if older.is_none() {
            prune(&folder, &path)?;
        }
        Ok(Place::of(file, &first).cursor()?)
    }

    /// The place after `step`, if the file of `place` has it or can get it. Writing what is there
    /// already keeps the file young.
    fn go_on(
        &self,
        place: Place,
        text: Vec<u8>,
        step: &Step,
    ) -> Result<Option<Place>, StorageError> {
        let path = self.path(&place.file);
        let mut longer = text[..place.length].to_vec();
        if !step.is_empty() {
            longer.extend(line(step).map_err(|error| self.unwritten(error))?);
        }
        let next = Place::of(place.file, &longer);
        if text.starts_with(&longer) {
            publish::replace_volatile(&path, &text)?;
            return Ok(Some(next));
        }
        let first = text.iter().position(|byte| *byte == b'\n').unwrap_or(0);
        if text.len() > place.length || longer.len() > 2 * first + STEPS_BEYOND {
            return Ok(None);
        }
        publish::replace_volatile(&path, &longer)?;
        Ok(Some(next))
    }

    fn load(&self, cursor: &Cursor) -> Result<Option<Seen>, StorageError> {
        let Some(place) = Place::named(cursor) else { return Ok(None) };
        let Some(text) = self.file_of(&place)? else { return Ok(None) };
        Ok(place.within(&text).and_then(parse))
    }

    fn unwritten(&self, error: serde_json::Error) -> StorageError {
        storage_error("write", &self.layout.cursors(), error.into())
    }
}

fn first_line(seen: &Seen) -> serde_json::Result<Vec<u8>> {
    let items = seen.items.iter().map(|(key, mark)| Row::new((key, Some(*mark)))).collect();
    let selection = seen.selection.clone();
    let mut line = serde_json::to_vec(&FirstLine { schema: SCHEMA, selection, items })?;
    line.push(b'\n');
    Ok(line)
}

fn line(step: &Step) -> serde_json::Result<Vec<u8>> {
    let rows: Vec<_> = step.iter().map(|(key, mark)| Row::new((key, *mark))).collect();
    let mut line = serde_json::to_vec(&rows)?;
    line.push(b'\n');
    Ok(line)
}

/// `None` for what this version cannot read.
fn parse(text: &[u8]) -> Option<Seen> {
    let mut lines = text.split_inclusive(|byte| *byte == b'\n');
    let FirstLine { schema, selection, items } = serde_json::from_slice(lines.next()?).ok()?;
    if schema != SCHEMA {
        return None;
    }
    let mut seen = Seen { selection, ..Seen::default() };
    seen.advance(&items.into_iter().map(Row::read).collect());
    for line in lines {
        let rows: Vec<Row> = serde_json::from_slice(line).ok()?;
        seen.advance(&rows.into_iter().map(Row::read).collect());
    }
    Some(seen)
}

/// A file of any size; `None` when it is not there, or is no file.
fn read(path: &Path) -> Result<Option<Vec<u8>>, StorageError> {
    let failed = |error| storage_error("read", path, error);
    let Some(mut file) = if_present(steps::open_existing(path)).map_err(failed)? else {
        return Ok(None);
    };
    if !file.metadata().map_err(failed)?.is_file() {
        return Ok(None);
    }
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(failed)?;
    Ok(Some(text))
}

/// Removes the oldest of too many files, but not `newest`, and what killed processes left: under the
/// lock there is no other temporary file.
fn prune(folder: &Path, newest: &Path) -> Result<(), StorageError> {
    let failed = |error| storage_error("list", folder, error);
    let now = SystemTime::now();
    let mut kept = Vec::new();
    for name in all_names(folder, |_| true).map_err(failed)? {
        let path = folder.join(&name);
        let found = std::fs::symlink_metadata(&path);
        let Some(found) = if_present(found).map_err(failed)? else { continue };
        if publish::parse_temp_name(&name).is_some() {
            remove(&path)?;
        } else if name.ends_with(".jsonl") && path != newest {
            kept.push((modified(&found), found.len(), path));
        }
    }
    kept.sort_unstable_by_key(|(modified, ..)| std::cmp::Reverse(*modified));
    let mut bytes = 0_u64;
    for (place, (modified, length, path)) in kept.into_iter().enumerate() {
        bytes = bytes.saturating_add(length);
        // A clock that was set back makes nothing old.
        let age = now.duration_since(modified).unwrap_or_default();
        if place + 1 >= MOST_FILES || bytes > MOST_BYTES || age > KEPT_FOR {
            remove(&path)?;
        }
    }
    Ok(())
}

fn modified(found: &Metadata) -> SystemTime {
    found.modified().unwrap_or(SystemTime::UNIX_EPOCH)
}

fn remove(path: &Path) -> Result<(), StorageError> {
    publish::unlink(path).map(drop).map_err(publish::PublishError::of_preparation)
}

#[async_trait]
impl CursorStore for FsCursors {
    async fn save(
        &self,
        seen: &Seen,
        since: Option<(&Cursor, &Step)>,
    ) -> Result<Cursor, CursorError> {
        self.save(seen, since)
    }

    async fn load(&self, cursor: &Cursor) -> Result<Option<Seen>, CursorError> {
        Ok(self.load(cursor)?)
    }
}
