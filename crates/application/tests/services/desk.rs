//! A store in memory with the services on it, and short ways to say what the tests need.

use std::sync::Arc;

use jerry_application::{Create, Error, Modify, NewItem, Ports, Request};
use jerry_conformance::MemoryStore;
use jerry_domain::ports::{
    LockError, LockName, MockLockManager, MockWorkItemRepository, RepositoryError, StorageError,
    StorageFault, Update,
};
use jerry_domain::{
    Actor, Credentials, Edit, ItemRef, Prefix, Refusal, RequestId, Title, WorkId, WorkItem,
};
use pollster::block_on;

pub(crate) struct Desk {
    pub(crate) store: MemoryStore,
    pub(crate) ports: Ports,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let store = MemoryStore::new();
        let MemoryStore { items, ids, locks, clock } = store.clone();
        Self { store, ports: Ports { items, ids, locks, clock, gates: Arc::default() } }
    }

    pub(crate) fn try_create(&self, new: Vec<NewItem>) -> Result<Vec<WorkItem>, Error> {
        block_on(Create::new(self.ports.clone(), work()).create(new, &by("ann")))
    }

    pub(crate) fn create(&self, title: &str, edits: impl Into<Vec<Edit>>) -> WorkItem {
        self.try_create(vec![new(title, edits)]).expect("created").remove(0)
    }

    pub(crate) fn try_edit(&self, id: &WorkId, edit: Edit) -> Result<Update, Error> {
        block_on(Modify::new(self.ports.clone()).edit(id, vec![edit], &by("ann")))
    }

    pub(crate) fn edit(&self, id: &WorkId, edit: Edit) -> WorkItem {
        self.try_edit(id, edit).expect("changed").into_item()
    }

    pub(crate) fn get(&self, id: &WorkId) -> WorkItem {
        block_on(self.ports.items.get(id)).expect("readable").expect("there")
    }

    /// Another clone gave the item's number to something else, and this one a new number.
    pub(crate) fn renumber_by_hand(&self, item: &WorkItem, number: u64) -> WorkItem {
        let stamp = jerry_domain::Stamp::new(item.updated_at, actor("git"));
        let moved = item.renumber(id(number), &stamp).expect("allowed").expect("a change");
        self.store.items.remove_by_hand(&item.id);
        self.write_by_hand(&moved);
        moved
    }

    /// Two branches gave out one number: a merge put `younger` into the file of `elder`.
    pub(crate) fn displace(&self, younger: &WorkItem, elder: &WorkItem) -> WorkItem {
        let own = younger.id.to_string();
        let text = json(younger).replace(&own, &elder.id.to_string());
        let younger: WorkItem = serde_json::from_str(&text).expect("an item");
        self.store.items.remove_by_hand(&own.parse().expect("an id"));
        self.write_by_hand(&self.get(&elder.id).holding(vec![younger.clone()]));
        younger
    }

    pub(crate) fn write_by_hand(&self, item: &WorkItem) {
        self.store.items.write_by_hand(&item.id, &json(item));
    }
}

pub(crate) fn json(item: &WorkItem) -> String {
    // Through the port's own tests an item is known to survive this.
    serde_json::to_string(item).expect("JSON")
}

pub(crate) fn new(title: &str, edits: impl Into<Vec<Edit>>) -> NewItem {
    NewItem { title: self::title(title), edits: edits.into() }
}

pub(crate) fn title(text: &str) -> Title {
    Title::new(text).expect("a valid title")
}

pub(crate) fn actor(name: &str) -> Actor {
    Actor::new(name).expect("a valid actor")
}

pub(crate) fn by(name: &str) -> Request {
    Request::new(actor(name))
}

pub(crate) fn insisting(name: &str, force: bool) -> Request {
    Request { credentials: Credentials { force, ..Credentials::default() }, ..by(name) }
}

pub(crate) fn at_version(version: u64) -> Request {
    Request { if_version: Some(version), ..by("ann") }
}

pub(crate) fn named(name: &str) -> Request {
    Request { request_id: Some(RequestId::new(name).expect("valid")), ..by("ann") }
}

pub(crate) fn work() -> Prefix {
    Prefix::new("WORK").expect("a valid prefix")
}

pub(crate) fn id(number: u64) -> WorkId {
    WorkId::new(work(), number).expect("a valid number")
}

pub(crate) fn needs(item: &WorkItem) -> Edit {
    Edit::AddDependency(ItemRef::bare(item.id.clone()))
}

pub(crate) fn part_of(item: &WorkItem) -> Edit {
    Edit::Parent(Some(ItemRef::bare(item.id.clone())))
}

pub(crate) fn ids<'a>(items: impl IntoIterator<Item = &'a WorkItem>) -> Vec<WorkId> {
    items.into_iter().map(|item| item.id.clone()).collect()
}

pub(crate) fn storage_error(fault: StorageFault) -> StorageError {
    let source = "injected".into();
    StorageError { action: "write", resource: "a file".to_owned(), fault, source }
}

pub(crate) fn is_reuse<T>(answer: &Result<T, Error>) -> bool {
    let refused = |error: &Error| {
        matches!(
            error,
            Error::Repository(RepositoryError::Refused {
                source: Refusal::RequestReused { .. },
                ..
            })
        )
    };
    answer.as_ref().is_err_and(refused)
}

/// A repository in which no killed process has left anything, for those who decide over several items.
pub(crate) fn items_to_decide() -> MockWorkItemRepository {
    let mut items = MockWorkItemRepository::new();
    items.expect_complete_commits().returning(|| Ok(()));
    items
}

/// Locks that are always busy, with how often they were asked for.
pub(crate) fn busy_locks(times: usize) -> Arc<MockLockManager> {
    let mut locks = MockLockManager::new();
    locks.expect_acquire().times(times).returning(|name, _| {
        assert_eq!(*name, LockName::graph());
        Err(LockError::TimedOut { name: name.clone(), waited: Default::default(), holder: None })
    });
    Arc::new(locks)
}
