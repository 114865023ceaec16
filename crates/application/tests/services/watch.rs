use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use jerry_application::{Changes, Delete, Error, Filter, Happening, Ports, Watch, Watching};
use jerry_conformance::{MemoryCursors, deaf};
use jerry_domain::ports::{
    Cursor, Lookout, MockWorkItemRepository, RepositoryError, Sighting, Sightings,
};
use jerry_domain::{Edit, Status, Summary, Transition, Uid, WorkId, WorkItem};
use pollster::block_on;

use crate::desk::*;

fn watch(desk: &Desk) -> Watch {
    Watch::new(
        desk.ports.clone(),
        desk.store.items.clone(),
        deaf(),
        Arc::new(MemoryCursors::default()),
    )
}

fn all() -> Filter {
    Filter { include_closed: true, ..Filter::default() }
}

fn from_now(desk: &Desk, filter: Filter) -> Watching {
    block_on(watch(desk).from_now(filter)).expect("watches")
}

/// What is to be seen at once.
fn look(watching: &mut Watching) -> Changes {
    block_on(watching.next(Some(Duration::ZERO))).expect("looks").unwrap_or_default()
}

fn seen(watching: &mut Watching) -> Vec<(WorkId, Happening)> {
    let changes = look(watching).changes.into_iter();
    changes.map(|change| (change.id, change.happening)).collect()
}

fn note(text: &str) -> Edit {
    Edit::Note(text.to_owned())
}

fn delete(desk: &Desk, id: &WorkId) {
    block_on(Delete::new(desk.ports.clone()).delete(id, &by("ann"))).expect("deleted");
}

#[test]
fn what_is_there_already_is_no_change() {
    let desk = Desk::new();
    desk.create("old", []);
    let mut watching = from_now(&desk, all());
    assert_eq!(seen(&mut watching), []);
    let new = desk.create("new", []);
    assert_eq!(seen(&mut watching), [(new.id.clone(), Happening::Created)]);
    assert_eq!(seen(&mut watching), []);
}

#[test]
fn a_text_changed_by_hand_under_the_same_version_is_a_change() {
    let desk = Desk::new();
    let item = desk.create("before", []);
    let mut watching = from_now(&desk, all());
    desk.store.items.write_by_hand(&item.id, &json(&item).replace("before", "behind"));
    assert_eq!(seen(&mut watching), [(item.id.clone(), Happening::Changed)]);
}

#[test]
fn an_item_that_cannot_be_read_is_not_deleted() {
    let desk = Desk::new();
    let item = desk.create("one", []);
    desk.write_by_hand(&item);
    let mut watching = from_now(&desk, all());
    desk.store.items.write_by_hand(&item.id, "{");
    assert_eq!((seen(&mut watching).len(), watching.unreadable().len()), (0, 1));
    desk.write_by_hand(&item);
    assert_eq!(seen(&mut watching), [], "it is as it was");
    assert_eq!(watching.unreadable().len(), 0);
    desk.store.items.write_by_hand(&item.id, "{");
    let other = desk.create("other", []);
    let changes = look(&mut watching);
    assert_eq!((changes.changes[0].id.clone(), changes.unreadable.len()), (other.id.clone(), 1));
    desk.store.items.remove_by_hand(&item.id);
    assert_eq!(seen(&mut watching), [(item.id.clone(), Happening::Deleted(None))]);
}

#[test]
fn a_new_number_is_told_as_one_change() {
    let desk = Desk::new();
    let item = desk.create("moves", []);
    let mut watching = from_now(&desk, all());
    let moved = desk.renumber_by_hand(&item, 70);
    let was = item.id.clone();
    assert_eq!(seen(&mut watching), [(moved.id.clone(), Happening::Renumbered { was })]);
}

#[test]
fn an_item_that_was_seen_under_its_new_number_before_is_not_deleted_under_the_old_one() {
    let desk = Desk::new();
    let item = desk.create("moves", []);
    desk.write_by_hand(&item);
    let mut watching = from_now(&desk, all());
    let moved = desk.renumber_by_hand(&item, 70);
    desk.write_by_hand(&item);
    assert_eq!(seen(&mut watching), [(moved.id.clone(), Happening::Created)]);
    assert_eq!(seen(&mut watching), [], "two of one identity are told once");
    desk.store.items.remove_by_hand(&item.id);
    let was = item.id.clone();
    assert_eq!(seen(&mut watching), [(moved.id.clone(), Happening::Renumbered { was })]);
}

#[test]
fn another_item_under_the_same_id_is_another_item() {
    let desk = Desk::new();
    let (item, other) = (desk.create("one", []), desk.create("two", []));
    let mut watching = from_now(&desk, all());
    desk.store.items.write_by_hand(
        &item.id,
        &json(&other).replace(&other.id.to_string(), &item.id.to_string()),
    );
    desk.store.items.remove_by_hand(&other.id);
    let was = other.id.clone();
    let told = seen(&mut watching);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.contains(&(item.id.clone(), Happening::Deleted(None))), "{told:?}");
    assert!(told.contains(&(item.id.clone(), Happening::Renumbered { was })), "{told:?}");
}

#[test]
fn who_asks_for_some_is_told_when_one_comes_in_and_when_it_leaves() {
    let desk = Desk::new();
    let item = desk.create("one", []);
    let filter = Filter { statuses: vec![Status::InProgress], ..all() };
    let mut watching = from_now(&desk, filter);
    desk.edit(&item.id, note("n"));
    assert_eq!(seen(&mut watching), []);
    desk.edit(&item.id, Edit::Move(Transition::Start));
    assert_eq!(seen(&mut watching), [(item.id.clone(), Happening::Changed)]);
    desk.edit(&item.id, Edit::Move(Transition::Complete));
    assert_eq!(seen(&mut watching), [(item.id.clone(), Happening::Left)]);
    delete(&desk, &item.id);
    assert_eq!(seen(&mut watching), [], "it was none of them any more");
}

#[test]
fn what_the_limit_leaves_out_comes_next() {
    let desk = Desk::new();
    let mut watching = from_now(&desk, Filter { limit: 2, ..all() });
    let created: Vec<_> = (0..5).map(|_| desk.create("new", []).id.clone()).collect();
    let mut told = Vec::new();
    for expected in [2, 2, 1, 0] {
        let changes = seen(&mut watching);
        assert_eq!(changes.len(), expected);
        told.extend(changes.into_iter().map(|(id, _)| id));
    }
    assert_eq!(told, created);
}

#[test]
fn a_cursor_is_for_one_filter_and_one_store() {
    let desk = Desk::new();
    let watch = watch(&desk);
    let cursor = block_on(block_on(watch.from_now(all())).expect("watches").cursor());
    let cursor = cursor.expect("kept");
    let other = Filter { statuses: vec![Status::Pending], ..all() };
    let refused = block_on(watch.since(other, &cursor)).err();
    assert!(matches!(refused, Some(Error::OtherFilter { .. })), "{refused:?}");
    let unknown: Cursor = "unknown".parse().expect("a cursor");
    let refused = block_on(watch.since(all(), &unknown)).err();
    assert!(matches!(refused, Some(Error::UnknownCursor { .. })), "{refused:?}");
}

/// Between the look and what is made of it, and before the cursor is asked for, somebody writes.
struct Interrupted {
    desk: Arc<Desk>,
    item: WorkItem,
    looks: Mutex<u32>,
}

#[async_trait]
impl Lookout for Interrupted {
    async fn look(&self) -> Result<Sightings, RepositoryError> {
        let sightings: Vec<_> = self.desk.store.items.look().await?.collect();
        let mut looks = self.looks.lock().expect("whole");
        *looks += 1;
        if *looks <= 3 {
            self.desk.edit(&self.item.id, note("meanwhile"));
        }
        Ok(Box::new(sightings.into_iter()))
    }
}

/// Finds what it is told to find, one list after the other.
struct Told(Mutex<Vec<Vec<Summary>>>);

#[async_trait]
impl Lookout for Told {
    async fn look(&self) -> Result<Sightings, RepositoryError> {
        let found = self.0.lock().expect("whole").remove(0).into_iter();
        Ok(Box::new(found.map(|summary| Ok(Sighting { summary, digest: 0 }))))
    }
}

fn told(desk: &Desk, items: MockWorkItemRepository, looks: [Vec<Summary>; 2]) -> Watching {
    let ports = Ports { items: Arc::new(items), ..desk.ports.clone() };
    let lookout = Arc::new(Told(Mutex::new(looks.into())));
    let watch = Watch::new(ports, lookout, deaf(), Arc::new(MemoryCursors::default()));
    block_on(watch.from_now(all())).expect("watches")
}

/// Someone copied its file to the number of an older one, and then took the first away.
#[test]
fn an_item_that_shares_the_number_it_has_now_is_told_as_itself() {
    let desk = Desk::new();
    let [elder, younger] = ["elder", "younger"].map(|title| desk.create(title, []));
    let file = elder.clone().holding(vec![younger.clone()]);
    let was = Summary::from(&younger);
    let now = Summary { id: elder.id.clone(), is_displaced: true, ..was.clone() };
    let both = vec![Summary::from(&elder), now];
    let before = both.iter().cloned().chain([was.clone()]).collect();
    let mut items = MockWorkItemRepository::new();
    let number = elder.id.clone();
    items.expect_get().returning(move |id| Ok((*id == number).then(|| file.clone())));
    let changes = look(&mut told(&desk, items, [before, both])).changes;
    let [change] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!(change.happening, Happening::Renumbered { was: was.id });
    assert_eq!(change.item.as_ref().map(|item| item.uid), Some(younger.uid));
}

#[test]
fn a_look_that_misses_a_file_misses_nothing_that_stands_in_it() {
    let desk = Desk::new();
    let [elder, younger] = ["elder", "younger"].map(|title| desk.create(title, []));
    let file = elder.clone().holding(vec![younger.clone()]);
    let shared = Summary { id: elder.id.clone(), is_displaced: true, ..Summary::from(&younger) };
    let mut items = MockWorkItemRepository::new();
    items.expect_get().returning(move |_| Ok(Some(file.clone())));
    let looks = [vec![Summary::from(&elder), shared], Vec::new()];
    assert_eq!(seen(&mut told(&desk, items, looks)), []);
}

#[test]
fn what_is_written_during_a_look_comes_with_the_next() {
    let desk = Arc::new(Desk::new());
    let item = desk.create("busy", []);
    let lookout = Interrupted { desk: desk.clone(), item: item.clone(), looks: Mutex::new(0) };
    let watch = Watch::new(
        desk.ports.clone(),
        Arc::new(lookout),
        deaf(),
        Arc::new(MemoryCursors::default()),
    );
    let mut watching = block_on(watch.from_now(all())).expect("watches");
    let mut versions = Vec::new();
    for _ in 0..4 {
        let cursor = block_on(watching.cursor()).expect("kept");
        watching = block_on(watch.since(all(), &cursor)).expect("goes on");
        let changes = look(&mut watching).changes.into_iter();
        versions.extend(changes.filter_map(|change| Some(change.item?.version)));
    }
    assert_eq!(versions, [2, 3, 4]);
}

type Model = BTreeMap<(WorkId, Uid), u64>;

/// What somebody makes of the changes who is told nothing else.
fn replay(model: &mut Model, changes: Changes) {
    for change in changes.changes {
        let key = (change.id.clone(), change.uid);
        match (&change.happening, change.item) {
            (Happening::Deleted(_), _) => drop(model.remove(&key)),
            (Happening::Renumbered { .. }, _) => panic!("nobody gave {key:?} a new number"),
            (_, item) => drop(model.insert(key, item.expect("it is there").version)),
        }
    }
}

/// Watchers come and go, each with the cursor of before, while others write, create and delete.
/// None sees the last state otherwise than it is.
#[test]
fn nothing_is_missed_from_cursor_to_cursor() {
    let desk = Desk::new();
    let old: Vec<_> = (0..10).map(|_| desk.create("old", []).id.clone()).collect();
    let watch = watch(&desk);
    let done = AtomicBool::new(false);
    let seen_by_all = thread::scope(|scope| {
        let watchers: Vec<_> = (1..4)
            .map(|limit| {
                let (watch, done) = (&watch, &done);
                let filter = Filter { limit, ..all() };
                let mut watching = block_on(watch.from_now(filter.clone())).expect("watches");
                scope.spawn(move || {
                    let mut model = Model::new();
                    loop {
                        let was_done = done.load(Ordering::SeqCst);
                        let cursor = block_on(watching.cursor()).expect("kept");
                        watching = block_on(watch.since(filter.clone(), &cursor)).expect("goes on");
                        let changes = look(&mut watching);
                        if changes.changes.is_empty() && was_done {
                            return model;
                        }
                        replay(&mut model, changes);
                    }
                })
            })
            .collect();
        let writers: Vec<_> = (0..3)
            .map(|writer| {
                let (desk, old) = (&desk, &old);
                scope.spawn(move || {
                    for round in 0..30 {
                        let new = desk.create("new", []).id.clone();
                        desk.edit(&old[round % old.len()], note("n"));
                        desk.edit(&new, note("n"));
                        if round % 3 == writer {
                            delete(desk, &new);
                        }
                    }
                })
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().expect("writes"));
        done.store(true, Ordering::SeqCst);
        let watchers = watchers.into_iter().map(|watcher| watcher.join().expect("watches"));
        watchers.collect::<Vec<_>>()
    });
    let summaries = block_on(desk.ports.items.summaries()).expect("listed");
    let stored: Model = summaries
        .map(|item| item.expect("readable"))
        .map(|item| ((item.id, item.uid), item.version))
        .collect();
    for seen in seen_by_all {
        // Every item was written after the first cursor.
        assert_eq!(seen, stored);
    }
}
