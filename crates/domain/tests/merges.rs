//! What becomes of each kind of field when two branches have changed it.

use std::time::Duration;

use jerry_domain::{
    Actor, ChecklistKind, Credentials, Edit, ItemRef, Label, Priority, SessionName, Stamp, Status,
    Timestamp, Title, Transition, Uid, WorkId, WorkItem,
};
use rstest::rstest;

fn at(minute: i64, who: &str) -> Stamp {
    let time = Timestamp::from_second(1_700_000_000 + minute * 60).expect("in range");
    let mut stamp = Stamp::new(time, Actor::new(who).expect("valid"));
    let session = Some(SessionName::new(who).expect("valid"));
    stamp.credentials = Credentials { session, ..Credentials::default() };
    stamp
}

fn title(text: &str) -> Edit {
    Edit::Title(Title::new(text).expect("valid"))
}

fn label(name: &str) -> Label {
    Label::new(name).expect("valid")
}

fn base(edits: &[Edit]) -> WorkItem {
    let id: WorkId = "WORK-042".parse().expect("valid");
    let uid = Uid::try_from(42).expect("valid");
    WorkItem::create(id, uid, Title::new("base").expect("valid"), edits, &at(0, "ada"))
        .expect("valid")
}

fn then(item: &WorkItem, minute: i64, who: &str, edit: Edit) -> WorkItem {
    item.apply(&[edit], &at(minute, who)).expect("allowed").expect("a change")
}

fn merged(base: &WorkItem, ours: &WorkItem, theirs: &WorkItem) -> WorkItem {
    let one = WorkItem::merge(Some(base), ours, theirs).expect("merges");
    assert_eq!(WorkItem::merge(Some(base), theirs, ours).expect("merges"), one);
    one
}

fn claim(lease: u64) -> Edit {
    Edit::Claim { lease: Some(Duration::from_secs(lease)), lock: None }
}

#[test]
fn the_later_write_of_a_field_counts_not_the_later_write_of_the_item() {
    let base = base(&[]);
    let ours = then(&then(&base, 1, "ann", title("ours")), 9, "ann", Edit::Note("n".to_owned()));
    let theirs = then(&base, 5, "bob", title("theirs"));
    let merged = merged(&base, &ours, &theirs);
    assert_eq!(merged.title.as_str(), "theirs");
    assert_eq!(merged.notes.len(), 1);
    assert_eq!(merged.version, 4);
    // The value that lost stands in the history.
    let last = merged.history.last().expect("an entry");
    assert_eq!(last.event.as_str(), "merged");
    assert!(last.changes.iter().any(|change| change.field == "title" && change.from == "ours"));
}

#[test]
fn different_fields_are_both_taken() {
    let base = base(&[]);
    let merged = merged(
        &base,
        &then(&base, 1, "ann", title("ours")),
        &then(&base, 2, "bob", Edit::Priority(Priority::Low)),
    );
    assert_eq!((merged.title.as_str(), merged.priority), ("ours", Priority::Low));
}

#[test]
fn what_one_side_took_out_of_a_set_is_out_and_what_either_put_in_is_in() {
    let needed = |number: u64| {
        let id: WorkId = format!("WORK-{number:03}").parse().expect("valid");
        ItemRef::new(id, Uid::try_from(number).expect("valid"))
    };
    let base = base(&[
        Edit::AddLabel(label("kept")),
        Edit::AddLabel(label("gone")),
        Edit::AddDependency(needed(1)),
        Edit::AddDependency(needed(2)),
    ]);
    let ours = then(&base, 1, "ann", Edit::RemoveLabel(label("gone")));
    let ours = then(&ours, 1, "ann", Edit::AddDependency(needed(3)));
    let theirs = then(&base, 2, "bob", Edit::AddLabel(label("new")));
    let theirs = then(&theirs, 2, "bob", Edit::RemoveDependency(needed(1)));
    let merged = merged(&base, &ours, &theirs);
    assert_eq!(merged.labels, [label("kept"), label("new")]);
    assert_eq!(merged.depends_on, [needed(2), needed(3)]);
}

#[test]
fn two_entries_that_got_one_name_both_stay() {
    let add = |text: &str| Edit::AddCheck(ChecklistKind::Criteria, text.to_owned());
    let base = base(&[add("of both")]);
    let merged = merged(
        &base,
        &then(&then(&base, 1, "ann", add("ours")), 1, "ann", title("longer")),
        &then(&base, 2, "bob", add("theirs")),
    );
    let entries: Vec<_> = merged
        .acceptance_criteria
        .iter()
        .map(|entry| (entry.id.as_str(), entry.text.as_str()))
        .collect();
    assert_eq!(entries, [("AC-042.1", "of both"), ("AC-042.2", "ours"), ("AC-042.3", "theirs")]);
}

#[test]
fn notes_of_both_stand_in_the_order_of_time() {
    let note = |text: &str| Edit::Note(text.to_owned());
    let base = base(&[note("0")]);
    let ours = then(&then(&base, 1, "ann", note("1")), 3, "ann", note("3"));
    let theirs = then(&then(&base, 2, "bob", note("2")), 4, "bob", note("4"));
    let merged = merged(&base, &ours, &theirs);
    let texts: Vec<_> = merged.notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(texts, ["0", "1", "2", "3", "4"]);
}

/// The minutes at which either side claims it, for ten minutes each.
#[rstest]
#[case(1, 5, "ann")]
#[case(5, 1, "bob")]
#[case(1, 20, "bob")]
fn of_two_claims_the_elder_stands_unless_it_had_lapsed(
    #[case] ours: i64,
    #[case] theirs: i64,
    #[case] holder: &str,
) {
    let base = base(&[]);
    let ours = then(&base, ours, "ann", claim(600));
    let theirs = then(&base, theirs, "bob", claim(600));
    let merged = merged(&base, &ours, &theirs);
    let stands = merged.claim.as_ref().expect("claimed");
    assert_eq!((stands.holder.as_str(), merged.assignee.as_ref()), (holder, Some(&stands.holder)));
    assert_eq!(stands.fence, merged.version, "both branches gave out the fence 2");
}

#[test]
fn a_fence_that_only_one_branch_gave_out_still_proves_its_holder() {
    let base = base(&[]);
    let ours = then(&base, 1, "ann", claim(600));
    let theirs = then(&then(&base, 2, "bob", title("theirs")), 3, "bob", claim(600));
    let merged = merged(&base, &ours, &theirs);
    assert_eq!(merged.claim.as_ref().map(|claim| claim.fence), Some(2));
    let show = |fence| {
        let mut stamp = at(4, "someone");
        stamp.credentials = Credentials { fence: Some(fence), ..Credentials::default() };
        merged.apply(&[title("next")], &stamp)
    };
    assert!(show(2).is_ok());
    assert!(show(3).is_err());
}

#[test]
fn a_write_of_its_holder_does_not_bring_back_a_claim_that_ended() {
    let base = then(&base(&[]), 1, "ann", claim(6000));
    let ours = then(&base, 2, "ann", Edit::Move(Transition::Complete));
    let theirs = then(&base, 9, "ann", Edit::Note("renews it".to_owned()));
    let merged = merged(&base, &ours, &theirs);
    assert_eq!((merged.status, &merged.claim), (Status::Completed, &None));
    assert!(merged.completed_at.is_some());
}

#[test]
fn a_claim_that_both_renewed_lasts_to_the_later_end() {
    let base = then(&base(&[]), 1, "ann", claim(600));
    let ours = then(&base, 5, "ann", Edit::Note("five".to_owned()));
    let theirs = then(&base, 7, "ann", Edit::Note("seven".to_owned()));
    let end = |item: &WorkItem| item.claim.as_ref().and_then(|claim| claim.expires_at);
    let merged = merged(&base, &ours, &theirs);
    assert_eq!(end(&merged), end(&theirs));
    assert_eq!(merged.claim.as_ref().map(|claim| claim.fence), Some(2));
}

#[test]
fn a_request_that_came_by_a_merge_is_not_made_again() {
    let base = base(&[]);
    let mut stamp = at(1, "bob");
    stamp.request_id = jerry_domain::RequestId::new("r-1").ok();
    let edits = [Edit::Note("once".to_owned())];
    let theirs = base.apply(&edits, &stamp).expect("allowed").expect("a change");
    let ours = then(&then(&base, 2, "ann", title("a")), 3, "ann", title("b"));
    let merged = merged(&base, &ours, &theirs);
    assert_eq!(merged.apply(&edits, &stamp).expect("known"), None);
}
