use std::sync::Barrier;
use std::thread;

use jerry_application::{Delete, Error, Filter, Ports, Ready, Request};
use jerry_domain::ports::{LockError, RepositoryError, Tombstone};
use jerry_domain::{WorkId, WorkItem};
use pollster::block_on;
use rstest::rstest;

use crate::desk::*;

fn delete(desk: &Desk, id: &WorkId, force: bool) -> Result<Tombstone, Error> {
    block_on(Delete::new(desk.ports.clone()).delete(id, &insisting("bob", force)))
}

#[test]
fn a_deleted_item_leaves_the_whole_of_it() {
    let desk = Desk::new();
    let item = desk.create("x", []);
    let request = Request { reason: Some("twice".to_owned()), ..by("bob") };
    let service = Delete::new(desk.ports.clone());
    let tombstone = block_on(service.delete(&item.id, &request)).expect("deleted");
    assert_eq!((&tombstone.item, &tombstone.deleted_by), (&item, &actor("bob")));
    assert_eq!(tombstone.reason.as_deref(), Some("twice"));
    let error = delete(&desk, &item.id, false).expect_err("deleted");
    assert!(matches!(error, Error::Repository(RepositoryError::Deleted { .. })), "{error}");
}

#[rstest]
fn what_is_not_there_is_not_found(#[values(false, true)] force: bool) {
    let desk = Desk::new();
    let error = delete(&desk, &id(9), force).expect_err("never there");
    assert!(matches!(error, Error::Repository(RepositoryError::NotFound { .. })), "{error}");
}

#[test]
fn what_others_need_stays_and_they_are_named() {
    let desk = Desk::new();
    let item = desk.create("needed", []);
    let others: Vec<_> = (0..2).map(|_| desk.create("waits", [needs(&item)])).collect();
    let child = desk.create("child", [part_of(&item)]);
    let error = delete(&desk, &item.id, false).expect_err("needed");
    let message = error.to_string();
    let Error::StillNeeded { id, dependents, children } = error else { panic!("{message}") };
    assert_eq!((id, dependents, children), (item.id.clone(), ids(&others), ids([&child])));
    let [one, two] = [&others[0].id, &others[1].id];
    let expected = format!(
        "{} is still needed: {one}, {two} waiting for it; {} being part of it",
        item.id, child.id
    );
    assert_eq!(message, expected);
    assert_eq!(desk.get(&item.id), item);
}

/// What waits for it goes on waiting until somebody decides.
#[test]
fn force_deletes_it_all_the_same() {
    let desk = Desk::new();
    let item = desk.create("needed", []);
    let other = desk.create("waits", [needs(&item)]);
    delete(&desk, &item.id, true).expect("deleted");
    assert_eq!(desk.get(&other.id), other);
    let ready = block_on(
        Ready::new(desk.ports.clone()).ready(None, &Filter { limit: 0, ..Filter::default() }),
    )
    .expect("listed");
    assert_eq!(ready.total, 0);
}

#[test]
fn another_version_is_a_conflict() {
    let desk = Desk::new();
    let item = desk.create("x", []);
    let outcome = block_on(Delete::new(desk.ports.clone()).delete(&item.id, &at_version(2)));
    let error = outcome.expect_err("another version");
    assert!(matches!(error, Error::Repository(RepositoryError::VersionConflict { .. })), "{error}");
    assert_eq!(desk.get(&item.id), item);
}

#[rstest]
fn a_delete_waits_for_the_graph(#[values(false, true)] force: bool) {
    let desk = Desk::new();
    let item = desk.create("x", []);
    let ports = Ports { locks: busy_locks(1), ..desk.ports.clone() };
    let outcome = block_on(Delete::new(ports).delete(&item.id, &insisting("ann", force)));
    let error = outcome.expect_err("busy");
    assert!(matches!(error, Error::Lock(LockError::TimedOut { .. })), "{error}");
    assert_eq!(desk.get(&item.id), item);
}

/// Either it is deleted, or something waits for it; never something waits for nothing. Once by a
/// new item, once by one that is there.
#[rstest]
fn nobody_comes_to_wait_for_what_is_being_deleted(#[values(false, true)] is_new: bool) {
    for _ in 0..200 {
        let desk = Desk::new();
        let (item, other) = (desk.create("x", []), desk.create("y", []));
        let wait_for = |needed: &WorkItem| {
            if is_new {
                desk.try_create(vec![new("new", [needs(needed)])]).is_ok()
            } else {
                desk.try_edit(&other.id, needs(needed)).is_ok()
            }
        };
        let start = Barrier::new(2);
        let (deleted, waits) = thread::scope(|scope| {
            let deleted = scope.spawn(|| {
                start.wait();
                delete(&desk, &item.id, false).is_ok()
            });
            let waits = scope.spawn(|| {
                start.wait();
                wait_for(&item)
            });
            (deleted.join().expect("ends"), waits.join().expect("ends"))
        });
        assert!(deleted != waits, "both {deleted}");
    }
}
