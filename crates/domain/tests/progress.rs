//! How far the parts of an item are.

use jerry_domain::{
    Actor, Edit, ItemRef, Progress, ProgressCount, Stamp, Summary, Timestamp, Title, Transition,
    Uid, WorkId, WorkItem,
};

fn id(number: u64) -> WorkId {
    format!("WORK-{number:03}").parse().expect("valid")
}

fn uid(number: u64) -> Uid {
    Uid::try_from(number).expect("valid")
}

fn part(number: u64, of: ItemRef, moves: &[Transition]) -> Summary {
    let stamp = Stamp::new(Timestamp::UNIX_EPOCH, Actor::new("ann").expect("valid"));
    let edits: Vec<_> =
        moves.iter().copied().map(Edit::Move).chain([Edit::Parent(Some(of))]).collect();
    let title = Title::new("a part").expect("valid");
    let item = WorkItem::create(id(number), uid(number), title, &edits, &stamp).expect("allowed");
    Summary::from(&item)
}

#[test]
fn completed_and_cancelled_parts_are_done_by_whatever_name_they_call_their_parent() {
    let renumbered = ItemRef::new(id(70), uid(1));
    let parts = [
        part(2, renumbered, &[Transition::Start, Transition::Complete]),
        part(3, ItemRef::new(id(1), uid(1)), &[Transition::Cancel]),
        part(4, ItemRef::bare(id(1)), &[Transition::Start]),
        part(5, ItemRef::new(id(1), uid(9)), &[]),
    ];
    let mut count = ProgressCount::default();
    parts.iter().for_each(|part| count.add(part));
    assert_eq!(count.of(&id(1), uid(1)), Some(Progress { done: 2, total: 3 }));
    assert_eq!(count.of(&id(2), uid(2)), None);
}
