//! How an item stands to somebody who looks for work.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::{Actor, Event, SessionName, Status, Summary, WorkItem};

/// How an item stands to somebody who looks for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "situation"))]
pub enum Situation {
    /// It can be begun now.
    Ready,
    /// What it needs is not finished, or not there.
    Waiting,
    /// Somebody holds it.
    Claimed,
    /// It was begun, and nobody holds it.
    Begun,
    /// Somebody said that work on it cannot go on.
    Blocked,
    /// It is done.
    Completed,
    /// It was given up.
    Cancelled,
}

impl Situation {
    /// How `item` stands at `now`, if something that it needs is not finished or not.
    #[must_use]
    pub fn of(item: &Summary, is_held_up: bool, now: Timestamp) -> Self {
        match item.status {
            Status::Completed => Self::Completed,
            Status::Cancelled => Self::Cancelled,
            Status::Blocked => Self::Blocked,
            Status::Pending | Status::InProgress if item.is_free(now) => {
                if is_held_up {
                    Self::Waiting
                } else {
                    Self::Ready
                }
            }
            Status::Pending | Status::InProgress if item.claim.is_some() => Self::Claimed,
            Status::Pending | Status::InProgress => Self::Begun,
        }
    }

    /// Its name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Waiting => "waiting",
            Self::Claimed => "claimed",
            Self::Begun => "begun",
            Self::Blocked => "blocked",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What brought an item to where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "since"))]
pub struct Since {
    /// When.
    pub at: Timestamp,
    /// By whom; of what waits for the one whom it was handed over to, by the one who did that.
    pub by: Actor,
    /// In which of the actor's sessions, of a claim.
    pub session: Option<SessionName>,
    /// Why, in the actor's words.
    pub reason: Option<String>,
}

impl Since {
    /// Since when `item` is claimed, begun, blocked, completed or cancelled, and by whom; `None` of
    /// one that is pending, and where its history does not tell.
    #[must_use]
    pub fn of(item: &WorkItem, now: Timestamp) -> Option<Self> {
        let claim = item.claim.as_ref().filter(|claim| !claim.has_lapsed(now));
        let brought: &[Event] = match item.status {
            Status::Pending => &[],
            Status::InProgress if claim.is_some() => &[],
            Status::InProgress => &[Event::STARTED, Event::CLAIMED, Event::REOPENED],
            Status::Blocked => &[Event::BLOCKED],
            Status::Completed => &[Event::COMPLETED],
            Status::Cancelled => &[Event::CANCELLED],
        };
        let entry = item.history.iter().rev().find(|entry| brought.contains(&entry.event));
        let written = entry.map(|entry| Self {
            at: entry.at,
            by: entry.actor.clone(),
            session: None,
            reason: entry.reason.clone(),
        });
        written.or_else(|| {
            claim.map(|claim| Self {
                at: claim.since,
                by: claim.handed_over_by.as_ref().unwrap_or(&claim.holder).clone(),
                session: claim.session.clone(),
                reason: None,
            })
        })
    }
}
