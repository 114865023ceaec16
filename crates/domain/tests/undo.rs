//! What taking back the last write gives back, what it leaves, and when it is refused.

use std::time::Duration;

use jerry_domain::testing::{edit, item, stamp, writes};
use jerry_domain::{
    Actor, Credentials, Edit, Event, ItemRef, Label, NotUndone, Priority, Record, Refusal,
    RequestId, SessionName, Stamp, Status, Timestamp, Title, Transition, Uid, WorkId, WorkItem,
};
use proptest::prelude::*;

fn by(actor: &str, session: Option<&str>, second: i64) -> Stamp {
    let session = session.map(|name| SessionName::new(name).expect("valid"));
    let credentials = Credentials { session, ..Credentials::default() };
    let at = Timestamp::from_second(1_700_000_000 + second).expect("in range");
    Stamp { credentials, ..Stamp::new(at, Actor::new(actor).expect("valid")) }
}

fn forced(stamp: Stamp) -> Stamp {
    Stamp { credentials: Credentials { force: true, ..stamp.credentials }, ..stamp }
}

fn id(number: u64) -> WorkId {
    format!("WORK-{number:03}").parse().expect("valid")
}

fn one() -> WorkItem {
    let title = Title::new("one").expect("valid");
    let uid = Uid::try_from(1).expect("valid");
    WorkItem::create(id(1), uid, title, &[], &by("ada", None, 0)).expect("valid")
}

fn written(item: &WorkItem, edits: impl Into<Vec<Edit>>, stamp: &Stamp) -> WorkItem {
    item.apply(&edits.into(), stamp).expect("allowed").expect("a change")
}

fn undone(item: &WorkItem, stamp: &Stamp) -> WorkItem {
    let undone = item.undo(stamp).unwrap_or_else(|refusal| panic!("{refusal}"));
    undone.expect("it is asked for once")
}

fn why_not(item: &WorkItem, stamp: &Stamp) -> NotUndone {
    match item.undo(stamp) {
        Err(Refusal::NotUndone(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// Everything that a write may take back.
fn fields(item: &WorkItem) -> Record {
    let record = item.clone().into_record();
    let (version, updated_at) = (0, Timestamp::UNIX_EPOCH);
    Record { version, updated_at, history: vec![], notes: vec![], claim: None, ..record }
}

proptest! {
    #[test]
    fn undoing_any_write_gives_the_earlier_values_back(
        first in item(), before in writes(), edits in proptest::collection::vec(edit(), 1..5), stamp in stamp(),
    ) {
        let stamp = forced(stamp);
        let before = before.iter().fold(first, |item, (edits, stamp)| {
            item.apply(edits, stamp).ok().flatten().unwrap_or(item)
        });
        let Ok(Some(after)) = before.apply(&edits, &stamp) else { return Ok(()) };

        let stamp = Stamp { request_id: None, ..stamp };
        let undone = match after.undo(&stamp) {
            Ok(undone) => undone.expect("no request has a name"),
            Err(Refusal::NotUndone(NotUndone::Stays { .. })) => {
                prop_assert_eq!(fields(&after), fields(&before), "there was something to take back");
                return Ok(());
            }
            Err(refusal) => return Err(TestCaseError::fail(refusal.to_string())),
        };
        prop_assert_eq!(fields(&undone), fields(&before));
        prop_assert_eq!(&undone.notes, &after.notes);
        prop_assert_eq!(undone.version, after.version + 1);
        prop_assert_eq!(&undone.history[..after.history.len()], &after.history[..]);
        prop_assert_eq!(&undone.history.last().expect("an entry").event, &Event::UNDONE);
        prop_assert_eq!(&undone.at_version(after.version).expect("rebuilt"), &after);
        prop_assert_eq!(&undone.at_version(before.version).expect("rebuilt"), &before);

        match undone.undo(&stamp) {
            Ok(redone) => {
                let redone = redone.expect("no request has a name");
                prop_assert_eq!(fields(&redone), fields(&after));
                prop_assert_eq!(&redone.notes, &after.notes);
            }
            Err(Refusal::NotUndone(NotUndone::Stays { .. })) => {
                prop_assert_eq!(fields(&undone), fields(&after));
            }
            Err(refusal) => return Err(TestCaseError::fail(refusal.to_string())),
        }
    }

    /// No undo makes a claim that was not there, and none that stands has two holders.
    #[test]
    fn undo_never_brings_a_claim_back(
        first in item(), steps in proptest::collection::vec(proptest::option::of((edit(), stamp())), 1..12),
    ) {
        let mut last = first;
        let mut ended = std::collections::HashSet::new();
        for step in steps {
            let next = match step {
                Some((edit, stamp)) => last.apply(&[edit], &forced(stamp)).ok().flatten(),
                None => last.undo(&forced(by("ada", None, 9))).ok().flatten(),
            };
            let Some(next) = next else { continue };
            let fence = |item: &WorkItem| item.claim.as_ref().map(|claim| claim.fence);
            if fence(&next) != fence(&last) {
                ended.extend(fence(&last));
                prop_assert!(fence(&next).is_none_or(|fence| fence == next.version));
            }
            prop_assert!(fence(&next).is_none_or(|fence| !ended.contains(&fence)));
            last = next;
        }
    }

    #[test]
    fn writes_are_told_in_full(first in item(), writes in writes()) {
        let last = writes.iter().fold(first, |item, (edits, stamp)| {
            item.apply(edits, stamp).ok().flatten().unwrap_or(item)
        });
        for (told, recorded) in last.writes().zip(last.history.iter().rev()) {
            prop_assert_eq!(told.version, recorded.version);
            let after = serde_json::to_value(last.at_version(told.version).expect("rebuilt")).expect("JSON");
            for (told, recorded) in told.changes.iter().zip(&recorded.changes) {
                if recorded.is_append() {
                    prop_assert_eq!(Some(&told.to), after.pointer(&format!("/{}", told.field)));
                } else {
                    prop_assert_eq!(told, recorded);
                }
            }
        }
        prop_assert_eq!(last.writes().count(), last.history.len());
    }
}

#[test]
fn only_who_wrote_last_takes_it_back() {
    let ada = by("ada", Some("s"), 1);
    let item = written(&one(), [Edit::Priority(Priority::High)], &ada);
    for other in [by("bob", Some("s"), 2), by("ada", Some("t"), 2), by("ada", None, 2)] {
        let why = why_not(&item, &other);
        assert!(matches!(&why, NotUndone::WrittenSince { version: 2, .. }), "{why}");
        assert!(why.to_string().contains("by ada in the session s"), "{why}");
        let insisted = undone(&item, &forced(other));
        assert_eq!(insisted.priority, Priority::Medium);
        assert!(insisted.history.last().expect("an entry").forced);
    }
    let back = undone(&item, &ada);
    assert!(!back.history.last().expect("an entry").forced);
    assert_eq!(undone(&back, &ada).priority, Priority::High, "an undo is undone by a redo");
}

#[test]
fn a_note_stays() {
    let ada = by("ada", None, 1);
    let noted = written(&one(), [Edit::Note("said".to_owned())], &ada);
    assert!(matches!(why_not(&noted, &ada), NotUndone::Stays { version: 2 }));
    let both = [Edit::Note("more".to_owned()), Edit::Priority(Priority::High)];
    let both = undone(&written(&noted, both, &ada), &ada);
    assert_eq!((both.priority, both.notes.len()), (Priority::Medium, 2));
}

#[test]
fn a_request_takes_back_once() {
    let ada = by("ada", None, 1);
    let named = |name: &str| Stamp { request_id: RequestId::new(name).ok(), ..ada.clone() };
    let high = written(&one(), [Edit::Priority(Priority::High)], &named("r-1"));
    let back = undone(&high, &named("r-2"));
    assert_eq!(back.undo(&named("r-2")).expect("known"), None);
    assert_eq!(
        back.as_left_by(&RequestId::new("r-2").expect("valid"), &Event::UNDONE)
            .expect("known")
            .as_ref(),
        Some(&back)
    );
    assert!(matches!(back.undo(&named("r-1")), Err(Refusal::RequestReused { version: 2, .. })));
    assert_eq!(undone(&back, &named("r-3")).priority, Priority::High);
    let noted = written(&one(), [Edit::Note("said".to_owned())], &ada);
    assert!(matches!(why_not(&noted, &named("r-4")), NotUndone::Stays { .. }));
}

#[test]
fn what_made_or_named_an_item_stays() {
    let ada = by("ada", None, 0);
    assert!(matches!(why_not(&one(), &ada), NotUndone::First { version: 1 }));
    let moved = one().renumber(id(9), &ada).expect("allowed").expect("a change");
    assert!(matches!(why_not(&moved, &ada), NotUndone::Renumbered { version: 2 }));
    let mut record = written(&one(), [Edit::Priority(Priority::High)], &ada).into_record();
    record.history.clear();
    let elsewhere = WorkItem::try_from(record).expect("valid");
    assert!(matches!(why_not(&elsewhere, &ada), NotUndone::Unknown { version: 2, .. }));
}

#[test]
fn a_merge_stays_and_so_do_other_items_of_the_file() {
    let ada = by("ada", None, 1);
    let high = written(&one(), [Edit::Priority(Priority::High)], &ada);
    let mut record = high.clone().into_record();
    record.displaced = vec![one()];
    let back = undone(&WorkItem::try_from(record).expect("valid"), &ada);
    assert_eq!((back.priority, &back.displaced[..]), (Priority::Medium, &[one()][..]));

    let mut record = high.into_record();
    record.history.last_mut().expect("an entry").event = Event::MERGED;
    let merged = WorkItem::try_from(record).expect("valid");
    assert!(matches!(why_not(&merged, &forced(ada)), NotUndone::Merged { version: 2 }));
}

#[test]
fn what_was_changed_by_hand_since_is_not_overwritten() {
    let ada = by("ada", None, 1);
    let mut record = written(&one(), [Edit::Priority(Priority::High)], &ada).into_record();
    record.priority = Priority::Low;
    let edited = WorkItem::try_from(record.clone()).expect("valid");
    let why = why_not(&edited, &ada);
    assert!(
        matches!(&why, NotUndone::ChangedOutside { field, .. } if field == "priority"),
        "{why}"
    );
    record.priority = Priority::High;
    record.title = Title::new("by hand").expect("valid");
    let edited = WorkItem::try_from(record).expect("valid");
    let back = undone(&edited, &ada);
    assert_eq!((back.priority, back.title.as_str()), (Priority::Medium, "by hand"));
}

/// The repository gives a bare reference its uid after the write said what it changed.
#[test]
fn a_reference_that_was_completed_in_passing_is_no_change_by_hand() {
    let ada = by("ada", None, 1);
    let item = written(&one(), [Edit::AddDependency(ItemRef::bare(id(2)))], &ada);
    let item = item.complete_references(|_| Uid::try_from(7).ok());
    assert_eq!(undone(&item, &ada).depends_on, []);
}

#[test]
fn a_claim_is_given_up_by_undo_and_never_taken() {
    let ada = by("ada", Some("s"), 1);
    let lease = Some(Duration::from_secs(60));
    let claimed = written(&one(), [Edit::Claim { lease, lock: None }], &ada);
    let back = undone(&claimed, &ada);
    assert_eq!((back.status, &back.claim, &back.assignee), (Status::Pending, &None, &None));
    assert_eq!(back.started_at, None);

    let released = written(&claimed, [Edit::Move(Transition::Release)], &ada);
    let back = undone(&released, &ada);
    assert_eq!((back.status, &back.claim), (Status::InProgress, &None));
    assert_eq!(back.assignee, claimed.assignee);

    let label = || Edit::AddLabel(Label::new("x").expect("valid"));
    let labelled = written(&claimed, [label()], &ada);
    let back = undone(&labelled, &by("ada", Some("s"), 30));
    let (own, before) = (back.claim.as_ref().expect("held"), claimed.claim.as_ref().expect("held"));
    assert_eq!(own.fence, before.fence, "a write under a claim is taken back under it");
    assert!(own.expires_at > before.expires_at, "and renews it");
}

#[test]
fn a_claimed_item_is_not_undone_by_others() {
    let bob = by("bob", None, 1);
    let item = written(&one(), [Edit::Priority(Priority::High)], &bob);
    let held = written(&item, [Edit::Claim { lease: None, lock: None }], &by("ada", Some("s"), 2));
    assert!(matches!(held.undo(&bob), Err(Refusal::Claimed(_))));
    let passed = written(&held, [Edit::HandOver(bob.actor.clone())], &by("ada", Some("s"), 3));
    assert!(matches!(passed.undo(&by("ada", Some("s"), 4)), Err(Refusal::Claimed(_))));
    let taken_back = undone(&passed, &forced(by("ada", Some("s"), 4)));
    assert_eq!(taken_back.claim, None, "its fence is used up");
}

#[test]
fn a_move_is_taken_back_where_the_status_machine_has_none() {
    let ada = by("ada", None, 1);
    let started = written(&one(), [Edit::Move(Transition::Start)], &ada);
    for transition in [Transition::Block, Transition::Complete, Transition::Cancel] {
        let moved = written(&started, [Edit::Move(transition)], &ada);
        let back = undone(&moved, &ada);
        assert_eq!((back.status, back.completed_at), (Status::InProgress, None));
        let again = undone(&back, &ada);
        assert_eq!((again.status, again.completed_at), (moved.status, moved.completed_at));
    }
}

#[test]
fn a_description_is_replaced_only_by_who_says_which() {
    let ada = by("ada", None, 1);
    let text = |text: &str| Some(text.to_owned());
    let item = written(&one(), [Edit::Description(text("at length"))], &ada);
    for other in [text("other"), None] {
        let refused = item.apply(&[Edit::Description(other.clone())], &ada);
        assert!(matches!(refused, Err(Refusal::WouldReplace { version: 2, .. })), "{refused:?}");
        let other = |of| Edit::ReplaceDescription { text: other.clone(), of };
        let refused = item.apply(&[other(1)], &ada);
        assert!(matches!(refused, Err(Refusal::ReplacesOther { of: 1, found: 2, .. })));
        assert_ne!(written(&item, [other(2)], &ada).description, item.description);
    }
    let same = item.apply(&[Edit::Description(text("at length"))], &ada);
    assert_eq!(same.expect("allowed"), None);
    let longer = written(&item, [Edit::AppendDescription("and more".to_owned())], &ada);
    assert_eq!(longer.description.as_deref(), Some("at length\n\nand more"));
    let first = written(&one(), [Edit::AppendDescription("first".to_owned())], &ada);
    assert_eq!(first.description.as_deref(), Some("first"));
}
