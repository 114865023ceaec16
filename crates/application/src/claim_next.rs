//! Claiming an item without being told which.
//!
//! Nobody waits in a row for it: who claims goes over what is ready, the most urgent first, and
//! passes over what somebody else is writing at this moment. An item is claimed in the version in
//! which it was found ready; one that has moved on is looked at again. Of many who ask at once each
//! gets an item of its own, and who gets none is told so only when there is none.

use std::collections::HashSet;
use std::time::Duration;

use jerry_domain::ports::{Change, LockError, LockGuard, LockName, RepositoryError, Update};
use jerry_domain::{Edit, Event, Reach, ReadyList, Refusal, Summary, WorkItem};

use crate::ports::left_out;
use crate::{Error, Filter, Ports, Ready, Request, query, requests};

/// Claims what is ready.
#[derive(Clone)]
pub struct ClaimNext {
    ports: Ports,
}

impl ClaimNext {
    /// A service over `ports`.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// Claims the most urgent of the items that are ready and that `filter` lets through, for
    /// `lease`: also one that was handed over to the actor, and none that has unfinished parts.
    /// The filter's limit and order do not count. A request that has been made already is not made
    /// again: the answer is the item as it claimed it.
    ///
    /// # Errors
    /// [`Error::NothingReady`] when there is none; [`Error::Repository`] when items could not be
    /// listed, or the storage did not give one of them; [`Error::Lock`] when all that there are were
    /// being written for longer than the locks' timeout.
    pub async fn claim(
        &self,
        filter: &Filter,
        lease: Option<Duration>,
        request: &Request,
    ) -> Result<WorkItem, Error> {
        let terms = Terms { lease, lock: None };
        let Some(name) = &request.request_id else {
            return Ok(self.choose(filter, &terms, request).await?.item);
        };
        let _same = requests::lock(&self.ports, name).await?;
        match requests::first_results(&self.ports, &Event::CLAIMED, name).await?.pop() {
            Some(first) => Ok(first),
            None => Ok(self.choose(filter, &terms, request).await?.item),
        }
    }

    /// As [`claim`](Self::claim) without a name for the request, on these terms.
    pub(crate) async fn choose(
        &self,
        filter: &Filter,
        terms: &Terms,
        request: &Request,
    ) -> Result<Claimed, Error> {
        let parent = query::parent(&self.ports, filter).await?;
        // What cannot be claimed for a reason that stays.
        let mut impossible = HashSet::new();
        loop {
            let wanted = |item: &Summary| {
                filter.admits(item, parent.as_ref()) && !impossible.contains(&item.uid)
            };
            let list = ReadyList::for_claimant(self.ports.clock.now(), request.actor.clone());
            let found = Ready::new(self.ports.clone()).of(list, wanted, 0).await?;
            found.unreadable.into_iter().try_for_each(|error| left_out(error).map(drop))?;
            let ready = found.items;
            if ready.is_empty() {
                return Err(Error::NothingReady);
            }
            let (mut being_written, mut worked_on) = (None, None);
            for item in &ready {
                match self.try_claim(item, terms, request).await? {
                    Attempt::Claimed(claimed) => return Ok(*claimed),
                    Attempt::BeingWritten => drop(being_written.get_or_insert(item)),
                    Attempt::WorkedOn => drop(worked_on.get_or_insert(item)),
                    Attempt::MovedOn => {}
                    Attempt::Impossible => drop(impossible.insert(item.uid)),
                }
            }
            if let Some(item) = being_written {
                drop(self.ports.locks.acquire(&LockName::item(&item.id), None).await?);
            } else if let Some(item) = worked_on
                && !self.is_let_go(item).await?
            {
                impossible.insert(item.uid);
            }
        }
    }

    /// Whether the work lock of `item` was only held for a moment.
    async fn is_let_go(&self, item: &Summary) -> Result<bool, Error> {
        match self.ports.locks.acquire(&LockName::work(&item.id), Some(A_MOMENT)).await {
            Ok(_) => Ok(true),
            Err(LockError::TimedOut { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn try_claim(
        &self,
        item: &Summary,
        terms: &Terms,
        request: &Request,
    ) -> Result<Attempt, Error> {
        let Terms { lease, lock } = terms.clone();
        let mut guard = None;
        if lock.is_some() && !item.is_displaced {
            guard = self.ports.locks.try_acquire(&LockName::work(&item.id)).await?;
            if guard.is_none() {
                return Ok(Attempt::WorkedOn);
            }
        }
        let (expected, change): (_, Change) = match item.is_displaced {
            // It is claimed under the number of its own that any write of the file gives it.
            true => (None, Box::new(|_| Ok(None))),
            false => {
                let edits = vec![Edit::Claim { lease, lock }];
                (Some(item.version), self.ports.change(edits, request, |_, _| Ok(())))
            }
        };
        match self.ports.items.try_update(&item.id, expected, change).await {
            Ok(Some(Update::Written(item))) => {
                Ok(Attempt::Claimed(Box::new(Claimed { item, guard })))
            }
            Ok(None) => Ok(Attempt::BeingWritten),
            Ok(Some(Update::Unchanged(_)))
            | Err(
                RepositoryError::VersionConflict { .. }
                | RepositoryError::ChangedOutside { .. }
                | RepositoryError::NotFound { .. }
                | RepositoryError::Deleted { .. }
                | RepositoryError::Refused { source: Refusal::Claimed(_), .. },
            ) => Ok(Attempt::MovedOn),
            Err(RepositoryError::Refused { .. } | RepositoryError::Malformed(_)) => {
                Ok(Attempt::Impossible)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// How an item is claimed.
#[derive(Clone)]
pub(crate) struct Terms {
    /// For how long after each write; `None` for ever.
    pub(crate) lease: Option<Duration>,
    /// Under the lock [`LockName::work`], within this reach.
    pub(crate) lock: Option<Reach>,
}

/// An item and, where it was claimed under one, its work lock.
pub(crate) struct Claimed {
    pub(crate) item: WorkItem,
    pub(crate) guard: Option<Box<dyn LockGuard>>,
}

/// For longer than somebody holds a work lock who looks, or tries, and no longer than one would wait
/// for somebody who works.
pub(crate) const A_MOMENT: Duration = Duration::from_millis(200);

/// What came of trying to claim one item.
enum Attempt {
    Claimed(Box<Claimed>),
    /// By somebody whose claim was taken away, or who is about to claim it.
    WorkedOn,
    /// By somebody else, who may do anything with it.
    BeingWritten,
    /// It is not as it was when it was found ready.
    MovedOn,
    /// It will not be claimed, however often it is tried.
    Impossible,
}
