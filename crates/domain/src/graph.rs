//! The rules that look at more than one item: who waits for whom, who is a part of what.

use std::collections::HashMap;
use std::fmt;

use crate::{ItemRef, Summary, Uid, WorkId};

/// Items that wait for each other in a ring, or are parts of each other. The first is repeated at
/// the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle(pub Vec<WorkId>);

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, id) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" -> ")?;
            }
            id.fmt(f)?;
        }
        Ok(())
    }
}

/// The items of a store and the references between them.
#[derive(Debug)]
pub struct Graph<'a> {
    items: &'a [Summary],
    by_uid: HashMap<Uid, usize>,
    by_id: HashMap<&'a WorkId, usize>,
    /// For each item the places of those that name it as their parent.
    parts: Vec<Vec<usize>>,
}

#[derive(Clone, Copy)]
enum Edge {
    DependsOn,
    Parent,
    /// From an item to what it depends on, and from a parent to its parts.
    WaitsFor,
}

impl<'a> Graph<'a> {
    /// Looks at `items`, all there are.
    #[must_use]
    pub fn new(items: &'a [Summary]) -> Self {
        let by_uid = items.iter().enumerate().map(|(index, item)| (item.uid, index)).collect();
        let named = items.iter().enumerate().filter(|(_, item)| !item.is_displaced);
        let by_id = named.map(|(index, item)| (&item.id, index)).collect();
        let mut graph = Self { items, by_uid, by_id, parts: vec![Vec::new(); items.len()] };
        for (index, item) in items.iter().enumerate() {
            if let Some(parent) = item.parent.as_ref().and_then(|parent| graph.index_of(parent)) {
                graph.parts[parent].push(index);
            }
        }
        graph
    }

    /// The item that `reference` means: its uid decides, its id only where it has none.
    #[must_use]
    pub fn resolve(&self, reference: &ItemRef) -> Option<&'a Summary> {
        self.index_of(reference).map(|index| &self.items[index])
    }

    /// The items whose parent is `id`.
    pub fn children(&self, id: &WorkId) -> impl Iterator<Item = &'a Summary> {
        let parts = self.by_id.get(id).map_or(&[][..], |index| self.parts_at(*index));
        parts.iter().map(|index| &self.items[*index])
    }

    /// The places of the parts of the item at the place `index`.
    pub(crate) fn parts_at(&self, index: usize) -> &[usize] {
        &self.parts[index]
    }

    /// The items that wait for `id`.
    pub fn dependents(&self, id: &WorkId) -> impl Iterator<Item = &'a Summary> {
        let needed = self.by_id.get(id).copied();
        self.items.iter().filter(move |item| {
            needed.is_some() && item.depends_on.iter().any(|own| self.index_of(own) == needed)
        })
    }

    /// The ring that would close if `waiter` waited for `needed`.
    #[must_use]
    pub fn dependency_cycle(&self, waiter: &WorkId, needed: &ItemRef) -> Option<Cycle> {
        self.closes(waiter, needed, Edge::DependsOn)
    }

    /// The ring that would close if `child` became a part of `parent`.
    #[must_use]
    pub fn parent_cycle(&self, child: &WorkId, parent: &ItemRef) -> Option<Cycle> {
        self.closes(child, parent, Edge::Parent)
    }

    /// How `waiter` comes to wait for `needed`, from the one to the other: an item waits for what it
    /// depends on, and for its parts. None if it does not.
    #[must_use]
    pub fn waits(&self, waiter: &ItemRef, needed: &ItemRef) -> Option<Vec<WorkId>> {
        let way = self.way(self.index_of(waiter)?, self.index_of(needed)?, Edge::WaitsFor)?;
        Some(self.named(&way).0)
    }

    /// Whether nothing waits for itself: there is no ring, of whatever kind of references.
    #[must_use]
    pub fn comes_to_an_end(&self) -> bool {
        self.rings(Edge::WaitsFor).is_empty()
    }

    /// Rings, at least one through each knot of items that depend on, or are parts of, each other, or
    /// wait for each other by both; none if and only if there is no ring. One of both kinds of
    /// references goes from parents to parts.
    #[must_use]
    pub fn cycles(&self) -> Vec<Cycle> {
        let mut found = self.rings(Edge::DependsOn);
        found.extend(self.rings(Edge::Parent));
        let of_both = self.rings(Edge::WaitsFor).into_iter().filter(|ring| self.is_of_both(ring));
        found.extend(of_both);
        found.iter().map(|ring| self.named(ring)).collect()
    }

    /// Whether a ring of [`Edge::WaitsFor`] is one neither of dependencies nor of parts alone.
    fn is_of_both(&self, ring: &[usize]) -> bool {
        let is_part = |pair: &[usize]| self.next(pair[1], Edge::Parent).any(|own| own == pair[0]);
        let is_needed =
            |pair: &[usize]| self.next(pair[0], Edge::DependsOn).any(|own| own == pair[1]);
        !ring.windows(2).all(is_part) && !ring.windows(2).all(is_needed)
    }

    fn index_of(&self, reference: &ItemRef) -> Option<usize> {
        match reference.uid {
            Some(uid) => self.by_uid.get(&uid).copied(),
            None => self.by_id.get(&reference.id).copied(),
        }
    }

    fn next(&self, index: usize, edge: Edge) -> impl Iterator<Item = usize> + '_ {
        let item = &self.items[index];
        let (dependencies, parent, parts) = match edge {
            Edge::DependsOn => (item.depends_on.as_slice(), None, &[][..]),
            Edge::Parent => (&[][..], item.parent.as_ref(), &[][..]),
            Edge::WaitsFor => (item.depends_on.as_slice(), None, self.parts_at(index)),
        };
        let references = dependencies.iter().chain(parent);
        references.filter_map(|reference| self.index_of(reference)).chain(parts.iter().copied())
    }

    /// The ring that an edge from `from` to `to` closes.
    fn closes(&self, from: &WorkId, to: &ItemRef, edge: Edge) -> Option<Cycle> {
        let from = *self.by_id.get(from)?;
        let way = self.way(self.index_of(to)?, from, edge)?;
        let ring: Vec<_> = std::iter::once(from).chain(way).collect();
        Some(self.named(&ring))
    }

    fn way(&self, from: usize, to: usize, edge: Edge) -> Option<Vec<usize>> {
        let mut came_from: HashMap<usize, usize> = HashMap::new();
        let mut open = vec![from];
        while let Some(index) = open.pop() {
            if index == to {
                let mut way = vec![to];
                let mut at = to;
                while at != from {
                    at = came_from[&at];
                    way.push(at);
                }
                way.reverse();
                return Some(way);
            }
            for next in self.next(index, edge) {
                if next != from && !came_from.contains_key(&next) {
                    came_from.insert(next, index);
                    open.push(next);
                }
            }
        }
        None
    }

    /// Depth-first with an explicit stack: a chain may be as long as the store.
    fn rings(&self, edge: Edge) -> Vec<Vec<usize>> {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            New,
            Open,
            Done,
        }
        let mut marks = vec![Mark::New; self.items.len()];
        let mut found = Vec::new();
        for start in 0..self.items.len() {
            if marks[start] != Mark::New {
                continue;
            }
            marks[start] = Mark::Open;
            let mut path = vec![(start, self.next(start, edge).collect::<Vec<_>>())];
            while let Some((index, rest)) = path.last_mut() {
                let Some(next) = rest.pop() else {
                    marks[*index] = Mark::Done;
                    path.pop();
                    continue;
                };
                match marks[next] {
                    Mark::New => {
                        marks[next] = Mark::Open;
                        path.push((next, self.next(next, edge).collect()));
                    }
                    Mark::Open => {
                        // From the end, where most rings are: there may be as many as there are items.
                        let first = path.iter().rposition(|(index, _)| *index == next);
                        let ring =
                            path[first.unwrap_or_default()..].iter().map(|(index, _)| *index);
                        found.push(ring.chain([next]).collect());
                    }
                    Mark::Done => {}
                }
            }
        }
        found
    }

    fn named(&self, path: &[usize]) -> Cycle {
        Cycle(path.iter().map(|index| self.items[*index].id.clone()).collect())
    }
}
