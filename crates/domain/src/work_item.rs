//! The work item: a [`Record`] whose fields agree with each other.

use std::collections::HashSet;
use std::ops::Deref;

use serde::{Deserialize, Serialize, Serializer};

use crate::claim::{self, Standing};
use crate::edit::{self, Edit, Stamp};
use crate::history::{self, Event, FieldChange, HistoryEntry, UnknownVersion, Writes};
use crate::record::{Extra, Record};
use crate::{
    CheckId, ITEM_SCHEMA, ItemRef, ItemType, LinkTarget, Priority, Refusal, RequestId, Status,
    Title, Uid, WorkId, undo,
};

/// Why fields do not make an item.
#[derive(Debug, thiserror::Error)]
pub enum InvalidItem {
    /// Versions start at 1, and the greatest number is no version: it would have no next.
    #[error("{0} is no version; the first version is 1")]
    Version(u64),
    /// Two entries of the checklists have one name.
    #[error("checklist id {0} occurs twice")]
    DuplicateCheckId(CheckId),
    /// The item is its own parent.
    #[error("the item is its own parent")]
    OwnParent,
    /// The item waits for itself.
    #[error("the item depends on itself")]
    OwnDependency,
    /// One dependency is listed twice.
    #[error("the dependency on {0} is listed twice")]
    DuplicateDependency(WorkId),
    /// A field has a value that its type does not allow.
    #[error("a field is not valid")]
    Field(#[from] serde_json::Error),
}

/// One piece of work. Its fields are read through [`Deref`]; they change only through
/// [`WorkItem::apply`], which keeps the rules, counts the version and writes the history.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Record")]
pub struct WorkItem(Record);

impl WorkItem {
    /// A new item, version 1, as `edits` make it.
    ///
    /// # Errors
    /// The [`Refusal`] of the first edit that cannot be made.
    pub fn create(
        id: WorkId,
        uid: Uid,
        title: Title,
        edits: &[Edit],
        stamp: &Stamp,
    ) -> Result<Self, Refusal> {
        let mut record = Record {
            schema: ITEM_SCHEMA,
            id,
            uid,
            version: 0,
            item_type: ItemType::default(),
            title,
            heading: None,
            description: None,
            status: Status::default(),
            priority: Priority::default(),
            phase: None,
            assignee: None,
            claim: None,
            labels: Vec::new(),
            parent: None,
            depends_on: Vec::new(),
            links: Vec::new(),
            gates: Vec::new(),
            acceptance_criteria: Vec::new(),
            subtasks: Vec::new(),
            notes: Vec::new(),
            findings: Vec::new(),
            artifacts: Vec::new(),
            sources: Vec::new(),
            external_ref: None,
            created_at: stamp.at,
            updated_at: stamp.at,
            started_at: None,
            completed_at: None,
            due_at: None,
            imported: None,
            history: Vec::new(),
            displaced: Vec::new(),
            extra: Extra::new(),
        };
        for edit in edits {
            edit::make(&mut record, edit, stamp)?;
        }
        record.version = 1;
        record.history.push(stamp.entry(1, Event::CREATED, Vec::new()));
        Ok(Self::try_from(record)?)
    }

    /// Makes `edits`, all or none, as one write: the next version with one more history entry.
    ///
    /// Returns `None` when they change nothing, and when the request of `stamp` has made them
    /// already: [`WorkItem::as_left_by`] says what it made. A request with a name is written down
    /// also where it changes nothing, or a repeat would not be known for one. A write by the holder
    /// of a claim renews it.
    ///
    /// # Errors
    /// The [`Refusal`] of the first edit that cannot be made; [`Refusal::Claimed`] and
    /// [`Refusal::StaleFence`] when the item is another's; [`Refusal::RequestReused`]; also when a
    /// newer version of jerry wrote the item, whose rules this one does not know.
    pub fn apply(&self, edits: &[Edit], stamp: &Stamp) -> Result<Option<Self>, Refusal> {
        let event = Event::of(edits);
        if let Some(request) = &stamp.request_id
            && self.made_by(request, &event)?.is_some()
        {
            return Ok(None);
        }
        let standing = claim::standing(self.claim.as_ref(), edits, stamp)?;
        self.rewrite(event, standing, stamp, |record| {
            edits.iter().try_for_each(|edit| edit::make(record, edit, stamp))
        })
    }

    /// The same item, its last write recorded as made against a rule that would have refused it.
    #[must_use]
    pub fn forced(mut self) -> Self {
        self.0.history.last_mut().into_iter().for_each(|entry| entry.forced = true);
        self
    }

    /// The item as the write of `request` left it, if it has been made.
    ///
    /// # Errors
    /// [`Refusal::RequestReused`] when that was a write of another kind than `event`.
    pub fn as_left_by(&self, request: &RequestId, event: &Event) -> Result<Option<Self>, Refusal> {
        let Some(version) = self.made_by(request, event)? else { return Ok(None) };
        // Where a foreign hand has broken the history, the item of today is the nearest there is.
        Ok(Some(self.at_version(version).unwrap_or_else(|_| self.clone())))
    }

    /// The version that the write of `request` made, or that a merge made which brought it, and what
    /// kind of write it was.
    #[must_use]
    pub fn written_by(&self, request: &RequestId) -> Option<(u64, &Event)> {
        let same = |entry: &&HistoryEntry| entry.request_id.as_deref() == Some(request.as_str());
        self.history.iter().rev().find_map(|entry| {
            let line = || entry.of_other_lines().find(same);
            let write = Some(entry).filter(same).or_else(line)?;
            Some((entry.version, &write.event))
        })
    }

    fn made_by(&self, request: &RequestId, event: &Event) -> Result<Option<u64>, Refusal> {
        match self.written_by(request) {
            None => Ok(None),
            Some((version, own)) if own == event => Ok(Some(version)),
            Some((version, event)) => Err(Refusal::RequestReused {
                request: request.clone(),
                version,
                event: event.clone(),
            }),
        }
    }

    /// Takes back the last write, as a write of its own that gives every field its earlier value.
    /// Taking back what took back makes it again.
    ///
    /// Left as they are: `notes`, which only ever grow, and `claim`, but that a claim which the
    /// write made ends. A claim that the write ended does not stand again, since a fence is used
    /// once. The status machine is not asked: the item stood there before.
    ///
    /// Returns `None` when the request of `stamp` has taken it back already.
    ///
    /// # Errors
    /// [`Refusal::NotUndone`] when the last write is another's and `stamp` does not insist, or is
    /// none that can be taken back; [`Refusal::Claimed`] and [`Refusal::StaleFence`] when the item
    /// is another's. That what the item points at again is there, and closes no ring, is for the
    /// caller to check.
    pub fn undo(&self, stamp: &Stamp) -> Result<Option<Self>, Refusal> {
        if let Some(request) = &stamp.request_id
            && self.made_by(request, &Event::UNDONE)?.is_some()
        {
            return Ok(None);
        }
        let mut standing = claim::standing(self.claim.as_ref(), &[], stamp)?;
        let before = undo::restored(self, stamp)?;
        if !undo::is_own(self, stamp) {
            standing = Standing::Forced;
        }
        self.rewrite(Event::UNDONE, standing, stamp, |record| {
            *record = before;
            Ok(())
        })
    }

    /// Whether the item may be deleted as `stamp` says.
    ///
    /// # Errors
    /// [`Refusal::Claimed`] and [`Refusal::StaleFence`] when the item is another's.
    pub fn may_be_deleted(&self, stamp: &Stamp) -> Result<(), Refusal> {
        claim::standing(self.claim.as_ref(), &[], stamp).map(drop)
    }

    /// The same item under another id, as a write of its own.
    ///
    /// # Errors
    /// As [`WorkItem::apply`].
    pub fn renumber(&self, id: WorkId, stamp: &Stamp) -> Result<Option<Self>, Refusal> {
        self.rewrite(Event::RENUMBERED, Standing::Free, stamp, |record| {
            record.id = id;
            Ok(())
        })
    }

    /// The same contents as another item, with an identity of its own: for a copy that was made
    /// by hand together with the identity of its original.
    ///
    /// # Errors
    /// As [`WorkItem::apply`].
    pub fn reissue(&self, id: WorkId, uid: Uid, stamp: &Stamp) -> Result<Self, Refusal> {
        let issued = self.rewrite(Event::RENUMBERED, Standing::Free, stamp, |record| {
            record.id = id;
            record.uid = uid;
            Ok(())
        })?;
        Ok(issued.unwrap_or_else(|| self.clone()))
    }

    /// The item with every bare reference completed by what `uid_of` knows. No write of its own:
    /// a repository does it in passing.
    ///
    /// A name that turns out to mean this very item stays bare, and of two that mean one item the
    /// first stays: the result is as valid as the item was.
    #[must_use]
    pub fn complete_references(self, mut uid_of: impl FnMut(&WorkId) -> Option<Uid>) -> Self {
        let mut item = self;
        let own = item.uid;
        for reference in item.references_mut() {
            let known = || uid_of(&reference.id).filter(|uid| *uid != own);
            reference.uid = reference.uid.or_else(known);
        }
        let mut seen = HashSet::new();
        item.0.depends_on.retain(|needed| needed.uid.is_none_or(|uid| seen.insert(uid)));
        item
    }

    /// The item with every reference under the name that `name_of` knows for it. For showing it:
    /// what is stored keeps the name under which the reference was written.
    #[must_use]
    pub fn rename_references(self, mut name_of: impl FnMut(Uid) -> Option<WorkId>) -> Self {
        let mut item = self;
        for reference in item.references_mut() {
            if let Some(id) = reference.uid.and_then(&mut name_of) {
                reference.id = id;
            }
        }
        item
    }

    /// Every item that this one points at: its parent, its dependencies, its links.
    pub fn references(&self) -> impl Iterator<Item = &ItemRef> {
        let links = self.links.iter().filter_map(|link| match &link.target {
            LinkTarget::Item(item) => Some(item),
            LinkTarget::External(_) => None,
        });
        self.parent.iter().chain(&self.depends_on).chain(links)
    }

    /// The item as it was at version `wanted`.
    ///
    /// # Errors
    /// [`UnknownVersion`] when the history does not lead there.
    pub fn at_version(&self, wanted: u64) -> Result<Self, UnknownVersion> {
        history::rebuild(self, wanted)
    }

    /// The writes of which the item's history tells, the latest first, each with all that it
    /// changed: also with what it only appended, as far as the present item still bears that out.
    #[must_use]
    pub fn writes(&self) -> Writes {
        Writes::of(self)
    }

    /// What leads from `before`, another version of this item, to this one, appended elements
    /// included. `version`, `history` and `updated_at` are left out.
    ///
    /// # Errors
    /// [`InvalidItem::Field`] when a field cannot be written as JSON, which no valid one cannot.
    pub fn changes_since(&self, before: &Self) -> Result<Vec<FieldChange>, InvalidItem> {
        let mut changes = history::changes(&before.0, &self.0)?;
        changes.retain(|change| change.field != "updated_at");
        Ok(history::in_full(changes, &serde_json::to_value(&self.0)?))
    }

    /// The item alone, and those of its number that its file holds beside it.
    #[must_use]
    pub fn split_off(self) -> (Self, Vec<Self>) {
        let mut record = self.0;
        let displaced = std::mem::take(&mut record.displaced);
        (Self(record), displaced)
    }

    /// The item as its file holds it together with `displaced`.
    #[must_use]
    pub fn holding(self, displaced: Vec<Self>) -> Self {
        Self(Record { displaced, ..self.0 })
    }

    /// A complete reference to this item.
    #[must_use]
    pub fn reference(&self) -> ItemRef {
        ItemRef::new(self.id.clone(), self.uid)
    }

    /// The fields, for those who make an item from another source.
    #[must_use]
    pub fn into_record(self) -> Record {
        self.0
    }

    fn references_mut(&mut self) -> impl Iterator<Item = &mut ItemRef> {
        let Record { parent, depends_on, links, .. } = &mut self.0;
        let links = links.iter_mut().filter_map(|link| match &mut link.target {
            LinkTarget::Item(item) => Some(item),
            LinkTarget::External(_) => None,
        });
        parent.iter_mut().chain(depends_on).chain(links)
    }

    fn rewrite(
        &self,
        event: Event,
        standing: Standing,
        stamp: &Stamp,
        change: impl FnOnce(&mut Record) -> Result<(), Refusal>,
    ) -> Result<Option<Self>, Refusal> {
        if self.schema > ITEM_SCHEMA {
            return Err(Refusal::NewerSchema { schema: self.schema });
        }
        let mut after = self.0.clone();
        change(&mut after)?;
        after.schema = ITEM_SCHEMA;
        after.updated_at = stamp.at;
        let changed = |after: &Record| history::changes(&self.0, after).map_err(InvalidItem::from);
        let mut changes = changed(&after)?;
        let changes_nothing = changes.iter().all(|change| change.field == "updated_at");
        if changes_nothing && stamp.request_id.is_none() {
            return Ok(None);
        }
        if standing == Standing::Holder {
            claim::renew(&self.0, &mut after, stamp.at);
            changes = changed(&after)?;
        }
        after.version += 1;
        let mut entry = stamp.entry(after.version, event, changes);
        entry.forced = standing == Standing::Forced;
        after.history.push(entry);
        Ok(Some(Self::try_from(after)?))
    }
}

impl Deref for WorkItem {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.0
    }
}

impl Serialize for WorkItem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl TryFrom<Record> for WorkItem {
    type Error = InvalidItem;

    fn try_from(mut record: Record) -> Result<Self, InvalidItem> {
        if matches!(record.version, 0 | u64::MAX) {
            return Err(InvalidItem::Version(record.version));
        }
        let mut seen = HashSet::new();
        let criteria = record.acceptance_criteria.iter().map(|criterion| &criterion.id);
        let subtasks = record.subtasks.iter().map(|subtask| &subtask.id);
        if let Some(twice) = criteria.chain(subtasks).find(|id| !seen.insert(*id)) {
            return Err(InvalidItem::DuplicateCheckId(twice.clone()));
        }
        let own = |reference: &ItemRef| reference.points_at(&record.id, record.uid);
        if record.parent.as_ref().is_some_and(own) {
            return Err(InvalidItem::OwnParent);
        }
        if record.depends_on.iter().any(own) {
            return Err(InvalidItem::OwnDependency);
        }
        if let Some(twice) = first_repeated(&record.depends_on) {
            return Err(InvalidItem::DuplicateDependency(twice.id.clone()));
        }
        record.gates.sort_unstable();
        record.gates.dedup();
        record.labels.sort_unstable();
        record.labels.dedup();
        Ok(Self(record))
    }
}

/// The first of `references` that means what one before it means, by [`ItemRef::same_target`].
fn first_repeated(references: &[ItemRef]) -> Option<&ItemRef> {
    let (mut uids, mut bare_names, mut names) = (HashSet::new(), HashSet::new(), HashSet::new());
    references.iter().find(|reference| {
        let name = &reference.id;
        let repeated = match reference.uid {
            Some(uid) => !uids.insert(uid) || bare_names.contains(name),
            None => !bare_names.insert(name) || names.contains(name),
        };
        names.insert(name);
        repeated
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Actor, Timestamp};

    fn id(text: &str) -> WorkId {
        text.parse().expect("valid")
    }

    fn uid(value: u64) -> Uid {
        Uid::try_from(value).expect("valid")
    }

    fn waiting_for(references: [ItemRef; 2]) -> WorkItem {
        let title = Title::new("waits").expect("valid");
        let stamp = Stamp::new(Timestamp::UNIX_EPOCH, Actor::new("a").expect("valid"));
        let edits = references.map(Edit::AddDependency);
        WorkItem::create(id("WORK-001"), uid(1), title, &edits, &stamp).expect("valid")
    }

    #[test]
    fn a_bare_reference_to_what_is_waited_for_already_leaves_a_valid_item() {
        let renamed = ItemRef::new(id("WORK-002"), uid(7));
        let item = waiting_for([renamed.clone(), ItemRef::bare(id("WORK-003"))]);
        let item = item.complete_references(|name| (*name == id("WORK-003")).then(|| uid(7)));
        assert_eq!(item.depends_on, [renamed]);
        assert!(WorkItem::try_from(item.into_record()).is_ok());
    }

    #[test]
    fn references_are_shown_under_the_names_of_today() {
        let renamed = ItemRef::new(id("WORK-002"), uid(7));
        let item = waiting_for([renamed, ItemRef::bare(id("WORK-003"))]);
        let item = item.rename_references(|_| Some(id("WORK-009")));
        let shown: Vec<_> = item.references().map(|reference| reference.id.to_string()).collect();
        assert_eq!(shown, ["WORK-009", "WORK-003"], "a bare name is all there is to show");
    }
}
