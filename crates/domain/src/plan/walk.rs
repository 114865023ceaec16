//! Going through a plan from one item on.

use serde::Serialize;

use super::{Plan, Target};
use crate::{Summary, WorkId};

/// Which ways are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ways {
    /// To what an item depends on.
    pub needs: bool,
    /// To its parts.
    pub parts: bool,
    /// To what depends on it.
    pub needed_by: bool,
    /// Also to what is finished.
    pub finished: bool,
}

impl Ways {
    /// To whatever must be finished before an item can be.
    pub const HOLDING_UP: Self =
        Self { needs: true, parts: true, needed_by: false, finished: false };
}

/// How an item has to do with the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "relation"))]
pub enum Relation {
    /// The one before depends on it.
    Needs,
    /// It is a part of the one before.
    Part,
    /// It depends on the one before.
    NeededBy,
}

/// Whether a way goes on behind an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "mark"))]
pub enum Mark {
    /// What is behind it follows.
    New,
    /// What is behind it was shown where it came first.
    Repeated,
    /// It is one of those that led here: a ring.
    Ring,
}

/// One item on the way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step<'a> {
    /// How many steps it is from the first, which is 0.
    pub depth: usize,
    /// How it has to do with the one before it; `None` of the first.
    pub relation: Option<Relation>,
    /// The item.
    pub target: Target<'a>,
    /// Whether the way goes on behind it.
    pub mark: Mark,
}

impl<'a> Plan<'a> {
    /// Every item that `ways` lead to from the one called `from`, each followed once, by those
    /// behind it; nothing when there is no such item.
    #[must_use]
    pub fn walk(&self, from: &WorkId, ways: Ways) -> Vec<Step<'a>> {
        let Some(start) = self.place_called(from) else { return Vec::new() };
        let first = Target::Item(&self.items[start]);
        let mut steps = vec![Step { depth: 0, relation: None, target: first, mark: Mark::New }];
        let (mut seen, mut leads_here) =
            (vec![false; self.items.len()], vec![false; self.items.len()]);
        (seen[start], leads_here[start]) = (true, true);
        // With an explicit stack: a chain may be as long as the store.
        let mut open = vec![(start, self.behind(start, ways).into_iter())];
        while let Some((place, rest)) = open.last_mut() {
            let Some((relation, target)) = rest.next() else {
                leads_here[*place] = false;
                open.pop();
                continue;
            };
            let depth = open.len();
            let relation = Some(relation);
            let next = match target {
                Target::Item(item) => self.place_of(item),
                Target::Missing(_) => None,
            };
            let mark = match next {
                Some(next) if leads_here[next] => Mark::Ring,
                Some(next) if seen[next] => Mark::Repeated,
                _ => Mark::New,
            };
            steps.push(Step { depth, relation, target, mark });
            if let Some(next) = next.filter(|_| mark == Mark::New) {
                (seen[next], leads_here[next]) = (true, true);
                open.push((next, self.behind(next, ways).into_iter()));
            }
        }
        steps
    }

    fn behind(&self, place: usize, ways: Ways) -> Vec<(Relation, Target<'a>)> {
        let mut behind = Vec::new();
        if ways.needs {
            behind.extend(self.needs(&self.items[place]).map(|target| (Relation::Needs, target)));
        }
        let item = |place: &usize| -> &'a Summary { &self.items[*place] };
        if ways.parts {
            let parts = self.graph.parts_at(place).iter().map(item);
            behind.extend(parts.map(|part| (Relation::Part, Target::Item(part))));
        }
        if ways.needed_by {
            let waiters = self.waiters[place].iter().map(item);
            behind.extend(waiters.map(|waiter| (Relation::NeededBy, Target::Item(waiter))));
        }
        behind.retain(|(_, target)| ways.finished || target.is_unfinished());
        behind
    }
}
