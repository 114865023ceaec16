//! The graph against a reference that is too simple to be wrong.

use jerry_domain::testing::stamp;
use jerry_domain::{
    ClaimSummary, Edit, Graph, ItemRef, Prefix, Priority, ReadyList, Stamp, Status, Summary,
    Timestamp, Title, Transition, Uid, WorkId, WorkItem,
};
use proptest::collection::vec;
use proptest::prelude::*;

const COUNT: usize = 7;

fn id(number: usize) -> WorkId {
    WorkId::new(Prefix::new("WORK").expect("valid"), number as u64).expect("in range")
}

fn uid(number: usize) -> Uid {
    Uid::try_from(number as u64 + 1000).expect("in range")
}

fn summary(number: usize, edits: &[Edit], stamp: &Stamp) -> Summary {
    let title = Title::new("t").expect("valid");
    let item = WorkItem::create(id(number), uid(number), title, edits, stamp).expect("allowed");
    Summary::from(&item)
}

fn reference(number: usize, bare: bool) -> ItemRef {
    if bare { ItemRef::bare(id(number)) } else { ItemRef::new(id(number), uid(number)) }
}

/// Which item waits for which, and by which kind of reference.
fn edges() -> impl Strategy<Value = Vec<(usize, usize, bool)>> {
    vec((0..COUNT, 0..COUNT, any::<bool>()), 0..12)
        .prop_map(|edges| edges.into_iter().filter(|(from, to, _)| from != to).collect())
}

fn store(edges: &[(usize, usize, bool)], stamp: &Stamp) -> Vec<Summary> {
    let needs = |number| {
        let own = edges.iter().filter(move |(from, _, _)| *from == number);
        own.map(|(_, to, bare)| Edit::AddDependency(reference(*to, *bare))).collect::<Vec<_>>()
    };
    (0..COUNT).map(|number| summary(number, &needs(number), stamp)).collect()
}

/// `reaches[from][to]`: whether a path of one edge or more leads there. Warshall's algorithm.
fn reaches(edges: &[(usize, usize)]) -> [[bool; COUNT]; COUNT] {
    let mut reaches = [[false; COUNT]; COUNT];
    for (from, to) in edges {
        reaches[*from][*to] = true;
    }
    for over in 0..COUNT {
        for from in 0..COUNT {
            for to in 0..COUNT {
                reaches[from][to] |= reaches[from][over] && reaches[over][to];
            }
        }
    }
    reaches
}

fn bare_edges(edges: &[(usize, usize, bool)]) -> Vec<(usize, usize)> {
    edges.iter().map(|(from, to, _)| (*from, *to)).collect()
}

fn is_ring(ring: &[WorkId], edges: &[(usize, usize)]) -> bool {
    let number = |id: &WorkId| id.number() as usize;
    ring.len() > 1
        && ring.first() == ring.last()
        && ring.windows(2).all(|pair| edges.contains(&(number(&pair[0]), number(&pair[1]))))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn a_dependency_is_refused_if_and_only_if_it_closes_a_ring(
        edges in edges(), from in 0..COUNT, to in 0..COUNT, bare: bool, stamp in stamp(),
    ) {
        let items = store(&edges, &stamp);
        let found = Graph::new(&items).dependency_cycle(&id(from), &reference(to, bare));
        let mut edges = bare_edges(&edges);
        let closes = from == to || reaches(&edges)[to][from];
        prop_assert_eq!(found.is_some(), closes, "{:?}", found);
        if let Some(cycle) = found {
            edges.push((from, to));
            prop_assert!(is_ring(&cycle.0, &edges), "{}", cycle);
            prop_assert_eq!(&cycle.0[0], &id(from));
            prop_assert_eq!(&cycle.0[1], &id(to));
        }
    }

    #[test]
    fn rings_are_found_if_and_only_if_there_are_any(edges in edges(), stamp in stamp()) {
        let items = store(&edges, &stamp);
        let found = Graph::new(&items).cycles();
        let edges = bare_edges(&edges);
        let reaches = reaches(&edges);
        for cycle in &found {
            prop_assert!(is_ring(&cycle.0, &edges), "{}", cycle);
        }
        // Every item that waits for itself is in a knot, and every knot shows at least one ring.
        for own in (0..COUNT).filter(|own| reaches[*own][*own]) {
            let mut members = found.iter().map(|cycle| cycle.0[0].number() as usize);
            prop_assert!(members.any(|one| reaches[own][one] && reaches[one][own]));
        }
        prop_assert_eq!(found.is_empty(), (0..COUNT).all(|own| !reaches[own][own]));
    }

    #[test]
    fn a_parent_is_refused_if_and_only_if_it_closes_a_ring(
        parents in vec(0..COUNT, COUNT), child in 0..COUNT, parent in 0..COUNT, bare: bool,
        stamp in stamp(),
    ) {
        let edges: Vec<_> =
            parents.into_iter().enumerate().filter(|(child, parent)| child != parent).collect();
        let items: Vec<_> = (0..COUNT).map(|number| {
            let own = edges.iter().find(|(child, _)| *child == number);
            let own = own.map(|(_, parent)| Edit::Parent(Some(reference(*parent, bare))));
            summary(number, own.as_slice(), &stamp)
        }).collect();
        let graph = Graph::new(&items);
        let found = graph.parent_cycle(&id(child), &reference(parent, bare));
        let reaches = reaches(&edges);
        prop_assert_eq!(found.is_some(), child == parent || reaches[parent][child]);
        prop_assert_eq!(graph.cycles().is_empty(), (0..COUNT).all(|own| !reaches[own][own]));
        for (child, parent) in &edges {
            prop_assert!(graph.children(&id(*parent)).any(|own| own.id == id(*child)));
        }
    }

    /// An item waits for what it depends on, and a parent for its parts.
    #[test]
    fn who_waits_for_whom_is_told_over_both_kinds_of_references(
        needs in edges(), parents in vec(proptest::option::of(0..COUNT), COUNT),
        from in 0..COUNT, to in 0..COUNT, bare: bool, stamp in stamp(),
    ) {
        let parents: Vec<_> = parents.into_iter().enumerate()
            .filter_map(|(child, parent)| Some((child, parent.filter(|own| *own != child)?)))
            .collect();
        let mut items = store(&needs, &stamp);
        for (child, parent) in &parents {
            items[*child].parent = Some(reference(*parent, bare));
        }
        let mut edges = bare_edges(&needs);
        edges.extend(parents.iter().map(|(child, parent)| (*parent, *child)));
        let reaches = reaches(&edges);
        let graph = Graph::new(&items);
        let way = graph.waits(&reference(from, bare), &reference(to, bare));
        prop_assert_eq!(way.is_some(), from == to || reaches[from][to]);
        if let Some(mut way) = way {
            prop_assert_eq!((&way[0], &way[way.len() - 1]), (&id(from), &id(to)));
            way.extend((from != to).then(|| id(from)));
            edges.push((to, from));
            prop_assert!(from == to || is_ring(&way, &edges), "{way:?}");
            edges.pop();
        }
        let is_free = (0..COUNT).all(|own| !reaches[own][own]);
        prop_assert_eq!(graph.comes_to_an_end(), is_free);
        prop_assert_eq!(graph.cycles().is_empty(), is_free);
        for cycle in graph.cycles() {
            let backwards: Vec<_> = cycle.0.iter().rev().cloned().collect();
            prop_assert!(is_ring(&cycle.0, &edges) || is_ring(&backwards, &edges), "{}", cycle);
        }
    }

    #[test]
    fn what_is_ready_is_pending_unclaimed_and_waits_for_nothing(
        edges in edges(),
        moved in vec(proptest::option::of(0..4_usize), COUNT),
        priorities in vec(proptest::sample::select(&Priority::ALL[..]), COUNT),
        stamps in vec(stamp(), COUNT),
    ) {
        let mut items = store(&edges, &stamps[0]);
        let statuses =
            [Status::InProgress, Status::Blocked, Status::Completed, Status::Cancelled];
        for (number, item) in items.iter_mut().enumerate() {
            item.status = moved[number].map_or(Status::Pending, |status| statuses[status]);
            item.priority = priorities[number];
            item.created_at = stamps[number].at;
            let (holder, is_handed_over) = (stamps[0].actor.clone(), false);
            let claim = ClaimSummary { holder, expires_at: None, is_handed_over, lock: None };
            item.claim = (number == 0).then_some(claim);
        }
        let graph = Graph::new(&items);
        let free = |number: &usize| {
            let needs = edges.iter().filter(|(from, _, _)| from == number);
            items[*number].status == Status::Pending
                && items[*number].claim.is_none()
                && needs.clone().all(|(_, to, _)| items[*to].status.is_closed())
        };
        let mut expected: Vec<_> =
            (0..COUNT).filter(free).map(|number| items[number].clone()).collect();
        expected.sort_by(|one, two| {
            let key = |item: &Summary| (item.priority, item.created_at, item.uid);
            key(one).cmp(&key(two))
        });
        prop_assert_eq!(ready(&items), expected.clone());
        for (from, to, _) in &edges {
            prop_assert!(graph.dependents(&id(*to)).any(|own| own.id == id(*from)));
        }
    }
}

fn ready(items: &[Summary]) -> Vec<Summary> {
    let mut list = ReadyList::new(Timestamp::UNIX_EPOCH, None);
    items.iter().cloned().for_each(|item| list.add(item, true));
    list.into_ready(0, |id| items.iter().find(|item| item.id == *id).map(|item| item.uid)).1
}

fn plain_stamp() -> Stamp {
    Stamp::new(Timestamp::UNIX_EPOCH, "ada".parse().expect("valid"))
}

#[test]
fn a_renumbered_item_is_still_the_one_that_was_meant() {
    let needs = [Edit::AddDependency(reference(2, false))];
    let mut items = [summary(1, &needs, &plain_stamp()), summary(2, &[], &plain_stamp())];
    items[1].id = id(9);
    // Another clone's item took the number.
    let usurper = Summary { uid: uid(77), status: Status::Completed, ..items[1].clone() };
    let usurper = Summary { id: id(2), ..usurper };
    let items = [items[0].clone(), items[1].clone(), usurper];
    let graph = Graph::new(&items);
    assert_eq!(graph.resolve(&reference(2, false)), Some(&items[1]));
    assert_eq!(ready(&items), [items[1].clone()], "the one that took the number is completed");
    assert!(graph.dependency_cycle(&id(9), &reference(1, false)).is_some());
    assert!(graph.dependency_cycle(&id(2), &reference(1, false)).is_none());
    assert_eq!(graph.dependents(&id(9)).count(), 1);
    assert_eq!(graph.dependents(&id(2)).count(), 0);
}

#[test]
fn what_cannot_be_found_holds_back() {
    let needs = [Edit::AddDependency(reference(5, false))];
    let items = [summary(1, &needs, &plain_stamp())];
    assert!(ready(&items).is_empty());
    assert_eq!(Graph::new(&items).resolve(&items[0].depends_on[0]), None);
}

#[test]
fn a_begun_item_is_taken() {
    let item = summary(1, &[Edit::Move(Transition::Start)], &plain_stamp());
    let items = [item];
    assert!(ready(&items).is_empty());
}

/// As long as a store may be; a recursive walk would run out of stack.
#[test]
fn a_chain_of_a_hundred_thousand_is_walked() {
    const LENGTH: usize = 100_000;
    let template = summary(0, &[], &plain_stamp());
    let mut items: Vec<_> = (0..LENGTH)
        .map(|number| Summary {
            id: id(number),
            uid: uid(number),
            depends_on: (number + 1 < LENGTH)
                .then(|| reference(number + 1, false))
                .into_iter()
                .collect(),
            parent: (number > 0).then(|| reference(number - 1, true)),
            ..template.clone()
        })
        .collect();
    let graph = Graph::new(&items);
    assert!(graph.cycles().is_empty());
    assert_eq!(ready(&items).len(), 1);
    let last = id(LENGTH - 1);
    let ring = graph.dependency_cycle(&last, &reference(0, false)).expect("a ring");
    assert_eq!(ring.0.len(), LENGTH + 1);
    assert!(graph.parent_cycle(&id(0), &reference(LENGTH - 1, true)).is_some());
    assert_eq!(
        graph.waits(&reference(0, true), &reference(LENGTH - 1, false)).map(|way| way.len()),
        Some(LENGTH)
    );
    assert!(graph.dependency_cycle(&id(0), &reference(LENGTH - 1, true)).is_none());
    items[LENGTH - 1].depends_on.push(reference(0, false));
    assert_eq!(Graph::new(&items).cycles().len(), 1);
}
