//! What can be begun.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use jerry_domain::ports::Unreadable;
use jerry_domain::{Actor, Plan, ProgressCount, ReadyList, Situation, Summary, WorkId};

use crate::blocked::{Account, Waiting};
use crate::query::{self, first_of};
use crate::references::Names;
use crate::{Error, Filter, Ports, view};

/// The items that can be begun.
#[derive(Debug)]
pub struct ReadyItems {
    /// As many as the limit allows, the most urgent first, then the oldest.
    pub items: Vec<Summary>,
    /// How many there are without the limit.
    pub total: usize,
    /// How far the items that have parts are.
    pub progress: ProgressCount,
    /// What could not be read; whoever waits for one of these is not ready.
    pub unreadable: Vec<Unreadable>,
}

/// Why an item comes where it comes among those that can be begun.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// The item.
    pub item: Summary,
    /// Its place, from 1 on: the most urgent come first, then the oldest.
    pub place: usize,
    /// The unfinished items that wait for it.
    pub needed_by: Vec<WorkId>,
    /// How many of its parts are not finished. `claim --next` passes over what has such parts.
    pub unfinished_parts: usize,
}

/// What can be begun and why, and what cannot and why not.
#[derive(Debug)]
pub struct ExplainedItems {
    /// As many as the limit allows.
    pub items: Vec<Placed>,
    /// How many there are without the limit.
    pub total: usize,
    /// The other open items, as many as the limit allows, the most urgent first.
    pub not_ready: Vec<Waiting>,
    /// How many of those there are without the limit.
    pub not_ready_total: usize,
    /// How far the items that have parts are.
    pub progress: ProgressCount,
    /// What could not be read; whoever waits for one of these is not ready.
    pub unreadable: Vec<Unreadable>,
}

/// Tells what can be begun. Takes no lock.
#[derive(Clone)]
pub struct Ready {
    ports: Ports,
}

impl Ready {
    /// A service over `ports`.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// The items that are pending and unclaimed, or whose claim has lapsed, or which were handed over
    /// to `actor`, and of which every dependency is completed or cancelled: those that `filter` lets
    /// through, whose order does not count.
    ///
    /// # Errors
    /// [`Error::Repository`] when the store cannot be listed, or the filter's parent is not there.
    pub async fn ready(&self, actor: Option<Actor>, filter: &Filter) -> Result<ReadyItems, Error> {
        let parent = query::parent(&self.ports, filter).await?;
        let list = ReadyList::new(self.ports.clock.now(), actor);
        self.of(list, |item| filter.admits(item, parent.as_ref()), filter.limit).await
    }

    /// The items of [`Ready::ready`] with why they come where they come, and the others that are
    /// open with why they cannot be begun: at most as many of either as `filter` says.
    ///
    /// # Errors
    /// As [`Ready::ready`].
    pub async fn explained(
        &self,
        actor: Option<&Actor>,
        filter: &Filter,
    ) -> Result<ExplainedItems, Error> {
        let parent = query::parent(&self.ports, filter).await?;
        let (items, unreadable) = view::of(&self.ports).await?;
        let now = self.ports.clock.now();
        let plan = Plan::new(&items, now);
        let progress = ProgressCount::of_all(&items);
        let open = items
            .iter()
            .filter(|item| !item.status.is_closed() && filter.admits(item, parent.as_ref()));
        let can_be_begun = |item: &&Summary| {
            plan.situation(item) == Situation::Ready
                || actor.is_some_and(|actor| item.waits_for(actor))
                    && plan.held_up_by(item).next().is_none()
        };
        let (mut ready, mut others): (Vec<_>, Vec<_>) = open.partition(can_be_begun);
        let (total, not_ready_total) = (ready.len(), others.len());
        for some in [&mut ready, &mut others] {
            first_of(some, filter.limit, |one, other| one.urgency().cmp(&other.urgency()));
        }
        let placed = ready.into_iter().zip(1..).map(|(item, place)| Placed {
            item: item.clone(),
            place,
            needed_by: plan.waiting_for(item).map(|waiter| waiter.id.clone()).collect(),
            unfinished_parts: plan.unfinished_parts(item).count(),
        });
        let placed = placed.collect();
        let mut account = Account::new(&self.ports, &plan, now);
        let mut not_ready = Vec::with_capacity(others.len());
        for item in others {
            not_ready.push(account.of(item).await?);
        }
        Ok(ExplainedItems {
            items: placed,
            total,
            not_ready,
            not_ready_total,
            progress,
            unreadable,
        })
    }

    /// What `list` holds of the items that are `wanted`.
    pub(crate) async fn of(
        &self,
        mut list: ReadyList,
        wanted: impl Fn(&Summary) -> bool,
        limit: usize,
    ) -> Result<ReadyItems, Error> {
        let mut known = Vec::new();
        let (mut progress, mut unreadable) = (ProgressCount::default(), Vec::new());
        let mut displaced = HashSet::new();
        for summary in self.ports.summaries().await? {
            match summary {
                Ok(summary) => {
                    known.push((summary.uid, summary.id.clone()));
                    displaced.extend(summary.is_displaced.then_some(summary.uid));
                    progress.add(&summary);
                    let is_wanted = wanted(&summary);
                    list.add(summary, is_wanted);
                }
                Err(error) => unreadable.push(error),
            }
        }
        let by_name = OnceCell::new();
        let uid_of = |id: &WorkId| {
            let by_name: &HashMap<_, _> = by_name.get_or_init(|| {
                let named = known.iter().filter(|(uid, _)| !displaced.contains(uid));
                named.map(|(uid, id)| (id, *uid)).collect()
            });
            by_name.get(id).copied()
        };
        let (total, mut items) = list.into_ready(limit, uid_of);
        drop(by_name);
        Names::used_by(&items, known).refresh(&mut items);
        Ok(ReadyItems { items, total, progress, unreadable })
    }
}
