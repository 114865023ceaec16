//! Making and changing many items at once, all or none.

mod draft;
mod target;

use std::collections::HashMap;

use jerry_domain::ports::{Commit, RepositoryError};
use jerry_domain::{Event, Prefix, RequestId, Summary, Uid, WorkId, WorkItem};

use self::draft::{Draft, draft};
use self::target::{Found, Target, check, find, targets, tell_apart};
use crate::plan_file::{self, Plan, Wanted};
use crate::requests::{self, Left};
use crate::{Error, Ports, Request};

/// Carries out plans.
#[derive(Clone)]
pub struct Apply {
    ports: Ports,
    prefix: Prefix,
}

/// What became of one item of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct AppliedItem {
    /// What the plan calls it.
    pub name: Option<String>,
    /// What was done.
    pub deed: Deed,
    /// The item after it.
    pub item: WorkItem,
}

/// What a plan did with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// It is new.
    Created,
    /// It was there and was changed.
    Updated,
    /// It was there, as the plan wants it.
    Unchanged,
}

/// How often a plan is drawn up anew because items were written meanwhile.
const ATTEMPTS: usize = 100;

impl Apply {
    /// A service that numbers new items with `prefix`.
    #[must_use]
    pub fn new(ports: Ports, prefix: Prefix) -> Self {
        Self { ports, prefix }
    }

    /// Carries out `plan`, all of it or nothing, also when the process dies: see
    /// [`WorkItemRepository::commit`](jerry_domain::ports::WorkItemRepository::commit). With
    /// `dry_run` only says what it would come to; the ids of new items are then not theirs to keep.
    /// Answers in the order of the plan, parts behind what they are parts of. A request that has been
    /// made already is not made again: the answer is its first result, whatever the versions are now
    /// and whichever items are gone.
    ///
    /// # Errors
    /// [`Error::Plan`] when the plan contradicts itself; [`Error::DependencyCycle`],
    /// [`Error::ParentCycle`] and [`Error::MixedCycle`]; [`Error::NotCreated`] and [`Error::Repository`]
    /// when a rule does not allow an item, or one that it names is not there, or an earlier request of
    /// this name asked for something else. Nothing was written then, unless it is
    /// [`RepositoryError::Indeterminate`].
    pub async fn apply(
        &self,
        plan: Plan,
        dry_run: bool,
        request: &Request,
    ) -> Result<Vec<AppliedItem>, Error> {
        let plan = plan_file::understood(plan, &self.prefix)?;
        let _same = requests::lock_named(&self.ports, request).await?;
        let _graph = self.ports.lock_graph().await?;
        let mut names = Vec::new();
        let mut kept_back_by = self.no_free_number();
        for _ in 0..ATTEMPTS {
            let items = self.ports.readable().await?;
            let found = find(&self.ports, &plan, &items).await?;
            if let Some(name) = &request.request_id
                && let Some(first) = first_result(&self.ports, &plan, &found, name).await?
            {
                return Ok(first);
            }
            if !dry_run && tell_apart(&self.ports, &plan, &items).await? {
                continue;
            }
            // Before numbers are taken, which nobody gives back.
            check(&self.ports, &plan, &found).await?;
            let new = found.iter().filter(|found| matches!(found, Found::New)).count();
            if dry_run {
                names = self.would_be_names(&items, new)?;
            } else {
                self.take_names(&mut names, new).await?;
            }
            let targets = targets(&plan, found, &names);
            let draft = draft(&self.ports, &targets, items, request).await?;
            if dry_run {
                return Ok(answer(targets, draft));
            }
            if draft.is_empty() {
                self.ports.items.settle().await?;
                return Ok(answer(targets, draft));
            }
            let (new, next) = draft.items();
            match self.ports.items.commit(new, next).await {
                Ok(Commit::Written(items)) => return Ok(answer(targets, draft.written(items))),
                Ok(Commit::Taken) => {
                    self.ports.ids.catch_up(&self.prefix).await?;
                    names.clear();
                    kept_back_by = self.no_free_number();
                }
                Err(
                    error @ (RepositoryError::VersionConflict { .. }
                    | RepositoryError::ChangedOutside { .. }),
                ) => kept_back_by = error.into(),
                Err(error) => return Err(error.into()),
            }
        }
        Err(kept_back_by)
    }

    /// Adds to `names` until there are as many ids and identities as there are `new` items. Those that
    /// an attempt did not come to use are left to the next.
    async fn take_names(&self, names: &mut Vec<(WorkId, Uid)>, new: usize) -> Result<(), Error> {
        let missing = new.saturating_sub(names.len());
        if missing > 0 {
            let uids = self.ports.ids.uids(missing).await?;
            let ids = self.ports.ids.work_ids(&self.prefix, missing).await?;
            names.extend(ids.into_iter().zip(uids));
        }
        Ok(())
    }

    /// The numbers behind those that there are, and identities, for what is not going to be made.
    fn would_be_names(&self, items: &[Summary], new: usize) -> Result<Vec<(WorkId, Uid)>, Error> {
        let own = items.iter().filter(|item| item.id.prefix() == &self.prefix);
        let last = own.map(|item| item.id.number()).max().unwrap_or(0);
        let name = |number| {
            let id = WorkId::new(self.prefix.clone(), last + number).ok()?;
            Some((id, Uid::try_from(u64::MAX / 2 - number).ok()?))
        };
        let names = (1..=new as u64).map(name).collect::<Option<_>>();
        names.ok_or_else(|| self.no_free_number())
    }

    fn no_free_number(&self) -> Error {
        Error::NoFreeNumber { prefix: self.prefix.to_string(), attempts: ATTEMPTS }
    }
}

/// What the request of this `name` has made of the plan already, durably, if it has. It has written
/// every item that the plan speaks of and no other, or it was another request.
async fn first_result(
    ports: &Ports,
    plan: &[Wanted],
    found: &[Found],
    name: &RequestId,
) -> Result<Option<Vec<AppliedItem>>, Error> {
    let mut written = requests::written(ports, name).await?;
    for item in found.iter().filter_map(Found::item) {
        if written.iter().all(|other| other.item.uid != item.uid) {
            written.extend(requests::left_by(item, name)?);
        }
    }
    let Some(one) = written.first() else { return Ok(None) };
    let reused = one.refused(name);
    let mut applied = Vec::with_capacity(plan.len());
    for (wanted, found) in plan.iter().zip(found) {
        let uid = found.item().map(|item| item.uid);
        let Some(own) = written.iter().position(|left| wanted.asked_for(left, uid)) else {
            return Err(written.first().map_or(reused, |other| other.refused(name)));
        };
        let Left { item, event } = written.remove(own);
        let deed = if event == Event::CREATED { Deed::Created } else { Deed::Updated };
        applied.push(AppliedItem { name: wanted.item.name.clone(), deed, item });
    }
    if let Some(other) = written.first() {
        return Err(other.refused(name));
    }
    ports.items.settle().await?;
    Ok(Some(applied))
}

fn answer(targets: Vec<Target<'_>>, draft: Draft) -> Vec<AppliedItem> {
    let new = draft.new.into_iter().map(|(place, item)| (place, (Deed::Created, item)));
    let next = draft.next.into_iter().map(|(place, item)| (place, (Deed::Updated, item)));
    let mut written: HashMap<_, _> = new.chain(next).collect();
    let applied = targets.into_iter().enumerate().filter_map(|(place, target)| {
        let unchanged = target.before.map(|item| (Deed::Unchanged, item));
        let (deed, item) = written.remove(&place).or(unchanged)?;
        Some(AppliedItem { name: target.wanted.item.name.clone(), deed, item })
    });
    applied.collect()
}
