//! What every repository of items keeps to.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use jerry_domain::ports::{Change, Commit, Insertion, RepositoryError, Update, WorkItemRepository};
use jerry_domain::{
    Credentials, Edit, ItemRef, MAX_ITEM_BYTES, Refusal, Stamp, Summary, Title, Uid, WorkId,
    WorkItem,
};
use pollster::block_on;

use crate::Fixture;
use crate::sample::{actor, id, item, now, rich, stamp, with};

/// Tests that a repository keeps to its contract. `$fixture` is a function that makes a
/// [`Fixture`](crate::Fixture) with an
/// [`Arc<dyn WorkItemRepository>`](jerry_domain::ports::WorkItemRepository).
#[macro_export]
macro_rules! repository_suite {
    ($fixture:path) => {
        $crate::stamp! { repository, $fixture:
            an_empty_store_has_nothing
            an_inserted_item_is_read_back_whole
            another_handle_sees_what_was_written
            an_insert_replaces_nothing
            one_of_many_inserts_of_an_id_wins
            a_deleted_id_is_never_taken_again
            many_are_answered_in_their_order
            many_by_two_at_once_are_there_once
            an_update_writes_the_next_version
            an_update_keeps_what_nobody_knows
            a_change_is_called_once
            a_change_that_changes_nothing_writes_nothing
            a_refused_change_leaves_all_as_it_was
            another_version_is_a_conflict
            what_is_not_there_is_not_updated
            parallel_updates_lose_nothing
            one_of_many_updates_of_a_version_wins
            updates_of_different_items_do_not_mix
            an_item_that_is_being_written_is_passed_over
            a_claimed_item_is_not_deleted_by_others
            a_reader_sees_whole_versions_in_order
            a_deleted_item_leaves_the_whole_of_it
            what_is_not_there_is_not_deleted
            a_delete_of_another_version_is_a_conflict
            a_delete_among_updates_keeps_the_last_of_them
            summaries_show_every_item_once_as_it_is_now
            bare_references_are_completed_in_passing
            a_bare_reference_means_the_item_that_is_there
            an_item_too_large_is_refused
            items_of_one_number_are_shown_and_then_told_apart
            an_item_that_has_a_number_of_its_own_is_not_given_another
            a_younger_item_of_the_number_outlives_the_elder
            a_younger_item_that_was_deleted_does_not_come_back
            where_nothing_was_left_there_is_nothing_to_complete
        }
    };
}

/// A handle on the items of a store.
pub type Handle = Arc<dyn WorkItemRepository>;

const THREADS: usize = 10;
const ROUNDS: usize = 20;

fn insert(items: &Handle, item: WorkItem) -> WorkItem {
    match block_on(items.insert(item)).expect("the insert works") {
        Insertion::Inserted(item) => *item,
        other => panic!("expected an insertion, got {other:?}"),
    }
}

fn get(items: &Handle, id: &WorkId) -> WorkItem {
    block_on(items.get(id)).expect("readable").expect("there")
}

fn edit(edits: Vec<Edit>) -> Change {
    Box::new(move |item: &WorkItem| item.apply(&edits, &stamp()))
}

fn note(text: impl Into<String>) -> Change {
    edit(vec![Edit::Note(text.into())])
}

fn untouched() -> Change {
    Box::new(|_| panic!("the change was called"))
}

fn delete(items: &Handle, id: &WorkId) {
    block_on(items.delete(id, None, &stamp())).expect("deleted");
}

fn summaries(items: &Handle) -> BTreeMap<WorkId, Summary> {
    let mut all = BTreeMap::new();
    for summary in block_on(items.summaries()).expect("listed") {
        let summary = summary.expect("readable");
        let id = summary.id.clone();
        assert!(all.insert(id.clone(), summary).is_none(), "{id} is listed twice");
    }
    all
}

/// Nothing is no error.
pub fn an_empty_store_has_nothing(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    assert!(summaries(&items).is_empty());
    assert_eq!(block_on(items.get(&id(1))).expect("readable"), None);
    assert_eq!(block_on(items.tombstone(&id(1))).expect("readable"), None);
    assert_eq!(block_on(items.insert_many(Vec::new())).expect("works"), []);
}

/// To the letter, what this version does not know included.
pub fn an_inserted_item_is_read_back_whole(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    for item in [item(1), rich(2)] {
        let inserted = insert(&items, item.clone());
        assert_eq!(inserted, item);
        assert_eq!(get(&items, &item.id), item);
        let texts = [&item, &get(&items, &item.id)].map(serde_json::to_string);
        let [written, read] = texts.map(|text| text.expect("JSON"));
        assert_eq!(read, written);
    }
}

/// Another process sees every write at once.
pub fn another_handle_sees_what_was_written(fixture: &Fixture<Handle>) {
    let (items, other) = (fixture.open(), fixture.open());
    assert!(summaries(&other).is_empty());
    let one = insert(&items, item(1));
    assert_eq!(get(&other, &one.id), one);
    let two = block_on(other.update(&one.id, None, note("two"))).expect("updated").into_item();
    assert_eq!(get(&items, &one.id), two);
    assert_eq!(summaries(&items)[&one.id], Summary::from(&two));
    delete(&items, &one.id);
    assert_eq!(block_on(other.get(&one.id)).expect("readable"), None);
    assert!(summaries(&other).is_empty());
}

/// The item that is there stays as it is.
pub fn an_insert_replaces_nothing(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    let first = insert(&items, item(1));
    let again = block_on(items.insert(item(1))).expect("works");
    assert_eq!(again, Insertion::Taken);
    assert_eq!(get(&items, &first.id), first);
}

/// The others learn that it is taken, and the winner's item is the one that is there.
pub fn one_of_many_inserts_of_an_id_wins(fixture: &Fixture<Handle>) {
    let start = Barrier::new(THREADS);
    let outcomes: Vec<_> = thread::scope(|scope| {
        let insert = || {
            let (items, own) = (fixture.open(), item(1));
            start.wait();
            block_on(items.insert(own)).expect("works")
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(insert)).collect();
        threads.into_iter().map(|thread| thread.join().expect("ends")).collect()
    });
    let mut inserted = outcomes.iter().filter_map(|outcome| match outcome {
        Insertion::Inserted(item) => Some(&**item),
        Insertion::Taken => None,
        Insertion::Deleted => panic!("nothing was deleted"),
    });
    let winner = inserted.next().expect("one wins");
    assert_eq!(inserted.next(), None, "two won");
    assert_eq!(get(&fixture.open(), &id(1)), *winner);
}

/// Not alone, not in a batch, not through another handle.
pub fn a_deleted_id_is_never_taken_again(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    insert(&items, item(1));
    delete(&items, &id(1));
    for items in [items, fixture.open()] {
        assert_eq!(block_on(items.insert(item(1))).expect("works"), Insertion::Deleted);
        let many = block_on(items.insert_many(vec![item(1)])).expect("works");
        assert_eq!(many, [Insertion::Deleted]);
        assert_eq!(block_on(items.get(&id(1))).expect("readable"), None);
    }
}

/// New ones, one that is taken, one that was deleted and one that comes twice.
pub fn many_are_answered_in_their_order(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    let there = insert(&items, item(2));
    insert(&items, item(4));
    delete(&items, &id(4));
    let batch: Vec<_> = [5, 2, 1, 4, 5, 3].map(item).into();
    let answers = block_on(items.insert_many(batch.clone())).expect("works");
    let inserted = |index: usize| Insertion::Inserted(Box::new(batch[index].clone()));
    let expected = [
        inserted(0),
        Insertion::Taken,
        inserted(2),
        Insertion::Deleted,
        Insertion::Taken,
        inserted(5),
    ];
    assert_eq!(answers, expected);
    assert_eq!(get(&items, &id(2)), there);
    assert_eq!(get(&items, &id(5)), batch[0], "the first of two stays");
    let ids: Vec<_> = summaries(&items).into_keys().collect();
    assert_eq!(ids, [1, 2, 3, 5].map(id));
}

/// Two batches of the same ids in opposite order end, and share them out.
pub fn many_by_two_at_once_are_there_once(fixture: &Fixture<Handle>) {
    let start = Barrier::new(2);
    let insert = |numbers: Vec<u64>| {
        let (items, batch) = (fixture.open(), numbers.into_iter().map(item).collect());
        start.wait();
        block_on(items.insert_many(batch)).expect("works")
    };
    let answers = thread::scope(|scope| {
        let up = scope.spawn(|| insert((1..=40).collect()));
        let down = scope.spawn(|| insert((1..=40).rev().collect()));
        [up.join().expect("ends"), down.join().expect("ends")].concat()
    });
    let items = fixture.open();
    let mut won = HashSet::new();
    for answer in answers {
        match answer {
            Insertion::Inserted(item) => {
                assert_eq!(get(&items, &item.id), *item);
                assert!(won.insert(item.id.clone()), "{} was inserted twice", item.id);
            }
            Insertion::Taken => {}
            Insertion::Deleted => panic!("nothing was deleted"),
        }
    }
    assert_eq!(won.len(), 40);
}

/// Version and history grow by one; what is answered is what is read.
pub fn an_update_writes_the_next_version(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    let first = insert(&items, item(1));
    let title = Title::new("Another").expect("valid");
    for expected in [None, Some(2)] {
        let edits = edit(vec![Edit::Title(title.clone()), Edit::Note("n".to_owned())]);
        let update = block_on(items.update(&first.id, expected, edits)).expect("updated");
        let Update::Written(item) = update else { panic!("nothing was written") };
        assert_eq!(get(&items, &first.id), item);
        assert_eq!((item.title.clone(), item.uid), (title.clone(), first.uid));
    }
    let last = get(&items, &first.id);
    assert_eq!((last.version, last.history.len(), last.notes.len()), (3, 3, 2));
    assert_eq!(last.at_version(1).expect("history leads there"), first);
}

/// Unknown fields and odd numbers stay through a write.
pub fn an_update_keeps_what_nobody_knows(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    let first = insert(&items, rich(1));
    let next = block_on(items.update(&first.id, None, note("more"))).expect("updated").into_item();
    let text = |item: &WorkItem| serde_json::to_string(&item.extra).expect("JSON");
    assert_eq!(text(&get(&items, &first.id)), text(&first));
    assert_eq!((&next.imported, &next.claim), (&first.imported, &first.claim));
}

/// With the item as it is, and never again for the same update, other writers or not.
pub fn a_change_is_called_once(fixture: &Fixture<Handle>) {
    insert(&fixture.open(), item(1));
    let calls = Arc::new(AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let (items, calls) = (fixture.open(), calls.clone());
                let change: Change = Box::new(move |item| {
                    calls.fetch_add(1, Ordering::Relaxed);
                    item.apply(&[Edit::Note("n".to_owned())], &stamp())
                });
                block_on(items.update(&id(1), None, change)).expect("updated");
            });
        }
    });
    assert_eq!(calls.load(Ordering::Relaxed), THREADS as u64);
    assert_eq!(get(&fixture.open(), &id(1)).version, 1 + THREADS as u64);
}

/// The item comes back as it is.
pub fn a_change_that_changes_nothing_writes_nothing(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    let first = insert(&items, item(1));
    let same = edit(vec![Edit::Title(first.title.clone())]);
    let update = block_on(items.update(&first.id, Some(1), same)).expect("works");
    assert_eq!(update, Update::Unchanged(first.clone()));
    assert_eq!(get(&items, &first.id), first);
}

/// The refusal comes back as it was said.
pub fn a_refused_change_leaves_all_as_it_was(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    let first = insert(&items, item(1));
    let refuse: Change = Box::new(|_| Err(Refusal::Rule("not today".to_owned())));
    match block_on(items.update(&first.id, None, refuse)) {
        Err(RepositoryError::Refused { id, source: Refusal::Rule(rule) }) => {
            assert_eq!((id, rule.as_str()), (first.id.clone(), "not today"));
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
    assert_eq!(get(&items, &first.id), first);
    block_on(items.update(&first.id, Some(1), note("later"))).expect("nothing is left locked");
}

/// The error says both versions, and the change is not called.
pub fn another_version_is_a_conflict(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    insert(&items, item(1));
    let second = block_on(items.update(&id(1), Some(1), note("n"))).expect("updated").into_item();
    for wrong in [0, 1, 3] {
        match block_on(items.update(&id(1), Some(wrong), untouched())) {
            Err(RepositoryError::VersionConflict { id: of, expected, found }) => {
                assert_eq!((of, expected, found), (id(1), wrong, 2));
            }
            other => panic!("expected a conflict, got {other:?}"),
        }
    }
    assert_eq!(get(&items, &id(1)), second);
}

/// Never there and deleted are told apart.
pub fn what_is_not_there_is_not_updated(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    match block_on(items.update(&id(9), None, untouched())) {
        Err(RepositoryError::NotFound { id: of }) => assert_eq!(of, id(9)),
        other => panic!("expected that it is not found, got {other:?}"),
    }
    insert(&items, item(1));
    delete(&items, &id(1));
    match block_on(items.update(&id(1), Some(1), untouched())) {
        Err(RepositoryError::Deleted { id: of, at, by }) => {
            assert_eq!((of, at, by), (id(1), now(), actor()));
        }
        other => panic!("expected that it is deleted, got {other:?}"),
    }
}

/// Ten threads add twenty notes each to one item.
pub fn parallel_updates_lose_nothing(fixture: &Fixture<Handle>) {
    insert(&fixture.open(), item(1));
    let write = |thread: usize| {
        let items = fixture.open();
        let write = |round| {
            let change = note(format!("{thread}/{round}"));
            block_on(items.update(&id(1), None, change)).expect("updated").into_item().version
        };
        (0..ROUNDS).map(write).collect::<Vec<_>>()
    };
    let write = &write;
    let mut versions: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..THREADS).map(|thread| scope.spawn(move || write(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("ends")).collect()
    });
    versions.sort_unstable();
    let all = (THREADS * ROUNDS) as u64;
    assert_eq!(versions, (2..=all + 1).collect::<Vec<_>>(), "a version was given twice");
    let last = get(&fixture.open(), &id(1));
    let notes: HashSet<_> = last.notes.iter().map(|note| note.text.clone()).collect();
    assert_eq!((last.version, notes.len(), last.history.len()), (all + 1, 200, 201));
}

/// The others get a conflict, and nothing of theirs is there.
pub fn one_of_many_updates_of_a_version_wins(fixture: &Fixture<Handle>) {
    insert(&fixture.open(), item(1));
    let start = Barrier::new(THREADS);
    let outcomes: Vec<_> = thread::scope(|scope| {
        let (fixture, start) = (&fixture, &start);
        let claim = move |thread: usize| {
            let items = fixture.open();
            start.wait();
            block_on(items.update(&id(1), Some(1), note(format!("{thread}"))))
        };
        let threads: Vec<_> =
            (0..THREADS).map(|thread| scope.spawn(move || claim(thread))).collect();
        threads.into_iter().map(|thread| thread.join().expect("ends")).collect()
    });
    let mut winner = None;
    for outcome in outcomes {
        match outcome {
            Ok(Update::Written(item)) => assert!(winner.replace(item).is_none(), "two won"),
            Err(RepositoryError::VersionConflict { expected: 1, found: 2, .. }) => {}
            other => panic!("expected a win or a conflict, got {other:?}"),
        }
    }
    assert_eq!(Some(get(&fixture.open(), &id(1))), winner);
}

/// Each thread writes its own item.
pub fn updates_of_different_items_do_not_mix(fixture: &Fixture<Handle>) {
    let first = fixture.open();
    (1..=THREADS as u64).for_each(|number| drop(insert(&first, item(number))));
    thread::scope(|scope| {
        for number in 1..=THREADS as u64 {
            scope.spawn(move || {
                let items = fixture.open();
                for round in 1..=5 {
                    let change = note(format!("{number}"));
                    let update = block_on(items.update(&id(number), Some(round), change));
                    update.expect("nobody else writes it");
                }
            });
        }
    });
    for number in 1..=THREADS as u64 {
        let item = get(&first, &id(number));
        let own = number.to_string();
        assert_eq!((item.version, item.notes.len()), (6, 5));
        assert!(item.notes.iter().all(|note| note.text == own), "{own} has another's note");
    }
}

/// While someone writes, a read and a list never fail, show no part of a version and never go
/// back.
pub fn a_reader_sees_whole_versions_in_order(fixture: &Fixture<Handle>) {
    const LAST: u64 = 61;
    insert(&fixture.open(), item(1));
    thread::scope(|scope| {
        scope.spawn(|| {
            let items = fixture.open();
            for _ in 1..LAST {
                block_on(items.update(&id(1), None, note("n".repeat(2000)))).expect("updated");
            }
        });
        scope.spawn(|| {
            let items = fixture.open();
            let mut seen = 0;
            while seen < LAST {
                let item = get(&items, &id(1));
                assert!(item.version >= seen, "went from {seen} to {}", item.version);
                assert_eq!(item.notes.len() as u64 + 1, item.version, "a part of a version");
                seen = item.version;
                let listed = summaries(&items)[&id(1)].version;
                assert!(listed >= seen, "read {seen}, then listed {listed}");
            }
        });
    });
}

/// When, by whom, why, and the last version.
pub fn a_deleted_item_leaves_the_whole_of_it(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    insert(&items, rich(1));
    let last = block_on(items.update(&id(1), None, note("last"))).expect("updated").into_item();
    let stamp: Stamp = stamp();
    let tombstone = block_on(items.delete(&id(1), Some(2), &stamp)).expect("deleted");
    assert_eq!(tombstone.item, last);
    assert_eq!((tombstone.deleted_at, &tombstone.deleted_by), (stamp.at, &stamp.actor));
    assert_eq!(tombstone.reason, stamp.reason);
    let all = block_on(items.tombstones()).expect("lists").collect::<Result<Vec<_>, _>>();
    assert_eq!(all.expect("readable"), std::slice::from_ref(&tombstone));
    for items in [items, fixture.open()] {
        assert_eq!(block_on(items.tombstone(&id(1))).expect("readable"), Some(tombstone.clone()));
        assert_eq!(block_on(items.get(&id(1))).expect("readable"), None);
        assert!(summaries(&items).is_empty());
    }
}

/// Never there and deleted are told apart; the first deletion is the one on record.
pub fn what_is_not_there_is_not_deleted(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    match block_on(items.delete(&id(9), None, &stamp())) {
        Err(RepositoryError::NotFound { id: of }) => assert_eq!(of, id(9)),
        other => panic!("expected that it is not found, got {other:?}"),
    }
    assert_eq!(block_on(items.tombstone(&id(9))).expect("readable"), None);
    insert(&items, item(1));
    delete(&items, &id(1));
    let first = block_on(items.tombstone(&id(1))).expect("readable");
    let later = Stamp { reason: Some("again".to_owned()), ..stamp() };
    match block_on(items.delete(&id(1), None, &later)) {
        Err(RepositoryError::Deleted { id: of, .. }) => assert_eq!(of, id(1)),
        other => panic!("expected that it is deleted, got {other:?}"),
    }
    assert_eq!(block_on(items.tombstone(&id(1))).expect("readable"), first);
}

/// Nothing is deleted and no tombstone is left.
pub fn a_delete_of_another_version_is_a_conflict(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    let first = insert(&items, item(1));
    match block_on(items.delete(&id(1), Some(2), &stamp())) {
        Err(RepositoryError::VersionConflict { expected: 2, found: 1, .. }) => {}
        other => panic!("expected a conflict, got {other:?}"),
    }
    assert_eq!(get(&items, &id(1)), first);
    assert_eq!(block_on(items.tombstone(&id(1))).expect("readable"), None);
}

/// No update that was acknowledged is missing from the tombstone, and none comes after it.
pub fn a_delete_among_updates_keeps_the_last_of_them(fixture: &Fixture<Handle>) {
    insert(&fixture.open(), item(1));
    let start = Barrier::new(THREADS + 1);
    let (tombstone, last) = thread::scope(|scope| {
        let write = || {
            let items = fixture.open();
            start.wait();
            let mut last = 1;
            // Not without end: where waiters are not served in turn the deletion might never be.
            for _ in 0..ROUNDS {
                match block_on(items.update(&id(1), None, note("n"))) {
                    Ok(update) => last = update.into_item().version,
                    Err(RepositoryError::Deleted { .. }) => break,
                    Err(other) => panic!("expected that it is deleted, got {other:?}"),
                }
            }
            last
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(write)).collect();
        let items = fixture.open();
        start.wait();
        let tombstone = block_on(items.delete(&id(1), None, &stamp())).expect("deleted");
        let last = threads.into_iter().map(|thread| thread.join().expect("ends")).max();
        (tombstone, last)
    });
    assert_eq!(Some(tombstone.item.version), last);
    assert_eq!(block_on(fixture.open().get(&id(1))).expect("readable"), None);
}

/// After inserts, updates and deletes, through an old and a new handle.
pub fn summaries_show_every_item_once_as_it_is_now(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    let mut expected: BTreeMap<_, _> = (1..=30)
        .map(|number| if number % 7 == 0 { rich(number) } else { item(number) })
        .map(|item| (item.id.clone(), Summary::from(&insert(&items, item))))
        .collect();
    assert_eq!(summaries(&items), expected);
    for number in [3, 7, 29] {
        let title = Edit::Title(Title::new("Changed").expect("valid"));
        let update = block_on(items.update(&id(number), None, edit(vec![title])));
        let item = update.expect("updated").into_item();
        expected.insert(id(number), Summary::from(&item));
    }
    for number in [1, 15, 30] {
        delete(&items, &id(number));
        expected.remove(&id(number));
    }
    assert_eq!(summaries(&items), expected);
    assert_eq!(summaries(&fixture.open()), expected);
}

/// By an insert and by an update; a name that means nothing stays.
pub fn bare_references_are_completed_in_passing(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    let (one, two) = (insert(&items, item(1)), insert(&items, item(2)));
    let edits = [
        Edit::Parent(Some(ItemRef::bare(id(1)))),
        Edit::AddDependency(ItemRef::bare(id(2)).with_note(Some("why".to_owned()))),
        Edit::AddDependency(ItemRef::bare(id(50))),
    ];
    let three = insert(&items, with(3, &edits));
    assert_eq!(three.parent, Some(one.reference()));
    let complete = two.reference().with_note(Some("why".to_owned()));
    assert_eq!(three.depends_on, [complete.clone(), ItemRef::bare(id(50))]);
    assert_eq!(get(&items, &id(3)), three);
    assert_eq!(summaries(&items)[&id(3)], Summary::from(&three));

    let fifty = insert(&items, item(50));
    let three = block_on(items.update(&id(3), None, note("n"))).expect("updated").into_item();
    assert_eq!(three.depends_on, [complete, fifty.reference()]);
    assert_eq!(get(&items, &id(3)), three);

    let many = vec![with(4, &[Edit::AddDependency(ItemRef::bare(id(1)))])];
    block_on(items.insert_many(many)).expect("works");
    assert_eq!(get(&items, &id(4)).depends_on, [one.reference()]);
}

/// Not the one of the same batch whose number was taken.
pub fn a_bare_reference_means_the_item_that_is_there(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    let there = insert(&items, item(1));
    let needs = |number| [Edit::AddDependency(ItemRef::bare(id(number)))];
    let batch = vec![item(1), item(2), with(3, &needs(1)), with(4, &needs(2))];
    let two = batch[1].clone();
    let answers = block_on(items.insert_many(batch)).expect("works");
    assert_eq!(answers[0], Insertion::Taken);
    assert_eq!(get(&items, &id(3)).depends_on, [there.reference()]);
    assert_eq!(get(&items, &id(4)).depends_on, [two.reference()]);
}

/// Neither inserted nor updated; the error says by how much.
pub fn an_item_too_large_is_refused(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    let large = Edit::Description(Some("x".repeat(MAX_ITEM_BYTES as usize)));
    let refused = |outcome: Result<(), RepositoryError>| match outcome {
        Err(RepositoryError::TooLarge { id: of, size, limit }) => {
            assert_eq!((of, limit), (id(1), MAX_ITEM_BYTES));
            assert!(size > limit);
        }
        other => panic!("expected that it is too large, got {other:?}"),
    };
    refused(block_on(items.insert(with(1, std::slice::from_ref(&large)))).map(drop));
    assert_eq!(block_on(items.get(&id(1))).expect("readable"), None);
    let first = insert(&items, item(1));
    refused(block_on(items.update(&id(1), None, edit(vec![large]))).map(drop));
    assert_eq!(get(&items, &id(1)), first);
}

/// Also where the change itself asks, which it does while the item is held.
pub fn an_item_that_is_being_written_is_passed_over(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    let [held, free] = [1, 2].map(|number| insert(&items, item(number)));
    let (other, asked) = (fixture.open(), held.id.clone());
    let change: Change = Box::new(move |item| {
        let passed_over = block_on(other.try_update(&asked, None, note("in between")));
        assert!(matches!(passed_over, Ok(None)), "{passed_over:?}");
        let written = block_on(other.try_update(&free.id, Some(1), note("meanwhile")));
        assert!(matches!(written, Ok(Some(Update::Written(_)))), "{written:?}");
        note("held")(item)
    });
    block_on(items.update(&held.id, None, change)).expect("updated");
    assert_eq!(get(&items, &held.id).notes.len(), 1);
    let conflict = block_on(items.try_update(&held.id, Some(1), note("late")));
    assert!(matches!(conflict, Err(RepositoryError::VersionConflict { .. })), "{conflict:?}");
}

/// Unless they show its fence, or insist.
pub fn a_claimed_item_is_not_deleted_by_others(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    for (number, credentials) in [
        (1, Credentials { fence: Some(2), ..Credentials::default() }),
        (2, Credentials { force: true, ..Credentials::default() }),
    ] {
        let item = insert(&items, item(number));
        let claim: Change =
            Box::new(|item| item.apply(&[Edit::Claim { lease: None, lock: None }], &stamp()));
        block_on(items.update(&item.id, None, claim)).expect("claimed");
        let refused = block_on(items.delete(&item.id, None, &stamp()));
        let Err(RepositoryError::Refused { source: Refusal::Claimed(claim), .. }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(claim.fence, 2);
        assert_eq!(get(&items, &item.id).version, 2);
        block_on(items.delete(&item.id, None, &Stamp { credentials, ..stamp() })).expect("deleted");
    }
}

/// An item and a younger one of its number, in one file as a merge leaves them.
fn shared(items: &Handle, number: u64) -> (WorkItem, WorkItem) {
    let (elder, younger) = (item(number), with(number, &[Edit::Note("younger".to_owned())]));
    insert(items, elder.clone().holding(vec![younger.clone()]));
    (elder, younger)
}

/// Every item by its uid, with its number and whether it shares it.
fn standing(items: &Handle) -> BTreeMap<Uid, (WorkId, bool)> {
    let all = block_on(items.summaries()).expect("listed").map(|item| item.expect("readable"));
    let mut found = BTreeMap::new();
    for item in all {
        let twice = found.insert(item.uid, (item.id, item.is_displaced));
        assert_eq!(twice, None, "{} is shown twice", item.uid);
    }
    found
}

/// Items of one number are all shown, and a write of the elder gives the younger its own.
pub fn items_of_one_number_are_shown_and_then_told_apart(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    let (elder, younger) = shared(&items, 5);
    let both = BTreeMap::from([(elder.uid, (id(5), false)), (younger.uid, (id(5), true))]);
    assert_eq!(standing(&items), both);
    assert_eq!(get(&items, &id(5)).uid, elder.uid);

    let written =
        block_on(items.update(&id(5), Some(elder.version), note("text"))).expect("written");
    assert_eq!(written.into_item().displaced, []);
    let now = standing(&items);
    let (number, is_displaced) = &now[&younger.uid];
    assert_eq!((now.len(), &now[&elder.uid], *is_displaced), (2, &(id(5), false), false));
    let own = get(&items, number);
    assert_eq!((&own.notes, own.version), (&younger.notes, younger.version + 1));
    assert_eq!(own.at_version(younger.version).expect("known"), younger);
    assert_eq!(get(&items, &id(5)).displaced, []);
}

/// Where the younger one has a number already it gets no second one: what is said here is merged
/// into it, once.
pub fn an_item_that_has_a_number_of_its_own_is_not_given_another(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    let (_, younger) = shared(&items, 5);
    let apart = younger.renumber(id(9), &stamp()).expect("allowed").expect("a change");
    let apart = apart.apply(&[Edit::Note("apart".to_owned())], &stamp());
    insert(&items, apart.expect("allowed").expect("a change"));
    assert_eq!(standing(&items)[&younger.uid], (id(9), false), "it is shown once");
    block_on(items.update(&id(5), None, note("text"))).expect("written");
    assert_eq!(standing(&items).len(), 2);
    assert_eq!(get(&items, &id(9)).notes.len(), 2, "nothing was to be merged");

    let later = younger.apply(&[Edit::Note("on another branch".to_owned())], &stamp());
    let later = later.expect("allowed").expect("a change");
    insert(&items, item(6).holding(vec![later.clone()]));
    block_on(items.update(&id(6), None, note("text"))).expect("written");
    assert_eq!(standing(&items).len(), 3);
    let merged = get(&items, &id(9));
    assert_eq!(merged.notes.len(), 3);
    assert_eq!(merged.merged_at(merged.version).expect("a merge"), later);
}

/// Nobody's item goes with another's.
pub fn a_younger_item_of_the_number_outlives_the_elder(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    let (elder, younger) = shared(&items, 5);
    delete(&items, &id(5));
    let now = standing(&items);
    assert_eq!(now.len(), 1, "{now:?}");
    assert!(!now[&younger.uid].1);
    let stone = block_on(items.tombstone(&id(5))).expect("readable").expect("left");
    assert_eq!((stone.item.uid, stone.item.displaced.len()), (elder.uid, 0));
}

/// One that got a number of its own, and was deleted under it before the elder's file was written
/// without it, stays deleted; unless there is something said of it that its tombstone does not know.
pub fn a_younger_item_that_was_deleted_does_not_come_back(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    let (elder, younger) = shared(&items, 5);
    let looked = block_on(items.update(&id(5), None, Box::new(|_| Ok(None)))).expect("looked at");
    assert!(matches!(looked, Update::Unchanged(_)));
    let number = standing(&items)[&younger.uid].0.clone();
    assert_ne!(number, id(5));
    delete(&items, &number);
    assert_eq!(standing(&items).into_keys().collect::<Vec<_>>(), [elder.uid]);
    block_on(items.update(&id(5), None, note("text"))).expect("written");
    assert_eq!(standing(&items).into_keys().collect::<Vec<_>>(), [elder.uid]);
    assert_eq!(get(&items, &id(5)).displaced, []);

    let later = younger.apply(&[Edit::Note("on another branch".to_owned())], &stamp());
    let later = later.expect("allowed").expect("a change");
    insert(&items, item(30).holding(vec![later]));
    block_on(items.update(&id(30), None, note("text"))).expect("written");
    assert!(standing(&items).contains_key(&younger.uid), "what nobody deleted is not lost");
}

/// Also between commits that came to their end, of which nothing is under way any more.
pub fn where_nothing_was_left_there_is_nothing_to_complete(fixture: &Fixture<Handle>) {
    let items = fixture.open();
    let complete = || block_on(items.complete_commits()).expect("completed");
    complete();
    assert_eq!(summaries(&items), BTreeMap::new());
    let first = insert(&items, item(1));
    let next = first.apply(&[Edit::Note("planned".to_owned())], &stamp()).expect("allowed");
    let commit = items.commit(vec![item(2)], vec![next.expect("a change")]);
    let Commit::Written(written) = block_on(commit).expect("committed") else { panic!("taken") };
    delete(&items, &insert(&items, item(3)).id);
    complete();
    complete();
    let there: BTreeMap<_, _> =
        written.iter().map(|item| (item.id.clone(), Summary::from(item))).collect();
    assert_eq!(summaries(&items), there);
    written.iter().for_each(|item| assert_eq!(get(&items, &item.id), *item));
}
