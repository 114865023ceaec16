//! Requests with a name, made again.

use std::sync::Barrier;
use std::thread;

use jerry_application::{ClaimNext, Create, Delete, Error, Filter, Modify, Request};
use jerry_domain::ports::{RepositoryError, Update};
use jerry_domain::{Edit, ItemRef, Label, Priority, Status, Transition, WorkId, WorkItem};
use pollster::block_on;
use rstest::rstest;

use crate::desk::*;

fn edit(desk: &Desk, id: &WorkId, edit: Edit, request: &Request) -> Result<Update, Error> {
    block_on(Modify::new(desk.ports.clone()).edit(id, vec![edit], request))
}

fn create(desk: &Desk, titles: &[&str], request: &Request) -> Result<Vec<WorkItem>, Error> {
    let new = titles.iter().map(|title| new(title, [])).collect();
    block_on(Create::new(desk.ports.clone(), work()).create(new, request))
}

fn claim(desk: &Desk, request: &Request) -> Result<WorkItem, Error> {
    block_on(ClaimNext::new(desk.ports.clone()).claim(&Filter::default(), None, request))
}

fn note(text: &str) -> Edit {
    Edit::Note(text.to_owned())
}

fn label(name: &str) -> Edit {
    Edit::AddLabel(Label::new(name).expect("valid"))
}

#[test]
fn a_repeat_says_what_the_first_one_said_and_writes_nothing() {
    let desk = Desk::new();
    let item = desk.create("noted", []);
    let first = edit(&desk, &item.id, note("once"), &named("r-1")).expect("noted");
    desk.edit(&item.id, note("by another"));
    let before = desk.get(&item.id);
    let again = edit(&desk, &item.id, note("once"), &named("r-1")).expect("repeated");
    assert_eq!(again, first, "also where the item has moved on");
    assert_eq!(desk.get(&item.id), before);
    edit(&desk, &item.id, note("twice"), &named("r-2")).expect("noted");
    assert_eq!(desk.get(&item.id).notes.len(), 3, "another name is another request");
}

#[test]
fn a_repeat_does_not_look_at_the_version_again() {
    let desk = Desk::new();
    let item = desk.create("noted", []);
    let request = Request { if_version: Some(1), ..named("r-1") };
    let first = edit(&desk, &item.id, note("once"), &request).expect("noted");
    assert_eq!(edit(&desk, &item.id, note("once"), &request).expect("repeated"), first);
}

#[test]
fn a_repeat_is_known_after_the_item_is_gone() {
    let desk = Desk::new();
    let item = desk.create("soon gone", []);
    let first = edit(&desk, &item.id, note("once"), &named("r-1")).expect("noted");
    block_on(Delete::new(desk.ports.clone()).delete(&item.id, &by("bob"))).expect("deleted");
    assert_eq!(edit(&desk, &item.id, note("once"), &named("r-1")).expect("repeated"), first);
}

/// Otherwise its repeat would change what others have changed since.
#[test]
fn a_request_that_changes_nothing_is_made_once_too() {
    let desk = Desk::new();
    let item = desk.create("labelled", [label("x")]);
    let first = edit(&desk, &item.id, label("x"), &named("r-1")).expect("there already");
    assert_eq!(first.clone().into_item().version, 2);
    desk.edit(&item.id, Edit::RemoveLabel(Label::new("x").expect("valid")));
    assert_eq!(edit(&desk, &item.id, label("x"), &named("r-1")).expect("repeated"), first);
    assert!(desk.get(&item.id).labels.is_empty());
}

#[test]
fn a_name_is_not_taken_for_another_request() {
    let desk = Desk::new();
    let item = desk.create("noted", []);
    edit(&desk, &item.id, note("once"), &named("r-1")).expect("noted");
    let other = edit(&desk, &item.id, Edit::Move(Transition::Start), &named("r-1"));
    assert!(is_reuse(&other), "{other:?}");
    assert_eq!(desk.get(&item.id).version, 2);
}

/// What is acknowledged has been done: another request of the name and the same kind is refused.
#[test]
fn a_name_is_not_taken_for_a_request_of_the_same_kind() {
    let desk = Desk::new();
    let item = desk.create("changed", []);
    let (one, two) = (desk.create("one", []), desk.create("two", []));
    let no_label = Edit::RemoveLabel(Label::new("a").expect("valid"));
    let both = [
        (note("once"), note("twice")),
        (label("a"), no_label),
        (Edit::Priority(Priority::High), Edit::Phase(None)),
        (needs(&one), needs(&two)),
        (needs(&two), Edit::RemoveDependency(two.reference())),
    ];
    for (number, (first, other)) in both.into_iter().enumerate() {
        let request = named(&format!("r-{number}"));
        let made = edit(&desk, &item.id, first.clone(), &request).expect("made");
        desk.edit(&item.id, note("by another"));
        let refused = edit(&desk, &item.id, other, &request);
        assert!(is_reuse(&refused), "{refused:?}");
        assert_eq!(edit(&desk, &item.id, first, &request).expect("repeated"), made);
    }
    let made = create(&desk, &["one"], &named("r-9")).expect("made");
    let urgent = vec![new("one", [Edit::Priority(Priority::High)])];
    let refused = block_on(Create::new(desk.ports.clone(), work()).create(urgent, &named("r-9")));
    assert!(is_reuse(&refused), "{refused:?}");
    assert_eq!(create(&desk, &["one"], &named("r-9")).expect("repeated"), made);
}

/// Another branch had the number too, and what the item waits for has another by now.
#[test]
fn a_repeat_is_known_by_what_it_points_at_under_any_name() {
    let desk = Desk::new();
    let needed = desk.create("needed", []);
    let item = desk.create("waits", [needs(&needed)]);
    let moved = desk.renumber_by_hand(&needed, 12);
    let bare = || Edit::RemoveDependency(ItemRef::bare(moved.id.clone()));
    let first = edit(&desk, &item.id, bare(), &named("r-1")).expect("made");
    assert_eq!(edit(&desk, &item.id, bare(), &named("r-1")).expect("repeated"), first);
    assert_eq!(desk.get(&item.id).depends_on, []);
}

#[test]
fn what_was_made_once_is_not_made_again() {
    let desk = Desk::new();
    let first = create(&desk, &["one", "two", "two"], &named("r-1")).expect("made");
    desk.edit(&first[0].id, note("by another"));
    block_on(Delete::new(desk.ports.clone()).delete(&first[1].id, &by("bob"))).expect("deleted");
    let again = create(&desk, &["one", "two", "two"], &named("r-1")).expect("repeated");
    assert_eq!(again, first, "as it was made, also where it is changed or gone");
    let others = create(&desk, &["one"], &named("r-2")).expect("made");
    assert_ne!(others[0].id, first[0].id);
}

#[test]
fn a_repeat_makes_what_is_missing() {
    let desk = Desk::new();
    let first = create(&desk, &["one", "three"], &named("r-1")).expect("a part was made");
    let all = create(&desk, &["one", "two", "three"], &named("r-1")).expect("completed");
    assert_eq!([&all[0], &all[2]], [&first[0], &first[1]]);
    assert_eq!(all[1].title.as_str(), "two");
    assert_eq!(create(&desk, &["one", "two", "three"], &named("r-1")).expect("repeated"), all);
    let others = create(&desk, &["four"], &named("r-1"));
    assert!(is_reuse(&others), "{others:?}");
}

#[test]
fn a_claim_is_the_first_one_again() {
    let desk = Desk::new();
    desk.create("one", []);
    desk.create("two", []);
    let first = claim(&desk, &named("r-1")).expect("claimed");
    let mut release = named("r-2");
    release.credentials.fence = first.claim.as_ref().map(|claim| claim.fence);
    edit(&desk, &first.id, Edit::Move(Transition::Release), &release).expect("released");
    assert_eq!(claim(&desk, &named("r-1")).expect("repeated"), first);
    assert!(desk.get(&first.id).claim.is_none(), "it is not claimed again");
    assert_eq!(claim(&desk, &named("r-3")).expect("claimed").id, first.id);
}

#[test]
fn a_deletion_is_the_first_one_again() {
    let desk = Desk::new();
    let item = desk.create("soon gone", []);
    let delete = Delete::new(desk.ports.clone());
    let first = block_on(delete.delete(&item.id, &named("r-1"))).expect("deleted");
    let again = block_on(delete.delete(&item.id, &named("r-1"))).expect("repeated");
    assert_eq!(again, first);
    let other = block_on(delete.delete(&item.id, &named("r-2")));
    assert!(matches!(other, Err(Error::Repository(RepositoryError::Deleted { .. }))), "{other:?}");
}

#[rstest]
#[case::made(|desk: &Desk, _: &WorkId| create(desk, &["made"], &named("r-1")).expect("made").remove(0))]
#[case::claimed(|desk: &Desk, _: &WorkId| claim(desk, &named("r-1")).expect("claimed"))]
#[case::deleted(|desk: &Desk, id: &WorkId| {
    let delete = Delete::new(desk.ports.clone());
    block_on(delete.delete(id, &named("r-1"))).expect("deleted").item
})]
#[case::noted(|desk: &Desk, id: &WorkId| {
    let request = Request { if_version: Some(1), ..named("r-1") };
    edit(desk, id, note("once"), &request).expect("noted").into_item()
})]
fn of_many_at_once_one_is_made(#[case] ask: fn(&Desk, &WorkId) -> WorkItem) {
    for _ in 0..20 {
        let desk = Desk::new();
        let titles = ["one", "two", "three", "four"];
        let id = titles.map(|title| desk.create(title, []).id.clone())[0].clone();
        let before = desk.store.items.written().len();
        let gate = Barrier::new(4);
        let answers: Vec<_> = thread::scope(|scope| {
            let ask = || {
                gate.wait();
                ask(&desk, &id)
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().expect("answers")).collect()
        });
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        assert!(desk.store.items.written().len() <= before + 1);
    }
}

/// Where the item stands by then says nothing about what the request asked for.
#[test]
fn a_repeat_of_a_move_to_a_status_is_the_first_one_again() {
    let desk = Desk::new();
    let item = desk.create("begun and completed", []);
    let stand = |status, request: &Request| edit(&desk, &item.id, Edit::MoveTo(status), request);
    let first = stand(Status::InProgress, &named("r-1")).expect("begun");
    assert_eq!(stand(Status::InProgress, &named("r-1")).expect("at once"), first);
    stand(Status::Completed, &named("r-2")).expect("completed");
    assert_eq!(stand(Status::InProgress, &named("r-1")).expect("later"), first);
    assert_eq!(desk.get(&item.id).version, 3);
}
