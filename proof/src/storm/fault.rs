//! Faults made on purpose while a storm goes on, in the processes that work under stepped clocks.
//! What is looked for afterwards must be found.

#![expect(clippy::disallowed_methods, reason = "these are the faults")]

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use jerry_application::{Error, Ports, Request};
use jerry_cli::exit::Failure;
use jerry_domain::ports::{Change, Insertion};
use jerry_domain::{
    Credentials, Edit, Prefix, Record, RequestId, Stamp, Title, Uid, WorkId, WorkItem,
};
use jerry_infra_fs::Layout;
use serde::{Deserialize, Serialize};

use super::ledger::{Answer, Deed, Intent, Written};
use super::program::of_item;
use super::verify::Wrong;

/// What is done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Fault {
    /// An item is read, changed and replaced without its lock.
    WithoutLock,
    /// An item is written over in place, by a process that dies half-way.
    InPlace,
    /// Uids come from the clock, without a mark that only goes up.
    ClockAlone,
    /// A new item gets the uid of another.
    UidAgain,
    /// A new item gets the number of a deleted one, whose tombstone goes.
    NumberAgain,
    /// Somebody writes past a claim, as if there were none.
    PastClaims,
    /// A claim gets the fence of the one before.
    FenceAgain,
}

impl Fault {
    pub(super) const ALL: [Self; 7] = [
        Self::WithoutLock,
        Self::InPlace,
        Self::ClockAlone,
        Self::UidAgain,
        Self::NumberAgain,
        Self::PastClaims,
        Self::FenceAgain,
    ];

    /// What it must be found out as.
    pub(super) fn shows_as(self) -> Wrong {
        match self {
            Self::WithoutLock => Wrong::Lost,
            Self::InPlace => Wrong::Unreadable,
            Self::PastClaims => Wrong::Robbed,
            Self::ClockAlone | Self::UidAgain | Self::NumberAgain | Self::FenceAgain => {
                Wrong::Duplicate
            }
        }
    }
}

/// Answers requests wrongly.
pub(super) struct Faulty {
    fault: Fault,
    layout: Layout,
    ports: Ports,
}

impl Faulty {
    /// Long enough for another to come between.
    const PAUSE: Duration = Duration::from_millis(20);

    pub(super) fn new(fault: Fault, store: &Path, ports: Ports) -> Self {
        Self { fault, layout: Layout::new(store.to_owned()), ports }
    }

    /// The wrong answer; `None` where this request is answered as it should be.
    pub(super) async fn answer(
        &mut self,
        intent: &Intent,
        request: &Request,
    ) -> Result<Option<Answer>, Failure> {
        match (self.fault, intent.deed, &intent.item) {
            (Fault::WithoutLock, Deed::Note, Some(id)) => self.note(id, intent, request).await,
            (Fault::PastClaims, Deed::Note, Some(id)) => {
                self.claim_for_another(id, request).await?;
                let note = Edit::Note(intent.request.clone());
                let past = |record: &mut Record| {
                    record.history.last_mut().into_iter().for_each(|entry| entry.forced = false);
                };
                self.write(id, note, request, past).await.map(Some)
            }
            (Fault::FenceAgain, Deed::Note, Some(id)) => {
                let fence = self.claim_for_another(id, request).await?;
                let again = move |record: &mut Record| {
                    record.claim.iter_mut().for_each(|claim| claim.fence = fence);
                };
                self.write(id, Edit::Claim { lease: None, lock: None }, request, again)
                    .await
                    .map(Some)
            }
            (Fault::InPlace, Deed::Note, Some(id)) => self.tear(id),
            (Fault::ClockAlone, Deed::Draw, _) => Ok(Some(self.draw())),
            (Fault::UidAgain, Deed::Create, _) => self.create_with_uid(intent, request).await,
            (Fault::NumberAgain, Deed::Create, _) => self.create_again(intent, request).await,
            _ => Ok(None),
        }
    }

    async fn note(
        &self,
        id: &WorkId,
        intent: &Intent,
        request: &Request,
    ) -> Result<Option<Answer>, Failure> {
        let Some(item) = self.ports.items.get(id).await.map_err(Error::from)? else {
            return Ok(None);
        };
        let changed = item.apply(&[Edit::Note(intent.request.clone())], &self.stamp(request));
        let Ok(Some(changed)) = changed else { return Ok(None) };
        thread::sleep(Self::PAUSE);
        let temp = self.temp(id);
        fs::write(&temp, serde_json::to_vec_pretty(&changed).map_err(unwritten)?)
            .and_then(|()| fs::rename(&temp, self.layout.item(id)))
            .map_err(|error| Failure::io("cannot write", &error))?;
        Ok(Some(of_item(&intent.request, &changed)))
    }

    /// Claims the item for somebody whom no ledger knows, and returns the fence.
    async fn claim_for_another(&self, id: &WorkId, request: &Request) -> Result<u64, Failure> {
        let other = Request { request_id: None, ..request.clone() };
        let item = self.change(id, Edit::Claim { lease: None, lock: None }, &other, |_| ()).await?;
        Ok(item.claim.as_ref().map_or(0, |claim| claim.fence))
    }

    async fn write(
        &self,
        id: &WorkId,
        edit: Edit,
        request: &Request,
        tamper: impl FnOnce(&mut Record) + Send + 'static,
    ) -> Result<Answer, Failure> {
        let item = self.change(id, edit, request, tamper).await?;
        Ok(of_item(request.request_id.as_ref().map_or("", RequestId::as_str), &item))
    }

    /// Makes the edit whatever anybody has claimed, and then what `tamper` makes of it.
    async fn change(
        &self,
        id: &WorkId,
        edit: Edit,
        request: &Request,
        tamper: impl FnOnce(&mut Record) + Send + 'static,
    ) -> Result<WorkItem, Failure> {
        let credentials = Credentials { force: true, ..Credentials::default() };
        let stamp = Stamp { credentials, ..self.stamp(request) };
        let change: Change = Box::new(move |item| {
            let Some(after) = item.apply(&[edit], &stamp)? else { return Ok(None) };
            let mut record = after.into_record();
            tamper(&mut record);
            Ok(Some(WorkItem::try_from(record)?))
        });
        let update = self.ports.items.update(id, None, change).await.map_err(Error::from)?;
        Ok(update.into_item())
    }

    fn tear(&self, id: &WorkId) -> Result<Option<Answer>, Failure> {
        let path = self.layout.item(id);
        let text = fs::read(&path).map_err(|error| Failure::io("cannot read", &error))?;
        fs::write(&path, &text[..text.len() / 2])
            .map_err(|error| Failure::io("cannot write", &error))?;
        std::process::abort();
    }

    fn draw(&self) -> Answer {
        let millis = self.ports.clock.now().as_millisecond();
        let millis = u64::try_from(millis).unwrap_or(0).saturating_sub(Uid::EPOCH_MS);
        let uids = (0..400).filter_map(|n| Uid::from_parts(millis + n / 4, 0, (n % 4) as u16));
        Answer::Drew { uids: uids.collect(), numbers: Vec::new() }
    }

    async fn create_with_uid(
        &self,
        intent: &Intent,
        request: &Request,
    ) -> Result<Option<Answer>, Failure> {
        let mut items = self.ports.items.summaries().await.map_err(Error::from)?;
        let Some(Ok(other)) = items.next() else { return Ok(None) };
        let prefix = Prefix::new("WORK")?;
        let ids = self.ports.ids.work_ids(&prefix, 1).await.map_err(Error::from)?;
        let Some(id) = ids.first() else { return Ok(None) };
        self.insert(id, other.uid, intent, request).await
    }

    async fn create_again(
        &self,
        intent: &Intent,
        request: &Request,
    ) -> Result<Option<Answer>, Failure> {
        let mut stones = self.ports.items.tombstones().await.map_err(Error::from)?;
        let Some(Ok(stone)) = stones.next() else { return Ok(None) };
        let id = stone.item.id.clone();
        let tombstones = self.layout.root().join("data").join("tombstones");
        fs::remove_file(tombstones.join(format!("{id}.json")))
            .map_err(|error| Failure::io("cannot remove", &error))?;
        let uids = self.ports.ids.uids(1).await.map_err(Error::from)?;
        let Some(uid) = uids.first() else { return Ok(None) };
        self.insert(&id, *uid, intent, request).await
    }

    async fn insert(
        &self,
        id: &WorkId,
        uid: Uid,
        intent: &Intent,
        request: &Request,
    ) -> Result<Option<Answer>, Failure> {
        let title = Title::new(&intent.request)?;
        let item = WorkItem::create(id.clone(), uid, title, &[], &self.stamp(request));
        let Ok(item) = item else { return Ok(None) };
        match self.ports.items.insert(item).await.map_err(Error::from)? {
            Insertion::Inserted(_) => {
                let written = Written { id: id.clone(), uid: Some(uid), version: 1 };
                Ok(Some(Answer::Wrote(vec![written])))
            }
            Insertion::Taken | Insertion::Deleted => Ok(None),
        }
    }

    fn temp(&self, id: &WorkId) -> PathBuf {
        self.layout.items().join(format!(".{id}.{}.tmp", std::process::id()))
    }

    fn stamp(&self, request: &Request) -> Stamp {
        Stamp {
            request_id: request.request_id.clone(),
            ..Stamp::new(self.ports.clock.now(), request.actor.clone())
        }
    }
}

fn unwritten(error: serde_json::Error) -> Failure {
    Failure::io("cannot write", &error.into())
}
