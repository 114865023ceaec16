use std::sync::Arc;

use jerry_application::{Delete, Error, History, Modify, Request, Undo};
use jerry_domain::ports::RepositoryError;
use jerry_domain::{
    ChecklistKind, Credentials, Edit, Event, Gates, ItemRef, NotUndone, Priority, Refusal,
    RequestId, SessionName, Status, Transition, WorkId, WorkItem,
};
use pollster::block_on;
use rstest::rstest;

use crate::desk::*;

fn undo(desk: &Desk, id: &WorkId, request: &Request) -> Result<WorkItem, Error> {
    block_on(Undo::new(desk.ports.clone()).undo(id, request)).map(|update| update.into_item())
}

fn undone(desk: &Desk, id: &WorkId) -> WorkItem {
    undo(desk, id, &by("ann")).unwrap_or_else(|error| panic!("{error}"))
}

fn no_longer_needs(item: &WorkItem) -> Edit {
    Edit::RemoveDependency(ItemRef::bare(item.id.clone()))
}

fn part_of_nothing(_: &WorkItem) -> Edit {
    Edit::Parent(None)
}

fn delete(desk: &Desk, item: &WorkItem, request: &Request) {
    block_on(Delete::new(desk.ports.clone()).delete(&item.id, request)).expect("deleted");
}

#[test]
fn the_last_write_is_taken_back_and_made_again() {
    let desk = Desk::new();
    let item = desk.create("x", []);
    desk.edit(&item.id, Edit::Priority(Priority::High));
    let back = undone(&desk, &item.id);
    assert_eq!((back.priority, back.version), (Priority::Medium, 3));
    assert_eq!(back.history[2].event, Event::UNDONE);
    assert_eq!(undone(&desk, &item.id).priority, Priority::High);
    assert_eq!(desk.get(&item.id).version, 4);
}

#[test]
fn what_another_wrote_last_stays() {
    let desk = Desk::new();
    let item = desk.create("x", []);
    desk.edit(&item.id, Edit::Priority(Priority::High));
    let in_session = Request {
        credentials: Credentials {
            session: Some(SessionName::new("s").expect("valid")),
            ..Credentials::default()
        },
        ..by("ann")
    };
    for other in [by("bob"), in_session] {
        let error = undo(&desk, &item.id, &other).expect_err("another's");
        let Error::Repository(RepositoryError::Refused { source, .. }) = error else {
            panic!("{error}")
        };
        assert!(matches!(source, Refusal::NotUndone(NotUndone::WrittenSince { .. })), "{source}");
    }
    let error = undo(&desk, &item.id, &at_version(1)).expect_err("moved on");
    assert!(
        matches!(error, Error::Repository(RepositoryError::VersionConflict { found: 2, .. })),
        "{error}"
    );
    assert_eq!(desk.get(&item.id).version, 2);
    undo(&desk, &item.id, &at_version(2)).expect("as expected");
}

/// Taking a dependency or a parent away makes room for its opposite; bringing it back is refused then.
#[rstest]
#[case::waits(needs, no_longer_needs)]
#[case::part(part_of, part_of_nothing)]
fn what_would_close_a_ring_is_not_brought_back(
    #[case] points_at: fn(&WorkItem) -> Edit,
    #[case] points_away: fn(&WorkItem) -> Edit,
) {
    let desk = Desk::new();
    let one = desk.create("one", []);
    let two = desk.create("two", [points_at(&one)]);
    desk.edit(&two.id, points_away(&one));
    desk.edit(&one.id, points_at(&two));
    let error = undo(&desk, &two.id, &by("ann")).expect_err("a ring");
    assert!(matches!(error, Error::DependencyCycle(_) | Error::ParentCycle(_)), "{error}");
    undone(&desk, &one.id);
    undone(&desk, &two.id);
}

/// What the write had added goes with it, and closes no ring with what comes back.
#[test]
fn what_goes_is_not_judged_with_what_comes_back() {
    let desk = Desk::new();
    let (first, second) = (desk.create("first", []), desk.create("second", []));
    let part = desk.create("part", [part_of(&first)]);
    let moved = vec![part_of(&second), needs(&first)];
    block_on(Modify::new(desk.ports.clone()).edit(&part.id, moved, &by("ann"))).expect("allowed");
    let back = undone(&desk, &part.id);
    assert_eq!((&back.parent, back.depends_on.len()), (&part.parent, 0));
}

#[test]
fn what_is_gone_is_not_pointed_at_again() {
    let desk = Desk::new();
    let one = desk.create("one", []);
    let two = desk.create("two", [needs(&one)]);
    desk.edit(&two.id, no_longer_needs(&one));
    delete(&desk, &one, &by("ann"));
    let error = undo(&desk, &two.id, &by("ann")).expect_err("gone");
    let Error::Repository(RepositoryError::Deleted { id, .. }) = error else { panic!("{error}") };
    assert_eq!(id, one.id);
    assert_eq!(desk.get(&two.id).version, 2);
}

/// Also one that chooses its item, when the actor has written elsewhere since.
#[test]
fn a_request_with_a_name_takes_back_once() {
    let desk = Desk::new();
    let (one, two) = (desk.create("one", []), desk.create("two", []));
    desk.edit(&one.id, Edit::Priority(Priority::High));
    let named = |name: &str| Request { request_id: RequestId::new(name).ok(), ..by("ann") };
    let last = || {
        let undone = block_on(Undo::new(desk.ports.clone()).undo_last(&named("r-1")));
        undone.unwrap_or_else(|error| panic!("{error}")).into_item()
    };
    desk.store.clock.advance(std::time::Duration::from_secs(60));
    let first = last();
    assert_eq!((&first.id, first.version), (&one.id, 3));
    desk.store.clock.advance(std::time::Duration::from_secs(60));
    desk.edit(&two.id, Edit::Priority(Priority::High));
    desk.edit(&one.id, Edit::Note("said".to_owned()));
    assert_eq!(last(), first);
    assert_eq!(undo(&desk, &one.id, &named("r-1")).expect("known"), first);
    assert_eq!((desk.get(&one.id).version, desk.get(&two.id).version), (4, 2));
}

/// What an undo comes to is asked the same questions as a move that comes to it.
#[test]
fn a_family_is_asked_about_what_is_undone() {
    let desk = Desk::new();
    let (epic, other) = (desk.create("epic", []), desk.create("other", []));
    let part = desk.create("part", []);
    for to in [Transition::Start, Transition::Complete, Transition::Reopen] {
        desk.edit(&epic.id, Edit::Move(to));
    }
    desk.edit(&part.id, part_of(&epic));
    let error = undo(&desk, &epic.id, &by("ann")).expect_err("it has an open part");
    assert!(error_is(&error, |refusal| matches!(refusal, Refusal::UnfinishedParts { .. })));

    desk.edit(&part.id, part_of(&other));
    undone(&desk, &epic.id);
    let error = undo(&desk, &part.id, &by("ann")).expect_err("the epic is completed");
    assert!(error_is(&error, |refusal| matches!(refusal, Refusal::CompletedParent { .. })));
    let forced = undo(&desk, &part.id, &insisting("ann", true)).expect("insisted");
    assert!(forced.history.last().expect("an entry").forced);
}

/// Taking back that it was taken up again completes it, and that asks for what completing asks.
#[test]
fn gates_are_asked_when_an_undo_completes() {
    let mut desk = Desk::new();
    let item = desk.create("x", [Edit::AddCheck(ChecklistKind::Criteria, "holds".to_owned())]);
    for to in [Transition::Start, Transition::Complete, Transition::Reopen] {
        desk.edit(&item.id, Edit::Move(to));
    }
    let gates = vec!["criteria".parse().expect("a gate")];
    desk.ports.gates = Arc::new(Gates { default: gates, ..Gates::default() });
    let error = undo(&desk, &item.id, &by("ann")).expect_err("nothing is ticked");
    assert!(error_is(&error, |refusal| matches!(refusal, Refusal::Gate { .. })));
    desk.ports.gates = Arc::default();
    assert_eq!(undone(&desk, &item.id).status, Status::Completed);
}

fn error_is(error: &Error, which: fn(&Refusal) -> bool) -> bool {
    match error {
        Error::Repository(RepositoryError::Refused { source, .. }) => which(source),
        _ => panic!("{error}"),
    }
}

/// Nothing else may decide over several items meanwhile.
#[test]
fn undo_holds_the_graph() {
    let desk = Desk::new();
    let item = desk.create("x", []);
    desk.edit(&item.id, Edit::Priority(Priority::High));
    let ports = jerry_application::Ports { locks: busy_locks(1), ..desk.ports.clone() };
    let error = block_on(Undo::new(ports).undo(&item.id, &by("ann"))).expect_err("busy");
    assert!(matches!(error, Error::Lock(_)), "{error}");
}

#[test]
fn without_a_name_it_is_the_item_that_the_actor_wrote_to_last() {
    let desk = Desk::new();
    let last = |name: &str| {
        let undone = block_on(Undo::new(desk.ports.clone()).undo_last(&by(name)));
        undone.map(|update| update.into_item())
    };
    assert!(matches!(last("ann"), Err(Error::NothingWritten { .. })));
    let minute = || desk.store.clock.advance(std::time::Duration::from_secs(60));
    let one = desk.create("one", []);
    minute();
    let two = desk.create("two", []);
    minute();
    desk.edit(&one.id, Edit::Move(Transition::Start));
    assert!(matches!(last("bob"), Err(Error::NothingWritten { .. })));
    let back = last("ann").expect("found");
    assert_eq!((&back.id, back.status), (&one.id, Status::Pending));
    minute();
    delete(&desk, &two, &by("ann"));
    let error = last("ann").expect_err("not taken back");
    assert!(matches!(error, Error::Repository(RepositoryError::Deleted { .. })), "{error}");
    let all = block_on(History::new(desk.ports.clone()).of_all(None, 0)).expect("told");
    assert_eq!(all.writes[0].entry.event, Event::DELETED);
}

/// The number that it has is another's: taken back is what was meant, or nothing.
#[test]
fn what_was_written_last_may_share_its_number() {
    let desk = Desk::new();
    let elder = desk.create("elder", []);
    desk.edit(&elder.id, Edit::Priority(Priority::High));
    desk.store.clock.advance(std::time::Duration::from_secs(60));
    let younger = desk.create("younger", []);
    let younger = desk.displace(&desk.edit(&younger.id, Edit::Priority(Priority::Low)), &elder);
    let error = block_on(Undo::new(desk.ports.clone()).undo_last(&by("ann"))).expect_err("refused");
    let Error::Repository(RepositoryError::Refused { id, source }) = error else {
        panic!("{error}")
    };
    // It was given a number of its own, which is a write by another.
    assert!(matches!(source, Refusal::NotUndone(NotUndone::WrittenSince { .. })), "{source}");
    assert_eq!((desk.get(&id).uid, desk.get(&id).priority), (younger.uid, Priority::Low));
    assert_eq!((desk.get(&elder.id).version, desk.get(&elder.id).priority), (2, Priority::High));
}
