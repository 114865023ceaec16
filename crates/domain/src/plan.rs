//! The items of a store as a plan: what holds what up, and which way through it is the longest.
//!
//! An item waits for what it depends on before it is begun, and for its parts before it is
//! completed. Files written by hand may close rings, so nothing here follows an item twice.

mod critical_path;
mod walk;

use std::collections::HashMap;

use jiff::Timestamp;

pub use critical_path::CriticalPath;
pub use walk::{Mark, Relation, Step, Ways};

use crate::{Graph, ItemRef, Situation, Summary, Uid, WorkId};

/// What an item points at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target<'a> {
    /// An item that is there.
    Item(&'a Summary),
    /// One that was deleted, never was, or cannot be read. It holds back like what is not finished.
    Missing(&'a ItemRef),
}

/// The items of a store and how they hold each other up, at one time.
#[derive(Debug)]
pub struct Plan<'a> {
    items: &'a [Summary],
    graph: Graph<'a>,
    now: Timestamp,
    index: HashMap<(&'a WorkId, Uid), usize>,
    /// For each item the places of those that depend on it.
    waiters: Vec<Vec<usize>>,
}

impl<'a> Plan<'a> {
    /// Looks at `items`, all there are. What comes first among them comes first in answers.
    #[must_use]
    pub fn new(items: &'a [Summary], now: Timestamp) -> Self {
        let graph = Graph::new(items);
        let index: HashMap<_, _> =
            items.iter().enumerate().map(|(place, item)| ((&item.id, item.uid), place)).collect();
        let place_of = |reference: &ItemRef| {
            graph.resolve(reference).and_then(|item| index.get(&(&item.id, item.uid)).copied())
        };
        let mut waiters = vec![Vec::new(); items.len()];
        for (place, item) in items.iter().enumerate() {
            for needed in item.depends_on.iter().filter_map(place_of) {
                waiters[needed].push(place);
            }
        }
        Self { items, graph, now, index, waiters }
    }

    /// The item called `id`.
    #[must_use]
    pub fn get(&self, id: &WorkId) -> Option<&'a Summary> {
        self.graph.resolve(&ItemRef::bare(id.clone()))
    }

    fn place_of(&self, item: &Summary) -> Option<usize> {
        self.index.get(&(&item.id, item.uid)).copied()
    }

    fn place_called(&self, id: &WorkId) -> Option<usize> {
        self.place_of(self.get(id)?)
    }

    /// How `item` stands.
    #[must_use]
    pub fn situation(&self, item: &'a Summary) -> Situation {
        Situation::of(item, self.held_up_by(item).next().is_some(), self.now)
    }

    /// What `item` depends on and is not finished.
    pub fn held_up_by(&self, item: &'a Summary) -> impl Iterator<Item = Target<'a>> {
        self.needs(item).filter(|needed| needed.is_unfinished())
    }

    /// The parts of `item` that are not finished.
    pub fn unfinished_parts(&self, item: &Summary) -> impl Iterator<Item = &'a Summary> {
        let place = self.place_of(item);
        self.unfinished(place.map_or(&[], |place| self.graph.parts_at(place)))
    }

    /// The unfinished items that depend on `item`.
    pub fn waiting_for(&self, item: &Summary) -> impl Iterator<Item = &'a Summary> {
        let place = self.place_of(item);
        self.unfinished(place.map_or(&[], |place| &self.waiters[place]))
    }

    fn needs(&self, item: &'a Summary) -> impl Iterator<Item = Target<'a>> {
        item.depends_on.iter().map(|needed| match self.graph.resolve(needed) {
            Some(item) => Target::Item(item),
            None => Target::Missing(needed),
        })
    }

    fn unfinished(&self, places: &[usize]) -> impl Iterator<Item = &'a Summary> + use<'a> {
        let (items, places) = (self.items, places.to_vec());
        places.into_iter().map(|place| &items[place]).filter(|item| !item.status.is_closed())
    }
}

impl Target<'_> {
    /// Whether it holds back what needs it.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        match self {
            Self::Item(item) => !item.status.is_closed(),
            Self::Missing(_) => true,
        }
    }
}
