//! The pure core of jerry: what a work item is, which changes it allows, and the ports
//! (traits with a written contract) through which items are kept, identified and locked.
//!
//! Nothing here reads a clock, a file or an environment variable. Time, identity and the acting
//! person come in as arguments, so that every rule can be tested as a function of its inputs.

mod checklist;
mod claim;
mod digest;
mod edit;
mod evidence;
mod family;
mod gate;
mod graph;
mod history;
mod item_type;
mod links;
mod merge;
mod moment;
mod note;
mod plan;
pub mod ports;
mod priority;
mod progress;
mod ready_list;
mod record;
mod reference;
mod refusal;
mod repeat;
#[cfg(feature = "schema")]
mod schema;
mod situation;
mod status;
mod summary;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
mod uid;
mod undo;
mod work_id;
mod work_item;

pub use checklist::{Criterion, Evidence, Subtask};
pub use claim::{Claim, Credentials, Reach};
pub use digest::fnv_1a;
pub use edit::{ChecklistKind, Edit, Stamp};
pub use evidence::{Exhibit, InvalidEvidence};
pub use family::Family;
pub use gate::{Gate, Gates, Requirement, UnknownGate, Unmet, asks_the_same};
pub use graph::{Cycle, Graph};
pub use history::{End, Event, FieldChange, HistoryEntry, MergedLine, UnknownVersion, Writes};
pub use item_type::{ItemType, UnknownItemType};
pub use jiff::Timestamp;
pub use links::{Artifact, Link, LinkKind, LinkTarget, Source};
pub use merge::Unmergeable;
pub use moment::{Day, InvalidMoment, day_or_instant, to_the_second};
pub use note::Note;
pub use plan::{CriticalPath, Mark, Plan, Relation, Step, Target, Ways};
pub use priority::{Priority, UnknownPriority};
pub use progress::{Progress, ProgressCount};
pub use ready_list::ReadyList;
pub use record::{Extra, Record};
pub use reference::ItemRef;
pub use refusal::Refusal;
pub use situation::{Since, Situation};
pub use status::{Status, Transition, UnknownStatus};
pub use summary::{ClaimSummary, Summary};
pub use text::{Actor, CheckId, InvalidText, Label, Phase, RequestId, SessionName, Title};
pub use uid::{InvalidUid, Uid};
pub use undo::NotUndone;
pub use work_id::{InvalidWorkId, Prefix, WorkId};
pub use work_item::{InvalidItem, WorkItem};

/// The item format that this version of jerry reads and writes.
pub const ITEM_SCHEMA: u32 = 1;

/// The most bytes that an item may have as it is stored.
pub const MAX_ITEM_BYTES: u64 = 4 * 1024 * 1024;
