//! Items that have one identity. It happens when a file is copied by hand; references to the one
//! then mean the other as well. It also happens when two branches give a displaced item a number
//! each: those are one item, and are merged.
//!
//! The younger one becomes an item of its own under a number of its own, and the old number stays
//! with its tombstone, which keeps the item as it was. The new one is there durably before the old
//! one goes: a crash in between leaves one copy more, never one fewer.

use std::collections::HashMap;

use jerry_domain::ports::{Ailment, Finding, Repair};
use jerry_domain::{Credentials, Edit, ItemRef, Summary, Uid, WorkId, WorkItem};

use super::summaries;
use crate::{Error, Ports, Request, numbering};

pub(super) fn find(items: &[Summary]) -> Vec<Finding> {
    pairs(items).into_iter().map(|(elder, younger)| finding(elder, younger)).collect()
}

/// Gives every younger one of two items an identity of its own. Adds to `repairs` what was done.
pub(super) async fn separate(
    ports: &Ports,
    request: &Request,
    repairs: &mut Vec<Repair>,
) -> Result<(), Error> {
    // The condition is on another write, not on these; and nobody loses what is claimed twice.
    let credentials = Credentials { force: true, ..request.credentials.clone() };
    let request = Request { if_version: None, credentials, ..request.clone() };
    let _graph = ports.lock_graph().await?;
    let items = summaries(ports).await?;
    for (elder, younger) in pairs(&items) {
        let Some(item) = ports.items.get(&younger.id).await? else { continue };
        if item.uid != elder.uid {
            continue;
        }
        if let Some(action) = merge(ports, elder, &item, &request).await? {
            repairs.push(Repair { finding: finding(elder, younger), action });
            continue;
        }
        let Some(new) = reissue(ports, &item, &request).await?.pop() else { continue };
        retire(ports, &items, elder, &item, &new, &request).await.map_err(Error::partly)?;
        let action = format!("{} is {} now, with a uid of its own", younger.id, new.id);
        repairs.push(Repair { finding: finding(elder, younger), action });
    }
    Ok(())
}

/// Puts what `younger` says into the item `elder`, where the two are one that two branches gave a
/// number each. It is there durably before the younger goes.
async fn merge(
    ports: &Ports,
    elder: &Summary,
    younger: &WorkItem,
    request: &Request,
) -> Result<Option<String>, Error> {
    let first = ports.items.get(&elder.id).await?;
    if !first.is_some_and(|first| first.is_twin_of(younger)) {
        return Ok(None);
    }
    let other = younger.clone();
    let change = Box::new(move |item: &WorkItem| Ok(item.absorb(&other)?));
    ports.items.update(&elder.id, None, change).await?;
    let mut stamp = request.stamp(ports.clock.now());
    stamp.reason = Some(format!("it is {}: two branches gave it a number each", elder.id));
    ports
        .items
        .delete(&younger.id, Some(younger.version), &stamp)
        .await
        .map_err(|error| Error::from(error).partly())?;
    Ok(Some(format!("{} and {} are one item: merged into {}", elder.id, younger.id, elder.id)))
}

/// Lets `new` take the place of `old`, of which it is a copy.
async fn retire(
    ports: &Ports,
    items: &[Summary],
    elder: &Summary,
    old: &WorkItem,
    new: &WorkItem,
    request: &Request,
) -> Result<(), Error> {
    repoint(ports, items, old, &new.reference(), request).await?;
    let mut stamp = request.stamp(ports.clock.now());
    stamp.reason = Some(format!("renumbered to {}: it had the uid of {}", new.id, elder.id));
    ports.items.delete(&old.id, Some(old.version), &stamp).await?;
    Ok(())
}

fn finding(elder: &Summary, younger: &Summary) -> Finding {
    Finding {
        ailment: Ailment::DuplicateUid,
        path: None,
        item: Some(younger.id.clone()),
        message: format!("{} has the uid of {}: one is a copy", younger.id, elder.id),
        fixable: true,
    }
}

/// Every item whose uid an older one has, with that older one.
fn pairs(items: &[Summary]) -> Vec<(&Summary, &Summary)> {
    let age = |item: &Summary| (item.created_at, item.id.clone());
    let mut eldest: HashMap<Uid, &Summary> = HashMap::new();
    for item in items {
        let first = eldest.entry(item.uid).or_insert(item);
        if age(item) < age(first) {
            *first = item;
        }
    }
    let pairs = items.iter().map(|item| (eldest[&item.uid], item));
    pairs.filter(|(elder, item)| elder.id != item.id).collect()
}

/// Inserts `item` under a new number with a new uid.
async fn reissue(
    ports: &Ports,
    item: &WorkItem,
    request: &Request,
) -> Result<Vec<WorkItem>, Error> {
    let uids = ports.ids.uids(1).await?;
    let stamp = request.stamp(ports.clock.now());
    let made = numbering::insert(ports, item.id.prefix(), uids.len(), |index, id| {
        item.reissue(id, uids[index], &stamp)
            .map_err(|source| Error::NotCreated { title: item.title.to_string(), source })
    });
    made.await
}

/// Lets the references that were written to `old` by its name mean `new`.
async fn repoint(
    ports: &Ports,
    items: &[Summary],
    old: &WorkItem,
    new: &ItemRef,
    request: &Request,
) -> Result<(), Error> {
    let means_old = |reference: &ItemRef, old: &(WorkId, Uid)| {
        reference.id == old.0 && reference.uid == Some(old.1)
    };
    let old = (old.id.clone(), old.uid);
    for item in items {
        let mut references = item.parent.iter().chain(&item.depends_on);
        if !references.any(|reference| means_old(reference, &old)) {
            continue;
        }
        let (new, old, request) = (new.clone(), old.clone(), request.clone());
        let clock = ports.clock.clone();
        let change = Box::new(move |item: &WorkItem| {
            let mut edits = Vec::new();
            for needed in item.depends_on.iter().filter(|needed| means_old(needed, &old)) {
                let note = needed.note.clone();
                edits.push(Edit::RemoveDependency(needed.clone()));
                edits.push(Edit::AddDependency(new.clone().with_note(note)));
            }
            if item.parent.as_ref().is_some_and(|parent| means_old(parent, &old)) {
                edits.push(Edit::Parent(Some(new)));
            }
            item.apply(&edits, &request.stamp(clock.now()))
        });
        ports.items.update(&item.id, None, change).await?;
    }
    Ok(())
}
