//! What every service is given: the ports, and who asks.

use std::sync::Arc;

use jerry_domain::ports::{
    Change, Clock, IdGenerator, LockGuard, LockManager, LockName, Malformed, Presence,
    RepositoryError, Unreadable, WorkItemRepository,
};
use jerry_domain::{
    Actor, ClaimSummary, Credentials, Edit, Gates, Refusal, RequestId, Stamp, Summary, Timestamp,
    WorkId, WorkItem,
};

use crate::Error;

/// The ports that a service works through.
#[derive(Clone)]
pub struct Ports {
    /// Where the items are.
    pub items: Arc<dyn WorkItemRepository>,
    /// Where new identities and numbers come from.
    pub ids: Arc<dyn IdGenerator>,
    /// What keeps decisions over several items apart.
    pub locks: Arc<dyn LockManager>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What must be shown before items are completed, as the store's settings say. No port, but like
    /// them the same for every service.
    pub gates: Arc<Gates>,
}

impl Ports {
    /// Takes the lock of every decision that looks at several items. Nobody decides over a part of
    /// what was to be written all or none.
    pub(crate) async fn lock_graph(&self) -> Result<Box<dyn LockGuard>, Error> {
        let graph = self.locks.acquire(&LockName::graph(), None).await?;
        self.items.complete_commits().await?;
        Ok(graph)
    }

    /// A change that makes `edits`, if `rules` over what it comes to allow it or the request insists.
    pub(crate) fn change(
        &self,
        edits: Vec<Edit>,
        request: &Request,
        rules: impl FnOnce(&WorkItem, &WorkItem) -> Result<(), Refusal> + Send + 'static,
    ) -> Change {
        self.change_by(move |item, stamp| item.apply(&edits, stamp), request, rules)
    }

    /// A change that is what `write` makes, if `rules` over it allow it or the request insists. The
    /// time is taken while the item is held, so that its history is in the order of time.
    pub(crate) fn change_by(
        &self,
        write: impl FnOnce(&WorkItem, &Stamp) -> Result<Option<WorkItem>, Refusal> + Send + 'static,
        request: &Request,
        rules: impl FnOnce(&WorkItem, &WorkItem) -> Result<(), Refusal> + Send + 'static,
    ) -> Change {
        let (ports, request) = (self.clone(), request.clone());
        Box::new(move |item| {
            let Some(after) = write(item, &ports.stamp(item, &request))? else {
                return Ok(None);
            };
            let allowed = rules(item, &after);
            insisted(allowed, after, request.credentials.force).map(Some)
        })
    }

    /// The item `id` and what `edits` would make of it, to ask before something costly is done what
    /// would refuse them in any case. It is asked again when they are made.
    pub(crate) async fn refuse_early(
        &self,
        id: &WorkId,
        edits: &[Edit],
        request: &Request,
    ) -> Result<(WorkItem, Option<WorkItem>), Error> {
        let Some(item) = self.items.get(id).await? else {
            return Err(self.absent(id).await?.into());
        };
        RepositoryError::unless_version(&item, request.if_version)?;
        let after = item.apply(edits, &self.stamp(&item, request));
        let refused = |source| RepositoryError::Refused { id: id.clone(), source };
        let after = after.map_err(refused)?;
        Ok((item, after))
    }

    /// The stamp of `request` for a write of `item`, which knows whether whoever worked on the item
    /// under a lock is gone.
    pub(crate) fn stamp(&self, item: &WorkItem, request: &Request) -> Stamp {
        let mut stamp = request.stamp(self.clock.now());
        let outlived = item.claim.as_ref().filter(|claim| {
            let brief = ClaimSummary::from(*claim);
            self.is_gone(&item.id, &brief, stamp.at)
        });
        stamp.credentials.outlived = outlived.map(|claim| claim.fence);
        stamp
    }

    /// Whether nobody works under a claim with a lock any more. What cannot be looked at stands, and
    /// what is out of sight stands until its lease has ended.
    fn is_gone(&self, id: &WorkId, claim: &ClaimSummary, now: Timestamp) -> bool {
        let Some(lock) = &claim.lock else { return false };
        match self.locks.presence(&LockName::work(id), lock) {
            Ok(Presence::Gone) => true,
            Ok(Presence::Held) | Err(_) => false,
            Ok(Presence::Unknown) => claim.lease_has_ended(now),
        }
    }

    /// Every item in brief, a claim under which nobody works any more as one that has lapsed.
    pub(crate) async fn summaries(
        &self,
    ) -> Result<impl Iterator<Item = Result<Summary, Unreadable>> + use<>, RepositoryError> {
        let (ports, now) = (self.clone(), self.clock.now());
        Ok(self.items.summaries().await?.map(move |item| {
            item.map(|mut item| {
                item.claim = item.claim.map(|claim| {
                    if ports.is_gone(&item.id, &claim, now) { claim.outlived() } else { claim }
                });
                item
            })
        }))
    }

    /// The whole of `item`, which may share its file with another; `None` when it has gone.
    pub(crate) async fn whole(&self, item: &Summary) -> Result<Option<WorkItem>, RepositoryError> {
        let file = self.items.get(&item.id).await?;
        Ok(match file {
            Some(found) if found.uid == item.uid => Some(found),
            Some(file) => file.in_file().remove(&item.uid),
            None => None,
        })
    }

    /// Every item in brief, to decide over all of them, but for those that are [`left_out`].
    pub(crate) async fn to_decide(&self) -> Result<Vec<Result<Summary, Malformed>>, Error> {
        let read = |item| match item {
            Ok(item) => Ok(Ok(item)),
            Err(unreadable) => left_out(unreadable).map(Err),
        };
        self.items.summaries().await?.map(read).collect()
    }

    /// As [`Ports::to_decide`], without what does not parse: it cannot be followed, and the doctor
    /// names it.
    pub(crate) async fn readable(&self) -> Result<Vec<Summary>, Error> {
        Ok(self.to_decide().await?.into_iter().filter_map(Result::ok).collect())
    }

    /// Why there is no item `id`: it never was, or it was deleted.
    pub(crate) async fn absent(&self, id: &WorkId) -> Result<RepositoryError, RepositoryError> {
        Ok(RepositoryError::absent(id.clone(), self.items.tombstone(id).await?))
    }
}

/// The item `after` a write that is `allowed`, or on which the request insists with `force`.
pub(crate) fn insisted(
    allowed: Result<(), Refusal>,
    after: WorkItem,
    force: bool,
) -> Result<WorkItem, Refusal> {
    match allowed {
        Ok(()) => Ok(after),
        Err(_) if force => Ok(after.forced()),
        Err(refusal) => Err(refusal),
    }
}

/// Whether one may decide over the other items without this one. What does not parse is named and
/// left to the doctor. What the storage does not give might be anything: nobody decides over that.
pub(crate) fn left_out(unreadable: Unreadable) -> Result<Malformed, Error> {
    match unreadable {
        Unreadable::Malformed(error) => Ok(error),
        Unreadable::Storage(error) => Err(RepositoryError::from(error).into()),
    }
}

/// Who asks for a change, why, and under which condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who.
    pub actor: Actor,
    /// Why, in the actor's words. It goes into the item's history.
    pub reason: Option<String>,
    /// The version that the item must have, or the change is refused as a conflict. A new item
    /// has no earlier version, so [`Create`](crate::Create) does not look at it.
    pub if_version: Option<u64>,
    /// The name of the request, so that a repeat can be told from a second one.
    pub request_id: Option<RequestId>,
    /// What shows that a claimed item is the actor's.
    pub credentials: Credentials,
}

impl Request {
    /// A request of `actor` without a condition.
    #[must_use]
    pub fn new(actor: Actor) -> Self {
        let credentials = Credentials::default();
        Self { actor, reason: None, if_version: None, request_id: None, credentials }
    }

    pub(crate) fn stamp(&self, at: Timestamp) -> Stamp {
        Stamp {
            at,
            actor: self.actor.clone(),
            reason: self.reason.clone(),
            request_id: self.request_id.clone(),
            credentials: self.credentials.clone(),
        }
    }
}
