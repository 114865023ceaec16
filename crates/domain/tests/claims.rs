//! Who may write to a claimed item, and until when.

use std::time::Duration;

use jerry_domain::testing::{edit, stamp};
use jerry_domain::{
    Actor, Claim, Credentials, Edit, Event, Refusal, SessionName, Stamp, Status, Summary,
    Timestamp, Title, Transition, Uid, WorkItem,
};
use proptest::prelude::*;

const LEASE: Duration = Duration::from_secs(60);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("in range")
}

fn by(actor: &str, session: Option<&str>, second: i64) -> Stamp {
    let session = session.map(|name| SessionName::new(name).expect("valid"));
    let credentials = Credentials { session, ..Credentials::default() };
    Stamp { credentials, ..Stamp::new(at(second), Actor::new(actor).expect("valid")) }
}

fn with_fence(fence: u64, stamp: Stamp) -> Stamp {
    let credentials = Credentials { fence: Some(fence), ..stamp.credentials };
    Stamp { credentials, ..stamp }
}

fn forced(stamp: Stamp) -> Stamp {
    let credentials = Credentials { force: true, ..stamp.credentials };
    Stamp { credentials, ..stamp }
}

fn item() -> WorkItem {
    let (id, uid) = ("WORK-001".parse().expect("valid"), Uid::try_from(1).expect("valid"));
    let title = Title::new("one").expect("valid");
    WorkItem::create(id, uid, title, &[], &by("maker", None, 0)).expect("valid")
}

fn written(item: &WorkItem, edit: Edit, stamp: &Stamp) -> WorkItem {
    item.apply(&[edit], stamp).expect("allowed").expect("a change")
}

fn claimed(item: &WorkItem, stamp: &Stamp) -> WorkItem {
    written(item, Edit::Claim { lease: Some(LEASE), lock: None }, stamp)
}

fn claim(item: &WorkItem) -> &Claim {
    item.claim.as_ref().expect("claimed")
}

fn note() -> Edit {
    Edit::Note("said".to_owned())
}

fn refusal(item: &WorkItem, edit: Edit, stamp: &Stamp) -> Refusal {
    item.apply(&[edit], stamp).expect_err("refused")
}

#[test]
fn a_claim_begins_the_item_and_is_told_by_its_version() {
    let item = claimed(&item(), &by("ada", Some("s"), 1));
    assert_eq!((item.status, claim(&item).fence, item.version), (Status::InProgress, 2, 2));
    assert_eq!((item.started_at, claim(&item).expires_at), (Some(at(1)), Some(at(61))));
    assert_eq!(item.assignee, Some(Actor::new("ada").expect("valid")));
    assert_eq!(item.history.last().expect("an entry").event, Event::CLAIMED);
}

#[test]
fn others_are_refused_and_told_who_has_it() {
    let item = claimed(&item(), &by("ada", Some("s"), 1));
    // Another, the same actor in another session or in none.
    for stamp in [by("bob", Some("s"), 2), by("ada", Some("t"), 2), by("ada", None, 2)] {
        for edit in
            [note(), Edit::Claim { lease: None, lock: None }, Edit::Move(Transition::Complete)]
        {
            let Refusal::Claimed(found) = refusal(&item, edit, &stamp) else { panic!("refused") };
            assert_eq!(*found, *claim(&item));
        }
        assert!(matches!(item.may_be_deleted(&stamp), Err(Refusal::Claimed(_))));
    }
}

#[test]
fn a_session_or_the_fence_shows_the_holder_and_each_write_renews() {
    let item = claimed(&item(), &by("ada", Some("s"), 1));
    for stamp in [by("ada", Some("s"), 30), with_fence(2, by("someone", None, 30))] {
        let after = written(&item, note(), &stamp);
        assert_eq!(claim(&after).expires_at, Some(at(90)));
        assert_eq!(claim(&after).fence, 2);
        assert_eq!(after.at_version(2).expect("rebuilt"), item);
        assert!(item.may_be_deleted(&stamp).is_ok());
    }
    let back = written(&item, note(), &by("ada", Some("s"), -30));
    assert_eq!(claim(&back).expires_at, Some(at(61)), "a clock behind takes nothing away");
    let same = item.apply(&[Edit::Title(item.title.clone())], &by("ada", Some("s"), 30));
    assert_eq!(same.expect("allowed"), None, "what changes nothing writes nothing");
}

#[test]
fn without_a_session_only_the_fence_shows_the_holder() {
    let item = claimed(&item(), &by("ada", None, 1));
    assert!(matches!(refusal(&item, note(), &by("ada", None, 2)), Refusal::Claimed(_)));
    written(&item, note(), &with_fence(2, by("ada", None, 2)));
}

#[test]
fn a_lapsed_claim_holds_nobody_off_and_its_holder_comes_too_late() {
    let held = claimed(&item(), &by("ada", Some("s"), 1));
    let late = by("ada", Some("s"), 100);
    // Nobody came: it is still the holder's, who renews it.
    assert_eq!(claim(&written(&held, note(), &late)).expires_at, Some(at(160)));
    let next = claimed(&held, &by("bob", Some("t"), 61));
    assert_eq!((claim(&next).fence, claim(&next).holder.as_str()), (3, "bob"));
    let Refusal::Claimed(found) = refusal(&next, note(), &late) else { panic!("refused") };
    assert_eq!(found.holder.as_str(), "bob");
    let stale = refusal(&next, note(), &with_fence(2, late.clone()));
    assert!(stale.to_string().contains("claimed by bob"), "{stale}");
}

#[test]
fn a_fence_of_a_claim_that_has_ended_is_refused() {
    let holder = by("ada", Some("s"), 1);
    let held = claimed(&item(), &holder);
    let done = written(&held, Edit::Move(Transition::Complete), &holder);
    assert_eq!(done.claim, None);
    let refused = refusal(&done, note(), &with_fence(2, holder.clone()));
    assert!(matches!(refused, Refusal::StaleFence { fence: 2, claim: None }), "{refused}");
    let again = claimed(&written(&done, Edit::Move(Transition::Reopen), &holder), &holder);
    assert_eq!(claim(&again).fence, again.version, "it grows with each claim");
    assert!(matches!(
        refusal(&again, note(), &with_fence(2, holder)),
        Refusal::StaleFence { fence: 2, claim: Some(_) }
    ));
}

/// Whoever claims what nobody holds begins anew; what somebody holds is still refused.
#[test]
fn a_fence_of_a_claim_that_has_ended_keeps_nobody_from_claiming() {
    let bob = with_fence(7, by("bob", None, 2));
    let taken = claimed(&item(), &bob);
    assert_eq!((claim(&taken).holder.as_str(), claim(&taken).fence), ("bob", 2));
    let take = Edit::Claim { lease: Some(LEASE), lock: None };
    let refused = refusal(&taken, take, &with_fence(7, by("ada", None, 3)));
    assert!(matches!(refused, Refusal::StaleFence { fence: 7, claim: Some(_) }), "{refused}");
}

#[test]
fn who_insists_is_recorded() {
    let held = claimed(&item(), &by("ada", Some("s"), 1));
    let noted = written(&held, note(), &forced(by("bob", None, 2)));
    assert!(noted.history.last().expect("an entry").forced);
    assert_eq!(noted.claim, held.claim, "it is still the holder's, and not renewed");
    let taken = claimed(&held, &forced(by("bob", Some("t"), 2)));
    assert_eq!((claim(&taken).holder.as_str(), claim(&taken).fence), ("bob", 3));
    let own = written(&held, note(), &forced(by("ada", Some("s"), 2)));
    assert!(!own.history.last().expect("an entry").forced, "nobody was overridden");
}

#[test]
fn a_release_ends_the_claim_also_of_a_blocked_item() {
    let holder = by("ada", Some("s"), 1);
    let held = claimed(&item(), &holder);
    let released = written(&held, Edit::Move(Transition::Release), &holder);
    assert_eq!((&released.claim, released.status), (&None, Status::Pending));
    let blocked = written(&held, Edit::Move(Transition::Block), &holder);
    assert!(blocked.claim.is_some());
    let released = written(&blocked, Edit::Move(Transition::Release), &holder);
    assert_eq!((&released.claim, released.status), (&None, Status::Blocked));
}

#[test]
fn what_is_handed_over_waits_for_one_actor() {
    let (ada, bob) = (by("ada", Some("s"), 1), Actor::new("bob").expect("valid"));
    let held = claimed(&item(), &ada);
    let passed = written(&held, Edit::HandOver(bob.clone()), &ada);
    assert_eq!(passed.history.last().expect("an entry").event, Event::HANDED_OVER);
    assert!(Summary::from(&passed).waits_for(&bob));
    assert!(!Summary::from(&passed).is_free(at(2)));
    for stamp in [ada.clone(), by("bob", Some("t"), 2)] {
        assert!(matches!(refusal(&passed, note(), &stamp), Refusal::Claimed(_)));
    }
    let take = Edit::Claim { lease: Some(LEASE), lock: None };
    assert!(matches!(refusal(&passed, take, &by("amy", None, 2)), Refusal::Claimed(_)));
    let taken = claimed(&passed, &by("bob", Some("t"), 2));
    assert_eq!(claim(&taken).handed_over_by, None);
    written(&taken, note(), &by("bob", Some("t"), 3));
    let nobody = refusal(&item(), Edit::HandOver(bob), &ada);
    assert!(matches!(nobody, Refusal::Rule(_)), "{nobody}");
}

#[test]
fn what_is_finished_is_not_claimed() {
    let done = written(&item(), Edit::Move(Transition::Cancel), &by("ada", None, 1));
    let refused = refusal(&done, Edit::Claim { lease: None, lock: None }, &by("ada", None, 2));
    assert!(matches!(refused, Refusal::Transition { .. }), "{refused}");
}

#[test]
fn an_item_is_free_again_when_its_claim_lapses() {
    let free = |item: &WorkItem, second| Summary::from(item).is_free(at(second));
    let held = claimed(&item(), &by("ada", Some("s"), 1));
    assert!(free(&item(), 0) && !free(&held, 60) && free(&held, 61));
    let blocked = written(&held, Edit::Move(Transition::Block), &by("ada", Some("s"), 2));
    assert!(!free(&blocked, 1_000), "what blocks it does not lapse");
}

proptest! {
    /// Whatever others try while a claim stands, the item is as its holder left it.
    #[test]
    fn nobody_writes_past_a_claim(edits in proptest::collection::vec(edit(), 1..4), stamp in stamp()) {
        let held = claimed(&item(), &by("the holder", Some("of it"), 1));
        let credentials = Credentials { force: false, fence: None, ..stamp.credentials };
        let stamp = Stamp { at: at(2), credentials, ..stamp };
        prop_assert!(matches!(held.apply(&edits, &stamp), Err(Refusal::Claimed(_))));
    }

    /// No two claims of an item have one fence.
    #[test]
    fn fences_grow(takers in proptest::collection::vec(("[a-c]", any::<bool>()), 1..8)) {
        let (mut item, mut last) = (item(), 0);
        for (second, (actor, releases)) in takers.into_iter().enumerate() {
            let stamp = by(&actor, Some("s"), second as i64 * 100);
            item = claimed(&item, &stamp);
            prop_assert!(claim(&item).fence > last);
            last = claim(&item).fence;
            if releases {
                item = written(&item, Edit::Move(Transition::Release), &stamp);
            }
        }
    }
}
