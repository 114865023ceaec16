//! A plan against references that are too simple to be wrong, rings included.

use std::collections::BTreeSet;

use jerry_domain::{
    Actor, ClaimSummary, Edit, ItemRef, Mark, Plan, Prefix, ReadyList, Relation, Situation, Stamp,
    Status, Summary, Target, Timestamp, Title, Uid, Ways, WorkId, WorkItem,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

const COUNT: usize = 6;

fn id(number: usize) -> WorkId {
    WorkId::new(Prefix::new("WORK").expect("valid"), number as u64).expect("in range")
}

fn uid(number: usize) -> Uid {
    Uid::try_from(number as u64 + 1000).expect("in range")
}

fn number(item: &Summary) -> usize {
    item.id.number() as usize
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

/// An item's status, its parent, what it needs, and when its claim ends. Numbers past the last item
/// are those of items that are not there.
type Sketch = (Status, Option<usize>, Vec<usize>, Option<Option<i64>>);

fn sketches() -> impl Strategy<Value = Vec<Sketch>> {
    let status =
        prop_oneof![3 => Just(Status::Pending), 2 => proptest::sample::select(&Status::ALL[..])];
    let claim = option::weighted(0.2, option::of(-1..2_i64));
    vec((status, option::of(0..COUNT), vec(0..=COUNT, 0..3), claim), COUNT)
}

fn store(sketches: &[Sketch]) -> Vec<Summary> {
    let stamp = Stamp::new(now(), Actor::new("ann").expect("valid"));
    let items = sketches.iter().enumerate().map(|(own, (status, parent, needs, claim))| {
        let other = |other: &usize| (*other != own).then(|| ItemRef::new(id(*other), uid(*other)));
        let mut edits: Vec<_> = needs.iter().filter_map(other).map(Edit::AddDependency).collect();
        edits.push(Edit::Parent(parent.as_ref().and_then(other)));
        let title = Title::new("t").expect("valid");
        let item = WorkItem::create(id(own), uid(own), title, &edits, &stamp).expect("allowed");
        let claim = claim.map(|end| ClaimSummary {
            holder: Actor::new("bob").expect("valid"),
            expires_at: end.map(|second| Timestamp::from_second(second).expect("valid")),
            is_handed_over: false,
            lock: None,
        });
        Summary { status: *status, claim, ..Summary::from(&item) }
    });
    items.collect()
}

/// From each unfinished item to those that must be finished before it.
fn before(items: &[Summary]) -> Vec<BTreeSet<usize>> {
    let is_open = |place: &usize| items.get(*place).is_some_and(|item| !item.status.is_closed());
    let edges = items.iter().map(|item| {
        let needs = item.depends_on.iter().map(|needed| needed.id.number() as usize);
        let is_part = |other: &&Summary| other.parent.as_ref().is_some_and(|it| it.id == item.id);
        let parts = items.iter().filter(is_part).map(number);
        let open = !item.status.is_closed();
        needs.chain(parts).filter(|place| open && is_open(place)).collect()
    });
    edges.collect()
}

fn reachable(edges: &[BTreeSet<usize>], from: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::from([from]);
    for _ in 0..edges.len() {
        let more: Vec<_> = found.iter().flat_map(|place| edges[*place].clone()).collect();
        found.extend(more);
    }
    found
}

/// The longest chain that ends at `place`; `None` when it is in a ring or behind one.
fn longest(edges: &[BTreeSet<usize>], place: usize, budget: usize) -> Option<usize> {
    let budget = budget.checked_sub(1)?;
    let before = edges[place].iter().map(|earlier| longest(edges, *earlier, budget));
    let before = before.collect::<Option<Vec<_>>>()?;
    Some(1 + before.into_iter().max().unwrap_or(0))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn what_a_plan_calls_ready_is_what_the_list_holds(sketches in sketches()) {
        let items = store(&sketches);
        let plan = Plan::new(&items, now());
        let ready = items.iter().filter(|item| plan.situation(item) == Situation::Ready);
        let ready: BTreeSet<_> = ready.map(number).collect();
        let mut list = ReadyList::new(now(), None);
        items.iter().for_each(|item| list.add(item.clone(), true));
        let (_, listed) = list.into_ready(0, |_| None);
        prop_assert_eq!(ready, listed.iter().map(number).collect());
    }

    #[test]
    fn a_walk_follows_whatever_holds_up_once(sketches in sketches(), start in 0..COUNT) {
        let items = store(&sketches);
        let plan = Plan::new(&items, now());
        let steps = plan.walk(&id(start), Ways::HOLDING_UP);
        let new: Vec<_> = steps
            .iter()
            .filter(|step| step.mark == Mark::New)
            .filter_map(|step| match step.target {
                Target::Item(item) => Some(number(item)),
                Target::Missing(_) => None,
            })
            .collect();
        let found: BTreeSet<_> = new.iter().copied().collect();
        prop_assert_eq!(new.len(), found.len(), "each once");
        // What is finished leads nowhere, but for the one that was asked about.
        let mut edges = before(&items);
        if items[start].status.is_closed() {
            let mut opened = items.clone();
            opened[start].status = Status::Pending;
            edges[start] = before(&opened)[start].clone();
        }
        prop_assert_eq!(found, reachable(&edges, start));
        let mut way: Vec<usize> = Vec::new();
        for step in &steps {
            prop_assert!(step.depth <= way.len(), "behind the one before it");
            way.truncate(step.depth);
            let Target::Item(item) = step.target else { continue };
            prop_assert_eq!(step.mark == Mark::Ring, way.contains(&number(item)));
            way.push(number(item));
        }
    }

    #[test]
    fn a_walk_the_other_way_finds_those_that_are_waited_for(
        sketches in sketches(), one in 0..COUNT, other in 0..COUNT,
    ) {
        let items = store(&sketches);
        let plan = Plan::new(&items, now());
        let back = Ways { needs: false, parts: false, needed_by: true, finished: true };
        let forth = Ways { needs: true, parts: false, needed_by: false, finished: true };
        let leads = |from, to, ways| {
            let steps = plan.walk(&id(from), ways);
            steps.iter().any(|step| matches!(step.target, Target::Item(item) if number(item) == to))
        };
        prop_assert_eq!(leads(one, other, forth), leads(other, one, back));
        let all = plan.walk(&id(one), back);
        prop_assert!(all.iter().skip(1).all(|step| step.relation == Some(Relation::NeededBy)));
    }

    #[test]
    fn the_critical_path_is_a_longest_chain(sketches in sketches()) {
        let items = store(&sketches);
        let found = Plan::new(&items, now()).critical_path(None);
        let edges = before(&items);
        let open = items.iter().filter(|item| !item.status.is_closed()).map(number);
        let lengths: Vec<_> = open.map(|place| (place, longest(&edges, place, COUNT + 1))).collect();
        let best = lengths.iter().filter_map(|(_, length)| *length).max().unwrap_or(0);
        prop_assert_eq!(found.path.len(), best);
        for pair in found.path.windows(2) {
            prop_assert!(edges[number(pair[1])].contains(&number(pair[0])));
        }
        let endless = lengths.iter().filter(|(_, length)| length.is_none());
        let endless: Vec<_> = endless.map(|(place, _)| *place).collect();
        prop_assert_eq!(found.endless.iter().map(|item| number(item)).collect::<Vec<_>>(), endless);
    }

    #[test]
    fn the_critical_path_of_a_part_stays_within_it(sketches in sketches(), whole in 0..COUNT) {
        let items = store(&sketches);
        let plan = Plan::new(&items, now());
        let parts = Ways { needs: false, parts: true, needed_by: false, finished: true };
        let within = plan.walk(&id(whole), parts);
        let is_within = |item: &Summary| {
            within.iter().any(|step| matches!(step.target, Target::Item(own) if own.id == item.id))
        };
        let found = plan.critical_path(Some(&id(whole)));
        prop_assert!(found.path.iter().chain(&found.endless).all(|item| is_within(item)));
    }
}
