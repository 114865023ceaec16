//! What lists, filters and the dependency graph need to know of an item.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::claim::lease_has_ended;
use crate::{
    Actor, Claim, HistoryEntry, ItemRef, ItemType, Label, LinkKind, LinkTarget, Phase, Priority,
    Reach, Status, Title, Uid, WorkId, WorkItem,
};

/// A claim in brief.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClaimSummary {
    /// Who holds the item.
    pub holder: Actor,
    /// When the claim lapses; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// Whether the holder got it from another and has not claimed it yet.
    #[serde(rename = "handed_over")]
    pub is_handed_over: bool,
    /// Where a lock shows whether somebody works on it. Nothing for those who read lists.
    #[serde(skip)]
    pub lock: Option<Reach>,
}

impl ClaimSummary {
    /// Whether nobody need heed it any more at `now`; see [`Claim::has_lapsed`].
    #[must_use]
    pub fn has_lapsed(&self, now: Timestamp) -> bool {
        self.lock.is_none() && self.lease_has_ended(now)
    }

    /// Whether nobody has renewed it in time, whatever its lock says.
    #[must_use]
    pub fn lease_has_ended(&self, now: Timestamp) -> bool {
        lease_has_ended(self.expires_at, now)
    }

    /// The same claim after whoever worked under it is gone.
    #[must_use]
    pub fn outlived(self) -> Self {
        Self { lock: None, expires_at: Some(Timestamp::MIN), ..self }
    }
}

impl From<&Claim> for ClaimSummary {
    fn from(claim: &Claim) -> Self {
        Self {
            holder: claim.holder.clone(),
            expires_at: claim.expires_at,
            is_handed_over: claim.handed_over_by.is_some(),
            lock: claim.lock.clone(),
        }
    }
}

/// An item in brief. An index may keep it; the item's file remains the truth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The id for people.
    pub id: WorkId,
    /// The identity.
    pub uid: Uid,
    /// The version that was read.
    pub version: u64,
    /// What kind of work it is.
    #[serde(rename = "type")]
    pub item_type: ItemType,
    /// What it is about.
    pub title: Title,
    /// Where it stands.
    pub status: Status,
    /// How urgent it is.
    pub priority: Priority,
    /// The phase of a plan that it belongs to.
    pub phase: Option<Phase>,
    /// Who is to do it.
    pub assignee: Option<Actor>,
    /// Who works on it now.
    pub claim: Option<ClaimSummary>,
    /// Sorted, each once.
    pub labels: Vec<Label>,
    /// The item that it is a part of.
    pub parent: Option<ItemRef>,
    /// The items that it waits for.
    pub depends_on: Vec<ItemRef>,
    /// What it is called elsewhere.
    pub external_ref: Option<String>,
    /// Names of items that it needs and that were not there when it was imported.
    pub unresolved: Vec<String>,
    /// Digests of the requests that chose this item or made it, rather than name it: where a repeat
    /// is to be looked for.
    pub requests: Box<[u64]>,
    /// When it came into being.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
    /// When it should be completed.
    pub due_at: Option<Timestamp>,
    /// Whether it stands in the file of an older item that has the same number: another branch gave
    /// it out too. By its number alone the older one is meant.
    pub is_displaced: bool,
}

impl Summary {
    /// What comes first when it is the smallest: the most urgent, then the oldest.
    #[must_use]
    pub fn urgency(&self) -> (Priority, Timestamp, Uid) {
        (self.priority, self.created_at, self.uid)
    }

    /// The items of the file whose item is `item`: itself, and those that it holds.
    pub fn of_file(item: &WorkItem) -> impl Iterator<Item = Self> {
        let displaced = |item| Self { is_displaced: true, ..Self::from(item) };
        std::iter::once(Self::from(item)).chain(item.displaced.iter().map(displaced))
    }

    /// Whether somebody may begin it at `now`: it is pending and unclaimed, or its claim has
    /// lapsed.
    #[must_use]
    pub fn is_free(&self, now: Timestamp) -> bool {
        match (&self.claim, self.status) {
            (None, status) => status == Status::Pending,
            (Some(claim), Status::Pending | Status::InProgress) => claim.has_lapsed(now),
            (Some(_), _) => false,
        }
    }

    /// Whether it is a part of the item called `id` whose identity is `uid`, and not finished.
    #[must_use]
    pub fn is_unfinished_part_of(&self, id: &WorkId, uid: Uid) -> bool {
        !self.status.is_closed()
            && self.parent.as_ref().is_some_and(|parent| parent.points_at(id, uid))
    }

    /// Whether it was handed over to `actor`, who has not claimed it yet.
    #[must_use]
    pub fn waits_for(&self, actor: &Actor) -> bool {
        let is_open = matches!(self.status, Status::Pending | Status::InProgress);
        let claim = self.claim.as_ref();
        is_open && claim.is_some_and(|claim| claim.is_handed_over && claim.holder == *actor)
    }
}

impl From<&WorkItem> for Summary {
    fn from(item: &WorkItem) -> Self {
        let unresolved = item.links.iter().filter(|link| link.kind == LinkKind::DependsOn);
        let brief = |reference: &ItemRef| ItemRef {
            uid: reference.uid,
            ..ItemRef::bare(reference.id.clone())
        };
        Self {
            id: item.id.clone(),
            uid: item.uid,
            version: item.version,
            item_type: item.item_type,
            title: item.title.clone(),
            status: item.status,
            priority: item.priority,
            phase: item.phase.clone(),
            assignee: item.assignee.clone(),
            claim: item.claim.as_ref().map(ClaimSummary::from),
            labels: item.labels.clone(),
            parent: item.parent.as_ref().map(brief),
            depends_on: item.depends_on.iter().map(brief).collect(),
            external_ref: item.external_ref.clone(),
            unresolved: unresolved
                .map(|link| match &link.target {
                    LinkTarget::Item(item) => item.id.to_string(),
                    LinkTarget::External(name) => name.clone(),
                })
                .collect(),
            requests: item
                .history
                .iter()
                .flat_map(|entry| std::iter::once(entry).chain(entry.of_other_lines()))
                .filter_map(HistoryEntry::chosen_by)
                .collect(),
            created_at: item.created_at,
            updated_at: item.updated_at,
            due_at: item.due_at,
            is_displaced: false,
        }
    }
}
