//! Why an item does not allow what was asked of it, in words for people.

use crate::claim::Claim;
use crate::history::Event;
use crate::{
    CheckId, InvalidItem, InvalidText, NotUndone, RequestId, Status, Transition, Unmet, WorkId,
};

/// Why an edit cannot be made. The item is as it was.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The status machine does not allow the move.
    #[error("cannot {transition} an item that is {from}; from {from} it can: {}", moves(*.from))]
    Transition {
        /// Where the item stands.
        from: Status,
        /// What was asked for.
        transition: Transition,
    },
    /// No single move leads from one status to another.
    #[error("no single move leads from {from} to {to}; from {from} it can: {}", moves(*.from))]
    NoMove {
        /// Where the item stands.
        from: Status,
        /// Where it was to go.
        to: Status,
    },
    /// No entry of either checklist has this name.
    #[error("no criterion or sub-task is called {id}; there {}", names(.known))]
    UnknownCheck {
        /// What was asked for.
        id: CheckId,
        /// The names that there are.
        known: Vec<CheckId>,
    },
    /// Evidence belongs to criteria.
    #[error("{id} is a sub-task; only acceptance criteria carry evidence")]
    EvidenceOnSubtask {
        /// The sub-task.
        id: CheckId,
    },
    /// A text that says nothing.
    #[error("the {what} is empty")]
    Empty {
        /// Which text.
        what: &'static str,
    },
    /// A text would be lost to whoever reads the item now.
    #[error("it has a {what} already, which would be replaced")]
    WouldReplace {
        /// Which text.
        what: &'static str,
        /// The version in which it stands.
        version: u64,
    },
    /// What was to be replaced is that of another version.
    #[error("the {what} of version {of} was to be replaced, and the item is at version {found}")]
    ReplacesOther {
        /// Which text.
        what: &'static str,
        /// The version that the writer has seen.
        of: u64,
        /// The version that it has.
        found: u64,
    },
    /// The last write stays.
    #[error(transparent)]
    NotUndone(#[from] NotUndone),
    /// What the edits make is no valid item.
    #[error(transparent)]
    Invalid(#[from] InvalidItem),
    /// A text is not valid.
    #[error(transparent)]
    Text(#[from] InvalidText),
    /// Another holds the item.
    #[error("it is {}", held(.0))]
    Claimed(Box<Claim>),
    /// The writer acts under a claim that has ended.
    #[error("the claim with the fence {fence} has ended{}", held_by(.claim.as_deref()))]
    StaleFence {
        /// What the writer showed.
        fence: u64,
        /// The claim that there is now.
        claim: Option<Box<Claim>>,
    },
    /// Parts of an item that was to be completed are not finished.
    #[error("not all of its parts are finished: {}", listed(.parts))]
    UnfinishedParts {
        /// Those parts, by id.
        parts: Vec<WorkId>,
    },
    /// An unfinished item would be a part of a completed one.
    #[error("it would be an unfinished part of {parent}, which is completed")]
    CompletedParent {
        /// What it is, or was to become, a part of.
        parent: WorkId,
    },
    /// The request's name is that of an earlier one, which asked for something else.
    #[error(
        "the request '{request}' has been made before, and was another: version {version}, {event}"
    )]
    RequestReused {
        /// The name.
        request: RequestId,
        /// The version that the earlier request made.
        version: u64,
        /// What it did.
        event: Event,
    },
    /// Something that must be shown before the item is completed is not.
    #[error("its gates are not met: {}", said_all(.unmet))]
    Gate {
        /// What is not shown.
        unmet: Vec<Unmet>,
    },
    /// The item asks for something else than when its gates were looked at.
    #[error("it has changed since its gates were looked at, at version {seen}")]
    MovedOn {
        /// The version that was looked at.
        seen: u64,
        /// The version that it has now.
        found: u64,
    },
    /// A newer version of jerry wrote the item.
    #[error(
        "the item has schema {schema}, this version of jerry writes {}; upgrade jerry",
        crate::ITEM_SCHEMA
    )]
    NewerSchema {
        /// The item's schema.
        schema: u32,
    },
    /// Refused by a rule that looks at more than the item.
    #[error("{0}")]
    Rule(String),
}

fn moves(from: Status) -> String {
    let moves: Vec<_> = from.moves().map(|(verb, to)| format!("{verb} (to {to})")).collect();
    moves.join(", ")
}

fn held_by(claim: Option<&Claim>) -> String {
    claim.map(|claim| format!("; the item is {}", held(claim))).unwrap_or_default()
}

fn held(claim: &Claim) -> String {
    match &claim.handed_over_by {
        None => format!("claimed by {claim}"),
        Some(by) => format!("handed over by {by} to {claim}"),
    }
}

/// The most ids that a message names.
const NAMED: usize = 10;

fn listed(ids: &[WorkId]) -> String {
    let mut names: Vec<_> = ids.iter().take(NAMED).map(WorkId::to_string).collect();
    match ids.len().saturating_sub(NAMED) {
        0 => {}
        more => names.push(format!("{more} more")),
    }
    names.join(", ")
}

fn said_all(unmet: &[Unmet]) -> String {
    let said: Vec<_> = unmet.iter().map(Unmet::to_string).collect();
    said.join("; ")
}

fn names(known: &[CheckId]) -> String {
    if known.is_empty() {
        return "are none".to_owned();
    }
    let names: Vec<_> = known.iter().map(CheckId::as_str).collect();
    format!("are {}", names.join(", "))
}
