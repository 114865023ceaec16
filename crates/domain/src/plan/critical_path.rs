//! The longest way through what is not finished.

use super::{Plan, Target};
use crate::{Summary, WorkId};

/// The longest chain of unfinished items of which each must be finished before the next, and what
/// could not be looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct CriticalPath<'a> {
    /// The chain, what comes first first. Every item counts as one; of chains of one length the one
    /// whose items come first in the plan is taken, from its end on.
    pub path: Vec<&'a Summary>,
    /// The unfinished items that are in a ring, or behind one: they never come to an end.
    pub endless: Vec<&'a Summary>,
}

impl<'a> Plan<'a> {
    /// The longest way through all that is unfinished; with `whole`, through that item, its parts,
    /// and theirs.
    #[must_use]
    pub fn critical_path(&self, whole: Option<&WorkId>) -> CriticalPath<'a> {
        let mut counts: Vec<_> = self.items.iter().map(|item| !item.status.is_closed()).collect();
        if let Some(whole) = whole {
            let within = self.within(whole);
            counts.iter_mut().zip(within).for_each(|(counts, within)| *counts &= within);
        }
        let before = self.edges(&counts);
        let mut after = vec![Vec::new(); self.items.len()];
        for (place, earlier) in before.iter().enumerate() {
            earlier.iter().for_each(|earlier| after[*earlier].push(place));
        }

        // Whatever has nothing left before it comes to an end; what is never reached is endless.
        let mut left: Vec<_> = before.iter().map(Vec::len).collect();
        let mut open: Vec<_> =
            (0..counts.len()).filter(|it| counts[*it] && left[*it] == 0).collect();
        let mut length = vec![0_usize; counts.len()];
        while let Some(place) = open.pop() {
            let longest = before[place].iter().map(|earlier| length[*earlier]).max();
            length[place] = 1 + longest.unwrap_or(0);
            for later in &after[place] {
                left[*later] -= 1;
                if left[*later] == 0 {
                    open.push(*later);
                }
            }
        }

        let longest = |places: &mut dyn Iterator<Item = usize>| {
            // The first of the longest; `max_by_key` would give the last.
            places
                .filter(|place| length[*place] > 0)
                .reduce(|best, place| if length[place] > length[best] { place } else { best })
        };
        let mut path = Vec::new();
        let mut next = longest(&mut (0..counts.len()));
        while let Some(place) = next {
            path.push(&self.items[place]);
            next = longest(&mut before[place].iter().copied());
        }
        path.reverse();
        let endless = (0..counts.len()).filter(|place| counts[*place] && length[*place] == 0);
        CriticalPath { path, endless: endless.map(|place| &self.items[place]).collect() }
    }

    /// Whether each item is the one called `whole`, one of its parts, or one of theirs.
    fn within(&self, whole: &WorkId) -> Vec<bool> {
        let mut within = vec![false; self.items.len()];
        let mut open: Vec<_> = self.place_called(whole).into_iter().collect();
        while let Some(place) = open.pop() {
            if !std::mem::replace(&mut within[place], true) {
                open.extend(self.graph.parts_at(place));
            }
        }
        within
    }

    /// For each item that counts the places of those that count and must be finished before, in
    /// order, each once.
    fn edges(&self, counts: &[bool]) -> Vec<Vec<usize>> {
        let edges = self.items.iter().enumerate().map(|(place, item)| {
            if !counts[place] {
                return Vec::new();
            }
            let needs = self.needs(item).filter_map(|needed| match needed {
                Target::Item(item) => self.place_of(item),
                Target::Missing(_) => None,
            });
            let mut before: Vec<_> =
                needs.chain(self.graph.parts_at(place).iter().copied()).collect();
            before.retain(|earlier| counts[*earlier]);
            before.sort_unstable();
            before.dedup();
            before
        });
        edges.collect()
    }
}
