//! Refusing what would make items wait for each other for ever. An item waits for what it depends on
//! and, to be completed, for its parts; so rings may be of dependencies, of parts, or of both. The lock
//! `graph` must be held from here until the write is made. See `docs/adr/0028-rings-of-both-kinds.md`.

use std::fmt;

use jerry_domain::{Cycle, Edit, Graph, ItemRef, Summary, Uid, WorkId};

use crate::{Error, Ports};

/// Items of which each leads to the next, by their ids, or by what they are called where they are not
/// made yet. The first is repeated at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring(pub Vec<String>);

impl fmt::Display for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" -> "))
    }
}

/// Refuses `edits` of the item `id` that would close a ring. What is pointed at already is not judged.
pub(crate) async fn refuse(ports: &Ports, id: &WorkId, edits: &[Edit]) -> Result<(), Error> {
    if !edits.iter().any(|edit| matches!(edit, Edit::Parent(Some(_)) | Edit::AddDependency(_))) {
        return Ok(());
    }
    let mut items = ports.readable().await?;
    let own = items.iter().position(|item| item.id == *id && !item.is_displaced);
    // That it is not there is said when it is written.
    let Some(own) = own else { return Ok(()) };
    let before = items[own].clone();
    edits.iter().for_each(|edit| point(&mut items[own], edit));
    refuse_new(&Graph::new(&items), Some(&before), &before.id, before.uid, edits, WorkId::to_string)
}

/// Refuses a new item called `title` that `edits` make: nobody waits for it yet but its parent.
pub(crate) fn refuse_part(graph: &Graph<'_>, title: &str, edits: &[Edit]) -> Result<(), Error> {
    let Some(parent) = parent_in(edits) else { return Ok(()) };
    for edit in edits {
        let Edit::AddDependency(needed) = edit else { continue };
        if let Some(way) = graph.waits(needed, parent) {
            let own = || std::iter::once(title.to_owned());
            let way = way.iter().map(WorkId::to_string);
            return Err(Error::MixedCycle(Ring(own().chain(way).chain(own()).collect())));
        }
    }
    Ok(())
}

/// Whether a new item that `edits` make could close a ring.
pub(crate) fn may_close(edits: &[Edit]) -> bool {
    parent_in(edits).is_some() && edits.iter().any(|edit| matches!(edit, Edit::AddDependency(_)))
}

fn parent_in(edits: &[Edit]) -> Option<&ItemRef> {
    let last = edits.iter().rev().find_map(|edit| match edit {
        Edit::Parent(parent) => Some(parent),
        _ => None,
    });
    last?.as_ref()
}

/// Refuses `edits` that point from the item `id` to itself, which is called `name`.
pub(crate) fn refuse_own(uid: Uid, name: &str, edits: &[Edit]) -> Result<(), Error> {
    let ring = || Ring(vec![name.to_owned(), name.to_owned()]);
    for edit in edits {
        match edit {
            Edit::AddDependency(needed) if needed.uid == Some(uid) => {
                return Err(Error::DependencyCycle(ring()));
            }
            Edit::Parent(Some(parent)) if parent.uid == Some(uid) => {
                return Err(Error::ParentCycle(ring()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Refuses `edits` of an item that close a ring in `graph`, in which they are made. What it pointed at
/// `before` is not judged.
pub(crate) fn refuse_new(
    graph: &Graph<'_>,
    before: Option<&Summary>,
    id: &WorkId,
    uid: Uid,
    edits: &[Edit],
    name: impl Fn(&WorkId) -> String,
) -> Result<(), Error> {
    let ring = |cycle: Cycle| Ring(cycle.0.iter().map(&name).collect());
    let own = ItemRef::new(id.clone(), uid);
    let is_one = |one: &ItemRef, other: &ItemRef| {
        let uid = |reference| graph.resolve(reference).map(|item| item.uid);
        uid(one).is_some() && uid(one) == uid(other)
    };
    for edit in edits {
        match edit {
            Edit::AddDependency(needed) => {
                let is_old =
                    |before: &Summary| before.depends_on.iter().any(|it| is_one(it, needed));
                let way = graph.waits(needed, &own).filter(|_| !before.is_some_and(is_old));
                let Some(mut way) = way else { continue };
                way.insert(0, id.clone());
                return Err(match graph.dependency_cycle(id, needed) {
                    Some(cycle) => Error::DependencyCycle(ring(cycle)),
                    None => Error::MixedCycle(ring(Cycle(way))),
                });
            }
            Edit::Parent(Some(parent)) => {
                let is_old = |before: &Summary| before.parent.iter().any(|it| is_one(it, parent));
                let way = graph.waits(&own, parent).filter(|_| !before.is_some_and(is_old));
                let Some(mut way) = way else { continue };
                way.push(id.clone());
                return Err(match graph.parent_cycle(id, parent) {
                    Some(cycle) => Error::ParentCycle(ring(cycle)),
                    None => Error::MixedCycle(ring(Cycle(way))),
                });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Makes `edit`, as far as it points at other items.
fn point(item: &mut Summary, edit: &Edit) {
    match edit {
        Edit::Parent(parent) => item.parent.clone_from(parent),
        Edit::AddDependency(needed) => item.depends_on.push(needed.clone()),
        Edit::RemoveDependency(needed) => item.depends_on.retain(|own| !own.same_target(needed)),
        _ => {}
    }
}
