//! What was written to items: to one of them, or to all; and what an item was like before.
//!
//! The history stands in the items themselves. What is said of all items is gathered from each, with
//! no more of it in memory at a time than will be shown.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use jerry_domain::ports::{RepositoryError, Tombstone, Unreadable};
use jerry_domain::{
    Actor, Event, Extra, FieldChange, HistoryEntry, SessionName, Timestamp, Title, Uid, WorkId,
    WorkItem,
};

use crate::query::{as_unreadable, first_of};
use crate::{Error, Ports, references};

/// A moment in the life of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// When it had this version.
    Version(u64),
    /// At this time.
    Time(Timestamp),
}

/// One write of one item.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// The item.
    pub id: WorkId,
    /// Its identity.
    pub uid: Uid,
    /// What it is called now.
    pub title: Title,
    /// The write, with all that it changed. A deletion makes no version: it is an entry of the event
    /// [`Event::DELETED`] with the last version that there was.
    pub entry: HistoryEntry,
}

/// Writes, the latest first.
#[derive(Debug)]
pub struct Writes {
    /// As many as the limit allows.
    pub writes: Vec<Write>,
    /// How many there are without the limit.
    pub total: usize,
    /// What could not be read, and so may be missing.
    pub unreadable: Vec<Unreadable>,
}

/// What lies between two versions of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Diff {
    /// The item.
    pub id: WorkId,
    /// The version that it is compared with.
    pub from: u64,
    /// The version that it is looked at in.
    pub to: u64,
    /// What leads from the one to the other, field by field.
    pub changes: Vec<FieldChange>,
}

/// Looks back. Takes no lock. What was deleted is looked back at as what was not.
#[derive(Clone)]
pub struct History {
    ports: Ports,
}

impl History {
    /// A service over `ports`.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// The writes of the item `id`, the highest version first: those after the version `since`, or
    /// from the time `since` on; `limit` at most, 0 for all.
    ///
    /// # Errors
    /// [`Error::Repository`] when the item never was, or cannot be read.
    pub async fn of(
        &self,
        id: &WorkId,
        since: Option<Moment>,
        limit: usize,
    ) -> Result<Writes, Error> {
        let wanted = |entry: &Place| match since {
            Some(Moment::Version(version)) => entry.version > version || entry.is_deletion(),
            Some(Moment::Time(time)) => entry.at >= time,
            None => true,
        };
        let kept = Arc::new(self.kept(id).await?);
        let mut places: Vec<_> = Place::all(&kept).filter(wanted).collect();
        let total = places.len();
        places.reverse();
        places.truncate(if limit == 0 { total } else { limit });
        Ok(Writes { writes: in_full(places), total, unreadable: Vec::new() })
    }

    /// The writes of all items, the latest first, deletions among them: those from the time `since`
    /// on; `limit` at most, 0 for all.
    ///
    /// # Errors
    /// [`Error::Repository`] when the store cannot be listed.
    pub async fn of_all(&self, since: Option<Timestamp>, limit: usize) -> Result<Writes, Error> {
        let found = self.gather(limit, |place| since.is_none_or(|since| place.at >= since)).await?;
        let Gathered { places, total, unreadable } = found;
        Ok(Writes { writes: in_full(places), total, unreadable })
    }

    /// The item `id` as it was, its references under the names of today.
    ///
    /// # Errors
    /// [`Error::Repository`] when the item never was, was deleted at that time, or cannot be read;
    /// [`Error::NotThen`] when it was not there yet; [`Error::UnknownVersion`] when its history does
    /// not lead there.
    pub async fn at(&self, id: &WorkId, moment: Moment) -> Result<WorkItem, Error> {
        let kept = self.kept(id).await?;
        let item = kept.at(version_at(&kept, moment)?)?;
        references::under_current_names(&self.ports, item).await
    }

    /// What lies between two moments of the item `id`: from the version before `to`, if `from` says
    /// nothing else, to the present one.
    ///
    /// # Errors
    /// As [`History::at`].
    pub async fn diff(
        &self,
        id: &WorkId,
        from: Option<Moment>,
        to: Option<Moment>,
    ) -> Result<Diff, Error> {
        let kept = self.kept(id).await?;
        let to = to.map_or(Ok(kept.item().version), |to| version_at(&kept, to))?;
        let from = match from {
            Some(from) => version_at(&kept, from)?,
            None => to.saturating_sub(1).max(1),
        };
        let changes = kept.at(to)?.changes_since(&kept.at(from)?);
        let changes = changes
            .map_err(|source| RepositoryError::Refused { id: id.clone(), source: source.into() })?;
        Ok(Diff { id: kept.item().id.clone(), from, to, changes })
    }

    /// The last `limit` of the writes that are `wanted`, of all items.
    pub(crate) async fn gather(
        &self,
        limit: usize,
        wanted: impl Fn(&Place) -> bool,
    ) -> Result<Gathered, Error> {
        let mut found = Gathered { places: Vec::new(), total: 0, unreadable: Vec::new() };
        let mut known: HashMap<Uid, u64> = HashMap::new();
        for summary in self.ports.items.summaries().await? {
            let summary = match summary {
                Ok(summary) => summary,
                Err(error) => {
                    found.unreadable.push(error);
                    continue;
                }
            };
            match self.ports.whole(&summary).await {
                Ok(Some(item)) => {
                    known.insert(item.uid, item.version);
                    found.add(Kept::Item(item), limit, &wanted);
                }
                // Deleted meanwhile: its tombstone tells the same.
                Ok(None) => {}
                Err(error) => found.unreadable.push(as_unreadable(error)?),
            }
        }
        for stone in self.ports.items.tombstones().await? {
            match stone {
                Ok(stone) => {
                    // Seen before it was deleted: what was told is not told again.
                    let told = known.get(&stone.item.uid).copied().unwrap_or(0);
                    let is_new = |place: &Place| place.is_deletion() || place.version > told;
                    found.add(Kept::Stone(stone), limit, |place| is_new(place) && wanted(place));
                }
                Err(error) => found.unreadable.push(error),
            }
        }
        first_of(&mut found.places, limit, Place::compare);
        Ok(found)
    }

    async fn kept(&self, id: &WorkId) -> Result<Kept, Error> {
        if let Some(item) = self.ports.items.get(id).await? {
            return Ok(Kept::Item(item));
        }
        match self.ports.items.tombstone(id).await? {
            Some(stone) => Ok(Kept::Stone(stone)),
            None => Err(RepositoryError::NotFound { id: id.clone() }.into()),
        }
    }
}

/// What a history is read from.
pub(crate) enum Kept {
    Item(WorkItem),
    Stone(Tombstone),
}

impl Kept {
    pub(crate) fn item(&self) -> &WorkItem {
        match self {
            Self::Item(item) => item,
            Self::Stone(stone) => &stone.item,
        }
    }

    fn at(&self, version: u64) -> Result<WorkItem, Error> {
        let item = self.item();
        item.at_version(version)
            .map_err(|source| Error::UnknownVersion { id: item.id.clone(), source })
    }

    fn deletion(&self) -> Option<HistoryEntry> {
        let Self::Stone(stone) = self else { return None };
        Some(HistoryEntry {
            at: stone.deleted_at,
            actor: stone.deleted_by.clone(),
            session: stone.session.clone(),
            version: stone.item.version,
            event: Event::DELETED,
            changes: Vec::new(),
            reason: stone.reason.clone(),
            request_id: stone.request_id.clone(),
            forced: false,
            merged: None,
            extra: Extra::new(),
        })
    }
}

/// Where a write is told of: little enough to hold many.
pub(crate) struct Place {
    pub(crate) kept: Arc<Kept>,
    /// Which entry of the history; the deletion comes after the last.
    index: usize,
    at: Timestamp,
    version: u64,
}

impl Place {
    /// Every write that `kept` tells of, the first one first.
    fn all(kept: &Arc<Kept>) -> impl Iterator<Item = Self> {
        let history = &kept.item().history;
        let written = history.iter().map(|entry| (entry.at, entry.version));
        let deleted = match &**kept {
            Kept::Stone(stone) => Some((stone.deleted_at, stone.item.version)),
            Kept::Item(_) => None,
        };
        written.chain(deleted).enumerate().map(|(index, (at, version))| Self {
            kept: kept.clone(),
            index,
            at,
            version,
        })
    }

    pub(crate) fn is_deletion(&self) -> bool {
        self.index == self.kept.item().history.len()
    }

    /// As [`HistoryEntry::is_by`].
    pub(crate) fn is_by(&self, actor: &Actor, session: Option<&SessionName>) -> bool {
        match self.kept.item().history.get(self.index) {
            Some(entry) => entry.is_by(actor, session),
            None => self.kept.deletion().is_some_and(|entry| entry.is_by(actor, session)),
        }
    }

    /// The latest first; of what is told to be of one instant, what must have been later.
    fn compare(&self, other: &Self) -> Ordering {
        let key = |place: &Self| (place.at, place.is_deletion(), place.version);
        let ids = || self.kept.item().id.cmp(&other.kept.item().id);
        key(other).cmp(&key(self)).then_with(ids)
    }
}

pub(crate) struct Gathered {
    pub(crate) places: Vec<Place>,
    total: usize,
    pub(crate) unreadable: Vec<Unreadable>,
}

impl Gathered {
    fn add(&mut self, kept: Kept, limit: usize, wanted: impl Fn(&Place) -> bool) {
        let before = self.places.len();
        self.places.extend(Place::all(&Arc::new(kept)).filter(wanted));
        self.total += self.places.len() - before;
        // Cut now and then, so that a short list of many writes stays small in memory.
        if limit > 0 && self.places.len() >= limit.saturating_mul(2).max(1024) {
            first_of(&mut self.places, limit, Place::compare);
        }
    }
}

/// The writes at `places`, in their order, each item gone over once.
fn in_full(places: Vec<Place>) -> Vec<Write> {
    let mut oldest: HashMap<*const Kept, usize> = HashMap::new();
    for place in &places {
        let oldest = oldest.entry(Arc::as_ptr(&place.kept)).or_insert(usize::MAX);
        *oldest = place.index.min(*oldest);
    }
    let mut told: HashMap<(*const Kept, usize), HistoryEntry> = HashMap::new();
    for place in &places {
        let kept = Arc::as_ptr(&place.kept);
        let Some(oldest) = oldest.remove(&kept) else { continue };
        let item = place.kept.item();
        let indices = (oldest..item.history.len()).rev();
        told.extend(indices.zip(item.writes()).map(|(index, entry)| ((kept, index), entry)));
    }
    let write = |place: Place| {
        let entry = match place.is_deletion() {
            true => place.kept.deletion(),
            false => told.remove(&(Arc::as_ptr(&place.kept), place.index)),
        };
        let item = place.kept.item();
        let (id, uid, title) = (item.id.clone(), item.uid, item.title.clone());
        entry.map(|entry| Write { id, uid, title, entry })
    };
    places.into_iter().filter_map(write).collect()
}

/// The version that the item had at `moment`.
fn version_at(kept: &Kept, moment: Moment) -> Result<u64, Error> {
    let (item, time) = match moment {
        Moment::Version(version) => return Ok(version),
        Moment::Time(time) => (kept.item(), time),
    };
    if let Kept::Stone(stone) = kept
        && stone.deleted_at <= time
    {
        let (id, at, by) = (item.id.clone(), stone.deleted_at, stone.deleted_by.clone());
        return Err(RepositoryError::Deleted { id, at, by }.into());
    }
    // By version, not by time: clocks may have gone back, versions have not.
    match item.history.iter().rev().find(|entry| entry.at <= time) {
        Some(entry) => Ok(entry.version),
        None if item.history.is_empty() && item.updated_at <= time => Ok(item.version),
        None => {
            let since = item.history.first().map_or(item.updated_at, |entry| entry.at);
            Err(Error::NotThen { id: item.id.clone(), time, since })
        }
    }
}
