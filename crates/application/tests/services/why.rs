use std::time::Duration;

use jerry_application::{Blocked, Filter, Plans, Ready, Reasons, Standing, Why};
use jerry_domain::{Edit, Mark, Priority, Relation, Situation, Transition, Ways, WorkId, WorkItem};
use jerry_domain::{SessionName, Since};
use pollster::block_on;

use crate::desk::*;

fn why(desk: &Desk, item: &WorkItem) -> Reasons {
    block_on(Why::new(desk.ports.clone()).why(&item.id)).expect("listed")
}

/// Depth, relation, id and mark of each.
fn points(reasons: &Reasons) -> Vec<(usize, Option<Relation>, WorkId, Mark)> {
    let point = |point: &jerry_application::WayPoint| {
        (point.depth, point.relation, point.id.clone(), point.mark)
    };
    reasons.way.iter().map(point).collect()
}

fn standing(reasons: &Reasons, place: usize) -> &Standing {
    reasons.way[place].standing.as_ref().expect("there")
}

fn move_to(desk: &Desk, item: &WorkItem, moves: &[Transition]) {
    moves.iter().for_each(|to| drop(desk.edit(&item.id, Edit::Move(*to))));
}

#[test]
fn the_chain_leads_down_to_what_can_be_begun() {
    let desk = Desk::new();
    let (root, done) = (desk.create("root", []), desk.create("done", []));
    move_to(&desk, &done, &[Transition::Start, Transition::Complete]);
    let middle = desk.create("middle", [needs(&root), needs(&done)]);
    let epic = desk.create("epic", []);
    let part = desk.create("part", [part_of(&epic), needs(&middle)]);
    let last = desk.create("last", [needs(&middle), needs(&epic)]);
    let found = why(&desk, &last);
    let needs = Some(Relation::Needs);
    assert_eq!(
        points(&found),
        [
            (0, None, last.id.clone(), Mark::New),
            (1, needs, middle.id.clone(), Mark::New),
            (2, needs, root.id.clone(), Mark::New),
            (1, needs, epic.id.clone(), Mark::New),
            (2, Some(Relation::Part), part.id.clone(), Mark::New),
            (3, needs, middle.id.clone(), Mark::Repeated),
        ]
    );
    // The epic could be begun, and yet there is nothing to do for it but its part.
    assert_eq!(standing(&found, 3).situation, Situation::Ready);
    assert_eq!(found.workable, ids([&root]));
    assert_eq!(why(&desk, &root).workable, ids([&root]));
    let tree = Ways { needs: true, parts: false, needed_by: false, finished: true };
    let (tree, _) =
        block_on(Plans::new(desk.ports.clone()).tree(&middle.id, tree)).expect("listed");
    assert_eq!(tree.len(), 3, "also what is finished");
}

#[test]
fn who_has_it_and_since_when_is_said() {
    let desk = Desk::new();
    let (held, stuck) = (desk.create("held", []), desk.create("stuck", []));
    let waits = desk.create("waits", [needs(&held), needs(&stuck)]);
    desk.store.clock.advance(Duration::from_secs(60));
    let mut request = by("bob");
    request.credentials.session = Some(SessionName::new("s").expect("valid"));
    let claim = vec![Edit::Claim { lease: Some(Duration::from_secs(60)), lock: None }];
    let modify = jerry_application::Modify::new(desk.ports.clone());
    let claimed = block_on(modify.edit(&held.id, claim, &request)).expect("claimed").into_item();
    move_to(&desk, &stuck, &[Transition::Start]);
    let mut request = by("ann");
    request.reason = Some("no key".to_owned());
    let block = vec![Edit::Move(Transition::Block)];
    let blocked = block_on(modify.edit(&stuck.id, block, &request)).expect("blocked").into_item();
    // A later write is not what brought it there.
    desk.store.clock.advance(Duration::from_secs(1));
    desk.edit(&stuck.id, Edit::Note("still".to_owned()));

    let found = why(&desk, &waits);
    assert_eq!(standing(&found, 1).situation, Situation::Claimed);
    let (at, by) = (claimed.updated_at, actor("bob"));
    let session = Some(SessionName::new("s").expect("valid"));
    assert_eq!(standing(&found, 1).since, Some(Since { at, by, session, reason: None }));
    assert_eq!(standing(&found, 2).situation, Situation::Blocked);
    let (at, by, reason) = (blocked.updated_at, actor("ann"), Some("no key".to_owned()));
    assert_eq!(standing(&found, 2).since, Some(Since { at, by, session: None, reason }));
    assert_eq!(found.workable, []);

    desk.store.clock.advance(Duration::from_secs(60));
    assert_eq!(why(&desk, &held).workable, ids([&held]), "the claim has lapsed");
}

#[test]
fn what_is_missing_or_broken_holds_up() {
    let desk = Desk::new();
    let (gone, broken) = (desk.create("gone", []), desk.create("broken", []));
    let waits = desk.create("waits", [needs(&gone), needs(&broken)]);
    desk.store.items.remove_by_hand(&gone.id);
    desk.store.items.write_by_hand(&broken.id, "{");
    let found = why(&desk, &waits);
    assert_eq!(standing(&found, 0).situation, Situation::Waiting);
    let missing: Vec<_> = found.way[1..].iter().map(|point| point.standing.is_none()).collect();
    assert_eq!((missing, found.unreadable.len()), (vec![true, true], 1));
    let error = block_on(Why::new(desk.ports.clone()).why(&gone.id)).expect_err("gone");
    assert!(error.to_string().contains("there is no item"), "{error}");
}

#[test]
fn a_ring_made_by_hand_is_shown_as_one() {
    let desk = Desk::new();
    let one = desk.create("one", []);
    let two = desk.create("two", [needs(&one)]);
    let text = json(&one).replace(r#""depends_on":[]"#, &format!(r#""depends_on":["{}"]"#, two.id));
    desk.store.items.write_by_hand(&one.id, &text);
    let found = why(&desk, &one);
    let marks: Vec<_> = found.way.iter().map(|point| point.mark).collect();
    assert_eq!(marks, [Mark::New, Mark::New, Mark::Ring]);
    assert_eq!(found.workable, []);
    let chain = block_on(Plans::new(desk.ports.clone()).critical_path(None)).expect("listed");
    assert_eq!((chain.path, chain.endless), (vec![], ids([&one, &two])));
}

#[test]
fn what_waits_is_listed_by_urgency_with_what_it_waits_for() {
    let desk = Desk::new();
    let first = desk.create("first", []);
    let second = desk.create("second", [needs(&first)]);
    let urgent = desk.create("urgent", [needs(&second), Edit::Priority(Priority::Critical)]);
    let begun = desk.create("begun", [needs(&first)]);
    move_to(&desk, &begun, &[Transition::Start]);
    let blocked =
        |limit| block_on(Blocked::new(desk.ports.clone()).blocked(limit)).expect("listed");
    let found = blocked(0);
    let waiting: Vec<_> = found.items.iter().map(|it| it.item.id.clone()).collect();
    assert_eq!(waiting, ids([&urgent, &second]), "whoever began it does not wait");
    let for_what = &found.items[0].waits_for[0];
    assert_eq!((&for_what.item.id, for_what.situation), (&second.id, Situation::Waiting));
    let found = blocked(1);
    assert_eq!((found.items.len(), found.total), (1, 2));
}

#[test]
fn what_is_ready_is_explained_in_the_order_of_ready() {
    let desk = Desk::new();
    let low = desk.create("low", [Edit::Priority(Priority::Low)]);
    let epic = desk.create("epic", []);
    let part = desk.create("part", [part_of(&epic), needs(&low)]);
    let ready = Ready::new(desk.ports.clone());
    let explained =
        block_on(ready.explained(None, &Filter { limit: 0, ..Filter::default() })).expect("listed");
    let order: Vec<_> = explained.items.iter().map(|placed| placed.item.id.clone()).collect();
    let listed = block_on(ready.ready(None, &Filter { limit: 0, ..Filter::default() }))
        .expect("listed")
        .items;
    assert_eq!(order, listed.into_iter().map(|item| item.id).collect::<Vec<_>>());
    let [epic, low] = &explained.items[..] else { panic!("{explained:?}") };
    assert_eq!((epic.place, epic.unfinished_parts, low.place), (1, 1, 2));
    assert_eq!(low.needed_by, ids([&part]));
    assert_eq!((explained.not_ready.len(), explained.not_ready_total), (1, 1));
    assert_eq!(explained.not_ready[0].item.id, part.id);
    let limited =
        block_on(ready.explained(None, &Filter { limit: 1, ..Filter::default() })).expect("listed");
    assert_eq!((limited.items.len(), limited.total, limited.not_ready_total), (1, 2, 1));
}

#[test]
fn of_two_items_of_one_number_each_has_its_own_reason() {
    let desk = Desk::new();
    let elder = desk.create("elder", []);
    let younger = desk.create("younger", []);
    move_to(&desk, &younger, &[Transition::Start, Transition::Block]);
    let younger = desk.displace(&desk.get(&younger.id), &elder);
    let waiting = block_on(Blocked::new(desk.ports.clone()).blocked(0)).expect("listed").items;
    assert_eq!(waiting[0].item.uid, younger.uid);
    assert_eq!(waiting[0].since, Since::of(&younger, desk.ports.clock.now()));
}
