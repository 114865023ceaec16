use std::sync::Arc;

use jerry_application::{Create, Error, Modify, Ports, Request};
use jerry_domain::ports::RepositoryError;
use jerry_domain::{Credentials, Edit, Refusal, Status, Transition, WorkItem};
use pollster::block_on;
use rstest::rstest;

use crate::desk::*;

fn insisting() -> Request {
    let credentials = Credentials { force: true, ..Credentials::default() };
    Request { credentials, ..by("ann") }
}

fn move_to(desk: &Desk, item: &WorkItem, moves: &[Transition]) {
    moves.iter().for_each(|to| drop(desk.edit(&item.id, Edit::Move(*to))));
}

fn refusal(error: Error) -> Refusal {
    match error {
        Error::Repository(RepositoryError::Refused { source, .. })
        | Error::NotCreated { source, .. } => source,
        error => panic!("{error}"),
    }
}

/// A plan that is begun and its part.
fn plan(desk: &Desk) -> (WorkItem, WorkItem) {
    let plan = desk.create("plan", []);
    let part = desk.create("part", [part_of(&plan)]);
    move_to(desk, &plan, &[Transition::Start]);
    (plan, part)
}

#[rstest]
#[case::pending(&[], false)]
#[case::begun(&[Transition::Start], false)]
#[case::blocked(&[Transition::Start, Transition::Block], false)]
#[case::completed(&[Transition::Start, Transition::Complete], true)]
#[case::cancelled(&[Transition::Cancel], true)]
fn an_item_is_completed_after_its_parts(#[case] moves: &[Transition], #[case] is_allowed: bool) {
    let desk = Desk::new();
    let (plan, part) = plan(&desk);
    move_to(&desk, &part, moves);
    let completed = desk.try_edit(&plan.id, Edit::Move(Transition::Complete));
    match completed {
        Ok(update) => assert!(is_allowed && !update.into_item().history[2].forced),
        Err(error) => {
            assert!(!is_allowed, "{error}");
            let Refusal::UnfinishedParts { parts } = refusal(error) else { panic!("another rule") };
            assert_eq!(parts, ids([&part]));
        }
    }
}

/// A plan that is given up leaves its parts to whoever wants them.
#[test]
fn an_item_is_cancelled_before_its_parts() {
    let desk = Desk::new();
    let (plan, _) = plan(&desk);
    move_to(&desk, &plan, &[Transition::Cancel]);
    desk.create("more", [part_of(&plan)]);
}

#[test]
fn a_parent_written_by_hand_or_renumbered_is_the_parent() {
    let desk = Desk::new();
    let (plan, part) = plan(&desk);
    let text = json(&desk.get(&part.id));
    let named = serde_json::to_string(&plan.reference()).expect("JSON");
    let by_hand = text.replace(&named, &format!("\"{}\"", plan.id));
    assert_ne!(by_hand, text);
    desk.store.items.write_by_hand(&part.id, &by_hand);
    desk.try_edit(&plan.id, Edit::Move(Transition::Complete)).expect_err("it has a part");
    desk.store.items.write_by_hand(&part.id, &text);
    let plan = desk.renumber_by_hand(&desk.get(&plan.id), 500);
    desk.try_edit(&plan.id, Edit::Move(Transition::Complete)).expect_err("it has a part");
}

#[test]
fn nothing_unfinished_becomes_a_part_of_what_is_completed() {
    let desk = Desk::new();
    let (plan, part) = plan(&desk);
    move_to(&desk, &part, &[Transition::Start, Transition::Complete]);
    move_to(&desk, &plan, &[Transition::Complete]);
    let other = desk.create("other", []);
    let is_refused = |error: Error| match refusal(error) {
        Refusal::CompletedParent { parent } => parent == plan.id,
        refusal => panic!("{refusal}"),
    };
    let created = desk.try_create(vec![new("late", [part_of(&plan)])]);
    assert!(is_refused(created.expect_err("late")));
    assert!(is_refused(desk.try_edit(&other.id, part_of(&plan)).expect_err("unfinished")));
    let reopened = desk.try_edit(&part.id, Edit::Move(Transition::Reopen));
    assert!(is_refused(reopened.expect_err("a part")));

    // What is finished may become a part, a part may change, and may be opened and moved away.
    move_to(&desk, &other, &[Transition::Cancel]);
    desk.edit(&other.id, part_of(&plan));
    desk.edit(&part.id, Edit::Note("still the same".to_owned()));
    let away = vec![Edit::Move(Transition::Reopen), Edit::Parent(None)];
    block_on(Modify::new(desk.ports.clone()).edit(&part.id, away, &by("ann"))).expect("allowed");
    move_to(&desk, &plan, &[Transition::Reopen]);
    move_to(&desk, &other, &[Transition::Reopen]);
}

/// An open part of what is completed came from elsewhere, and is worked on as others are.
#[test]
fn what_was_open_before_stays_open() {
    let desk = Desk::new();
    let (plan, part) = plan(&desk);
    let modify = Modify::new(desk.ports.clone());
    let complete = vec![Edit::Move(Transition::Complete)];
    block_on(modify.edit(&plan.id, complete, &insisting())).expect("forced");
    desk.edit(&part.id, Edit::MoveTo(Status::InProgress));
    desk.edit(&part.id, part_of(&plan));
}

#[test]
fn who_insists_is_recorded() {
    let desk = Desk::new();
    let (plan, part) = plan(&desk);
    let modify = Modify::new(desk.ports.clone());
    let complete = || vec![Edit::Move(Transition::Complete)];
    let done = block_on(modify.edit(&plan.id, complete(), &insisting())).expect("forced");
    assert!(done.into_item().history.last().expect("an entry").forced);
    let late = vec![new("late", [part_of(&plan)])];
    let late = block_on(Create::new(desk.ports.clone(), work()).create(late, &insisting()));
    assert!(late.expect("forced")[0].history[0].forced);
    move_to(&desk, &part, &[Transition::Start]);
    let done = block_on(modify.edit(&part.id, complete(), &insisting())).expect("allowed");
    assert!(!done.into_item().history.last().expect("an entry").forced, "there was no need");
}

/// Or one who completes the parent and one who opens a part would both find the other not done.
#[rstest]
#[case::completed(Edit::Move(Transition::Complete))]
#[case::reopened(Edit::Move(Transition::Reopen))]
fn the_family_is_looked_at_under_the_lock_of_all(#[case] edit: Edit) {
    let desk = Desk::new();
    let item = desk.create("x", []);
    let ports = Ports { locks: busy_locks(1), ..desk.ports.clone() };
    let edited = block_on(Modify::new(ports).edit(&item.id, vec![edit], &by("ann")));
    assert!(matches!(edited, Err(Error::Lock(_))), "{edited:?}");
}

/// What cannot be read might be a part; what does not parse is the doctor's.
#[test]
fn nobody_decides_over_what_the_storage_withholds() {
    let desk = Desk::new();
    let (plan, part) = plan(&desk);
    let mut items = items_to_decide();
    let known = plan.clone();
    items.expect_get().returning(move |_| Ok(Some(known.clone())));
    items.expect_summaries().returning(|| {
        let denied = storage_error(jerry_domain::ports::StorageFault::Denied);
        Ok(Box::new(std::iter::once(Err(denied.into()))))
    });
    let ports = Ports { items: Arc::new(items), ..desk.ports.clone() };
    let complete = vec![Edit::Move(Transition::Complete)];
    let error = block_on(Modify::new(ports).edit(&plan.id, complete, &by("ann")));
    assert!(matches!(error, Err(Error::Repository(RepositoryError::Storage(_)))), "{error:?}");
    desk.store.items.write_by_hand(&part.id, "{");
    move_to(&desk, &plan, &[Transition::Complete]);
}
