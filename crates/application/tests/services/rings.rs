//! Items that would wait for each other for ever: by what they need, by what they are parts of, or both.

use jerry_application::{Apply, Doctor, Error, Modify, PlanFile, Ring, Undo};
use jerry_domain::ports::{Ailment, MockStoreCare};
use jerry_domain::{Edit, Status, Transition, WorkItem};
use pollster::block_on;
use std::sync::Arc;

use crate::desk::*;

fn both<T: std::fmt::Debug>(answer: Result<T, Error>) -> Vec<String> {
    match answer {
        Err(Error::MixedCycle(Ring(ring))) => ring,
        answer => panic!("{answer:?}"),
    }
}

fn named_ring<'a>(items: impl IntoIterator<Item = &'a WorkItem>) -> Vec<String> {
    items.into_iter().map(|item| item.id.to_string()).collect()
}

fn edits(desk: &Desk, item: &WorkItem, edits: Vec<Edit>) -> Result<(), Error> {
    block_on(Modify::new(desk.ports.clone()).edit(&item.id, edits, &by("ann"))).map(drop)
}

fn apply(desk: &Desk, plan: &str) -> Result<usize, Error> {
    let plan = PlanFile::read(plan).map_err(Error::from)?;
    let applied = block_on(Apply::new(desk.ports.clone(), work()).apply(plan, false, &by("ann")));
    applied.map(|items| items.len())
}

#[test]
fn a_part_does_not_wait_for_its_parent() {
    let desk = Desk::new();
    let epic = desk.create("epic", []);
    let part = desk.create("part", [part_of(&epic)]);
    let ring = both(desk.try_edit(&part.id, needs(&epic)));
    assert_eq!(ring, named_ring([&part, &epic, &part]));
    assert_eq!(desk.get(&part.id), part);
    desk.edit(&epic.id, needs(&part));
}

#[test]
fn nor_for_what_waits_for_its_parent() {
    let desk = Desk::new();
    let epic = desk.create("epic", []);
    let after = desk.create("after", [needs(&epic)]);
    let whole = desk.create("whole", []);
    desk.edit(&after.id, part_of(&whole));
    let part = desk.create("part", [part_of(&epic)]);
    assert_eq!(
        both(desk.try_edit(&part.id, needs(&whole))),
        named_ring([&part, &whole, &after, &epic, &part])
    );
    let sibling = desk.create("sibling", [part_of(&epic)]);
    desk.edit(&part.id, needs(&sibling));
}

#[test]
fn what_waits_for_an_item_does_not_become_its_part() {
    let desk = Desk::new();
    let epic = desk.create("epic", []);
    let after = desk.create("after", [needs(&epic)]);
    let ring = both(desk.try_edit(&after.id, part_of(&epic)));
    assert_eq!(ring, named_ring([&after, &epic, &after]));
    edits(&desk, &after, vec![Edit::RemoveDependency(epic.reference()), part_of(&epic)])
        .expect("needs it no longer");
}

#[test]
fn edits_are_judged_as_one() {
    let desk = Desk::new();
    let (epic, other, own) =
        (desk.create("epic", []), desk.create("other", []), desk.create("own", []));
    both(edits(&desk, &own, vec![part_of(&epic), needs(&epic)]));
    both(edits(&desk, &own, vec![needs(&epic), part_of(&epic)]));
    desk.edit(&own.id, part_of(&epic));
    edits(&desk, &own, vec![needs(&epic), part_of(&other)]).expect("a part of it no longer");
}

#[test]
fn a_new_part_does_not_wait_for_its_parent() {
    let desk = Desk::new();
    let epic = desk.create("epic", []);
    let after = desk.create("after", [needs(&epic)]);
    let written = desk.store.items.written().len();
    for (needed, way) in [(&epic, vec![&epic]), (&after, vec![&after, &epic])] {
        let ring = both(desk.try_create(vec![new("kid", [part_of(&epic), needs(needed)])]));
        let way = named_ring(way);
        assert_eq!(ring, [&["kid".to_owned()][..], &way, &["kid".to_owned()]].concat());
    }
    assert_eq!(desk.store.items.written().len(), written);
    let before = desk.create("before", []);
    desk.create("kid", [part_of(&epic), needs(&before)]);
}

/// What pure rings do, too.
#[test]
fn neither_what_is_finished_nor_insisting_makes_a_difference() {
    let desk = Desk::new();
    let epic = desk.create("epic", []);
    let part = desk.create("part", [part_of(&epic)]);
    desk.edit(&epic.id, Edit::Move(Transition::Cancel));
    assert_eq!(desk.get(&epic.id).status, Status::Cancelled);
    both(desk.try_edit(&part.id, needs(&epic)));
    let force = insisting("ann", true);
    both(block_on(Modify::new(desk.ports.clone()).edit(&part.id, vec![needs(&epic)], &force)));
}

#[test]
fn what_would_close_one_is_not_brought_back() {
    let desk = Desk::new();
    let (epic, before) = (desk.create("epic", []), desk.create("before", []));
    let part = desk.create("part", [part_of(&epic), needs(&before)]);
    desk.edit(&part.id, Edit::Parent(None));
    desk.edit(&before.id, needs(&epic));
    let undo = || block_on(Undo::new(desk.ports.clone()).undo(&part.id, &by("ann"))).map(drop);
    assert_eq!(both(undo()), named_ring([&part, &before, &epic, &part]));
    desk.edit(&before.id, Edit::RemoveDependency(epic.reference()));
    undo().expect("no ring any more");
}

/// An item with a ring that another program wrote.
fn ringed(desk: &Desk) -> (WorkItem, WorkItem) {
    let epic = desk.create("epic", []);
    let part = desk.create("part", [part_of(&epic)]);
    let text =
        json(&part).replace(r#""depends_on":[]"#, &format!(r#""depends_on":["{}"]"#, epic.id));
    desk.store.items.write_by_hand(&part.id, &text);
    (epic, desk.get(&part.id))
}

#[test]
fn a_ring_that_is_there_keeps_nobody_from_working() {
    let desk = Desk::new();
    let (epic, part) = ringed(&desk);
    desk.edit(&part.id, Edit::Title(title("another")));
    desk.edit(&part.id, needs(&epic));
    desk.edit(&part.id, part_of(&epic));
    let plan = format!(
        r#"[{{"id": "{}", "parent": "{1}", "needs": ["{1}"], "labels": ["x"]}}]"#,
        part.id, epic.id
    );
    apply(&desk, &plan).expect("nothing in it is new");
    let other = desk.create("other", [part_of(&epic)]);
    desk.edit(&other.id, needs(&desk.create("before", [])));
    both(desk.try_edit(&other.id, needs(&part)));
    desk.edit(&part.id, Edit::RemoveDependency(epic.reference()));
}

#[test]
fn the_doctor_finds_it() {
    let desk = Desk::new();
    let (epic, part) = ringed(&desk);
    let mut care = MockStoreCare::new();
    care.expect_examine().returning(|| Ok(Vec::new()));
    let doctor = Doctor::new(desk.ports.clone(), Arc::new(care));
    let findings = block_on(doctor.examine()).expect("examined");
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!((findings[0].ailment, findings[0].fixable), (Ailment::Cycle, false));
    let ring = format!("{} -> {} -> ", epic.id, part.id);
    assert!(findings[0].message.contains(&ring), "{}", findings[0].message);
}

#[test]
fn a_plan_is_judged_as_a_whole_and_its_rings_are_told_in_its_names() {
    let desk = Desk::new();
    let epic = desk.create("epic", []);
    let written = desk.store.items.written().len();
    let kid =
        r#"[{"name": "top", "title": "Top", "children": [{"title": "Kid", "needs": ["top"]}]}]"#;
    assert_eq!(both(apply(&desk, kid)), ["Kid", "top", "Kid"]);
    let pair = r#"[{"name": "a", "title": "A", "needs": ["b"]}, {"name": "b", "title": "B", "needs": ["a"]}]"#;
    let Err(Error::DependencyCycle(ring)) = apply(&desk, pair) else { panic!("a ring") };
    assert_eq!(ring.0, ["a", "b", "a"]);
    let with_old = format!(
        r#"[{{"id": "{0}", "needs": ["new"]}}, {{"name": "new", "title": "New", "needs": ["{0}"]}}]"#,
        epic.id
    );
    let Err(Error::DependencyCycle(ring)) = apply(&desk, &with_old) else { panic!("a ring") };
    assert_eq!(ring.0, [&epic.id.to_string(), "new", &epic.id.to_string()]);
    for own in [
        r#"{"name": "a", "title": "A", "needs": ["a"]}"#.to_owned(),
        format!(r#"{{"id": "{0}", "needs": ["{0}"]}}"#, epic.id),
    ] {
        let answer = apply(&desk, &format!("[{own}]"));
        assert!(matches!(answer, Err(Error::DependencyCycle(_))), "{answer:?}");
    }
    let answer = apply(&desk, &format!(r#"[{{"id": "{0}", "parent": "{0}"}}]"#, epic.id));
    assert!(matches!(answer, Err(Error::ParentCycle(_))), "{answer:?}");
    assert_eq!(desk.store.items.written().len(), written);
}
