//! A summary as the cache keeps it: a list of values without names, times as numbers, because a
//! store of 100,000 items reads 100,000 of them for one `list`.

use std::borrow::Cow;

use jerry_domain::{
    Actor, ClaimSummary, Extra, ItemRef, ItemType, Label, Phase, Priority, Reach, Status, Summary,
    Timestamp, Title, Uid, WorkId,
};
use serde::{Deserialize, Serialize};

/// Seconds and nanoseconds.
type Time = (i64, i32);

/// Holder, end, whether it was handed over, and boot and machine of its lock.
type Claim = (Actor, Option<Time>, bool, Option<(String, Option<String>)>);

#[derive(Serialize, Deserialize)]
pub(super) struct Row<'a>(
    #[serde(borrow)] Cow<'a, str>,
    u64,
    u64,
    ItemType,
    Status,
    Priority,
    #[serde(borrow)] Cow<'a, str>,
    Option<Phase>,
    Option<Actor>,
    Option<Claim>,
    Vec<Label>,
    Option<Reference<'a>>,
    #[serde(borrow)] Vec<Reference<'a>>,
    Option<String>,
    Vec<String>,
    Box<[u64]>,
    Time,
    Time,
    Option<Time>,
);

/// Id and uid; 0 where the reference has none.
#[derive(Serialize, Deserialize)]
pub(super) struct Reference<'a>(#[serde(borrow)] Cow<'a, str>, u64);

impl<'a> From<&'a Summary> for Row<'a> {
    fn from(summary: &'a Summary) -> Self {
        let reference = |item: &ItemRef| {
            Reference(Cow::Owned(item.id.to_string()), item.uid.map_or(0, Uid::value))
        };
        let time = |at: Timestamp| (at.as_second(), at.subsec_nanosecond());
        Self(
            Cow::Owned(summary.id.to_string()),
            summary.uid.value(),
            summary.version,
            summary.item_type,
            summary.status,
            summary.priority,
            Cow::Borrowed(summary.title.as_str()),
            summary.phase.clone(),
            summary.assignee.clone(),
            summary.claim.as_ref().map(|claim| {
                let lock = claim.lock.as_ref();
                let lock = lock.map(|lock| (lock.boot.clone(), lock.machine.clone()));
                (claim.holder.clone(), claim.expires_at.map(time), claim.is_handed_over, lock)
            }),
            summary.labels.clone(),
            summary.parent.as_ref().map(reference),
            summary.depends_on.iter().map(reference).collect(),
            summary.external_ref.clone(),
            summary.unresolved.clone(),
            summary.requests.clone(),
            time(summary.created_at),
            time(summary.updated_at),
            summary.due_at.map(time),
        )
    }
}

impl Row<'_> {
    /// The summary that was written; `None` when this is not one.
    pub(super) fn into_summary(self) -> Option<Summary> {
        let reference = |Reference(id, uid): Reference<'_>| {
            let id: WorkId = id.parse().ok()?;
            Some(match uid {
                0 => ItemRef::bare(id),
                uid => ItemRef::new(id, Uid::try_from(uid).ok()?),
            })
        };
        let time = |(seconds, nanos): Time| Timestamp::new(seconds, nanos).ok();
        Some(Summary {
            id: self.0.parse().ok()?,
            uid: Uid::try_from(self.1).ok()?,
            version: self.2,
            item_type: self.3,
            status: self.4,
            priority: self.5,
            title: Title::new(&self.6).ok()?,
            phase: self.7,
            assignee: self.8,
            claim: optional(self.9, |(holder, expires_at, is_handed_over, lock)| {
                let expires_at = optional(expires_at, time)?;
                let lock = lock.map(|(boot, machine)| Reach { boot, machine, extra: Extra::new() });
                Some(ClaimSummary { holder, expires_at, is_handed_over, lock })
            })?,
            labels: self.10,
            parent: optional(self.11, reference)?,
            depends_on: self.12.into_iter().map(reference).collect::<Option<_>>()?,
            external_ref: self.13,
            unresolved: self.14,
            requests: self.15,
            created_at: time(self.16)?,
            updated_at: time(self.17)?,
            due_at: optional(self.18, time)?,
            // The file of several items is parsed each time.
            is_displaced: false,
        })
    }
}

/// Reads a value that may be absent; `None` where it is there and cannot be read.
fn optional<T, U>(value: Option<T>, read: impl FnOnce(T) -> Option<U>) -> Option<Option<U>> {
    value.map_or(Some(None), |value| read(value).map(Some))
}
