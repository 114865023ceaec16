//! Claiming an item without being told which.
//!
//! Nobody waits in a row for it: who claims goes over what is ready, the most urgent first, and
//! passes over what somebody else is writing at this moment. An item is claimed in the version in
//! which it was found ready; one that has moved on is looked at again. Of many who ask at once each
//! gets an item of its own, and who gets none is told so only when there is none.

use std::collections::HashSet;
use std::time::Duration;

use jerry_domain::ports::{LockName, RepositoryError, Update};
use jerry_domain::{Edit, Event, ReadyList, Refusal, Summary, WorkItem};

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
        let Some(name) = &request.request_id else {
            return self.choose(filter, lease, request).await;
        };
        let _same = requests::lock(&self.ports, name).await?;
        match requests::first_results(&self.ports, &Event::CLAIMED, name).await?.pop() {
            Some(first) => Ok(first),
            None => self.choose(filter, lease, request).await,
        }
    }

    async fn choose(
        &self,
        filter: &Filter,
        lease: Option<Duration>,
        request: &Request,
    ) -> Result<WorkItem, Error> {
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
            let mut being_written = None;
            for item in &ready {
                match self.try_claim(item, lease, request).await? {
                    Attempt::Claimed(item) => return Ok(*item),
                    Attempt::BeingWritten => drop(being_written.get_or_insert(item)),
                    Attempt::MovedOn => {}
                    Attempt::Impossible => drop(impossible.insert(item.uid)),
                }
            }
            if let Some(item) = being_written {
                drop(self.ports.locks.acquire(&LockName::item(&item.id), None).await?);
            }
        }
    }

    async fn try_claim(
        &self,
        item: &Summary,
        lease: Option<Duration>,
        request: &Request,
    ) -> Result<Attempt, Error> {
        let claim = self.ports.change(vec![Edit::Claim { lease }], request, |_, _| Ok(()));
        match self.ports.items.try_update(&item.id, Some(item.version), claim).await {
            Ok(Some(Update::Written(item))) => Ok(Attempt::Claimed(Box::new(item))),
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

/// What came of trying to claim one item.
enum Attempt {
    Claimed(Box<WorkItem>),
    /// By somebody else, who may do anything with it.
    BeingWritten,
    /// It is not as it was when it was found ready.
    MovedOn,
    /// It will not be claimed, however often it is tried.
    Impossible,
}
