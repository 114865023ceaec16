use std::time::Duration;

use jerry_application::{Filter, Ready, ReadyItems};
use jerry_domain::{Edit, ItemRef, Label, Priority, Transition, WorkId, WorkItem};
use pollster::block_on;

use crate::desk::*;

fn ready(desk: &Desk, limit: usize) -> ReadyItems {
    block_on(Ready::new(desk.ports.clone()).ready(None, &Filter { limit, ..Filter::default() }))
        .expect("listed")
}

fn ready_ids(desk: &Desk) -> Vec<WorkId> {
    ready(desk, 0).items.into_iter().map(|item| item.id).collect()
}

fn finish(desk: &Desk, item: &WorkItem) {
    desk.edit(&item.id, Edit::Move(Transition::Start));
    desk.edit(&item.id, Edit::Move(Transition::Complete));
}

#[test]
fn the_most_urgent_come_first_then_the_oldest() {
    let desk = Desk::new();
    let priorities = [Priority::Low, Priority::High, Priority::Critical, Priority::High];
    let items = priorities.map(|priority| {
        desk.store.clock.advance(Duration::from_secs(1));
        desk.create("x", [Edit::Priority(priority)])
    });
    let [low, high, critical, later_high] = &items;
    assert_eq!(ready_ids(&desk), ids([critical, high, later_high, low]));
    let first = ready(&desk, 2);
    assert_eq!((first.items.len(), first.total), (2, 4));
}

/// What is asked of the others counts all the same.
#[test]
fn a_filter_narrows_what_is_ready_and_what_is_not() {
    let desk = Desk::new();
    let label = || Edit::AddLabel(Label::new("x").expect("valid"));
    let needed = desk.create("needed", []);
    let free = desk.create("free", [label()]);
    let waits = desk.create("waits", [label(), needs(&needed)]);
    let labels = vec![Label::new("x").expect("valid")];
    let filter = Filter { labels, limit: 0, ..Filter::default() };
    let service = Ready::new(desk.ports.clone());
    let ready = block_on(service.ready(None, &filter)).expect("listed");
    assert_eq!((&ready.items[0].id, ready.total), (&free.id, 1));
    let explained = block_on(service.explained(None, &filter)).expect("listed");
    assert_eq!((&explained.items[0].item.id, explained.total), (&free.id, 1));
    assert_eq!((&explained.not_ready[0].item.id, explained.not_ready_total), (&waits.id, 1));
    let nowhere = Filter { parent: Some(id(99)), ..Filter::default() };
    assert!(block_on(service.ready(None, &nowhere)).is_err());
}

#[test]
fn what_waits_is_ready_when_all_it_needs_is_finished_or_given_up() {
    let desk = Desk::new();
    let (a, b) = (desk.create("a", []), desk.create("b", []));
    let waits = desk.create("waits", [needs(&a), needs(&b)]);
    assert_eq!(ready_ids(&desk), ids([&a, &b]));
    finish(&desk, &a);
    assert_eq!(ready_ids(&desk), ids([&b]));
    desk.edit(&b.id, Edit::Move(Transition::Cancel));
    assert_eq!(ready_ids(&desk), ids([&waits]));
    desk.edit(&b.id, Edit::Move(Transition::Reopen));
    assert_eq!(ready_ids(&desk), ids([&b]));
}

#[test]
fn what_is_begun_or_claimed_is_not_ready() {
    let desk = Desk::new();
    let (begun, claimed) = (desk.create("begun", []), desk.create("claimed", []));
    desk.edit(&begun.id, Edit::Move(Transition::Start));
    let claim = r#""claim":{"holder":"bob","fence":1,"since":"2026-01-01T00:00:00Z"}"#;
    let text = json(&claimed).replace(r#""claim":null"#, claim);
    desk.store.items.write_by_hand(&claimed.id, &text);
    assert!(ready_ids(&desk).is_empty());
}

/// A dependency written by hand has only a name.
#[test]
fn a_bare_reference_counts() {
    let desk = Desk::new();
    let (a, waits) = (desk.create("a", []), desk.create("waits", []));
    let text = json(&waits).replace(r#""depends_on":[]"#, &format!(r#""depends_on":["{}"]"#, a.id));
    desk.store.items.write_by_hand(&waits.id, &text);
    assert_eq!(desk.get(&waits.id).depends_on, [ItemRef::bare(a.id.clone())]);
    assert_eq!(ready_ids(&desk), ids([&a]));
    finish(&desk, &a);
    assert_eq!(ready_ids(&desk), ids([&waits]));
}

/// What cannot be read is said, and holds back who needs it.
#[test]
fn what_cannot_be_read_holds_back() {
    let desk = Desk::new();
    let a = desk.create("a", []);
    let free = desk.create("free", []);
    desk.create("waits", [needs(&a)]);
    desk.store.items.write_by_hand(&a.id, "{\"half");
    let ready = ready(&desk, 0);
    assert_eq!(ready.items.into_iter().map(|item| item.id).collect::<Vec<_>>(), ids([&free]));
    assert_eq!(ready.unreadable.len(), 1);
}

#[test]
fn references_carry_the_names_of_today() {
    let desk = Desk::new();
    let epic = desk.create("epic", []);
    let part = desk.create("part", [part_of(&epic)]);
    desk.renumber_by_hand(&epic, 500);
    let ready = ready(&desk, 0);
    let shown = ready.items.iter().find(|item| item.id == part.id).expect("ready");
    assert_eq!(shown.parent.as_ref().map(|parent| parent.id.clone()), Some(id(500)));
}
