//! What waits, and for what.

use std::collections::HashMap;

use jerry_domain::ports::Unreadable;
use jerry_domain::{
    Plan, ProgressCount, Since, Situation, Summary, Target, Timestamp, Uid, WorkId,
};

use crate::query::first_of;
use crate::why::{self, Standing};
use crate::{Error, Ports, view};

/// An item that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// The item.
    pub item: Summary,
    /// Whether it waits for others or somebody said that it cannot go on.
    pub situation: Situation,
    /// Who said so, when and why.
    pub since: Option<Since>,
    /// The unfinished items that it waits for.
    pub waits_for: Vec<Standing>,
    /// What it waits for and is not there, or cannot be read.
    pub missing: Vec<WorkId>,
}

/// The items that wait.
#[derive(Debug)]
pub struct WaitingItems {
    /// As many as the limit allows, the most urgent first, then the oldest.
    pub items: Vec<Waiting>,
    /// How many there are without the limit.
    pub total: usize,
    /// How far the items that have parts are.
    pub progress: ProgressCount,
    /// What could not be read, and so may be missing.
    pub unreadable: Vec<Unreadable>,
}

/// Tells what waits. Takes no lock.
#[derive(Clone)]
pub struct Blocked {
    ports: Ports,
}

impl Blocked {
    /// A service over `ports`.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// The items that nobody can go on with: those that are free and wait for others, and those of
    /// which somebody said so; at most `limit` of them, 0 for all.
    ///
    /// # Errors
    /// [`Error::Repository`] when the store cannot be listed.
    pub async fn blocked(&self, limit: usize) -> Result<WaitingItems, Error> {
        let (items, unreadable) = view::of(&self.ports).await?;
        let now = self.ports.clock.now();
        let plan = Plan::new(&items, now);
        let progress = ProgressCount::of_all(&items);
        let is_wanted = |item: &&Summary| {
            matches!(plan.situation(item), Situation::Waiting | Situation::Blocked)
        };
        let mut wanted: Vec<_> = items.iter().filter(is_wanted).collect();
        let total = wanted.len();
        first_of(&mut wanted, limit, |one, other| one.urgency().cmp(&other.urgency()));
        let mut account = Account::new(&self.ports, &plan, now);
        let mut waiting = Vec::with_capacity(wanted.len());
        for item in wanted {
            waiting.push(account.of(item).await?);
        }
        Ok(WaitingItems { items: waiting, total, progress, unreadable })
    }
}

/// Says of items what they wait for, and since when. Each that several wait for is looked at once.
pub(crate) struct Account<'a> {
    ports: &'a Ports,
    plan: &'a Plan<'a>,
    now: Timestamp,
    since: HashMap<Uid, Option<Since>>,
}

impl<'a> Account<'a> {
    pub(crate) fn new(ports: &'a Ports, plan: &'a Plan<'a>, now: Timestamp) -> Self {
        Self { ports, plan, now, since: HashMap::new() }
    }

    /// `item` with what it waits for.
    pub(crate) async fn of(&mut self, item: &'a Summary) -> Result<Waiting, Error> {
        let (mut waits_for, mut missing) = (Vec::new(), Vec::new());
        for target in self.plan.held_up_by(item) {
            match target {
                Target::Item(needed) => waits_for.push(self.standing(needed).await?),
                Target::Missing(reference) => missing.push(reference.id.clone()),
            }
        }
        let Standing { item, situation, since } = self.standing(item).await?;
        Ok(Waiting { item, situation, since, waits_for, missing })
    }

    async fn standing(&mut self, item: &'a Summary) -> Result<Standing, Error> {
        let standing = why::standing(self.plan, item);
        let since = match self.since.get(&item.uid) {
            Some(known) => known.clone(),
            None => why::since(self.ports, &standing, self.now).await?,
        };
        self.since.insert(item.uid, since.clone());
        Ok(Standing { since, ..standing })
    }
}
