//! Taking back a write.
//!
//! What comes back was there before, but the store may have moved on: what the item points at again
//! must still be there and close no ring. So it is decided as the edits are that would bring it
//! back, under the lock `graph`, and written only to the version that was looked at.

use jerry_domain::ports::{RepositoryError, Update};
use jerry_domain::{Edit, Event, ItemRef, LinkTarget, Stamp, Status, Transition, WorkId, WorkItem};

use crate::history::{History, Place};
use crate::ports::left_out;
use crate::{Error, Ports, Request, family, modify, references, requests, rings};

/// Takes back writes.
#[derive(Clone)]
pub struct Undo {
    ports: Ports,
}

impl Undo {
    /// A service over `ports`.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// Takes back the last write of the item `id`, which must be the actor's, in the same session,
    /// unless the request insists. What is taken back and what stays is [`WorkItem::undo`]'s rule. A
    /// request that has been made already is not made again: the answer is its first result.
    ///
    /// # Errors
    /// [`Error::Repository`] when the item is not there, has another version than
    /// [`Request::if_version`], does not allow it, or would point at what is gone; also when it would
    /// be completed before its parts or its gates are met, or open as a part of what is completed;
    /// [`Error::DependencyCycle`], [`Error::ParentCycle`] and [`Error::MixedCycle`] when a ring would
    /// close.
    pub async fn undo(&self, id: &WorkId, request: &Request) -> Result<Update, Error> {
        let _graph = self.ports.lock_graph().await?;
        // Under the lock under which every undo is made, so that no other one of this name is near.
        if let Some(first) =
            requests::first_result(&self.ports, id, &Event::UNDONE, request).await?
        {
            return Ok(Update::Written(first));
        }
        let Some(item) = self.ports.items.get(id).await? else {
            return Err(self.ports.absent(id).await?.into());
        };
        RepositoryError::unless_version(&item, request.if_version)?;
        let version = item.version;
        let undone = item
            .undo(&request.stamp(self.ports.clock.now()))
            .map_err(|source| RepositoryError::Refused { id: id.clone(), source })?;
        let mut edits = undone.as_ref().map_or_else(Vec::new, |it| brought_back(&item, it));
        references::complete(&self.ports, &mut edits).await?;
        edits.extend(undone.as_ref().into_iter().flat_map(|it| taken_away(&item, it)));
        rings::refuse(&self.ports, id, &edits).await?;
        let family = family::of(&self.ports, id, &edits).await?;
        let rules = modify::rules(&self.ports, family, None);
        let write = |item: &WorkItem, stamp: &Stamp| item.undo(stamp);
        let change = self.ports.change_by(write, request, rules);
        Ok(self.ports.items.update(id, Some(version), change).await?)
    }

    /// Takes back the last write that the actor made, in the same session, of all items. As
    /// [`Undo::undo`] in all else; it is another one's if somebody has written to its item since.
    ///
    /// # Errors
    /// [`Error::NothingWritten`] when there is none. [`Error::Repository`] also when it was a deletion,
    /// when items could not be listed, or when the storage did not give one of them.
    pub async fn undo_last(&self, request: &Request) -> Result<Update, Error> {
        let Some(name) = &request.request_id else {
            return self.undo(&self.last_written(request).await?, request).await;
        };
        let _same = requests::lock(&self.ports, name).await?;
        match requests::first_results(&self.ports, &Event::UNDONE, name).await?.pop() {
            Some(first) => Ok(Update::Written(first)),
            None => self.undo(&self.last_written(request).await?, request).await,
        }
    }

    /// The item that the actor wrote to last, in the same session, under a number that is its alone.
    async fn last_written(&self, request: &Request) -> Result<WorkId, Error> {
        let session = request.credentials.session.as_ref();
        let own = |place: &Place| place.is_by(&request.actor, session);
        loop {
            let found = History::new(self.ports.clone()).gather(1, own).await?;
            found.unreadable.into_iter().try_for_each(|error| left_out(error).map(drop))?;
            let Some(last) = found.places.first() else {
                return Err(Error::NothingWritten { actor: request.actor.clone() });
            };
            let item = last.kept.item();
            let id = &item.id;
            if last.is_deletion() {
                return Err(self.ports.absent(id).await?.into());
            }
            match self.ports.items.get(id).await? {
                Some(file) if file.uid != item.uid => {
                    // Any write of the file gives it a number of its own.
                    self.ports.items.update(id, None, Box::new(|_| Ok(None))).await?;
                }
                _ => return Ok(id.clone()),
            }
        }
    }
}

/// The edits that would take away what `item` waits for and `undone` does not.
fn taken_away(item: &WorkItem, undone: &WorkItem) -> impl Iterator<Item = Edit> {
    let is_gone = |own: &&ItemRef| !undone.depends_on.iter().any(|kept| kept.same_target(own));
    item.depends_on.iter().filter(is_gone).cloned().map(Edit::RemoveDependency)
}

/// The edits that would bring back what is in `undone` and not in `item`, as far as rules over
/// several items decide on them.
fn brought_back(item: &WorkItem, undone: &WorkItem) -> Vec<Edit> {
    let is_new = |own: &&ItemRef| !item.depends_on.iter().any(|old| old.same_target(own));
    let needed = undone.depends_on.iter().filter(is_new).cloned().map(Edit::AddDependency);
    let is_moved = undone.parent != item.parent;
    let parent = is_moved.then(|| Edit::Parent(undone.parent.clone()));
    let links = undone
        .links
        .iter()
        .filter(|link| matches!(link.target, LinkTarget::Item(_)) && !item.links.contains(link));
    let moved = match (item.status, undone.status) {
        (from, to) if from == to => None,
        (_, Status::Completed) => Some(Transition::Complete),
        (from, to) if from.is_closed() && !to.is_closed() => Some(Transition::Reopen),
        _ => None,
    };
    let links = links.cloned().map(Edit::AddLink);
    needed.chain(parent).chain(links).chain(moved.map(Edit::Move)).collect()
}
