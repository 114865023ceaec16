//! What every id generator keeps to.

use std::collections::HashSet;
use std::sync::Arc;
use std::thread;

use jerry_domain::ports::{IdGenerator, Insertion, WorkItemRepository};
use jerry_domain::{Prefix, Uid, WorkId};
use pollster::block_on;

use crate::Fixture;
use crate::sample::{item, prefix, stamp};

/// Tests that an id generator keeps to its contract. `$fixture` is a function that makes a
/// [`Fixture`](crate::Fixture) with [`Handle`](crate::ids::Handle).
#[macro_export]
macro_rules! id_suite {
    ($fixture:path) => {
        $crate::stamp! { ids, $fixture:
            as_many_uids_as_asked_for_come_ascending
            uids_of_all_threads_are_unique
            uids_go_on_in_another_handle
            as_many_ids_as_asked_for_come_ascending
            ids_of_all_threads_are_unique
            ids_go_on_in_another_handle
            each_prefix_has_its_own_numbers
            a_number_is_not_given_out_again_after_a_delete
            catching_up_leaves_existing_numbers_behind
            catching_up_leaves_deleted_numbers_behind
            catching_up_never_goes_back
        }
    };
}

/// A handle on the ids of a store, and on the items whose numbers they must avoid.
#[derive(Clone)]
pub struct Handle {
    /// The generator.
    pub ids: Arc<dyn IdGenerator>,
    /// The items of the same store.
    pub items: Arc<dyn WorkItemRepository>,
}

const THREADS: usize = 10;

fn uids(ids: &dyn IdGenerator, count: usize) -> Vec<Uid> {
    let uids = block_on(ids.uids(count)).expect("uids are to be had");
    assert_eq!(uids.len(), count);
    assert!(uids.is_sorted_by(|one, next| one < next), "{uids:?} do not ascend");
    uids
}

fn numbers(ids: &dyn IdGenerator, of: &Prefix, count: usize) -> Vec<u64> {
    let ids = block_on(ids.work_ids(of, count)).expect("numbers are to be had");
    assert_eq!(ids.len(), count);
    assert!(ids.iter().all(|id| id.prefix() == of), "{ids:?} are not of {of}");
    assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?} do not ascend");
    ids.iter().map(WorkId::number).collect()
}

/// One, many or none.
pub fn as_many_uids_as_asked_for_come_ascending(fixture: &Fixture<Handle>) {
    let Handle { ids, .. } = fixture.open();
    let mut last = None;
    for count in [0, 1, 2, 5000] {
        let uids = uids(&*ids, count);
        assert!(uids.first().is_none_or(|first| last < Some(*first)), "went back after {last:?}");
        last = uids.last().copied().max(last);
    }
}

/// Ten threads, half of them through one handle, make 1,000 each.
pub fn uids_of_all_threads_are_unique(fixture: &Fixture<Handle>) {
    let shared = fixture.open().ids;
    let all = from_all_threads(fixture, &shared, |ids| {
        let batches: Vec<_> = (0..100).map(|_| uids(ids, 10)).collect();
        batches.concat()
    });
    assert_eq!(all.len(), THREADS * 1000);
}

/// What another process gives out is different.
pub fn uids_go_on_in_another_handle(fixture: &Fixture<Handle>) {
    let mut seen = HashSet::new();
    for _ in 0..5 {
        let ids = fixture.open().ids;
        assert!(uids(&*ids, 10).into_iter().all(|uid| seen.insert(uid)), "a uid came twice");
    }
}

/// One, many or none.
pub fn as_many_ids_as_asked_for_come_ascending(fixture: &Fixture<Handle>) {
    let Handle { ids, .. } = fixture.open();
    let mut last = 0;
    for count in [0, 1, 2, 1000] {
        let numbers = numbers(&*ids, &prefix("WORK"), count);
        assert!(numbers.first().is_none_or(|first| last < *first), "went back after {last}");
        last = numbers.last().copied().unwrap_or(last);
    }
}

/// Ten threads, half of them through one handle, take 100 each.
pub fn ids_of_all_threads_are_unique(fixture: &Fixture<Handle>) {
    let shared = fixture.open().ids;
    let work = prefix("WORK");
    let all = from_all_threads(fixture, &shared, |ids| {
        let batches: Vec<_> = (0..25).map(|_| numbers(ids, &work, 4)).collect();
        batches.concat()
    });
    assert_eq!(all.len(), THREADS * 100);
}

/// What another process gives out is different.
pub fn ids_go_on_in_another_handle(fixture: &Fixture<Handle>) {
    let mut seen = HashSet::new();
    for _ in 0..5 {
        let ids = fixture.open().ids;
        let numbers = numbers(&*ids, &prefix("WORK"), 10);
        assert!(numbers.into_iter().all(|number| seen.insert(number)), "a number came twice");
    }
}

/// What one prefix uses up the other still has.
pub fn each_prefix_has_its_own_numbers(fixture: &Fixture<Handle>) {
    let Handle { ids, .. } = fixture.open();
    let much = numbers(&*ids, &prefix("WORK"), 2000);
    let little = numbers(&*ids, &prefix("B2"), 1);
    assert!(little[0] < much[1999], "{} follows the other prefix", little[0]);
}

/// The greatest number is deleted, everything is opened anew: it stays given out.
pub fn a_number_is_not_given_out_again_after_a_delete(fixture: &Fixture<Handle>) {
    let Handle { ids, items } = fixture.open();
    let number = numbers(&*ids, &prefix("WORK"), 1)[0];
    let item = item(number);
    let id = item.id.clone();
    block_on(items.insert(item)).expect("inserted");
    block_on(items.delete(&id, None, &stamp())).expect("deleted");
    drop((ids, items));
    let Handle { ids, .. } = fixture.open();
    block_on(ids.catch_up(&prefix("WORK"))).expect("caught up");
    assert!(numbers(&*ids, &prefix("WORK"), 100).iter().all(|next| *next > number));
}

/// Items of another clone arrive, far ahead.
pub fn catching_up_leaves_existing_numbers_behind(fixture: &Fixture<Handle>) {
    let Handle { ids, items } = fixture.open();
    numbers(&*ids, &prefix("WORK"), 1);
    let outcome = block_on(items.insert(item(5000))).expect("inserted");
    assert!(matches!(outcome, Insertion::Inserted(_)));
    block_on(ids.catch_up(&prefix("WORK"))).expect("caught up");
    assert!(numbers(&*ids, &prefix("WORK"), 1)[0] > 5000);
    let elsewhere = fixture.open().ids;
    assert!(numbers(&*elsewhere, &prefix("WORK"), 1)[0] > 5000, "another handle stays behind");
}

/// A tombstone counts as its item did.
pub fn catching_up_leaves_deleted_numbers_behind(fixture: &Fixture<Handle>) {
    let Handle { ids, items } = fixture.open();
    let item = item(5000);
    let id = item.id.clone();
    block_on(items.insert(item)).expect("inserted");
    block_on(items.delete(&id, None, &stamp())).expect("deleted");
    block_on(ids.catch_up(&prefix("WORK"))).expect("caught up");
    assert!(numbers(&*ids, &prefix("WORK"), 1)[0] > 5000);
}

/// Numbers that were given out and not used are not given out again either.
pub fn catching_up_never_goes_back(fixture: &Fixture<Handle>) {
    let Handle { ids, items } = fixture.open();
    let last = numbers(&*ids, &prefix("WORK"), 1000)[999];
    block_on(items.insert(item(3))).expect("inserted");
    block_on(ids.catch_up(&prefix("WORK"))).expect("caught up");
    assert!(numbers(&*ids, &prefix("WORK"), 1)[0] > last);
}

/// What all threads make, half of them through `shared`; panics when something comes twice, or
/// does not ascend within a thread.
fn from_all_threads<T>(
    fixture: &Fixture<Handle>,
    shared: &Arc<dyn IdGenerator>,
    make: impl Fn(&dyn IdGenerator) -> Vec<T> + Sync,
) -> HashSet<T>
where
    T: Ord + std::hash::Hash + Send,
{
    let mut all = HashSet::new();
    thread::scope(|scope| {
        let make = &make;
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let ids = if thread % 2 == 0 { shared.clone() } else { fixture.open().ids };
                scope.spawn(move || make(&*ids))
            })
            .collect();
        for thread in threads {
            let made = thread.join().expect("the thread ends");
            assert!(made.is_sorted_by(|one, next| one < next), "one caller's do not ascend");
            assert!(made.into_iter().all(|one| all.insert(one)), "one came twice");
        }
    });
    all
}
