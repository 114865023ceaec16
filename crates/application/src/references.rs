//! From the names that people write to the items that they mean, and back.

use std::collections::{HashMap, HashSet};

use jerry_domain::ports::RepositoryError;
use jerry_domain::{Edit, ItemRef, LinkTarget, Summary, Uid, WorkId, WorkItem};

use crate::{Error, Ports};

/// Whether a rule over several items decides on `edit`, so that it must be made under the lock
/// `graph`.
pub(crate) fn rules_over_items(edit: &Edit) -> bool {
    let points = matches!(edit, Edit::Parent(Some(_)) | Edit::AddDependency(_));
    points || edit.completes() || edit.reopens()
}

/// Completes the references in `edits`. What is pointed at must exist; what is pointed away from
/// need not exist any more.
pub(crate) async fn complete(ports: &Ports, edits: &mut [Edit]) -> Result<(), Error> {
    for edit in edits {
        match edit {
            Edit::Parent(Some(reference)) | Edit::AddDependency(reference) => {
                require(ports, reference).await?;
            }
            Edit::AddLink(link) => {
                if let LinkTarget::Item(reference) = &mut link.target {
                    require(ports, reference).await?;
                }
            }
            Edit::RemoveDependency(reference) | Edit::RemoveLink(LinkTarget::Item(reference)) => {
                match find(ports, reference).await {
                    // What cannot be read is taken away by its name.
                    Err(RepositoryError::Malformed(_) | RepositoryError::Storage(_)) => {}
                    found => drop(found?),
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Completes `reference`, whose item must exist.
pub(crate) async fn require(ports: &Ports, reference: &mut ItemRef) -> Result<(), Error> {
    if find(ports, reference).await? {
        Ok(())
    } else {
        Err(ports.absent(&reference.id).await?.into())
    }
}

/// Completes `reference` with the identity and the present name of its item, if there is one.
pub(crate) async fn find(ports: &Ports, reference: &mut ItemRef) -> Result<bool, RepositoryError> {
    let named = ports.items.get(&reference.id).await?;
    match (named, reference.uid) {
        (Some(item), None) => reference.uid = Some(item.uid),
        (Some(item), Some(uid)) if item.uid == uid => {}
        (None, None) => return Ok(false),
        (_, Some(uid)) => match Names::of_all(ports).await?.get(uid) {
            Some(id) => reference.id = id.clone(),
            None => return Ok(false),
        },
    }
    Ok(true)
}

/// `item` with every reference under the name that its item has today.
///
/// Costs one read for each reference; the whole store is looked through only when a name belongs
/// to another item than the one that was meant.
pub(crate) async fn under_current_names(ports: &Ports, item: WorkItem) -> Result<WorkItem, Error> {
    let mut moved = false;
    for reference in item.references() {
        let Some(uid) = reference.uid else { continue };
        // A file that cannot be read keeps its name: nothing says that it is another item.
        let named = ports.items.get(&reference.id).await;
        moved |= named.is_ok_and(|named| named.is_none_or(|named| named.uid != uid));
    }
    if !moved {
        return Ok(item);
    }
    let names = Names::of_all(ports).await?;
    Ok(item.rename_references(|uid| names.get(uid).cloned()))
}

/// What items are called now, by their identity.
#[derive(Default)]
pub(crate) struct Names(HashMap<Uid, WorkId>);

impl Names {
    pub(crate) async fn of_all(ports: &Ports) -> Result<Self, RepositoryError> {
        let mut names = Self::default();
        ports.items.summaries().await?.flatten().for_each(|item| names.learn(&item));
        Ok(names)
    }

    /// Of all the items that `known` names, those that `items` point at.
    pub(crate) fn used_by<'a>(
        items: impl IntoIterator<Item = &'a Summary>,
        known: Vec<(Uid, WorkId)>,
    ) -> Self {
        let references =
            items.into_iter().flat_map(|item| item.parent.iter().chain(&item.depends_on));
        let wanted: HashSet<Uid> = references.filter_map(|reference| reference.uid).collect();
        Self(known.into_iter().filter(|(uid, _)| wanted.contains(uid)).collect())
    }

    pub(crate) fn learn(&mut self, item: &Summary) {
        self.0.insert(item.uid, item.id.clone());
    }

    pub(crate) fn get(&self, uid: Uid) -> Option<&WorkId> {
        self.0.get(&uid)
    }

    /// Puts the references of `items` under the names of today.
    pub(crate) fn refresh(&self, items: &mut [Summary]) {
        for item in items {
            for reference in item.parent.iter_mut().chain(&mut item.depends_on) {
                if let Some(id) = reference.uid.and_then(|uid| self.get(uid)) {
                    reference.id = id.clone();
                }
            }
        }
    }
}
