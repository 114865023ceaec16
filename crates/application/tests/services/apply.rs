//! Plans.

use std::sync::Arc;

use jerry_application::{AppliedItem, Apply, Create, Deed, Delete, Error, Modify, PlanFile, Ports};
use jerry_application::{ClaimNext, Filter, InvalidPlan, Request};
use jerry_domain::ports::{Commit, MockIdGenerator, RepositoryError};
use jerry_domain::{Edit, Label, Stamp, WorkItem};
use pollster::block_on;
use rstest::rstest;

use crate::desk::*;

fn apply(desk: &Desk, plan: &str, request: &Request) -> Result<Vec<AppliedItem>, Error> {
    let plan = PlanFile::read(plan).map_err(Error::from)?;
    block_on(Apply::new(desk.ports.clone(), work()).apply(plan, false, request))
}

#[test]
fn a_plan_may_name_days() {
    let desk = Desk::new();
    let due = |day: &str| {
        let plan = format!(r#"[{{"title": "due", "due": "{day}"}}]"#);
        let made = apply(&desk, &plan, &by("ann"))?;
        Ok::<_, Error>(made[0].item.due_at.expect("a day").to_string())
    };
    assert_eq!(due("2026-01-31").expect("a day"), "2026-01-31T00:00:00Z");
    assert_eq!(due("2026-01-31T12:00:00Z").expect("an instant"), "2026-01-31T12:00:00Z");
    assert!(matches!(due("tomorrow"), Err(Error::Plan(_))));
}

/// An item whose number plans can name.
fn there(desk: &Desk, number: u64, edits: impl Into<Vec<Edit>>) -> WorkItem {
    let stamp = Stamp::new(desk.ports.clock.now(), actor("ann"));
    let uid = block_on(desk.ports.ids.uids(1)).expect("a uid")[0];
    let item = WorkItem::create(id(number), uid, title("there"), &edits.into(), &stamp);
    let item = item.expect("valid");
    block_on(desk.ports.items.insert(item.clone())).expect("inserted");
    item
}

fn delete(desk: &Desk, item: &WorkItem) {
    block_on(Delete::new(desk.ports.clone()).delete(&item.id, &by("bob"))).expect("deleted");
}

fn label(name: &str) -> Edit {
    Edit::AddLabel(Label::new(name).expect("valid"))
}

/// Of items with the numbers 101 and 102, and a new one.
const PLAN: &str = r#"[
    { "id": "101", "if_version": 1, "labels": ["x"], "criteria": ["holds"], "needs": ["new", "102"] },
    { "name": "new", "title": "new", "external_ref": "X-1", "subtasks": ["step"] }
]"#;

/// The items that [`PLAN`] speaks of, and what it came to.
fn planned(desk: &Desk) -> Vec<AppliedItem> {
    there(desk, 101, []);
    there(desk, 102, []);
    apply(desk, PLAN, &named("r-1")).expect("applied")
}

#[test]
fn a_repeat_says_what_the_first_one_said_and_writes_nothing() {
    let desk = Desk::new();
    let first = planned(&desk);
    assert_eq!(first.iter().map(|it| it.deed).collect::<Vec<_>>(), [Deed::Updated, Deed::Created]);
    assert_eq!(apply(&desk, PLAN, &named("r-1")).expect("repeated"), first, "at another version");
    desk.edit(&id(101), label("by-another"));
    desk.edit(&first[1].item.id, Edit::Title(title("another name")));
    desk.edit(&first[1].item.id, Edit::ExternalRef(None));
    let written = desk.store.items.written();
    assert_eq!(apply(&desk, PLAN, &named("r-1")).expect("repeated"), first, "where all moved on");
    assert_eq!(desk.store.items.written(), written);
}

#[test]
fn a_repeat_is_known_after_the_items_are_gone() {
    let desk = Desk::new();
    let first = planned(&desk);
    for item in [&desk.get(&id(101)), &desk.get(&id(102)), &first[1].item] {
        delete(&desk, item);
        assert_eq!(apply(&desk, PLAN, &named("r-1")).expect("repeated"), first, "{}", item.id);
    }
    let other = apply(&desk, PLAN, &named("r-2"));
    assert!(matches!(other, Err(Error::Repository(RepositoryError::Deleted { .. }))), "{other:?}");
}

#[test]
fn what_the_plan_found_by_its_name_elsewhere_is_known_again() {
    let plan = r#"[{ "external_ref": "X-1", "title": "elsewhere", "labels": ["x"] }]"#;
    let desk = Desk::new();
    let item = desk.create("before", [Edit::ExternalRef(Some("X-1".to_owned()))]);
    let first = apply(&desk, plan, &named("r-1")).expect("applied");
    assert_eq!((first[0].deed, first[0].item.version), (Deed::Updated, 2));
    desk.edit(&item.id, Edit::Title(title("after")));
    assert_eq!(apply(&desk, plan, &named("r-1")).expect("repeated"), first);
    delete(&desk, &desk.get(&item.id));
    assert_eq!(
        apply(&desk, plan, &named("r-1")).expect("repeated"),
        first,
        "also where it is gone"
    );
    let anew = apply(&desk, plan, &named("r-2")).expect("applied");
    assert_eq!(anew[0].deed, Deed::Created);
}

/// Two branches gave out one number: by the number alone the elder is meant.
#[test]
fn what_shares_its_number_is_changed_under_one_of_its_own() {
    let plan = r#"[{ "external_ref": "X-1", "labels": ["x"] }]"#;
    let desk = Desk::new();
    let elder = desk.create("elder", []);
    let younger = desk.create("younger", [Edit::ExternalRef(Some("X-1".to_owned()))]);
    desk.displace(&younger, &elder);
    let first = apply(&desk, plan, &named("r-1")).expect("applied");
    assert_eq!((first[0].deed, first[0].item.uid), (Deed::Updated, younger.uid));
    assert_ne!(first[0].item.id, elder.id);
    assert!(desk.get(&elder.id).labels.is_empty());
    assert_eq!(apply(&desk, plan, &named("r-1")).expect("repeated"), first);
}

/// What is there in the same words is part of what was asked for.
#[test]
fn a_repeat_asks_for_the_same_although_it_stands_there_by_now() {
    let desk = Desk::new();
    there(&desk, 101, []);
    for (name, plan) in [
        (
            "r-1",
            r#"[{ "id": "101", "labels": ["x"], "criteria": ["holds"], "subtasks": ["step"] }]"#,
        ),
        (
            "r-2",
            r#"[{ "id": "101", "labels": ["y"], "criteria": ["holds"], "subtasks": ["step"] }]"#,
        ),
        ("r-3", r#"[{ "id": "101", "needs": [] }]"#),
    ] {
        let first = apply(&desk, plan, &named(name)).expect("applied");
        assert_eq!(first[0].deed, Deed::Updated);
        assert_eq!(apply(&desk, plan, &named(name)).expect("repeated"), first, "{name}");
    }
    let item = desk.get(&id(101));
    assert_eq!((item.version, item.acceptance_criteria.len(), item.subtasks.len()), (4, 1, 1));
}

#[rstest]
#[case::noted(|desk: &Desk| {
    let note = vec![Edit::Note("n".to_owned())];
    block_on(Modify::new(desk.ports.clone()).edit(&id(101), note, &named("r-1"))).map(drop)
})]
#[case::made(|desk: &Desk| {
    let new = vec![new("new", [])];
    block_on(Create::new(desk.ports.clone(), work()).create(new, &named("r-1"))).map(drop)
})]
#[case::claimed(|desk: &Desk| {
    let all = Filter::default();
    block_on(ClaimNext::new(desk.ports.clone()).claim(&all, None, &named("r-1"))).map(drop)
})]
#[case::a_part(|desk: &Desk| apply(desk, r#"[{ "id": "101", "labels": ["x"] }]"#, &named("r-1")).map(drop))]
#[case::another_part(|desk: &Desk| apply(desk, r#"[{ "title": "new" }]"#, &named("r-1")).map(drop))]
#[case::more(|desk: &Desk| {
    let plan = r#"[{ "id": "101", "labels": ["x"] }, { "title": "new" }, { "title": "more" }]"#;
    apply(desk, plan, &named("r-1")).map(drop)
})]
#[case::another_item(|desk: &Desk| {
    apply(desk, r#"[{ "id": "102", "labels": ["x"] }, { "title": "new" }]"#, &named("r-1")).map(drop)
})]
#[case::another_kind(|desk: &Desk| {
    let plan = r#"[{ "id": "101", "status": "in_progress" }, { "title": "new" }]"#;
    apply(desk, plan, &named("r-1")).map(drop)
})]
#[case::another_title(|desk: &Desk| {
    apply(desk, r#"[{ "id": "101", "labels": ["x"] }, { "title": "newer" }]"#, &named("r-1")).map(drop)
})]
fn a_name_is_not_taken_for_another_request(#[case] other: fn(&Desk) -> Result<(), Error>) {
    let desk = Desk::new();
    there(&desk, 101, []);
    there(&desk, 102, []);
    other(&desk).expect("done");
    let written = desk.store.items.written();
    let plan = r#"[{ "id": "101", "labels": ["x"] }, { "title": "new" }]"#;
    let answer = apply(&desk, plan, &named("r-1"));
    assert!(is_reuse(&answer), "{answer:?}");
    assert_eq!(desk.store.items.written(), written);
}

/// Without a new item in the plan, which would be missing too.
#[test]
fn a_name_of_another_write_of_the_same_item_is_not_taken() {
    let desk = Desk::new();
    there(&desk, 101, []);
    let note = vec![Edit::Note("n".to_owned())];
    block_on(Modify::new(desk.ports.clone()).edit(&id(101), note, &named("r-1"))).expect("noted");
    let answer = apply(&desk, r#"[{ "id": "101", "labels": ["x"] }]"#, &named("r-1"));
    assert!(is_reuse(&answer), "{answer:?}");
    assert!(desk.get(&id(101)).labels.is_empty());
}

#[test]
fn a_repeat_takes_no_numbers() {
    let desk = Desk::new();
    let first = planned(&desk);
    // Whoever asks it for anything is told that it expects nothing.
    let ports = Ports { ids: Arc::new(MockIdGenerator::new()), ..desk.ports.clone() };
    let plan = PlanFile::read(PLAN).expect("a plan");
    let again = block_on(Apply::new(ports, work()).apply(plan, false, &named("r-1")));
    assert_eq!(again.expect("repeated"), first);
}

/// Numbers of an attempt that came to nothing are those of the next one.
#[test]
fn what_keeps_a_plan_from_being_written_is_said_in_the_end() {
    let mut items = items_to_decide();
    items.expect_summaries().returning(|| Ok(Box::new(std::iter::empty())));
    items.expect_commit().times(2..).returning(|new, _| {
        let id = new[0].id.clone();
        Err(RepositoryError::ChangedOutside { id })
    });
    let mut ids = MockIdGenerator::new();
    let desk = Desk::new();
    let real = desk.ports.ids.clone();
    ids.expect_uids().once().returning(move |count| block_on(real.uids(count)));
    let real = desk.ports.ids.clone();
    ids.expect_work_ids()
        .once()
        .returning(move |prefix, count| block_on(real.work_ids(prefix, count)));
    let ports = Ports { items: Arc::new(items), ids: Arc::new(ids), ..desk.ports };
    let plan = PlanFile::read(r#"[{ "title": "new" }]"#).expect("a plan");
    let answer = block_on(Apply::new(ports, work()).apply(plan, false, &by("ann")));
    let error = answer.expect_err("never written");
    assert!(matches!(error, Error::Repository(RepositoryError::ChangedOutside { .. })), "{error}");
}

#[test]
fn numbers_that_are_taken_are_replaced_by_later_ones() {
    let mut items = items_to_decide();
    items.expect_summaries().returning(|| Ok(Box::new(std::iter::empty())));
    let taken = Arc::new(std::sync::Mutex::new(Vec::new()));
    items.expect_commit().times(2..).returning(move |new, _| {
        let mut taken = taken.lock().expect("not poisoned");
        assert!(!taken.contains(&new[0].id), "{} again", new[0].id);
        taken.push(new[0].id.clone());
        Ok(Commit::Taken)
    });
    let ports = Ports { items: Arc::new(items), ..Desk::new().ports };
    let plan = PlanFile::read(r#"[{ "title": "new" }]"#).expect("a plan");
    let answer = block_on(Apply::new(ports, work()).apply(plan, false, &by("ann")));
    assert!(matches!(answer, Err(Error::NoFreeNumber { .. })), "{answer:?}");
}

#[test]
fn a_plan_that_changes_nothing_is_not_written() {
    let desk = Desk::new();
    let item = there(&desk, 101, [label("x")]);
    let mut items = items_to_decide();
    let (read, listed) = (desk.ports.items.clone(), desk.ports.items.clone());
    items.expect_get().returning(move |id| block_on(read.get(id)));
    items.expect_summaries().returning(move || block_on(listed.summaries()));
    // What is said to stand there must not go with the power.
    items.expect_settle().once().returning(|| Ok(()));
    let ports = Ports { items: Arc::new(items), ..desk.ports };
    let plan = PlanFile::read(r#"[{ "id": "101", "labels": ["x"] }]"#).expect("a plan");
    let answer = block_on(Apply::new(ports, work()).apply(plan, false, &by("ann")));
    let answer = answer.expect("applied");
    assert_eq!((answer[0].deed, &answer[0].item), (Deed::Unchanged, &item));
}

#[test]
fn one_name_elsewhere_is_one_item() {
    let desk = Desk::new();
    let twice = r#"[{"title": "a", "external_ref": "X-1"}, {"title": "b", "external_ref": "X-1"}]"#;
    let answer = apply(&desk, twice, &by("ann"));
    assert!(matches!(answer, Err(Error::Plan(InvalidPlan::ExternalRefTwice(_)))), "{answer:?}");
    assert_eq!(desk.store.items.written().len(), 0);
}

#[rstest]
#[case::version_of_new(
    r#"[{"title": "a"}, {"name": "b", "title": "B", "if_version": 3}]"#,
    "b is new, and if_version is of items that are there"
)]
#[case::no_title(
    r#"[{"title": "a", "children": [{"title": "b"}]}, {"labels": ["x"]}]"#,
    "item 3 of the plan is new and has no title"
)]
#[case::no_id(
    r#"[{"title": "a"}, {"id": "abc"}]"#,
    "item 2 of the plan has the id 'abc', which is none: ids are WORK-042, or 42"
)]
#[case::nowhere(
    r#"[{"title": "a"}, {"external_ref": "", "needs": ["x"]}]"#,
    "item 2 of the plan points at 'x', which is neither a name within the plan nor an id"
)]
fn a_plan_that_cannot_be_drawn_up_says_where(#[case] plan: &str, #[case] said: &str) {
    let Err(Error::Plan(error)) = apply(&Desk::new(), plan, &by("ann")) else { panic!("invalid") };
    assert_eq!(error.to_string(), said);
}

#[rstest]
#[case("7", "expected a list of items, or an object that has one as `items`")]
#[case("[7]", "expected an item, which is an object")]
fn what_is_no_plan_is_said_in_words_of_plans(#[case] text: &str, #[case] said: &str) {
    let Err(InvalidPlan::Json(error)) = PlanFile::read(text) else { panic!("invalid") };
    assert!(error.to_string().contains(said), "{error}");
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let plan = PlanFile::read("\u{feff}[{\"title\": \"a\"}]").expect("a plan");
    assert_eq!(plan.items.len(), 1);
}

/// Nobody gives them back.
#[test]
fn a_plan_that_is_refused_takes_no_numbers() {
    let desk = Desk::new();
    there(&desk, 101, []);
    let gone = there(&desk, 102, []);
    delete(&desk, &gone);
    let ports = Ports { ids: Arc::new(MockIdGenerator::new()), ..desk.ports.clone() };
    for plan in [
        r#"[{"title": "new"}, {"id": "101", "if_version": 7}]"#,
        r#"[{"title": "new"}, {"id": "102", "labels": ["x"]}]"#,
        r#"[{"title": "new"}, {"id": "103", "labels": ["x"]}]"#,
        r#"[{"title": "new"}, {"labels": ["x"]}]"#,
    ] {
        let plan = PlanFile::read(plan).expect("a plan");
        let answer = block_on(Apply::new(ports.clone(), work()).apply(plan, false, &by("ann")));
        assert!(answer.is_err());
    }
}
