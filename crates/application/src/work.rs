//! Working on an item for as long as a command runs.
//!
//! The claim is made under the lock `work-<ID>`, which whoever works holds until they end, however
//! they end, and programs that they start hold with them. So it is known at once, without a lease,
//! that nobody works on the item any more; and not before. See
//! `docs/adr/0024-work-is-alive-while-its-lock-is-held.md`.
//!
//! Work is two writes with a command between them. Under a name the first one, the claim, settles on
//! which item; the second, the end, settles what came of it. As long as that is not there a repeat
//! works on the same item again, if nobody else does.

use std::sync::Arc;
use std::time::Duration;

use jerry_domain::ports::{CommandRunner, LockError, LockGuard, LockName, RepositoryError};
use jerry_domain::{
    Credentials, Edit, Event, Refusal, RequestId, Status, Transition, WorkId, WorkItem,
};

use crate::claim_next::{A_MOMENT, Claimed, Terms};
use crate::{ClaimNext, Complete, Error, Filter, Modify, Ports, Request, requests};

/// Claims items for work, and gives them back.
#[derive(Clone)]
pub struct Work {
    ports: Ports,
    runner: Arc<dyn CommandRunner>,
}

/// What came of asking for work.
pub enum Begun {
    /// The item is being worked on from now on.
    Working(Job),
    /// Work on it under this name has been done already, and left the item so.
    Ended(WorkItem),
}

/// An item that is being worked on, for as long as this lives, or a program that was started while
/// the lock was [shared](Job::share_with_children).
pub struct Job {
    /// The item as it was claimed.
    pub item: WorkItem,
    guard: Option<Box<dyn LockGuard>>,
}

/// How work ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The item is completed.
    Complete,
    /// The claim ends and the item stays as it is.
    Leave,
    /// The item goes back to the others, with a note why.
    Release(String),
}

impl Job {
    /// Whether programs that are started from now on count as working on the item too.
    ///
    /// # Errors
    /// [`Error::Lock`].
    pub fn share_with_children(&self, share: bool) -> Result<(), Error> {
        let shared = self.guard.as_ref().map(|guard| guard.share_with_children(share));
        shared.transpose()?;
        Ok(())
    }

    /// The fence of the claim.
    #[must_use]
    pub fn fence(&self) -> Option<u64> {
        self.item.claim.as_ref().map(|claim| claim.fence)
    }
}

impl Work {
    /// A service over `ports` that has `runner` run the commands that gates ask for.
    #[must_use]
    pub fn new(ports: Ports, runner: Arc<dyn CommandRunner>) -> Self {
        Self { ports, runner }
    }

    /// Claims the item `id`. Where the system cannot tell its boots apart the claim stands by its
    /// lease alone.
    ///
    /// # Errors
    /// As [`Modify::edit`]; [`Error::Lock`] when somebody still works on the item whose claim was
    /// taken away.
    pub async fn begin(
        &self,
        id: &WorkId,
        lease: Option<Duration>,
        request: &Request,
    ) -> Result<Begun, Error> {
        let _same = requests::lock_named(&self.ports, request).await?;
        self.begin_on(id, lease, request).await
    }

    /// Claims the most urgent of the items that are ready, as [`ClaimNext::claim`] does; or again
    /// the one that `request` has claimed already.
    ///
    /// # Errors
    /// As [`ClaimNext::claim`] and [`begin`](Self::begin).
    pub async fn begin_next(
        &self,
        filter: &Filter,
        lease: Option<Duration>,
        request: &Request,
    ) -> Result<Begun, Error> {
        let _same = requests::lock_named(&self.ports, request).await?;
        if let Some(name) = &request.request_id {
            let chosen = requests::first_results(&self.ports, &Event::CLAIMED, name).await?.pop();
            if let Some(item) = chosen {
                return self.begin_on(&item.id, lease, request).await;
            }
        }
        let next = ClaimNext::new(self.ports.clone());
        let Claimed { item, guard } = next.choose(filter, &self.terms(lease), request).await?;
        Ok(Begun::Working(Job { item, guard }))
    }

    /// To be called under the lock of the request.
    async fn begin_on(
        &self,
        id: &WorkId,
        lease: Option<Duration>,
        request: &Request,
    ) -> Result<Begun, Error> {
        let ended = || requests::end_of_work(&self.ports, id, request);
        // Whoever works on it by now has nothing to do with what has ended.
        if let Some(item) = ended().await? {
            return Ok(Begun::Ended(item));
        }
        let Terms { lease, lock } = self.terms(lease);
        let guard = if lock.is_some() { Some(self.lock(id).await?) } else { None };
        // It may have ended while the lock was waited for.
        if let Some(item) = ended().await? {
            return Ok(Begun::Ended(item));
        }
        let has_begun = requests::first_result(&self.ports, id, &Event::CLAIMED, request).await?;
        let name = request.request_id.clone().filter(|_| has_begun.is_none());
        let request = Request { request_id: name, ..request.clone() };
        let edits = vec![Edit::Claim { lease, lock }];
        let item = Modify::new(self.ports.clone()).edit(id, edits, &request).await?.into_item();
        Ok(Begun::Working(Job { item, guard }))
    }

    /// Ends the work as `request` asks, unless it has been ended already, and returns the item as it
    /// is then. One that was blocked meanwhile stays blocked, without the claim.
    ///
    /// # Errors
    /// As [`Modify::edit`]: [`Refusal::StaleFence`] when another has claimed the item. The lock is
    /// let go either way.
    pub async fn end(
        &self,
        job: Job,
        ending: Ending,
        request: &Request,
    ) -> Result<WorkItem, Error> {
        let credentials = Credentials { fence: job.fence(), ..request.credentials.clone() };
        let request_id = request.request_id.as_ref().map(RequestId::end);
        let request = Request { credentials, request_id, ..request.clone() };
        let id = &job.item.id;
        let Some(item) = self.ports.items.get(id).await? else {
            return Err(self.ports.absent(id).await?.into());
        };
        let said = match &ending {
            Ending::Release(note) => Some(note.clone()),
            Ending::Complete | Ending::Leave => None,
        };
        let completes = ending == Ending::Complete && item.status == Status::InProgress;
        let edits = match (item.status, ending) {
            (Status::InProgress, Ending::Complete) => Vec::new(),
            (_, Ending::Release(note)) => vec![Edit::Note(note), Edit::Move(Transition::Release)],
            (_, Ending::Complete | Ending::Leave) => vec![Edit::Unclaim],
        };
        let ended = if completes {
            let complete = Complete::new(self.ports.clone(), self.runner.clone());
            complete.complete(id, edits, &request).await
        } else {
            Modify::new(self.ports.clone()).edit(id, edits, &request).await
        };
        match ended {
            Ok(update) => Ok(update.into_item()),
            // Another may see to what keeps it from being completed.
            Err(Error::Repository(RepositoryError::Refused { id, source }))
                if completes
                    && !matches!(source, Refusal::StaleFence { .. } | Refusal::Claimed(_)) =>
            {
                let note = format!("the work is done, but it could not be completed: {source}");
                let edits = vec![Edit::Note(note), Edit::Move(Transition::Release)];
                // Where that fails too, the item is free all the same once its lock is let go, and
                // what was refused first is what somebody has to see to.
                let _ = Modify::new(self.ports.clone()).edit(&id, edits, &request).await;
                Err(Error::Repository(RepositoryError::Refused { id, source }))
            }
            Err(Error::Repository(RepositoryError::Refused {
                source: Refusal::StaleFence { claim: None, .. },
                ..
            })) => self.write_down_end(item, said, request).await,
            Err(error) => Err(error),
        }
    }

    /// Has `item`, whose claim the command has ended itself, say that the request has come to its
    /// end, unless another has claimed it since.
    async fn write_down_end(
        &self,
        item: WorkItem,
        said: Option<String>,
        request: Request,
    ) -> Result<WorkItem, Error> {
        if request.request_id.is_none() {
            return Ok(item);
        }
        let edits = said.map(Edit::Note).into_iter().collect();
        let credentials = Credentials { fence: None, ..request.credentials };
        let request = Request { credentials, ..request };
        match Modify::new(self.ports.clone()).edit(&item.id, edits, &request).await {
            Ok(update) => Ok(update.into_item()),
            Err(Error::Repository(RepositoryError::Refused {
                source: Refusal::Claimed(_),
                ..
            })) => Ok(item),
            Err(error) => Err(error),
        }
    }

    fn terms(&self, lease: Option<Duration>) -> Terms {
        Terms { lease, lock: self.ports.locks.reach() }
    }

    /// The work lock of `id`, or why it is not to be had: whoever holds it has claimed the item.
    async fn lock(&self, id: &WorkId) -> Result<Box<dyn LockGuard>, Error> {
        let name = LockName::work(id);
        let error = match self.ports.locks.acquire(&name, Some(A_MOMENT)).await {
            Ok(guard) => return Ok(guard),
            Err(error @ LockError::TimedOut { .. }) => error,
            Err(error) => return Err(error.into()),
        };
        let item = self.ports.items.get(id).await?;
        Err(match item.and_then(|item| item.claim.clone()) {
            Some(claim) => RepositoryError::Refused {
                id: id.clone(),
                source: Refusal::Claimed(Box::new(claim)),
            }
            .into(),
            None => error.into(),
        })
    }
}
