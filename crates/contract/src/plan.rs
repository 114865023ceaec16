//! The answers about what holds what up.

use jerry_application::{
    ExplainedItems, LongestChain, Reasons, Standing, Waiting, WaitingItems, WayPoint,
};
use jerry_domain::ports::Unreadable;
use jerry_domain::{
    ClaimSummary, Mark, Priority, ProgressCount, Relation, Since, Situation, Status, Title, WorkId,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::{Answer, NotRead, Row, not_read};

/// An item and how it stands to somebody who looks for work.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "standing")]
#[allow(missing_docs)]
pub struct Stands<'a> {
    pub id: &'a WorkId,
    pub title: &'a Title,
    pub status: Status,
    pub priority: Priority,
    pub situation: Situation,
    pub claim: Option<&'a ClaimSummary>,
    /// Since when and by whom it is claimed, begun, blocked, completed or cancelled, where it was
    /// looked up.
    pub since: Option<&'a Since>,
}

impl<'a> From<&'a Standing> for Stands<'a> {
    fn from(standing: &'a Standing) -> Self {
        let Standing { item, situation, since } = standing;
        Self {
            id: &item.id,
            title: &item.title,
            status: item.status,
            priority: item.priority,
            situation: *situation,
            claim: item.claim.as_ref(),
            since: since.as_ref(),
        }
    }
}

/// One item on a way through a plan.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "way_point")]
pub struct Point<'a> {
    /// How many steps it is from the first, which is 0.
    pub depth: usize,
    /// How it has to do with the item before it that is one step nearer; `null` of the first.
    pub relation: Option<Relation>,
    /// What it is called.
    pub id: &'a WorkId,
    /// Whether what is behind it follows.
    pub mark: Mark,
    /// The item; `null` when it was deleted, never was, or cannot be read.
    pub item: Option<Stands<'a>>,
}

impl<'a> From<&'a WayPoint> for Point<'a> {
    fn from(point: &'a WayPoint) -> Self {
        let WayPoint { depth, relation, id, standing, mark } = point;
        let item = standing.as_ref().map(Stands::from);
        Self { depth: *depth, relation: *relation, id, mark: *mark, item }
    }
}

/// The answer of kind `why`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "why")]
pub struct Because<'a> {
    /// The item that was asked about, then whatever must be finished before it can be, each followed
    /// by what holds it up.
    pub way: Vec<Point<'a>>,
    /// Those on the way that somebody could work on now.
    pub workable: &'a [WorkId],
    /// What could not be read.
    pub unreadable: Vec<NotRead<'a>>,
}

impl Answer for Because<'_> {
    const KIND: &'static str = "why";
}

impl<'a> From<&'a Reasons> for Because<'a> {
    fn from(reasons: &'a Reasons) -> Self {
        Self {
            way: reasons.way.iter().map(Point::from).collect(),
            workable: &reasons.workable,
            unreadable: not_read(&reasons.unreadable),
        }
    }
}

/// The answer of kind `tree`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "tree")]
pub struct Tree<'a> {
    /// The item that was asked about, then what is behind it, each followed by what is behind it.
    pub way: Vec<Point<'a>>,
    /// What could not be read.
    pub unreadable: Vec<NotRead<'a>>,
}

impl Answer for Tree<'_> {
    const KIND: &'static str = "tree";
}

impl<'a> Tree<'a> {
    /// An answer with these items.
    #[must_use]
    pub fn new(way: &'a [WayPoint], unreadable: &'a [Unreadable]) -> Self {
        Self { way: way.iter().map(Point::from).collect(), unreadable: not_read(unreadable) }
    }
}

/// The answer of kind `critical_path`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "critical_path")]
pub struct Chain<'a> {
    /// What must be finished one after the other, what comes first first.
    pub path: Vec<Stands<'a>>,
    /// How many items that are.
    pub length: usize,
    /// The unfinished items that are in a ring, or behind one.
    pub endless: &'a [WorkId],
    /// What could not be read, and so may be missing.
    pub unreadable: Vec<NotRead<'a>>,
}

impl Answer for Chain<'_> {
    const KIND: &'static str = "critical_path";
}

impl<'a> From<&'a LongestChain> for Chain<'a> {
    fn from(chain: &'a LongestChain) -> Self {
        Self {
            path: chain.path.iter().map(Stands::from).collect(),
            length: chain.path.len(),
            endless: &chain.endless,
            unreadable: not_read(&chain.unreadable),
        }
    }
}

/// An item that cannot be begun, and why not.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "waiting")]
pub struct Waits<'a> {
    /// The item.
    pub item: Row<'a>,
    /// How it stands.
    pub situation: Situation,
    /// Who brought it there, where it was looked up.
    pub since: Option<&'a Since>,
    /// The unfinished items that it waits for.
    pub waits_for: Vec<Stands<'a>>,
    /// What it waits for and is not there, or cannot be read.
    pub missing: &'a [WorkId],
}

impl<'a> Waits<'a> {
    fn new(waiting: &'a Waiting, progress: &ProgressCount) -> Self {
        Self {
            item: Row::new(&waiting.item, progress),
            situation: waiting.situation,
            since: waiting.since.as_ref(),
            waits_for: waiting.waits_for.iter().map(Stands::from).collect(),
            missing: &waiting.missing,
        }
    }
}

/// The answer of kind `blocked`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "blocked")]
pub struct BlockedItems<'a> {
    /// As many as were asked for.
    pub items: Vec<Waits<'a>>,
    /// How many there are without a limit.
    pub total: usize,
    /// What could not be read, and so may be missing.
    pub unreadable: Vec<NotRead<'a>>,
}

impl Answer for BlockedItems<'_> {
    const KIND: &'static str = "blocked";
}

impl<'a> From<&'a WaitingItems> for BlockedItems<'a> {
    fn from(found: &'a WaitingItems) -> Self {
        Self {
            items: found.items.iter().map(|item| Waits::new(item, &found.progress)).collect(),
            total: found.total,
            unreadable: not_read(&found.unreadable),
        }
    }
}

/// An item that can be begun, and why it comes where it comes.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "placed")]
pub struct InPlace<'a> {
    /// The item.
    pub item: Row<'a>,
    /// Its place, from 1 on: the most urgent come first, then the oldest.
    pub place: usize,
    /// The unfinished items that wait for it.
    pub needed_by: &'a [WorkId],
    /// How many of its parts are not finished. `claim --next` passes over what has such parts.
    pub unfinished_parts: usize,
}

/// The answer of kind `explained`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "explained")]
pub struct Explained<'a> {
    /// What can be begun, as many as were asked for.
    pub items: Vec<InPlace<'a>>,
    /// How many there are without a limit.
    pub total: usize,
    /// The other open items, as many as were asked for, the most urgent first.
    pub not_ready: Vec<Waits<'a>>,
    /// How many of those there are without a limit.
    pub not_ready_total: usize,
    /// What could not be read, and so may be missing.
    pub unreadable: Vec<NotRead<'a>>,
}

impl Answer for Explained<'_> {
    const KIND: &'static str = "explained";
}

impl<'a> From<&'a ExplainedItems> for Explained<'a> {
    fn from(found: &'a ExplainedItems) -> Self {
        let items = found.items.iter().map(|placed| InPlace {
            item: Row::new(&placed.item, &found.progress),
            place: placed.place,
            needed_by: &placed.needed_by,
            unfinished_parts: placed.unfinished_parts,
        });
        let not_ready = found.not_ready.iter().map(|item| Waits::new(item, &found.progress));
        Self {
            items: items.collect(),
            total: found.total,
            not_ready: not_ready.collect(),
            not_ready_total: found.not_ready_total,
            unreadable: not_read(&found.unreadable),
        }
    }
}
