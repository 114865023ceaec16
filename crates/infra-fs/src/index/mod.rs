//! Every item in brief, as the files say it now.
//!
//! An item and the index are two files that no transaction covers, so the index is a cache that
//! cannot lie: each read lists the folder and looks at every file (inode, size, times), takes from
//! the cache only what is provably unchanged, and parses the rest. No writer waits for it or
//! touches it. Deleting, corrupting or exchanging it changes nothing but time.
//!
//! A file written within [`RACY`] before the look could be written once more without its times
//! changing, so it is parsed again each time until it has been left alone for that long.

pub(crate) mod cache;
mod cores;
mod row;
mod scan;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use jerry_domain::ports::{Malformed, Sighting, Sightings, StorageError, Summaries, Unreadable};
use jerry_domain::{Summary, Uid, WorkId, WorkItem};

use cache::{Cache, CachedRow};
use scan::{Found, Kind};

pub(crate) use scan::{all_names, names};

use crate::layout::{Layout, id_of_file};
use crate::lock::FsLocks;
use crate::read::Content;
use crate::{displaced, read, tombstone};

/// How old a file's last change must be before its times can be trusted to tell a later one.
const RACY: Duration = Duration::from_secs(2);

/// What the doctor wants to know of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheState {
    Absent,
    Corrupt,
    /// How many of its rows no longer describe a file.
    Stale(usize),
    Current,
}

/// Every item in brief, as [`sightings`] has them.
pub(crate) fn summaries(layout: &Layout, locks: &FsLocks) -> Result<Summaries, StorageError> {
    Ok(Box::new(sightings(layout, locks)?.map(|sighting| Ok(sighting?.summary))))
}

/// Sights every item. Writes the cache back when enough of it was out of date.
pub(crate) fn sightings(layout: &Layout, locks: &FsLocks) -> Result<Sightings, StorageError> {
    let Look { cache, plan, dead, now } = look(layout)?;
    let (mut cached, mut stale) = (Vec::new(), Vec::new());
    for step in plan {
        match step {
            Step::Cached(row) => cached.push(row),
            Step::Parse(found) => stale.push(found),
        }
    }
    let parsed = parse(layout, stale);
    if pays(fresh(&parsed, now).count() + dead, cached.len()) {
        cache::write_back(layout, locks, &cache, &cached, fresh(&parsed, now));
    }
    let listed = cached.iter().map(|row| cache.name(row));
    let listed = listed.chain(parsed.iter().map(|(file, _)| file.name.as_str()));
    let (deleted, unreadable) = tombstone::among(layout, listed)?;
    let displaces = parsed.iter().any(|(_, said)| said.is_of_several);
    let parsed = parsed.into_iter().flat_map(|(_, said)| said.sightings);
    let all = cache::rows(cache, cached, layout).chain(parsed);
    let all = all.chain(unreadable.into_iter().map(Err));
    let all = all.filter(move |sighting| match sighting {
        Ok(Sighting { summary, .. }) => {
            summary.is_displaced || !deleted.contains(&(summary.id.clone(), summary.uid))
        }
        Err(_) => true,
    });
    Ok(if displaces { once_each(all.collect()) } else { Box::new(all) })
}

/// Leaves out what stands in a file of its own already and was not yet taken out of the one of the
/// older item that has the same number.
fn once_each(all: Vec<Result<Sighting, Unreadable>>) -> Sightings {
    let own = all.iter().flatten().filter(|sighting| !sighting.summary.is_displaced);
    let own: HashSet<Uid> = own.map(|sighting| sighting.summary.uid).collect();
    Box::new(all.into_iter().filter(move |sighting| match sighting {
        Ok(Sighting { summary, .. }) => !summary.is_displaced || !own.contains(&summary.uid),
        Err(_) => true,
    }))
}

/// Compares the cache with the files, for the doctor.
pub(crate) fn cache_state(layout: &Layout) -> Result<CacheState, StorageError> {
    let look = look(layout)?;
    let used = look.plan.iter().filter(|step| matches!(step, Step::Cached(_))).count();
    Ok(match &*look.cache {
        Cache::Absent => CacheState::Absent,
        Cache::Corrupt => CacheState::Corrupt,
        Cache::Loaded(loaded) if loaded.len() > used => CacheState::Stale(loaded.len() - used),
        Cache::Loaded(_) => CacheState::Current,
    })
}

struct Look {
    cache: Arc<Cache>,
    plan: Vec<Step>,
    /// How many rows of the cache are about files that are gone.
    dead: usize,
    now: SystemTime,
}

enum Step {
    Cached(CachedRow),
    Parse(Found),
}

/// Lists the folder while the cache is read, then decides for each file which of the two to use.
fn look(layout: &Layout) -> Result<Look, StorageError> {
    let now = SystemTime::now();
    let items = layout.items();
    let (cache, found) = load_and_list(&layout.index(), &items);
    let found = found?;
    let mut plan = Vec::with_capacity(found.len());
    let mut unlisted = Vec::new();
    // Both are sorted by name.
    let mut rows = cache.rows().iter().peekable();
    for file in found {
        while let Some(row) = rows.next_if(|row| cache.name(row) < file.name.as_str()) {
            unlisted.push(row);
        }
        let row = rows.next_if(|row| cache.name(row) == file.name);
        match row.filter(|row| row.fingerprint == file.fingerprint && file.kind == Kind::File) {
            Some(row) => plan.push(Step::Cached(row.clone())),
            None => plan.push(Step::Parse(file)),
        }
    }
    // A listing may miss a file that was replaced while it ran; what the cache knows is looked for.
    let mut dead = 0;
    for row in unlisted.into_iter().chain(rows) {
        match scan::file(&items, cache.name(row))? {
            Some(file) => plan.push(Step::Parse(file)),
            None => dead += 1,
        }
    }
    Ok(Look { cache: Arc::new(cache), plan, dead, now })
}

/// The cache and the files of the folder, at once where the cache is worth a thread.
fn load_and_list(index: &Path, items: &Path) -> (Cache, Result<Vec<Found>, StorageError>) {
    const WORTH_A_THREAD: u64 = 64 * 1024;
    // A size that cannot be had is that of a cache that can hardly be read.
    if std::fs::symlink_metadata(index).map_or(0, |found| found.len()) < WORTH_A_THREAD {
        return (Cache::load(index), scan::files(items));
    }
    thread::scope(|scope| {
        let cache = scope.spawn(|| Cache::load(index));
        let found = scan::files(items);
        // A panic in the loader would be a cache that cannot be used.
        (cache.join().unwrap_or(Cache::Corrupt), found)
    })
}

/// What one file says.
struct Said {
    sightings: Vec<Result<Sighting, Unreadable>>,
    /// Whether it holds several items. What they are then is not for the file alone to say.
    is_of_several: bool,
}

type Parsed = Vec<(Found, Said)>;

/// Parses files on every core there is.
fn parse(layout: &Layout, files: Vec<Found>) -> Parsed {
    const WORTH_A_THREAD: usize = 256;
    let read = |file: Found| {
        let said = said_by(layout, &file.name);
        // Gone between the listing and the read: deleted, which is no error.
        (!said.sightings.is_empty()).then_some((file, said))
    };
    let read_all = |files: Vec<Found>| files.into_iter().filter_map(read).collect::<Parsed>();
    cores::share(files, WORTH_A_THREAD, read_all).into_iter().flatten().collect()
}

/// The items of a file; none when it has gone.
fn said_by(layout: &Layout, name: &str) -> Said {
    let of_one = |sightings| Said { sightings, is_of_several: false };
    let path = layout.items().join(name);
    let shown = layout.relative(&path);
    let Some(id) = id_of_file(name) else {
        let error = misnamed(shown, "its name is not an id; `jerry doctor` helps");
        return of_one(vec![Err(error.into())]);
    };
    match read_named(&path, &shown, &id) {
        Ok(None) => of_one(Vec::new()),
        Ok(Some((item, content))) => {
            let (digest, is_of_several) = (digest(&content.bytes), !item.displaced.is_empty());
            let item = without_buried(layout, item);
            let sighting = |summary| Ok(Sighting { summary, digest });
            Said { sightings: Summary::of_file(&item).map(sighting).collect(), is_of_several }
        }
        Err(error) => of_one(vec![Err(error)]),
    }
}

/// The item without those of its number that had one of their own since and were deleted under it,
/// and are only to be taken out here.
fn without_buried(layout: &Layout, item: WorkItem) -> WorkItem {
    if item.displaced.is_empty() {
        return item;
    }
    let (item, mut displaced) = item.split_off();
    // What cannot be told is shown.
    displaced.retain(|other| !displaced::is_buried(layout, other).unwrap_or(false));
    item.holding(displaced)
}

/// Every write by jerry is told by the version. This tells texts of one version apart, which people
/// and git make: their length and their checksum.
fn digest(text: &[u8]) -> u64 {
    (text.len() as u64) << 32 | u64::from(crc32fast::hash(text))
}

/// Reads an item's file and checks that it holds the item that its name says.
pub(crate) fn read_item(
    path: &Path,
    shown: &str,
    id: &WorkId,
) -> Result<Option<WorkItem>, Unreadable> {
    Ok(read_named(path, shown, id)?.map(|(item, _)| item))
}

fn read_named(
    path: &Path,
    shown: &str,
    id: &WorkId,
) -> Result<Option<(WorkItem, Content)>, Unreadable> {
    let Some((item, content)) = read::json::<WorkItem>(path, shown)? else { return Ok(None) };
    check_name(&item, shown, id)?;
    Ok(Some((item, content)))
}

pub(crate) fn check_name(item: &WorkItem, shown: &str, id: &WorkId) -> Result<(), Malformed> {
    if item.id == *id {
        return Ok(());
    }
    let reason = format!("it holds {}, which its name does not say; `jerry doctor` helps", item.id);
    Err(misnamed(shown.to_owned(), &reason))
}

fn misnamed(path: String, reason: &str) -> Malformed {
    Malformed { path, line: 0, column: 0, reason: reason.to_owned() }
}

/// Whether writing the cache costs less than doing without it next time: parsing one file, or
/// looking for one that is gone, costs about as much as writing thirty rows.
fn pays(outdated: usize, cached: usize) -> bool {
    const ROWS_PER_FILE: usize = 30;
    const AT_LEAST: usize = 16;
    outdated >= AT_LEAST && outdated * ROWS_PER_FILE >= cached
}

/// What was parsed and may be cached.
fn fresh(parsed: &Parsed, now: SystemTime) -> impl Iterator<Item = (&Found, &Sighting)> + Clone {
    parsed.iter().filter_map(move |(file, said)| {
        // The file of several items is parsed each time; it is soon one of one.
        let Said { sightings, is_of_several: false } = said else { return None };
        let [Ok(sighting)] = sightings.as_slice() else { return None };
        file.fingerprint.settled(now, RACY).then_some((file, sighting))
    })
}
