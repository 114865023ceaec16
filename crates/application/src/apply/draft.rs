//! A plan as it would be written, and the rules that it has to keep as a whole.

use std::collections::HashMap;

use jerry_domain::{Edit, Family, Graph, Status, Summary, Uid, WorkId, WorkItem};

use super::target::Target;
use crate::modify::rules;
use crate::ports::insisted;
use crate::{Error, Ports, Request, references, rings};

/// A plan as it would be written. Each item stands with its place in the plan.
pub(super) struct Draft {
    /// In the order of their dependencies.
    pub(super) new: Vec<(usize, WorkItem)>,
    pub(super) next: Vec<(usize, WorkItem)>,
}

/// The items as the plan wants them, those of `items` that are there beside them, if the rules allow
/// it.
pub(super) async fn draft(
    ports: &Ports,
    targets: &[Target<'_>],
    mut items: Vec<Summary>,
    request: &Request,
) -> Result<Draft, Error> {
    let (mut draft, mut edits_of) = (Draft { new: Vec::new(), next: Vec::new() }, Vec::new());
    for (place, target) in targets.iter().enumerate() {
        let mut edits = target.edits(targets);
        complete(ports, &mut edits).await?;
        rings::refuse_own(target.uid, &target.called(), &edits)?;
        let after = target.write(ports, &edits, request)?;
        edits_of.push((target, edits));
        let Some(after) = after else { continue };
        items.retain(|item| item.uid != after.uid);
        items.push(Summary::from(&after));
        let list = if target.before.is_some() { &mut draft.next } else { &mut draft.new };
        list.push((place, after));
    }
    let graph = Graph::new(&items);
    // In one go: each edge by itself would cost a walk through the store.
    if !graph.comes_to_an_end() {
        for (target, edits) in &edits_of {
            let before = target.before.as_ref().map(Summary::from);
            let name = |id: &WorkId| match targets.iter().find(|other| other.id == *id) {
                Some(other) => other.called(),
                None => id.to_string(),
            };
            rings::refuse_new(&graph, before.as_ref(), &target.id, target.uid, edits, name)?;
        }
    }
    for (place, after) in draft.new.iter_mut().chain(&mut draft.next) {
        let target = &targets[*place];
        let family = family(&items, target.before.as_ref(), after);
        let allowed = match &target.before {
            Some(before) => rules(ports, family, None)(before, after),
            None => family.allows(None, after),
        };
        let written = insisted(allowed, after.clone(), request.credentials.force);
        *after = written.map_err(|refusal| target.refused(refusal))?;
    }
    sort_by_need(&mut draft.new);
    Ok(draft)
}

/// Completes the references to items of the store. Those to items of the plan are complete.
async fn complete(ports: &Ports, edits: &mut [Edit]) -> Result<(), Error> {
    for edit in edits {
        match edit {
            Edit::Parent(Some(reference)) | Edit::AddDependency(reference)
                if reference.uid.is_none() =>
            {
                references::require(ports, reference).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

impl Draft {
    pub(super) fn is_empty(&self) -> bool {
        self.new.is_empty() && self.next.is_empty()
    }

    /// The new items and the changed ones.
    pub(super) fn items(&self) -> (Vec<WorkItem>, Vec<WorkItem>) {
        let items = |placed: &[(usize, WorkItem)]| {
            placed.iter().map(|(_, item)| item.clone()).collect::<Vec<_>>()
        };
        (items(&self.new), items(&self.next))
    }

    /// The same with `items` as they were written, in the order of [`Draft::items`].
    pub(super) fn written(mut self, items: Vec<WorkItem>) -> Self {
        let own = self.new.iter_mut().chain(&mut self.next);
        own.zip(items).for_each(|((_, own), item)| *own = item);
        self
    }
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
