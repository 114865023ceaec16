use std::collections::HashSet;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use jerry_application::{ClaimNext, Error, Filter, Ports};
use jerry_domain::ports::{
    LockName, MockWorkItemRepository, RepositoryError, StorageFault, Unreadable,
};
use jerry_domain::{Edit, Label, Priority, Summary, Timestamp, Transition, WorkId, WorkItem};
use pollster::block_on;
use rstest::rstest;

use crate::desk::*;

const LEASE: Option<Duration> = Some(Duration::from_secs(60));

fn claim_of(desk: &Desk, name: &str, filter: &Filter) -> Result<WorkItem, Error> {
    block_on(ClaimNext::new(desk.ports.clone()).claim(filter, LEASE, &by(name)))
}

fn claim(desk: &Desk, name: &str) -> WorkItem {
    claim_of(desk, name, &Filter::default()).expect("claimed")
}

fn fence(item: &WorkItem) -> u64 {
    item.claim.as_ref().expect("claimed").fence
}

fn nothing(desk: &Desk, name: &str) {
    let answer = claim_of(desk, name, &Filter::default());
    assert!(matches!(answer, Err(Error::NothingReady)), "{answer:?}");
}

#[test]
fn the_most_urgent_is_claimed_and_the_next_one_gets_another() {
    let desk = Desk::new();
    let (low, high) = (
        desk.create("low", [Edit::Priority(Priority::Low)]),
        desk.create("high", [Edit::Priority(Priority::High)]),
    );
    let first = claim(&desk, "ann");
    assert_eq!((&first.id, fence(&first)), (&high.id, 2));
    assert_eq!(claim(&desk, "bob").id, low.id);
    nothing(&desk, "ann");
}

#[test]
fn what_waits_for_others_is_not_claimed() {
    let desk = Desk::new();
    let needed = desk.create("needed", []);
    let waits = desk.create("waits", [needs(&needed), Edit::Priority(Priority::Critical)]);
    assert_eq!(claim(&desk, "ann").id, needed.id);
    nothing(&desk, "bob");
    let refused = desk.try_edit(&needed.id, Edit::Move(Transition::Complete));
    assert!(refused.is_err(), "without the session that it was claimed in");
    desk.store.clock.advance(Duration::from_secs(61));
    desk.edit(&needed.id, Edit::Move(Transition::Complete));
    assert_eq!(claim(&desk, "bob").id, waits.id);
}

#[test]
fn the_parts_come_before_the_whole() {
    let desk = Desk::new();
    let whole = desk.create("whole", [Edit::Priority(Priority::Critical)]);
    let part = desk.create("part", [part_of(&whole)]);
    assert_eq!(claim(&desk, "ann").id, part.id);
    nothing(&desk, "bob");
    desk.store.clock.advance(Duration::from_secs(61));
    desk.edit(&part.id, Edit::Move(Transition::Complete));
    assert_eq!(claim(&desk, "bob").id, whole.id);
}

#[test]
fn a_claim_that_has_lapsed_is_claimed_again() {
    let desk = Desk::new();
    desk.create("one", []);
    let first = claim(&desk, "ann");
    desk.store.clock.advance(Duration::from_secs(59));
    nothing(&desk, "bob");
    desk.store.clock.advance(Duration::from_secs(1));
    let second = claim(&desk, "bob");
    assert_eq!(second.id, first.id);
    assert!(fence(&second) > fence(&first));
}

#[test]
fn what_was_handed_over_is_for_one() {
    let desk = Desk::new();
    let item = desk.create("one", []);
    let held = claim(&desk, "ann");
    let mut request = by("ann");
    request.credentials.fence = Some(fence(&held));
    let modify = jerry_application::Modify::new(desk.ports.clone());
    let edits = vec![Edit::HandOver(actor("bob"))];
    block_on(modify.edit(&item.id, edits, &request)).expect("handed over");
    nothing(&desk, "amy");
    assert_eq!(claim(&desk, "bob").id, item.id);
    nothing(&desk, "bob");
}

#[test]
fn a_filter_narrows_what_is_claimed() {
    let desk = Desk::new();
    desk.create("other", [Edit::Priority(Priority::Critical)]);
    let label = Label::new("mine").expect("valid");
    let wanted = desk.create("wanted", [Edit::AddLabel(label.clone())]);
    let filter = Filter { labels: vec![label], ..Filter::default() };
    assert_eq!(claim_of(&desk, "ann", &filter).expect("claimed").id, wanted.id);
    assert!(matches!(claim_of(&desk, "ann", &filter), Err(Error::NothingReady)));
}

/// It might be more urgent, or a part of what is ready.
#[test]
fn nothing_is_chosen_over_what_the_storage_withholds() {
    let desk = Desk::new();
    let ready = Summary::from(&desk.create("ready", []));
    let mut items = MockWorkItemRepository::new();
    items.expect_summaries().times(1).returning(move || {
        let withheld = Unreadable::Storage(storage_error(StorageFault::Other));
        Ok(Box::new([Ok(ready.clone()), Err(withheld)].into_iter()))
    });
    let ports = Ports { items: Arc::new(items), ..desk.ports };
    let answer = block_on(ClaimNext::new(ports).claim(&Filter::default(), LEASE, &by("ann")));
    let is_storage = matches!(answer, Err(Error::Repository(RepositoryError::Storage(_))));
    assert!(is_storage, "{answer:?}");
}

#[test]
fn what_is_being_written_is_passed_over() {
    let desk = Desk::new();
    let (first, second) = (desk.create("first", []), desk.create("second", []));
    let guard = block_on(desk.ports.locks.acquire(&LockName::item(&first.id), None));
    let _guard = guard.expect("free");
    assert_eq!(claim(&desk, "ann").id, second.id);
}

#[test]
fn what_shares_its_number_is_claimed_under_one_of_its_own() {
    let desk = Desk::new();
    let (elder, younger) = (desk.create("elder", []), desk.create("younger", []));
    desk.displace(&younger, &elder);
    let claimed: HashSet<_> = ["ann", "bob"].map(|name| claim(&desk, name).uid).into();
    assert_eq!(claimed, HashSet::from([elder.uid, younger.uid]));
    nothing(&desk, "amy");
}

#[test]
fn a_number_that_is_being_written_holds_up_nobody_who_can_have_another() {
    let desk = Desk::new();
    let (elder, other) = (desk.create("elder", []), desk.create("other", []));
    let younger = desk.create("younger", [Edit::Priority(Priority::Critical)]);
    desk.displace(&younger, &elder);
    let guard = block_on(desk.ports.locks.acquire(&LockName::item(&elder.id), None));
    let _guard = guard.expect("free");
    assert_eq!(claim(&desk, "ann").id, other.id);
}

/// It has been deleted, or its file is being changed by something that does not lock.
#[rstest]
#[case::deleted(|id| RepositoryError::Deleted { id, at: Timestamp::UNIX_EPOCH, by: actor("bob") })]
#[case::gone(|id| RepositoryError::NotFound { id })]
#[case::changed(|id| RepositoryError::ChangedOutside { id })]
fn what_shares_its_number_and_moves_on_is_looked_at_again(
    #[case] error: fn(WorkId) -> RepositoryError,
) {
    let desk = Desk::new();
    let shared = Summary::from(&desk.create("shared", []));
    let shared = Summary { is_displaced: true, ..shared };
    let mut items = MockWorkItemRepository::new();
    let mut looks = vec![None, Some(shared)].into_iter().rev();
    items
        .expect_summaries()
        .times(2)
        .returning(move || Ok(Box::new(looks.next().flatten().map(Ok).into_iter())));
    items.expect_try_update().times(1).returning(move |id, _, _| Err(error(id.clone())));
    let ports = Ports { items: Arc::new(items), ..desk.ports };
    let answer = block_on(ClaimNext::new(ports).claim(&Filter::default(), LEASE, &by("ann")));
    assert!(matches!(answer, Err(Error::NothingReady)), "{answer:?}");
}

/// Nobody is told that there is nothing while the only item may yet become free.
#[test]
fn the_only_item_is_waited_for_while_it_is_being_written() {
    let desk = Desk::new();
    let item = desk.create("only", []);
    let name = LockName::item(&item.id);
    let guard = block_on(desk.ports.locks.acquire(&name, None)).expect("free");
    thread::scope(|scope| {
        let claimed = scope.spawn(|| claim(&desk, "ann"));
        assert!(!claimed.is_finished());
        drop(guard);
        assert_eq!(claimed.join().expect("no panic").id, item.id);
    });
}

#[test]
fn of_many_at_once_each_gets_an_item_of_its_own() {
    const MANY: usize = 16;
    let desk = Desk::new();
    for number in 0..MANY {
        desk.create(&format!("item {number}"), []);
    }
    let barrier = Barrier::new(2 * MANY);
    let answers: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..2 * MANY)
            .map(|number| {
                let (desk, barrier) = (&desk, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    claim_of(desk, &format!("agent {number}"), &Filter::default())
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let (claimed, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    let ids: HashSet<_> =
        claimed.into_iter().map(|item| item.expect("claimed").id.clone()).collect();
    assert_eq!(ids.len(), MANY);
    assert_eq!(refused.len(), MANY);
    for answer in refused {
        assert!(matches!(answer, Err(Error::NothingReady)), "{answer:?}");
    }
}
