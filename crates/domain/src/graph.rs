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
}

#[derive(Clone, Copy)]
enum Edge {
    DependsOn,
    Parent,
}

impl<'a> Graph<'a> {
    /// Looks at `items`, all there are.
    #[must_use]
    pub fn new(items: &'a [Summary]) -> Self {
        let by_uid = items.iter().enumerate().map(|(index, item)| (item.uid, index)).collect();
        let named = items.iter().enumerate().filter(|(_, item)| !item.is_displaced);
        let by_id = named.map(|(index, item)| (&item.id, index)).collect();
        Self { items, by_uid, by_id }
    }

    /// The item that `reference` means: its uid decides, its id only where it has none.
    #[must_use]
    pub fn resolve(&self, reference: &ItemRef) -> Option<&'a Summary> {
        self.index_of(reference).map(|index| &self.items[index])
    }

    /// The items whose parent is `id`.
    pub fn children(&self, id: &WorkId) -> impl Iterator<Item = &'a Summary> {
        let parent = self.by_id.get(id).copied();
        self.items.iter().filter(move |item| {
            let own = item.parent.as_ref().and_then(|reference| self.index_of(reference));
            own.is_some() && own == parent
        })
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

    /// Rings, at least one through each knot of items that wait for, or are parts of, each other;
    /// none if and only if there is no ring.
    #[must_use]
    pub fn cycles(&self) -> Vec<Cycle> {
        let mut found = self.rings(Edge::DependsOn);
        found.extend(self.rings(Edge::Parent));
        found
    }

    fn index_of(&self, reference: &ItemRef) -> Option<usize> {
        match reference.uid {
            Some(uid) => self.by_uid.get(&uid).copied(),
            None => self.by_id.get(&reference.id).copied(),
        }
    }

    fn next(&self, index: usize, edge: Edge) -> impl Iterator<Item = usize> + '_ {
        let item = &self.items[index];
        let (dependencies, parent) = match edge {
            Edge::DependsOn => (item.depends_on.as_slice(), None),
            Edge::Parent => (&[][..], item.parent.as_ref()),
        };
        dependencies.iter().chain(parent).filter_map(|reference| self.index_of(reference))
    }

    /// The path from `to` back to `from`, closed by the edge from `from` to `to`.
    fn closes(&self, from: &WorkId, to: &ItemRef, edge: Edge) -> Option<Cycle> {
        let from = *self.by_id.get(from)?;
        let to = self.index_of(to)?;
        let mut came_from: HashMap<usize, usize> = HashMap::new();
        let mut open = vec![to];
        while let Some(index) = open.pop() {
            if index == from {
                let mut path = vec![from];
                let mut at = from;
                while at != to {
                    at = came_from[&at];
                    path.push(at);
                }
                path.push(from);
                path.reverse();
                return Some(self.named(&path));
            }
            for next in self.next(index, edge) {
                if next != to && !came_from.contains_key(&next) {
                    came_from.insert(next, index);
                    open.push(next);
                }
            }
        }
        None
    }

    /// Depth-first with an explicit stack: a chain may be as long as the store.
    fn rings(&self, edge: Edge) -> Vec<Cycle> {
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
                        let ring = path.iter().map(|(index, _)| *index);
                        let mut ring: Vec<_> = ring.skip_while(|index| *index != next).collect();
                        ring.push(next);
                        found.push(self.named(&ring));
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
