use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jerry_domain::ports::{
    Change, Commit, Insertion, LockGuard, LockManager, LockName, Lookout, Malformed,
    RepositoryError, Sighting, Sightings, Summaries, Tombstone, Tombstones, Unreadable, Update,
    WorkItemRepository,
};
use jerry_domain::{MAX_ITEM_BYTES, Prefix, Stamp, Summary, Uid, WorkId, WorkItem};

use super::{MemoryLocks, held};
use crate::sample;

/// Keeps items as JSON texts in memory, and every version that ever was written.
///
/// Panics where a caller breaks the contract: a change that does not lead to the next version of
/// the same item, that rewrites history or takes a note away, and a write while locks are held
/// that come later in the order. Every write goes through JSON and must come back the same.
pub struct MemoryRepository {
    locks: Arc<MemoryLocks>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    items: BTreeMap<WorkId, String>,
    tombstones: BTreeMap<WorkId, Tombstone>,
    written: Vec<WorkItem>,
}

impl MemoryRepository {
    /// An empty repository whose items are locked by `locks`.
    #[must_use]
    pub fn new(locks: Arc<MemoryLocks>) -> Self {
        Self { locks, state: Mutex::default() }
    }

    /// Every version of every item that was ever written, in order.
    #[must_use]
    pub fn written(&self) -> Vec<WorkItem> {
        held(&self.state).written.clone()
    }

    /// Puts `text` where the item `id` is, as an editor does: no lock, no check.
    pub fn write_by_hand(&self, id: &WorkId, text: &str) {
        held(&self.state).items.insert(id.clone(), text.to_owned());
    }

    /// Removes the item `id` as `rm` does: no lock, no tombstone.
    pub fn remove_by_hand(&self, id: &WorkId) {
        held(&self.state).items.remove(id);
    }

    pub(super) fn greatest_number(&self, prefix: &Prefix) -> u64 {
        let state = held(&self.state);
        let ids = state.items.keys().chain(state.tombstones.keys());
        ids.filter(|id| id.prefix() == prefix).map(WorkId::number).max().unwrap_or(0)
    }

    async fn lock(&self, id: &WorkId) -> Result<Box<dyn LockGuard>, RepositoryError> {
        Ok(self.locks.acquire(&LockName::item(id), None).await?)
    }

    /// An update of an item whose lock this is.
    fn update_held(
        &self,
        _lock: &dyn LockGuard,
        id: &WorkId,
        expected: Option<u64>,
        change: Change,
    ) -> Result<Update, RepositoryError> {
        let (before, text) = held(&self.state).alone(id)?;
        RepositoryError::unless_version(&before, expected)?;
        // Readers go on meanwhile, and so do people with editors.
        let after = change(&before)
            .map_err(|source| RepositoryError::Refused { id: id.clone(), source })?;
        let Some(after) = after else { return Ok(Update::Unchanged(before)) };
        check_step(&before, &after);
        let mut state = held(&self.state);
        if state.items.get(id) != Some(&text) {
            return Err(RepositoryError::ChangedOutside { id: id.clone() });
        }
        Ok(Update::Written(state.put(after)?))
    }
}

impl State {
    fn get(&self, id: &WorkId) -> Result<Option<WorkItem>, Malformed> {
        self.items.get(id).map(|text| parse(id, text)).transpose()
    }

    /// The item to be written and the text that it has now.
    fn existing(&self, id: &WorkId) -> Result<(WorkItem, String), RepositoryError> {
        if let Some(text) = self.items.get(id) {
            return Ok((parse(id, text)?, text.clone()));
        }
        Err(RepositoryError::absent(id.clone(), self.tombstones.get(id).cloned()))
    }

    /// [`State::existing`], after those that it holds beside it have got numbers of their own.
    fn alone(&mut self, id: &WorkId) -> Result<(WorkItem, String), RepositoryError> {
        let (file, text) = self.existing(id)?;
        let (own, displaced) = file.split_off();
        for item in displaced {
            if self.is_buried(&item) {
                continue;
            }
            let all = self.items.iter().filter(|(other, _)| *other != id);
            let all: Vec<_> = all.filter_map(|(id, text)| parse(id, text).ok()).collect();
            let refused = |source| RepositoryError::Refused { id: id.clone(), source };
            let made = match all.iter().find(|other| other.uid == item.uid) {
                Some(other) => other.absorb(&item).map_err(|error| refused(error.into()))?,
                None => {
                    let numbers = self.items.keys().chain(self.tombstones.keys());
                    let last = numbers.map(WorkId::number).max().unwrap_or(0);
                    let free =
                        WorkId::new(id.prefix().clone(), last + 1).expect("a number is left");
                    item.renumber(free, &sample::stamp()).map_err(refused)?
                }
            };
            made.map(|item| self.put(item)).transpose()?;
        }
        Ok((own, text))
    }

    fn without_buried(&self, item: WorkItem) -> WorkItem {
        let (item, mut displaced) = item.split_off();
        displaced.retain(|other| !self.is_buried(other));
        item.holding(displaced)
    }

    /// Whether the item was deleted under a number of its own.
    fn is_buried(&self, item: &WorkItem) -> bool {
        let mut stones = self
            .tombstones
            .values()
            .flat_map(|stone| std::iter::once(stone).chain(&stone.displaced));
        stones
            .any(|stone| stone.item.uid == item.uid && matches!(stone.item.absorb(item), Ok(None)))
    }

    fn insert(&mut self, item: WorkItem) -> Result<Insertion, RepositoryError> {
        if self.tombstones.contains_key(&item.id) {
            return Ok(Insertion::Deleted);
        }
        if self.items.contains_key(&item.id) {
            return Ok(Insertion::Taken);
        }
        Ok(Insertion::Inserted(Box::new(self.put(item)?)))
    }

    fn put(&mut self, item: WorkItem) -> Result<WorkItem, RepositoryError> {
        let item = item.complete_references(|id| self.uid_of(id));
        let text = serde_json::to_string_pretty(&item).expect("an item is JSON");
        let size = text.len() as u64;
        if size > MAX_ITEM_BYTES {
            let id = item.id.clone();
            return Err(RepositoryError::TooLarge { id, size, limit: MAX_ITEM_BYTES });
        }
        let back = parse(&item.id, &text).expect("an item can be read again");
        assert!(back == item, "{} does not survive being written and read", item.id);
        self.items.insert(item.id.clone(), text);
        self.written.push(item.clone());
        Ok(item)
    }

    fn uid_of(&self, id: &WorkId) -> Option<Uid> {
        self.get(id).ok().flatten().map(|item| item.uid)
    }
}

fn parse(id: &WorkId, text: &str) -> Result<WorkItem, Malformed> {
    let malformed = |line, column, reason| {
        let path = format!("items/{id}.json");
        Malformed { path, line, column, reason }
    };
    let item: WorkItem = serde_json::from_str(text)
        .map_err(|error| malformed(error.line(), error.column(), error.to_string()))?;
    if item.id == *id { Ok(item) } else { Err(malformed(0, 0, format!("holds {}", item.id))) }
}

/// Panics unless `after` is what a single write may make of `before`.
fn check_step(before: &WorkItem, after: &WorkItem) {
    let id = &before.id;
    assert_eq!(after.id, *id, "an update changed the id of {id}");
    assert_eq!(after.uid, before.uid, "an update changed the uid of {id}");
    assert_eq!(after.version, before.version + 1, "an update skipped a version of {id}");
    assert_eq!(after.created_at, before.created_at, "an update changed the birth of {id}");
    assert!(after.notes.starts_with(&before.notes), "an update took a note from {id}");
    let history = after.history.split_last();
    let (last, earlier) = history.unwrap_or_else(|| panic!("an update left no history of {id}"));
    assert!(earlier == before.history, "an update rewrote the history of {id}");
    assert_eq!(last.version, after.version, "the history of {id} is of another version");
}

#[async_trait]
impl WorkItemRepository for MemoryRepository {
    async fn insert(&self, item: WorkItem) -> Result<Insertion, RepositoryError> {
        let _item = self.lock(&item.id).await?;
        held(&self.state).insert(item)
    }

    async fn insert_many(&self, items: Vec<WorkItem>) -> Result<Vec<Insertion>, RepositoryError> {
        let mut insertions = Vec::with_capacity(items.len());
        for item in items {
            insertions.push(self.insert(item).await?);
        }
        Ok(insertions)
    }

    async fn get(&self, id: &WorkId) -> Result<Option<WorkItem>, RepositoryError> {
        Ok(held(&self.state).get(id)?)
    }

    async fn tombstones(&self) -> Result<Tombstones, RepositoryError> {
        let tombstones: Vec<_> = held(&self.state).tombstones.values().cloned().map(Ok).collect();
        Ok(Box::new(tombstones.into_iter()))
    }

    async fn tombstone(&self, id: &WorkId) -> Result<Option<Tombstone>, RepositoryError> {
        Ok(held(&self.state).tombstones.get(id).cloned())
    }

    async fn update(
        &self,
        id: &WorkId,
        expected: Option<u64>,
        change: Change,
    ) -> Result<Update, RepositoryError> {
        let guard = self.lock(id).await?;
        self.update_held(&*guard, id, expected, change)
    }

    async fn try_update(
        &self,
        id: &WorkId,
        expected: Option<u64>,
        change: Change,
    ) -> Result<Option<Update>, RepositoryError> {
        let Some(guard) = self.locks.try_acquire(&LockName::item(id)).await? else {
            return Ok(None);
        };
        self.update_held(&*guard, id, expected, change).map(Some)
    }

    async fn commit(
        &self,
        new: Vec<WorkItem>,
        next: Vec<WorkItem>,
    ) -> Result<Commit, RepositoryError> {
        let mut ids: Vec<_> = next.iter().map(|item| &item.id).collect();
        ids.sort_unstable();
        let mut guards = Vec::new();
        for id in ids {
            guards.push(self.lock(id).await?);
        }
        let mut state = held(&self.state);
        let is_taken = |item: &WorkItem| {
            state.items.contains_key(&item.id) || state.tombstones.contains_key(&item.id)
        };
        if new.iter().any(is_taken) {
            return Ok(Commit::Taken);
        }
        for item in &next {
            let (before, _) = state.existing(&item.id)?;
            RepositoryError::unless_version(&before, Some(item.version - 1))?;
            check_step(&before, item);
        }
        let (items, log) = (state.items.clone(), state.written.len());
        let written: Result<Vec<_>, _> =
            new.into_iter().chain(next).map(|item| state.put(item)).collect();
        if written.is_err() {
            state.items = items;
            state.written.truncate(log);
        }
        written.map(Commit::Written)
    }

    async fn complete_commits(&self) -> Result<(), RepositoryError> {
        Ok(())
    }

    async fn delete(
        &self,
        id: &WorkId,
        expected: Option<u64>,
        stamp: &Stamp,
    ) -> Result<Tombstone, RepositoryError> {
        let _item = self.lock(id).await?;
        let mut state = held(&self.state);
        let (item, _) = state.alone(id)?;
        RepositoryError::unless_version(&item, expected)?;
        let tombstone = Tombstone::of(item, stamp)
            .map_err(|source| RepositoryError::Refused { id: id.clone(), source })?;
        state.items.remove(id);
        state.tombstones.insert(id.clone(), tombstone.clone());
        Ok(tombstone)
    }

    async fn settle(&self) -> Result<(), RepositoryError> {
        Ok(())
    }

    async fn summaries(&self) -> Result<Summaries, RepositoryError> {
        Ok(Box::new(self.look().await?.map(|sighting| Ok(sighting?.summary))))
    }
}

#[async_trait]
impl Lookout for MemoryRepository {
    async fn look(&self) -> Result<Sightings, RepositoryError> {
        let state = held(&self.state);
        let sighting = |(id, text): (&WorkId, &String)| match parse(id, text) {
            Ok(item) => Summary::of_file(&state.without_buried(item))
                .map(|summary| Ok(Sighting { summary, digest: digest(text) }))
                .collect(),
            Err(malformed) => vec![Err(Unreadable::from(malformed))],
        };
        let mut all: Vec<Result<Sighting, Unreadable>> =
            state.items.iter().flat_map(sighting).collect();
        let own = all.iter().flatten().map(|sighting| &sighting.summary);
        let own: Vec<_> = own.filter(|item| !item.is_displaced).map(|item| item.uid).collect();
        all.retain(|sighting| match sighting {
            Ok(Sighting { summary, .. }) => !summary.is_displaced || !own.contains(&summary.uid),
            Err(_) => true,
        });
        // No particular order is promised, so nobody may get used to one.
        Ok(Box::new(all.into_iter().rev()))
    }
}

/// Of no use in another process, but the store is not there either.
fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;
    use crate::sample::{id, item, stamp, uid};
    use jerry_domain::{Edit, Record};
    use pollster::block_on;

    /// Updates an item with a note by a change that goes on to `spoil` what it returns.
    fn update(spoil: impl FnOnce(&mut Record) + Send + 'static) {
        let store = MemoryStore::new();
        let noted = item(1).apply(&[Edit::Note("one".to_owned())], &stamp());
        let noted = noted.expect("allowed").expect("a change");
        block_on(store.items.insert(noted)).expect("inserted");
        let change: Change = Box::new(|item| {
            let mut next = item.clone().apply(&[Edit::Note("two".to_owned())], &stamp())?;
            if let Some(item) = next.take() {
                let mut record = item.into_record();
                spoil(&mut record);
                next = Some(WorkItem::try_from(record)?);
            }
            Ok(next)
        });
        block_on(store.items.update(&id(1), None, change)).expect("updated");
    }

    #[test]
    #[should_panic(expected = "an update skipped a version of WORK-001")]
    fn a_skipped_version_is_noticed() {
        update(|record| record.version += 1);
    }

    #[test]
    #[should_panic(expected = "an update changed the uid of WORK-001")]
    fn a_changed_uid_is_noticed() {
        update(|record| record.uid = uid());
    }

    #[test]
    #[should_panic(expected = "an update changed the id of WORK-001")]
    fn a_changed_id_is_noticed() {
        update(|record| record.id = id(2));
    }

    #[test]
    #[should_panic(expected = "an update took a note from WORK-001")]
    fn a_lost_note_is_noticed() {
        update(|record| drop(record.notes.remove(0)));
    }

    #[test]
    #[should_panic(expected = "an update rewrote the history of WORK-001")]
    fn a_rewritten_history_is_noticed() {
        update(|record| record.history[0].reason = Some("another".to_owned()));
    }

    #[test]
    #[should_panic(expected = "WORK-001 is taken after sequences, against the order")]
    fn a_write_against_the_order_of_locks_is_noticed() {
        let store = MemoryStore::new();
        let _sequences = block_on(store.locks.acquire(&LockName::sequences(), None));
        drop(block_on(store.items.insert(item(1))));
    }

    #[test]
    fn what_an_editor_writes_meanwhile_is_a_conflict() {
        let store = MemoryStore::new();
        block_on(store.items.insert(item(1))).expect("inserted");
        let editor = store.items.clone();
        let change: Change = Box::new(move |item| {
            editor.write_by_hand(&id(1), "by hand");
            item.apply(&[Edit::Note("n".to_owned())], &stamp())
        });
        let outcome = block_on(store.items.update(&id(1), None, change));
        assert!(matches!(outcome, Err(RepositoryError::ChangedOutside { .. })), "{outcome:?}");
        assert!(matches!(block_on(store.items.get(&id(1))), Err(RepositoryError::Malformed(_))));
    }
}
