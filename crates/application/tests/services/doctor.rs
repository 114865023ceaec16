use std::sync::Arc;

use jerry_application::{Doctor, Error, Report};
use jerry_domain::ports::{
    Ailment, Finding, MockStoreCare, Repair, Repairs, RepositoryError, StorageFault,
};
use jerry_domain::{Edit, Stamp, Timestamp, Uid, WorkItem};
use pollster::block_on;
use rstest::rstest;

use crate::desk::*;

/// A doctor over files of which nothing is wrong.
fn doctor(desk: &Desk) -> Doctor {
    let mut care = MockStoreCare::new();
    care.expect_examine().returning(|| Ok(Vec::new()));
    care.expect_repair().returning(|_, _| Ok(Repairs::default()));
    Doctor::new(desk.ports.clone(), Arc::new(care))
}

fn examine(desk: &Desk) -> Vec<Finding> {
    block_on(doctor(desk).examine()).expect("examined")
}

fn fix(desk: &Desk) -> Report {
    block_on(doctor(desk).fix(&by("ann"))).expect("fixed")
}

fn litter() -> Finding {
    Finding {
        ailment: Ailment::TempLitter,
        path: Some("data/items/x".to_owned()),
        item: None,
        message: "left behind".to_owned(),
        fixable: true,
    }
}

/// The litter is removed, and something else may fail.
fn removed(failed: Option<RepositoryError>) -> Repairs {
    let done = vec![Repair { finding: litter(), action: "removed".to_owned() }];
    Repairs { done, failed }
}

#[test]
fn a_sound_store_has_no_findings() {
    let desk = Desk::new();
    let a = desk.create("a", []);
    desk.create("b", [needs(&a)]);
    desk.create("c", [part_of(&a)]);
    assert_eq!(examine(&desk), []);
    assert_eq!(fix(&desk), Report { repairs: Vec::new(), remaining: Vec::new() });
}

/// What the files suffer from is theirs to repair; afterwards everything is looked at again.
#[test]
fn the_files_are_examined_and_repaired() {
    let mut care = MockStoreCare::new();
    let mut looks = vec![vec![], vec![litter()]];
    care.expect_examine().times(2).returning(move || Ok(looks.pop().expect("two looks")));
    care.expect_repair().times(1).returning(|findings, _| {
        assert_eq!(findings, [litter()]);
        Ok(removed(None))
    });
    let report = block_on(Doctor::new(Desk::new().ports, Arc::new(care)).fix(&by("ann")));
    let report = report.expect("fixed");
    assert_eq!((report.repairs.len(), report.remaining.len()), (1, 0));
}

#[test]
fn a_repair_that_fails_is_an_error() {
    let mut care = MockStoreCare::new();
    care.expect_examine().returning(|| Ok(vec![litter()]));
    care.expect_repair()
        .returning(|_, _| Err(RepositoryError::Storage(storage_error(StorageFault::ReadOnly))));
    let outcome = block_on(Doctor::new(Desk::new().ports, Arc::new(care)).fix(&by("ann")));
    let error = outcome.expect_err("read-only");
    assert!(matches!(error, Error::Repository(RepositoryError::Storage(_))), "{error}");
}

/// What was repaired beside it stands, and the error says so.
#[test]
fn a_repair_that_fails_beside_others_leaves_a_part_done() {
    let mut care = MockStoreCare::new();
    care.expect_examine().returning(|| Ok(vec![litter()]));
    care.expect_repair()
        .returning(|_, _| Ok(removed(Some(storage_error(StorageFault::Full).into()))));
    let outcome = block_on(Doctor::new(Desk::new().ports, Arc::new(care)).fix(&by("ann")));
    assert!(matches!(outcome, Err(Error::Partly(_))), "{outcome:?}");
}

#[rstest]
#[case::dependency(needs, Ailment::DanglingDependency)]
#[case::parent(part_of, Ailment::DanglingParent)]
fn a_reference_to_nothing_is_found(
    #[case] points_at: fn(&WorkItem) -> Edit,
    #[case] ailment: Ailment,
) {
    let desk = Desk::new();
    let [removed, deleted, broken, moved] =
        ["removed", "deleted", "broken", "moved"].map(|title| desk.create(title, []));
    let pointing = [&removed, &deleted, &broken, &moved]
        .map(|item| desk.create(&format!("points at {}", item.title), [points_at(item)]));
    desk.store.items.remove_by_hand(&removed.id);
    let stamp = Stamp::new(desk.ports.clock.now(), actor("bob"));
    block_on(desk.ports.items.delete(&deleted.id, None, &stamp)).expect("deleted");
    desk.store.items.write_by_hand(&broken.id, "{");
    desk.renumber_by_hand(&moved, 500);

    let findings = examine(&desk);
    assert!(findings.iter().all(|finding| finding.ailment == ailment && !finding.fixable));
    let found: Vec<_> = findings.iter().map(|finding| finding.item.clone()).collect();
    let expected = [&pointing[0], &pointing[1]].map(|item| Some(item.id.clone()));
    assert_eq!(found, expected, "one that cannot be read is there, one that moved is found");
    assert!(findings[0].message.contains("does not exist"), "{}", findings[0].message);
    assert!(findings[1].message.contains("deleted by bob"), "{}", findings[1].message);
    assert_eq!(fix(&desk).remaining, findings, "what to do about it is a person's decision");
}

#[test]
fn a_number_that_went_to_another_item_is_no_target() {
    let desk = Desk::new();
    let a = desk.create("a", []);
    let waits = desk.create("waits", [needs(&a)]);
    let stamp = Stamp::new(desk.ports.clock.now(), actor("git"));
    desk.write_by_hand(&a.reissue(a.id.clone(), uid(&desk), &stamp).expect("valid"));
    let findings = examine(&desk);
    assert_eq!(findings[0].item, Some(waits.id.clone()));
    assert!(findings[0].message.contains("is another item now"), "{}", findings[0].message);
}

#[test]
fn a_ring_is_found() {
    let desk = Desk::new();
    let a = desk.create("a", []);
    let b = desk.create("b", [needs(&a)]);
    let stamp = Stamp::new(desk.ports.clock.now(), actor("git"));
    let ring = a.apply(&[Edit::AddDependency(b.reference())], &stamp).expect("valid");
    desk.write_by_hand(&ring.expect("a change"));
    let findings = examine(&desk);
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].ailment, findings[0].fixable), (Ailment::Cycle, false));
    assert!(findings[0].message.contains(&format!("{} -> {} -> ", a.id, b.id)));
}

#[test]
fn an_identity_from_the_future_is_found() {
    let desk = Desk::new();
    let item = desk.create("x", []);
    assert_eq!(examine(&desk), []);
    desk.store.clock.set("2025-12-30T00:00:00Z".parse::<Timestamp>().expect("a time"));
    let findings = examine(&desk);
    assert_eq!(findings.len(), 1);
    assert_eq!(
        (findings[0].ailment, &findings[0].item),
        (Ailment::UidAheadOfClock, &Some(item.id.clone()))
    );
}

fn uid(desk: &Desk) -> Uid {
    block_on(desk.ports.ids.uids(1)).expect("a uid")[0]
}

/// A file was copied with the identity in it.
fn copied(desk: &Desk, item: &WorkItem, number: u64) -> WorkItem {
    let text = json(item).replacen(&item.id.to_string(), &id(number).to_string(), 1);
    desk.store.items.write_by_hand(&id(number), &text);
    desk.get(&id(number))
}

#[test]
fn a_copy_becomes_an_item_of_its_own() {
    let desk = Desk::new();
    let original = desk.create("original", [Edit::Note("n".into())]);
    let waits = desk.create("waits for the original", [needs(&original)]);
    let copy = copied(&desk, &original, 500);
    // Written while the two had one identity: by its name it means the copy.
    let waits_too = desk.create("waits for the copy", []);
    let stamp = Stamp::new(desk.ports.clock.now(), actor("ed"));
    let by_name = Edit::AddDependency(copy.reference().with_note(Some("why".to_owned())));
    let part = desk.create("part of the copy", []);
    for (item, edit) in [(&waits_too, by_name), (&part, Edit::Parent(Some(copy.reference())))] {
        let edited = item.apply(&[edit], &stamp);
        desk.write_by_hand(&edited.expect("valid").expect("a change"));
    }

    let findings = examine(&desk);
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].ailment, findings[0].fixable), (Ailment::DuplicateUid, true));
    assert_eq!(findings[0].item, Some(copy.id.clone()));

    let report = fix(&desk);
    assert_eq!(report.remaining, []);
    assert_eq!(report.repairs[0].finding, findings[0]);
    assert_eq!(desk.get(&original.id), original);
    assert_eq!(desk.get(&waits.id), waits);

    let waits_too = desk.get(&waits_too.id);
    let new = desk.get(&waits_too.depends_on[0].id);
    assert_eq!(waits_too.depends_on, [new.reference().with_note(Some("why".to_owned()))]);
    assert_eq!(desk.get(&part.id).parent, Some(new.reference()));
    assert!(new.uid != original.uid && new.id != copy.id);
    assert_eq!((&new.title, &new.notes), (&copy.title, &copy.notes));
    assert_eq!(new.history.last().map(|entry| entry.event.as_str()), Some("renumbered"));
    let tombstone = block_on(desk.ports.items.tombstone(&copy.id)).expect("readable");
    assert_eq!(tombstone.expect("the number stays taken").item, copy);
    assert!(report.repairs[0].action.contains(&new.id.to_string()));
    assert_eq!(fix(&desk).repairs, []);
}

#[test]
fn of_three_the_eldest_keeps_its_identity() {
    let desk = Desk::new();
    let original = desk.create("original", []);
    copied(&desk, &original, 400);
    copied(&desk, &original, 500);
    let report = fix(&desk);
    assert_eq!((report.repairs.len(), report.remaining), (2, Vec::new()));
    assert_eq!(desk.get(&original.id), original);
}

/// Two branches gave a displaced item a number each. Somebody works on it: the claim is that of the
/// one item, and keeps nobody from making it one again.
#[test]
fn one_item_under_two_numbers_is_merged_also_while_it_is_claimed() {
    let desk = Desk::new();
    let item = desk.create("displaced", []);
    let item = desk.edit(&item.id, Edit::Claim { lease: None, lock: None });
    let stamp = Stamp::new(item.updated_at, actor("git"));
    let moved = item.renumber(id(500), &stamp).expect("allowed").expect("a change");
    let first = desk.renumber_by_hand(&item, 400);
    desk.write_by_hand(&moved);
    let mut care = MockStoreCare::new();
    care.expect_examine().returning(|| Ok(Vec::new()));
    care.expect_repair().returning(|_, _| Ok(Repairs::default()));
    let doctor = Doctor::new(desk.ports.clone(), Arc::new(care));
    let report = block_on(doctor.fix(&by("somebody else"))).expect("fixed");
    assert_eq!((report.repairs.len(), report.remaining), (1, Vec::new()));
    assert!(desk.get(&first.id).claim.is_some());
    assert!(block_on(desk.ports.items.get(&moved.id)).expect("readable").is_none());
}

#[test]
fn a_repair_of_items_waits_for_the_graph() {
    let desk = Desk::new();
    let original = desk.create("original", []);
    let copy = copied(&desk, &original, 500);
    let ports = jerry_application::Ports { locks: busy_locks(1), ..desk.ports.clone() };
    let mut care = MockStoreCare::new();
    care.expect_examine().returning(|| Ok(Vec::new()));
    care.expect_repair().returning(|_, _| Ok(Repairs::default()));
    let error = block_on(Doctor::new(ports, Arc::new(care)).fix(&by("ann"))).expect_err("busy");
    assert!(matches!(error, Error::Lock(_)), "{error}");
    assert_eq!(desk.get(&copy.id), copy);
}
