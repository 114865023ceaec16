//! What the agents did, as they said it themselves: each says what it begins before it begins it,
//! and what it was answered after it was answered. What the store holds is compared with this.

use jerry_domain::{Event, RequestId, Uid, WorkId};
use serde::{Deserialize, Serialize};

/// What an agent does to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verb {
    Create,
    Start,
    Note,
    Complete,
}

impl Verb {
    /// What the item's history calls it.
    pub(super) fn event(self) -> Event {
        match self {
            Self::Create => Event::CREATED,
            Self::Start => Event::STARTED,
            Self::Note => Event::NOTED,
            Self::Complete => Event::COMPLETED,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Start => "start",
            Self::Note => "note",
            Self::Complete => "complete",
        }
    }
}

/// One write that an agent asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Operation {
    /// Its name, used once. It goes into the item's history and into whatever text it writes, so
    /// that the write can be told from every other.
    pub request: RequestId,
    /// What is done.
    pub verb: Verb,
    /// To which item; a new one has no id yet.
    pub item: Option<WorkId>,
}

impl Operation {
    /// The title that a creation gives.
    pub(super) fn title(&self) -> String {
        format!("Task {}", self.request)
    }

    /// The note that is added.
    pub(super) fn note(&self) -> String {
        note_of(self.request.as_str())
    }
}

/// The note that the request of this name adds.
pub(super) fn note_of(request: &str) -> String {
    format!("Progress {request}")
}

/// What an agent says, one line each. It speaks of the operation that it began last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Message {
    /// It is about to ask for this.
    Begins(Operation),
    /// The write was acknowledged.
    Acknowledged(Acknowledgement),
    /// The write was refused because another agent was there first.
    Conflict(String),
    /// An item could not be read while others wrote.
    Unreadable(String),
    /// Something happened that should not, and the agent goes no further.
    Failed(String),
}

/// What a write was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Acknowledgement {
    pub id: WorkId,
    pub uid: Uid,
    /// The version that the write made.
    pub version: u64,
    /// How long it took, in microseconds.
    pub micros: u64,
}

/// Everything that was said, of all agents.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Every acknowledged write.
    pub acknowledged: Vec<(Operation, Acknowledgement)>,
    /// What was begun by agents that were killed before they could tell the answer. It may be
    /// there or not, but never half.
    pub unanswered: Vec<Operation>,
    /// How many writes each agent had acknowledged, over all processes that stood for it.
    pub by_agent: Vec<usize>,
    /// How many processes there were.
    pub processes: usize,
    /// How many of them were killed.
    pub kills: usize,
    /// How many writes were refused.
    pub conflicts: usize,
    /// What could not be read while others wrote.
    pub unreadable: Vec<String>,
    /// What should not have happened.
    pub failures: Vec<String>,
}

impl Ledger {
    /// How many writes of this kind were acknowledged.
    pub(super) fn count(&self, verb: Verb) -> usize {
        self.acknowledged.iter().filter(|(operation, _)| operation.verb == verb).count()
    }
}
