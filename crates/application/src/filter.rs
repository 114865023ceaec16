//! Which items a list shows, and in which order.

use std::cmp::Ordering;

use jerry_domain::{
    Actor, ItemRef, ItemType, Label, Phase, Priority, Status, Summary, Timestamp, WorkId,
};

/// Which items a list shows, in which order, and how many of them. What is left empty does not
/// narrow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// One of these statuses. If any is given, `include_closed` is not looked at.
    pub statuses: Vec<Status>,
    /// One of these types.
    pub types: Vec<ItemType>,
    /// One of these priorities.
    pub priorities: Vec<Priority>,
    /// Assigned to this actor.
    pub assignee: Option<Actor>,
    /// With all of these labels.
    pub labels: Vec<Label>,
    /// Directly a part of this item.
    pub parent: Option<WorkId>,
    /// In this phase.
    pub phase: Option<Phase>,
    /// With this text in the title, the description, a note, a criterion or a finding, in any
    /// case. Every item that the rest of the filter lets through is read.
    pub text: Option<String>,
    /// Written at this time or later.
    pub updated_since: Option<Timestamp>,
    /// Completed and cancelled items too.
    pub include_closed: bool,
    /// The order.
    pub sort: SortKey,
    /// The other way round.
    pub descending: bool,
    /// At most so many items; 0 for all.
    pub limit: usize,
}

impl Default for Filter {
    /// Open items, the most urgent first, 50 at most.
    fn default() -> Self {
        Self {
            statuses: Vec::new(),
            types: Vec::new(),
            priorities: Vec::new(),
            assignee: None,
            labels: Vec::new(),
            parent: None,
            phase: None,
            text: None,
            updated_since: None,
            include_closed: false,
            sort: SortKey::default(),
            descending: false,
            limit: 50,
        }
    }
}

/// What a list is sorted by. Equals are sorted by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SortKey {
    /// The most urgent first, then the oldest.
    #[default]
    Priority,
    /// By prefix, then number.
    Id,
    /// The oldest first.
    Created,
    /// The longest untouched first.
    Updated,
    /// The next due first; what is not due comes last.
    Due,
    /// By title, in any case.
    Title,
    /// In the order of the status machine: pending first, cancelled last.
    Status,
}

impl SortKey {
    /// Every key.
    pub const ALL: [Self; 7] = [
        Self::Priority,
        Self::Id,
        Self::Created,
        Self::Updated,
        Self::Due,
        Self::Title,
        Self::Status,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Priority => "priority",
            Self::Id => "id",
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Due => "due",
            Self::Title => "title",
            Self::Status => "status",
        }
    }
}

impl Filter {
    /// Whether `item` passes everything that a summary can tell. `parent` is the item that the
    /// filter's parent means.
    pub(crate) fn admits(&self, item: &Summary, parent: Option<&ItemRef>) -> bool {
        let shown = if self.statuses.is_empty() {
            self.include_closed || !item.status.is_closed()
        } else {
            self.statuses.contains(&item.status)
        };
        shown
            && (self.types.is_empty() || self.types.contains(&item.item_type))
            && (self.priorities.is_empty() || self.priorities.contains(&item.priority))
            && (self.assignee.is_none() || self.assignee == item.assignee)
            && self.labels.iter().all(|label| item.labels.contains(label))
            && (self.phase.is_none() || self.phase == item.phase)
            && self.updated_since.is_none_or(|since| item.updated_at >= since)
            && parent.is_none_or(|wanted| {
                item.parent.as_ref().is_some_and(|parent| parent.same_target(wanted))
            })
    }

    /// Which items the filter lets through, as a text.
    pub(crate) fn selection(&self) -> String {
        let Self { statuses, types, priorities, assignee, labels, parent, phase, .. } = self;
        let Self { updated_since, include_closed, .. } = self;
        serde_json::json!({
            "statuses": statuses, "types": types, "priorities": priorities, "assignee": assignee,
            "labels": labels, "parent": parent, "phase": phase, "updated_since": updated_since,
            "include_closed": include_closed,
        })
        .to_string()
    }

    pub(crate) fn compare(&self, one: &Summary, other: &Summary) -> Ordering {
        let order = match self.sort {
            SortKey::Priority => one.urgency().cmp(&other.urgency()),
            SortKey::Id => Ordering::Equal,
            SortKey::Created => one.created_at.cmp(&other.created_at),
            SortKey::Updated => one.updated_at.cmp(&other.updated_at),
            SortKey::Due => {
                let due = |item: &Summary| item.due_at.unwrap_or(Timestamp::MAX);
                due(one).cmp(&due(other))
            }
            SortKey::Title => {
                let title = |item: &Summary| item.title.as_str().to_lowercase();
                title(one).cmp(&title(other))
            }
            SortKey::Status => one.status.cmp(&other.status),
        };
        let order = order.then_with(|| one.id.cmp(&other.id));
        if self.descending { order.reverse() } else { order }
    }
}
