//! Making and changing many items at once, all or none.

use std::collections::{HashMap, HashSet};

use jerry_domain::ports::{Commit, RepositoryError};
use jerry_domain::{
    ChecklistKind, Edit, Event, Family, Graph, ItemRef, Prefix, Refusal, RequestId, Status,
    Summary, Uid, WorkId, WorkItem,
};

use crate::modify::rules;
use crate::plan_file::{self, InvalidPlan, Plan, PlanItem};
use crate::references::find;
use crate::{Error, Ports, Request, requests};

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

/// One item of a plan and what it means in the store.
struct Target {
    wanted: PlanItem,
    parent: Option<usize>,
    /// The item that is there; `None` for a new one.
    before: Option<WorkItem>,
    id: WorkId,
    uid: Uid,
}

/// A plan as it would be written.
struct Draft {
    /// In the order of their dependencies, with their places in the plan.
    new: Vec<(usize, WorkItem)>,
    next: Vec<(usize, WorkItem)>,
}

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
    /// made already is not made again: the answer is its first result.
    ///
    /// # Errors
    /// [`Error::Plan`] when the plan contradicts itself; [`Error::DependencyCycle`] and
    /// [`Error::ParentCycle`]; [`Error::NotCreated`] and [`Error::Repository`] when a rule does not
    /// allow an item, or one that it names is not there. Nothing was written then, unless it is
    /// [`RepositoryError::Indeterminate`].
    pub async fn apply(
        &self,
        plan: Plan,
        dry_run: bool,
        request: &Request,
    ) -> Result<Vec<AppliedItem>, Error> {
        let plan = plan_file::flat(plan, &self.prefix)?;
        let _same = match &request.request_id {
            Some(name) => Some(requests::lock(&self.ports, name).await?),
            None => None,
        };
        let _graph = self.ports.lock_graph().await?;
        for _ in 0..ATTEMPTS {
            let items = self.ports.to_decide().await?;
            let items: Vec<_> = items.into_iter().filter_map(Result::ok).collect();
            let targets = self.targets(&plan, &items, dry_run).await?;
            if let Some(name) = &request.request_id
                && let Some(first) = self.first_result(&targets, name).await?
            {
                return Ok(first);
            }
            let draft = self.draft(&targets, items, request).await?;
            if dry_run {
                return Ok(answer(targets, draft));
            }
            let (new, next) = (items_of(&draft.new), items_of(&draft.next));
            match self.ports.items.commit(new, next).await {
                Ok(Commit::Written(items)) => {
                    let places = draft.new.iter().chain(&draft.next).map(|(place, _)| *place);
                    let mut written: Vec<_> = places.zip(items).collect();
                    let next = written.split_off(draft.new.len());
                    return Ok(answer(targets, Draft { new: written, next }));
                }
                Ok(Commit::Taken) => self.ports.ids.catch_up(&self.prefix).await?,
                Err(
                    RepositoryError::VersionConflict { .. }
                    | RepositoryError::ChangedOutside { .. },
                ) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::NoFreeNumber { prefix: self.prefix.to_string(), attempts: ATTEMPTS })
    }

    /// What each item of the plan means. New ones get an identity and a number.
    async fn targets(
        &self,
        plan: &[(PlanItem, Option<usize>)],
        items: &[Summary],
        dry_run: bool,
    ) -> Result<Vec<Target>, Error> {
        let mut before = Vec::with_capacity(plan.len());
        let mut seen = HashSet::new();
        for (wanted, _) in plan {
            let item = self.existing(wanted, items).await?;
            if let Some(item) = &item
                && !seen.insert(item.uid)
            {
                return Err(InvalidPlan::ItemTwice(item.id.clone()).into());
            }
            if item.is_none() && wanted.title.is_none() {
                return Err(InvalidPlan::NoTitle(called(wanted)).into());
            }
            before.push(item);
        }
        let new = before.iter().filter(|item| item.is_none()).count();
        let (uids, ids) = if dry_run {
            (would_be_uids(new), would_be_ids(&self.prefix, items, new)?)
        } else {
            (self.ports.ids.uids(new).await?, self.ports.ids.work_ids(&self.prefix, new).await?)
        };
        let mut names = ids.into_iter().zip(uids);
        let targets = plan.iter().zip(before).filter_map(|((wanted, parent), before)| {
            let (id, uid) = match &before {
                Some(item) => (item.id.clone(), item.uid),
                None => names.next()?,
            };
            Some(Target { wanted: wanted.clone(), parent: *parent, before, id, uid })
        });
        Ok(targets.collect())
    }

    /// The item of the store that a plan's item is.
    async fn existing(
        &self,
        wanted: &PlanItem,
        items: &[Summary],
    ) -> Result<Option<WorkItem>, Error> {
        let id = match (&wanted.id, &wanted.external_ref) {
            (Some(id), _) => WorkId::parse_lenient(id, &self.prefix)
                .map_err(|_| InvalidPlan::UnknownName { item: called(wanted), name: id.clone() })?,
            (None, Some(name)) => {
                match items.iter().find(|item| item.external_ref.as_ref() == Some(name)) {
                    Some(item) => item.id.clone(),
                    None => return Ok(None),
                }
            }
            (None, None) => return Ok(None),
        };
        let Some(item) = self.ports.items.get(&id).await? else {
            return Err(self.ports.absent(&id).await?.into());
        };
        match wanted.if_version {
            Some(expected) if expected != item.version => {
                let found = item.version;
                Err(RepositoryError::VersionConflict { id, expected, found }.into())
            }
            _ => Ok(Some(item)),
        }
    }

    /// What the request of this `name` has made of the plan already, if it has.
    async fn first_result(
        &self,
        targets: &[Target],
        name: &RequestId,
    ) -> Result<Option<Vec<AppliedItem>>, Error> {
        let mut made = requests::first_results(&self.ports, &Event::CREATED, name).await?;
        let mut first = Vec::with_capacity(targets.len());
        for target in targets {
            let left = match &target.before {
                Some(item) => requests::left_by_any(item, name)?,
                None => {
                    let place = made.iter().position(|item| {
                        target.wanted.title.as_ref().is_some_and(|title| *title == item.title)
                    });
                    place.map(|place| made.remove(place))
                }
            };
            first.push((target, left));
        }
        if first.iter().all(|(_, left)| left.is_none()) {
            return Ok(None);
        }
        self.ports.items.settle().await?;
        let applied = first.into_iter().map(|(target, left)| {
            let item =
                left.or_else(|| target.before.clone()).ok_or_else(|| reused(target, name))?;
            let deed = if item.version == 1 { Deed::Created } else { Deed::Updated };
            Ok(AppliedItem { name: target.wanted.name.clone(), deed, item })
        });
        applied.collect::<Result<_, Error>>().map(Some)
    }

    /// The items as the plan wants them, if the rules allow it.
    async fn draft(
        &self,
        targets: &[Target],
        mut items: Vec<Summary>,
        request: &Request,
    ) -> Result<Draft, Error> {
        let (mut draft, mut edits_of) = (Draft { new: Vec::new(), next: Vec::new() }, Vec::new());
        for (place, target) in targets.iter().enumerate() {
            let edits = self.edits(targets, target).await?;
            let after = target.write(&self.ports, &edits, request)?;
            edits_of.push((target, edits));
            let Some(after) = after else { continue };
            items.retain(|item| item.uid != after.uid);
            items.push(Summary::from(&after));
            let list = if target.before.is_some() { &mut draft.next } else { &mut draft.new };
            list.push((place, after));
        }
        refuse_rings(&items, &edits_of)?;
        for (place, after) in draft.new.iter_mut().chain(&mut draft.next) {
            let target = &targets[*place];
            let family = family(&items, target.before.as_ref(), after);
            let allowed = match &target.before {
                Some(before) => rules(&self.ports, family, None)(before, after),
                None => family.allows(None, after),
            };
            match allowed {
                Ok(()) => {}
                Err(_) if request.credentials.force => *after = after.clone().forced(),
                Err(refusal) => return Err(target.refused(refusal)),
            }
        }
        sort_by_need(&mut draft.new);
        Ok(draft)
    }

    /// What is to be done to an item that it is as the plan wants it.
    async fn edits(&self, targets: &[Target], target: &Target) -> Result<Vec<Edit>, Error> {
        let wanted = &target.wanted;
        let mut edits = Vec::new();
        if target.before.is_some() {
            edits.extend(wanted.title.clone().map(Edit::Title));
        }
        edits.extend(wanted.item_type.map(Edit::Type));
        edits.extend(wanted.priority.map(Edit::Priority));
        edits.extend(wanted.description.clone().map(|text| match wanted.if_version {
            Some(of) => Edit::ReplaceDescription { text: Some(text), of },
            None => Edit::Description(Some(text)),
        }));
        edits.extend(wanted.phase.clone().map(|phase| Edit::Phase(Some(phase))));
        edits.extend(wanted.assignee.clone().map(|actor| Edit::Assignee(Some(actor))));
        edits.extend(wanted.due.map(|day| Edit::DueAt(Some(day.0))));
        edits.extend(wanted.external_ref.clone().map(|name| Edit::ExternalRef(Some(name))));
        edits.extend(wanted.labels.iter().cloned().map(Edit::AddLabel));
        let parent = match (&wanted.parent, target.parent) {
            (Some(_), Some(_)) => return Err(InvalidPlan::TwoParents(called(wanted)).into()),
            (Some(name), None) => Some(self.reference(targets, target, name).await?),
            (None, place) => place.map(|place| targets[place].reference()),
        };
        edits.extend(parent.map(|parent| Edit::Parent(Some(parent))));
        for name in &wanted.needs {
            edits.push(Edit::AddDependency(self.reference(targets, target, name).await?));
        }
        for text in wanted.criteria.iter().filter(|text| !target.has_criterion(text)) {
            edits.push(Edit::AddCheck(ChecklistKind::Criteria, text.clone()));
        }
        for text in wanted.subtasks.iter().filter(|text| !target.has_subtask(text)) {
            edits.push(Edit::AddCheck(ChecklistKind::Subtasks, text.clone()));
        }
        edits.extend(wanted.status.map(Edit::MoveTo));
        Ok(edits)
    }

    /// What `name` means: an item of the plan, or one of the store.
    async fn reference(
        &self,
        targets: &[Target],
        from: &Target,
        name: &str,
    ) -> Result<ItemRef, Error> {
        if let Some(target) = targets.iter().find(|it| it.wanted.name.as_deref() == Some(name)) {
            return Ok(target.reference());
        }
        let id = WorkId::parse_lenient(name, &self.prefix).map_err(|_| {
            InvalidPlan::UnknownName { item: called(&from.wanted), name: name.to_owned() }
        })?;
        let mut reference = ItemRef::bare(id);
        if find(&self.ports, &mut reference).await? {
            Ok(reference)
        } else {
            Err(self.ports.absent(&reference.id).await?.into())
        }
    }
}

impl Target {
    fn reference(&self) -> ItemRef {
        ItemRef::new(self.id.clone(), self.uid)
    }

    fn has_criterion(&self, text: &str) -> bool {
        let mut own = self.before.iter().flat_map(|item| &item.acceptance_criteria);
        own.any(|criterion| criterion.text == *text)
    }

    fn has_subtask(&self, text: &str) -> bool {
        let mut own = self.before.iter().flat_map(|item| &item.subtasks);
        own.any(|subtask| subtask.text == *text)
    }

    /// The item after `edits`; `None` where they change nothing.
    fn write(
        &self,
        ports: &Ports,
        edits: &[Edit],
        request: &Request,
    ) -> Result<Option<WorkItem>, Error> {
        match (&self.before, &self.wanted.title) {
            (Some(item), _) => {
                item.apply(edits, &ports.stamp(item, request)).map_err(|error| self.refused(error))
            }
            (None, Some(title)) => {
                let stamp = request.stamp(ports.clock.now());
                WorkItem::create(self.id.clone(), self.uid, title.clone(), edits, &stamp)
                    .map(Some)
                    .map_err(|error| self.refused(error))
            }
            (None, None) => Err(InvalidPlan::NoTitle(called(&self.wanted)).into()),
        }
    }

    fn refused(&self, source: Refusal) -> Error {
        match &self.before {
            Some(item) => RepositoryError::Refused { id: item.id.clone(), source }.into(),
            None => Error::NotCreated { title: called(&self.wanted), source },
        }
    }
}

/// What to call an item of the plan in a message.
fn called(wanted: &PlanItem) -> String {
    let title = wanted.title.as_ref().map(ToString::to_string);
    let names = [wanted.name.clone(), wanted.id.clone(), title, wanted.external_ref.clone()];
    names.into_iter().flatten().next().unwrap_or_else(|| "an item without a name".to_owned())
}

fn reused(target: &Target, name: &RequestId) -> Error {
    let event = Event::CREATED;
    target.refused(Refusal::RequestReused { request: name.clone(), version: 1, event })
}

/// Refuses a ring that the plan's own references close.
fn refuse_rings(items: &[Summary], edits: &[(&Target, Vec<Edit>)]) -> Result<(), Error> {
    let graph = Graph::new(items);
    for (target, edits) in edits {
        for edit in edits {
            match edit {
                Edit::AddDependency(needed) => {
                    if let Some(cycle) = graph.dependency_cycle(&target.id, needed) {
                        return Err(Error::DependencyCycle(cycle));
                    }
                }
                Edit::Parent(Some(parent)) => {
                    if let Some(cycle) = graph.parent_cycle(&target.id, parent) {
                        return Err(Error::ParentCycle(cycle));
                    }
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// What an item's parts and its parent say to it, all as the plan leaves them.
fn family(items: &[Summary], before: Option<&WorkItem>, after: &WorkItem) -> Family {
    let is_part = |item: &&Summary| item.is_unfinished_part_of(&after.id, after.uid);
    let mut unfinished: Vec<_> = items.iter().filter(is_part).map(|item| item.id.clone()).collect();
    unfinished.sort_unstable();
    let opens = before.is_none_or(|before| {
        before.parent != after.parent || (before.status.is_closed() && !after.status.is_closed())
    });
    let parent = after.parent.as_ref().filter(|_| opens);
    let is_parent = |item: &&Summary| parent.is_some_and(|own| own.points_at(&item.id, item.uid));
    let parent = items.iter().find(is_parent);
    let completed_parent = parent.filter(|item| item.status == Status::Completed);
    Family { unfinished, completed_parent: completed_parent.map(|item| item.id.clone()) }
}

/// What others need comes first, so that whoever reads while they are written follows no reference
/// into nothing; a parent before its parts, unless it waits for them.
fn sort_by_need(new: &mut Vec<(usize, WorkItem)>) {
    let places: HashMap<Uid, usize> =
        new.iter().enumerate().map(|(place, (_, item))| (item.uid, place)).collect();
    let mut order = Vec::with_capacity(new.len());
    let mut seen = vec![false; new.len()];
    for first in 0..new.len() {
        let mut open = vec![(first, false)];
        while let Some((place, is_done)) = open.pop() {
            if is_done {
                order.push(place);
                continue;
            }
            if std::mem::replace(&mut seen[place], true) {
                continue;
            }
            open.push((place, true));
            let item = &new[place].1;
            // The last one is followed first.
            let needed = item.parent.iter().chain(&item.depends_on);
            let needed = needed.filter_map(|needed| places.get(&needed.uid?));
            open.extend(needed.filter(|needed| !seen[**needed]).map(|needed| (*needed, false)));
        }
    }
    let mut items: Vec<_> = std::mem::take(new).into_iter().map(Some).collect();
    new.extend(order.into_iter().filter_map(|place| items[place].take()));
}

fn items_of(placed: &[(usize, WorkItem)]) -> Vec<WorkItem> {
    placed.iter().map(|(_, item)| item.clone()).collect()
}

fn answer(targets: Vec<Target>, draft: Draft) -> Vec<AppliedItem> {
    let new = draft.new.into_iter().map(|(place, item)| (place, (Deed::Created, item)));
    let next = draft.next.into_iter().map(|(place, item)| (place, (Deed::Updated, item)));
    let mut written: HashMap<_, _> = new.chain(next).collect();
    let applied = targets.into_iter().enumerate().filter_map(|(place, target)| {
        let unchanged = target.before.map(|item| (Deed::Unchanged, item));
        let (deed, item) = written.remove(&place).or(unchanged)?;
        Some(AppliedItem { name: target.wanted.name, deed, item })
    });
    applied.collect()
}

/// Identities for what is not going to be made.
fn would_be_uids(count: usize) -> Vec<Uid> {
    (0..count as u64).filter_map(|number| Uid::try_from(u64::MAX / 2 - number).ok()).collect()
}

/// The numbers behind those that there are.
fn would_be_ids(prefix: &Prefix, items: &[Summary], count: usize) -> Result<Vec<WorkId>, Error> {
    let own = items.iter().filter(|item| item.id.prefix() == prefix);
    let last = own.map(|item| item.id.number()).max().unwrap_or(0);
    let id = |number| {
        WorkId::new(prefix.clone(), last + number)
            .map_err(|_| Error::NoFreeNumber { prefix: prefix.to_string(), attempts: 0 })
    };
    (1..=count as u64).map(id).collect()
}
