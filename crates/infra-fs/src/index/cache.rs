//! The file `index.json`: one line an item, with what the item's file looked like when it was read.
//!
//! ```text
//! {"schema":2,"crc32":"9ae0daaf","rows":[
//! ["WORK-001.json",inode,size,mtime,ctime,digest,[…]],
//! …
//! ]}
//! ```
//!
//! It is replaced whole but not synced: what a power cut leaves of it fails the checksum and is
//! ignored. So is everything else about it that is not as expected.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;

#[cfg(feature = "proof")]
use jerry_domain::Summary;
use jerry_domain::ports::{LockName, Sighting, Sightings, Unreadable};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::cores;
use super::row::Row;
use super::scan::{Fingerprint, Found};
use crate::layout::Layout;
use crate::lock::FsLocks;
use crate::{publish, steps};

/// The cache as it was found.
pub(super) enum Cache {
    Absent,
    Corrupt,
    Loaded(Loaded),
}

/// The text and where its rows are.
pub(super) struct Loaded {
    text: String,
    rows: Vec<CachedRow>,
}

impl Loaded {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }
}

#[derive(Clone)]
pub(super) struct CachedRow {
    name: Range<usize>,
    pub(super) fingerprint: Fingerprint,
    digest: u64,
    summary: Range<usize>,
}

#[derive(Deserialize)]
struct Line<'a>(#[serde(borrow)] &'a str, u64, u64, i64, i64, u64, #[serde(borrow)] &'a RawValue);

const FOOTER: &str = "]}\n";

fn header(crc: u32) -> String {
    format!("{{\"schema\":2,\"crc32\":\"{crc:08x}\",\"rows\":[\n")
}

impl Cache {
    /// Reads the cache; whatever keeps it from being read keeps it from being used.
    pub(super) fn load(path: &Path) -> Self {
        let text = match read_text(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::Absent,
            Err(_) => return Self::Corrupt,
        };
        match parse(&text) {
            Some(rows) => Self::Loaded(Loaded { text, rows }),
            None => Self::Corrupt,
        }
    }

    /// What is cached, sorted by name.
    pub(super) fn rows(&self) -> &[CachedRow] {
        match self {
            Self::Loaded(loaded) => &loaded.rows,
            Self::Absent | Self::Corrupt => &[],
        }
    }

    /// The name of the file that `row`, one of [`Cache::rows`], is about.
    pub(super) fn name(&self, row: &CachedRow) -> &str {
        match self {
            Self::Loaded(loaded) => &loaded.text[row.name.clone()],
            Self::Absent | Self::Corrupt => "",
        }
    }

    /// What a row says; where this version cannot read it, what the item's file says: nothing when
    /// it has gone by now.
    fn sightings(
        &self,
        row: CachedRow,
        layout: &Layout,
    ) -> impl Iterator<Item = Result<Sighting, Unreadable>> + use<> {
        let (mut cached, mut read) = (None, Vec::new());
        if let Self::Loaded(Loaded { text, .. }) = self {
            let found: Option<Row<'_>> = serde_json::from_str(&text[row.summary]).ok();
            match found.and_then(Row::into_summary) {
                Some(summary) => cached = Some(Ok(Sighting { summary, digest: row.digest })),
                None => read = super::said_by(layout, &text[row.name]).sightings,
            }
        }
        cached.into_iter().chain(read)
    }
}

/// The text of a file of any size. A pipe in its place must not hang the read.
fn read_text(path: &Path) -> io::Result<String> {
    let mut file = steps::open_existing(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut text = String::with_capacity(metadata.len() as usize + 1);
    file.read_to_string(&mut text)?;
    Ok(text)
}

fn parse(text: &str) -> Option<Vec<CachedRow>> {
    let start = text.find('\n')? + 1;
    let body = text[start..].strip_suffix(FOOTER)?;
    if text[..start] != header(crc32fast::hash(body.as_bytes())) {
        return None;
    }
    let place = |part: &str| {
        let at = part.as_ptr() as usize - text.as_ptr() as usize;
        at..at + part.len()
    };
    let row = |line: &str| {
        let line = line.strip_suffix(',').unwrap_or(line);
        let Line(name, inode, size, mtime, ctime, digest, summary) =
            serde_json::from_str(line).ok()?;
        Some(CachedRow {
            name: place(name),
            fingerprint: Fingerprint { inode, size, mtime, ctime },
            digest,
            summary: place(summary.get()),
        })
    };
    let mut rows: Vec<CachedRow> = body.lines().map(row).collect::<Option<_>>()?;
    let name = |row: &CachedRow| &text[row.name.clone()];
    if !rows.is_sorted_by_key(name) {
        rows.sort_unstable_by(|one, other| name(one).cmp(name(other)));
    }
    Some(rows)
}

/// What `rows` are about, parsed as they are asked for; many of them ahead of that, on every
/// core, a bounded number at a time.
pub(super) fn rows(cache: Arc<Cache>, mut rows: Vec<CachedRow>, layout: &Layout) -> Sightings {
    const WORTH_A_THREAD: usize = 4096;
    const AHEAD: usize = 512;
    let layout = layout.clone();
    let threads = cores::threads_for(rows.len(), WORTH_A_THREAD);
    if threads == 1 {
        return Box::new(rows.into_iter().flat_map(move |row| cache.sightings(row, &layout)));
    }
    let (sender, receiver) = mpsc::sync_channel::<Vec<_>>(threads);
    let share = rows.len().div_ceil(threads);
    for _ in 0..threads {
        let part = rows.split_off(rows.len() - share.min(rows.len()));
        let (cache, layout, sender) = (cache.clone(), layout.clone(), sender.clone());
        thread::spawn(move || {
            for chunk in part.chunks(AHEAD) {
                let chunk = chunk.iter().flat_map(|row| cache.sightings(row.clone(), &layout));
                if sender.send(chunk.collect()).is_err() {
                    // Nobody asks any more.
                    return;
                }
            }
        });
    }
    Box::new(receiver.into_iter().flatten())
}

/// Replaces the cache by `kept` and `fresh`, unless somebody else is at it. That it cannot be
/// written, on a store that is read-only say, only costs time at the next read.
pub(super) fn write_back<'a>(
    layout: &Layout,
    locks: &FsLocks,
    cache: &Cache,
    kept: &[CachedRow],
    fresh: impl Iterator<Item = (&'a Found, &'a Sighting)>,
) {
    let Ok(Some(_guard)) = locks.try_acquire(&LockName::index()) else { return };
    if let Some(text) = encode(cache, kept, fresh) {
        let _ = publish::replace_volatile(&layout.index(), text.as_bytes());
    }
}

fn encode<'a>(
    cache: &Cache,
    kept: &[CachedRow],
    fresh: impl Iterator<Item = (&'a Found, &'a Sighting)>,
) -> Option<String> {
    let mut lines = BTreeMap::new();
    if let Cache::Loaded(Loaded { text, .. }) = cache {
        let cached = |row: &CachedRow| Cow::Borrowed(&text[row.summary.clone()]);
        lines.extend(
            kept.iter().map(|row| (cache.name(row), (row.fingerprint, row.digest, cached(row)))),
        );
    }
    for (file, Sighting { summary, digest }) in fresh {
        let summary = serde_json::to_string(&Row::from(summary)).ok()?;
        lines.insert(&file.name, (file.fingerprint, *digest, Cow::Owned(summary)));
    }
    let mut body = String::new();
    for (name, (fingerprint, digest, summary)) in lines {
        let Fingerprint { inode, size, mtime, ctime } = fingerprint;
        let comma = if body.is_empty() { "" } else { ",\n" };
        write!(body, "{comma}[\"{name}\",{inode},{size},{mtime},{ctime},{digest},{summary}]")
            .ok()?;
    }
    if !body.is_empty() {
        body.push('\n');
    }
    Some(header(crc32fast::hash(body.as_bytes())) + &body + FOOTER)
}

#[cfg(feature = "proof")]
pub mod proof {
    //! The file without a store.

    use super::*;

    /// The file with this body and the checksum that belongs to it.
    pub fn with_checksum(body: &str) -> String {
        header(crc32fast::hash(body.as_bytes())) + body + FOOTER
    }

    /// What the file says when it is written again, and what its rows say: `None` for a row that
    /// this version cannot read.
    pub fn rewritten(text: &str) -> Option<(String, Vec<Option<Summary>>)> {
        let cache = Cache::Loaded(Loaded { text: text.to_owned(), rows: parse(text)? });
        let said = |row: &CachedRow| summary(&text[row.summary.clone()]);
        let summaries = cache.rows().iter().map(said).collect();
        Some((encode(&cache, cache.rows(), std::iter::empty())?, summaries))
    }

    /// What one row says.
    pub fn summary(row: &str) -> Option<Summary> {
        serde_json::from_str::<Row<'_>>(row).ok()?.into_summary()
    }

    /// The row of `summary`.
    pub fn row(summary: &Summary) -> Option<String> {
        serde_json::to_string(&Row::from(summary)).ok()
    }
}
