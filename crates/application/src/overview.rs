//! How things stand, for somebody who begins.

use std::collections::BTreeMap;

use jerry_domain::ports::Unreadable;
use jerry_domain::{Actor, ReadyList, Status, Summary};

use crate::{Error, Ports, Ready, ReadyItems};

/// How things stand.
#[derive(Debug)]
pub struct Situation {
    /// How many items there are with each status; every status is there.
    pub counts: BTreeMap<Status, usize>,
    /// What the actor has claimed, or was handed, and not finished; the most urgent first.
    pub held: Vec<Summary>,
    /// What the actor could claim, the most urgent first.
    pub ready: Vec<Summary>,
    /// How many of them there are without a limit.
    pub ready_total: usize,
    /// What could not be read, and so is not counted.
    pub unreadable: Vec<Unreadable>,
}

/// Tells how things stand. Takes no lock.
#[derive(Clone)]
pub struct Overview {
    ports: Ports,
}

impl Overview {
    /// A service over `ports`.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// How things stand for `actor`, with at most `limit` of the items that are ready, 0 for all.
    ///
    /// # Errors
    /// [`Error::Repository`] when the store cannot be listed.
    pub async fn of(&self, actor: &Actor, limit: usize) -> Result<Situation, Error> {
        let now = self.ports.clock.now();
        let mut counts: BTreeMap<_, _> = Status::ALL.map(|status| (status, 0)).into();
        let mut held = Vec::new();
        let is_theirs = |item: &Summary| {
            let holder = item.claim.as_ref().map(|claim| &claim.holder);
            holder == Some(actor) && !item.status.is_closed() && !item.is_free(now)
        };
        for item in self.ports.summaries().await? {
            // What cannot be read is named by the second look.
            let Ok(item) = item else { continue };
            *counts.entry(item.status).or_default() += 1;
            if is_theirs(&item) {
                held.push(item);
            }
        }
        held.sort_by_key(Summary::urgency);
        let list = ReadyList::for_claimant(now, actor.clone());
        let found = Ready::new(self.ports.clone()).of(list, |item| !is_theirs(item), limit).await?;
        let ReadyItems { items: ready, total: ready_total, unreadable, .. } = found;
        Ok(Situation { counts, held, ready, ready_total, unreadable })
    }
}
