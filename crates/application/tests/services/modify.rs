use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use jerry_application::{Error, Modify, Ports};
use jerry_domain::ports::{Change, MockWorkItemRepository, RepositoryError, Update};
use jerry_domain::{Edit, Priority, Refusal, Status, Transition, WorkItem};
use pollster::block_on;
use rstest::rstest;

use crate::desk::*;

#[test]
fn all_edits_are_one_write() {
    let desk = Desk::new();
    let item = desk.create("x", []);
    let edits =
        vec![Edit::Title(title("y")), Edit::Priority(Priority::Low), Edit::Note("n".into())];
    let modify = Modify::new(desk.ports.clone());
    let update = block_on(modify.edit(&item.id, edits, &by("bob"))).expect("changed");
    let Update::Written(item) = update else { panic!("nothing was written") };
    assert_eq!((item.version, item.history.len()), (2, 2));
    assert_eq!((item.title.as_str(), item.priority, item.notes.len()), ("y", Priority::Low, 1));
    assert_eq!(item.history[1].actor, actor("bob"));
}

#[test]
fn one_edit_refused_and_none_is_made() {
    let desk = Desk::new();
    let item = desk.create("x", []);
    let edits = vec![Edit::Title(title("y")), Edit::Move(Transition::Complete)];
    let outcome = block_on(Modify::new(desk.ports.clone()).edit(&item.id, edits, &by("ann")));
    let error = outcome.expect_err("refused");
    assert!(matches!(error, Error::Repository(RepositoryError::Refused { .. })), "{error}");
    assert_eq!(desk.get(&item.id), item);
}

#[test]
fn what_changes_nothing_is_not_written() {
    let desk = Desk::new();
    let item = desk.create("x", []);
    let update = desk.try_edit(&item.id, Edit::Title(title("x"))).expect("allowed");
    assert_eq!(update, Update::Unchanged(item));
}

#[test]
fn another_version_is_a_conflict() {
    let desk = Desk::new();
    let item = desk.create("x", []);
    let modify = Modify::new(desk.ports.clone());
    let note = || vec![Edit::Note("n".into())];
    block_on(modify.edit(&item.id, note(), &at_version(1))).expect("changed");
    let error = block_on(modify.edit(&item.id, note(), &at_version(1))).expect_err("moved on");
    assert!(matches!(
        error,
        Error::Repository(RepositoryError::VersionConflict { expected: 1, found: 2, .. })
    ));
}

/// Two agents cannot both start an item; the second learns where it stands and what it allows.
#[test]
fn what_is_started_cannot_be_started_again() {
    let desk = Desk::new();
    let item = desk.create("x", []);
    desk.edit(&item.id, Edit::Move(Transition::Start));
    let error = desk.try_edit(&item.id, Edit::Move(Transition::Start)).expect_err("started");
    let Error::Repository(RepositoryError::Refused { source, .. }) = &error else {
        panic!("{error}")
    };
    assert!(matches!(source, Refusal::Transition { from: Status::InProgress, .. }), "{source}");
    assert!(source.to_string().contains("complete (to completed)"), "{source}");
}

#[test]
fn of_many_who_start_an_item_one_does() {
    let desk = Desk::new();
    let item = desk.create("x", []);
    let start = Barrier::new(8);
    let started = thread::scope(|scope| {
        let race = || {
            start.wait();
            desk.try_edit(&item.id, Edit::Move(Transition::Start)).is_ok()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(race)).collect();
        threads.into_iter().map(|t| t.join().expect("ends")).filter(|won| *won).count()
    });
    assert_eq!(started, 1);
    assert_eq!(desk.get(&item.id).version, 2);
}

/// A write that waited for the item is later than the one that it waited for.
#[test]
fn the_time_is_taken_while_the_item_is_held() {
    let desk = Desk::new();
    let item = desk.create("x", []);
    let (store, real) = (desk.store.clone(), desk.ports.items.clone());
    let mut items = MockWorkItemRepository::new();
    items.expect_update().return_once(move |id, expected, change: Change| {
        store.clock.advance(Duration::from_secs(60));
        block_on(real.update(id, expected, change))
    });
    let ports = Ports { items: Arc::new(items), ..desk.ports.clone() };
    let note = vec![Edit::Note("n".into())];
    let update = block_on(Modify::new(ports).edit(&item.id, note, &by("ann")));
    let item = update.expect("changed").into_item();
    assert_eq!(item.updated_at, desk.ports.clock.now());
}

#[test]
fn what_is_not_there_is_not_found() {
    let desk = Desk::new();
    let error = desk.try_edit(&id(9), Edit::Note("n".into())).expect_err("not there");
    assert!(matches!(error, Error::Repository(RepositoryError::NotFound { .. })), "{error}");
    let error = desk.try_edit(&id(9), needs(&desk.create("x", []))).expect_err("not there");
    assert!(matches!(error, Error::Repository(RepositoryError::NotFound { .. })), "{error}");
}

#[rstest]
#[case::waits(needs)]
#[case::part(part_of)]
fn a_ring_is_refused_and_shown(#[case] points_at: fn(&WorkItem) -> Edit) {
    let desk = Desk::new();
    let a = desk.create("a", []);
    let b = desk.create("b", [points_at(&a)]);
    let c = desk.create("c", [points_at(&b)]);
    let error = desk.try_edit(&a.id, points_at(&c)).expect_err("a ring");
    let (Error::DependencyCycle(cycle) | Error::ParentCycle(cycle)) = &error else {
        panic!("{error}")
    };
    let way = ids([&a, &c, &b, &a]);
    assert_eq!(cycle.0, way.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert!(error.to_string().ends_with(&format!("{} -> {} -> {} -> {}", a.id, c.id, b.id, a.id)));
    assert_eq!(desk.get(&a.id), a);
    let error = desk.try_edit(&a.id, points_at(&a)).expect_err("its own ring");
    assert!(matches!(error, Error::DependencyCycle(_) | Error::ParentCycle(_)), "{error}");
}

/// One waits for the other, or the other for the one; never both.
#[test]
fn two_that_would_close_a_ring_together_do_not_both_pass() {
    for _ in 0..200 {
        let desk = Desk::new();
        let (a, b) = (desk.create("a", []), desk.create("b", []));
        let start = Barrier::new(2);
        let wait_for = |waiter: &WorkItem, needed: &WorkItem| {
            start.wait();
            desk.try_edit(&waiter.id, needs(needed)).is_ok()
        };
        let (one, other) = thread::scope(|scope| {
            let one = scope.spawn(|| wait_for(&a, &b));
            let other = scope.spawn(|| wait_for(&b, &a));
            (one.join().expect("ends"), other.join().expect("ends"))
        });
        assert!(one != other, "both {one}");
    }
}
