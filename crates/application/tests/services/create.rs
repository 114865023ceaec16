use std::sync::Arc;

use jerry_application::{Create, Error, Ports, Request};
use jerry_domain::ports::{
    Insertion, LockError, LockName, MockWorkItemRepository, RepositoryError, StorageFault,
};
use jerry_domain::{Edit, ItemRef, Label, Priority, RequestId, Stamp, Status, WorkItem};
use pollster::block_on;
use rstest::rstest;

use crate::desk::*;

#[test]
fn an_item_is_made_by_whom_when_and_why() {
    let desk = Desk::new();
    let request = Request {
        reason: Some("it broke".to_owned()),
        request_id: Some(RequestId::new("r-1").expect("valid")),
        ..by("bob")
    };
    let create = Create::new(desk.ports.clone(), work());
    let edits = [Edit::Priority(Priority::High)];
    let item = block_on(create.create(vec![new("Fix it", edits)], &request)).expect("created");
    let item = &item[0];
    assert_eq!((item.version, item.status, item.priority), (1, Status::Pending, Priority::High));
    assert_eq!(item.created_at, desk.ports.clock.now());
    let entry = &item.history[0];
    assert_eq!(entry.actor, actor("bob"));
    assert_eq!(
        (entry.reason.as_deref(), entry.request_id.as_deref()),
        (Some("it broke"), Some("r-1"))
    );
    assert_eq!(desk.get(&item.id), *item);
}

#[test]
fn many_come_in_the_order_given() {
    let desk = Desk::new();
    let titles = ["a", "b", "c"];
    let made = desk.try_create(titles.map(|title| new(title, [])).into()).expect("created");
    assert_eq!(made.iter().map(|item| item.title.as_str()).collect::<Vec<_>>(), titles);
    assert!(made.is_sorted_by(|one, next| one.id < next.id && one.uid < next.uid));
    assert_eq!(desk.store.items.written(), made);
}

#[test]
fn none_is_fine() {
    assert_eq!(Desk::new().try_create(Vec::new()).expect("works"), []);
}

/// Many at once have the durability of one batch, one alone need not pay for it.
#[rstest]
#[case(1)]
#[case(3)]
fn many_are_one_batch(#[case] count: usize) {
    let mut items = MockWorkItemRepository::new();
    let inserted = |item| Insertion::Inserted(Box::new(item));
    items.expect_insert().times(usize::from(count == 1)).returning(move |item| Ok(inserted(item)));
    items
        .expect_insert_many()
        .times(usize::from(count > 1))
        .returning(move |items| Ok(items.into_iter().map(inserted).collect()));
    let ports = Ports { items: Arc::new(items), ..Desk::new().ports };
    let create = Create::new(ports, work());
    let made = block_on(create.create(vec![new("x", []); count], &by("ann"))).expect("created");
    assert_eq!(made.len(), count);
}

/// Items of another clone, and tombstones, stand where the next numbers would be.
#[rstest]
fn taken_numbers_are_left_behind(
    #[values(1, 4)] count: usize,
    #[values(false, true)] deleted: bool,
) {
    let desk = Desk::new();
    // More than the gaps between numbers could step over.
    for number in 1..=100 {
        let stamp = Stamp::new(desk.ports.clock.now(), actor("git"));
        let uid = block_on(desk.ports.ids.uids(1)).expect("a uid")[0];
        let item = WorkItem::create(id(number), uid, title("theirs"), &[], &stamp).expect("valid");
        block_on(desk.ports.items.insert(item)).expect("inserted");
        if deleted {
            block_on(desk.ports.items.delete(&id(number), None, &stamp)).expect("deleted");
        }
    }
    let titles: Vec<_> = (0..count).map(|index| format!("ours {index}")).collect();
    let new = titles.iter().map(|title| new(title, [])).collect();
    let made = desk.try_create(new).expect("created");
    assert_eq!(made.iter().map(|item| item.title.to_string()).collect::<Vec<_>>(), titles);
    assert!(made.iter().all(|item| item.id > id(100) && desk.get(&item.id) == *item));
}

/// Part of a batch meets taken numbers; the rest is not made twice.
#[test]
fn only_what_met_a_taken_number_is_tried_again() {
    let desk = Desk::new();
    let probe = desk.create("probe", []);
    let stamp = Stamp::new(desk.ports.clock.now(), actor("git"));
    let theirs = probe.reissue(id(probe.id.number() + 3), uid(&desk), &stamp).expect("valid");
    block_on(desk.ports.items.insert(theirs)).expect("inserted");
    let made = desk.try_create((0..8).map(|index| new(&format!("{index}"), [])).collect());
    let made = made.expect("created");
    let titles: Vec<_> = made.iter().map(|item| item.title.to_string()).collect();
    assert_eq!(titles, ["0", "1", "2", "3", "4", "5", "6", "7"]);
    assert_eq!(desk.store.items.written().len(), 2 + 8);
}

fn uid(desk: &Desk) -> jerry_domain::Uid {
    block_on(desk.ports.ids.uids(1)).expect("a uid")[0]
}

#[test]
fn when_every_number_is_taken_it_gives_up() {
    let mut items = MockWorkItemRepository::new();
    items.expect_insert().returning(|_| Ok(Insertion::Taken));
    let ports = Ports { items: Arc::new(items), ..Desk::new().ports };
    let outcome = block_on(Create::new(ports, work()).create(vec![new("x", [])], &by("ann")));
    let error = outcome.expect_err("no number is free");
    assert!(matches!(error, Error::NoFreeNumber { .. }), "{error}");
}

#[test]
fn one_invalid_item_and_none_is_made() {
    let desk = Desk::new();
    let blank = Edit::Note(" ".to_owned());
    let error = desk.try_create(vec![new("good", []), new("bad", [blank])]).expect_err("invalid");
    assert!(matches!(&error, Error::NotCreated { title, .. } if title == "bad"), "{error}");
    assert_eq!(desk.store.items.written(), []);
}

#[test]
fn references_are_completed() {
    let desk = Desk::new();
    let (epic, first) = (desk.create("epic", []), desk.create("first", []));
    let label = Edit::AddLabel(Label::new("x").expect("valid"));
    let item = desk.create("second", [part_of(&epic), needs(&first), label]);
    assert_eq!(item.parent, Some(epic.reference()));
    assert_eq!(item.depends_on, [first.reference()]);
}

#[rstest]
#[case(Edit::Parent(Some(ItemRef::bare(id(900)))))]
#[case(Edit::AddDependency(ItemRef::bare(id(900))))]
fn what_is_pointed_at_must_exist(#[case] edit: Edit) {
    let desk = Desk::new();
    let error = desk.try_create(vec![new("x", [edit])]).expect_err("points nowhere");
    assert!(
        matches!(&error, Error::Repository(RepositoryError::NotFound { id: of }) if *of == id(900))
    );
    assert_eq!(desk.store.items.written(), []);
}

#[test]
fn what_was_deleted_cannot_be_waited_for() {
    let desk = Desk::new();
    let gone = desk.create("gone", []);
    let stamp = Stamp::new(desk.ports.clock.now(), actor("bob"));
    block_on(desk.ports.items.delete(&gone.id, None, &stamp)).expect("deleted");
    let error = desk.try_create(vec![new("x", [needs(&gone)])]).expect_err("deleted");
    assert!(matches!(error, Error::Repository(RepositoryError::Deleted { .. })), "{error}");
}

/// What it points at must not be deleted meanwhile; who points at nothing waits for nobody.
#[test]
fn only_who_points_at_others_waits_for_the_graph() {
    let desk = Desk::new();
    let other = desk.create("other", []);
    let ports = Ports { locks: busy_locks(1), ..desk.ports.clone() };
    let create = Create::new(ports, work());
    block_on(create.create(vec![new("free", [])], &by("ann"))).expect("created");
    let waits = block_on(create.create(vec![new("waits", [needs(&other)])], &by("ann")));
    let error = waits.expect_err("busy");
    assert!(matches!(error, Error::Lock(LockError::TimedOut { .. })), "{error}");
    assert_eq!(desk.store.items.written().len(), 2);
    assert!(!desk.store.locks.held().contains(&LockName::graph()));
}

#[rstest]
#[case(RepositoryError::Storage(storage_error(StorageFault::Full)))]
#[case(RepositoryError::Indeterminate(storage_error(StorageFault::Other)))]
fn a_failing_storage_is_reported(#[case] failure: RepositoryError) {
    let said = failure.to_string();
    let mut items = MockWorkItemRepository::new();
    items.expect_insert().return_once(|_| Err(failure));
    let ports = Ports { items: Arc::new(items), ..Desk::new().ports };
    let outcome = block_on(Create::new(ports, work()).create(vec![new("x", [])], &by("ann")));
    let error = outcome.expect_err("fails");
    assert!(matches!(&error, Error::Repository(own) if own.to_string() == said), "{error}");
}
