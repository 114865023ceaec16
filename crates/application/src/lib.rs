//! What people and agents can do with work items: one service for each capability.
//!
//! The services orchestrate and decide nothing that the domain can decide. They reach the outside
//! through the domain's ports only, so that the same services run over files, over memory and
//! over whatever comes next.

mod apply;
mod blocked;
mod check;
mod claim_next;
mod complete;
mod create;
mod delete;
mod doctor;
mod error;
mod family;
mod filter;
mod history;
mod interchange;
mod modify;
mod numbering;
mod overview;
mod plan_file;
mod plans;
mod ports;
mod query;
mod ready;
mod references;
mod relate;
mod requests;
mod rings;
mod text_search;
mod undo;
mod view;
mod watch;
mod why;
mod work;

pub use apply::{AppliedItem, Apply, Deed};
pub use blocked::{Blocked, Waiting, WaitingItems};
pub use check::{Check, Checked};
pub use claim_next::ClaimNext;
pub use complete::Complete;
pub use create::{Create, NewItem};
pub use delete::Delete;
pub use doctor::{Doctor, Report};
pub use error::Error;
pub use filter::{Filter, SortKey};
pub use history::{Diff, History, Moment, Write, Writes};
pub use interchange::{
    Export, ExportFormat, Import, ImportFormat, ImportReport, ImportSource, Progress, Rejection,
    Remark, Renumbered, render_markdown,
};
pub use modify::Modify;
pub use overview::{Overview, Situation};
pub use plan_file::{InvalidPlan, Plan as PlanFile, PlanItem};
pub use plans::{LongestChain, Plans};
pub use ports::{Ports, Request};
pub use query::{Hit, Page, Query, SearchResult};
pub use ready::{ExplainedItems, Placed, Ready, ReadyItems};
pub use relate::Relate;
pub use rings::Ring;
pub use text_search::Excerpt;
pub use undo::Undo;
pub use watch::{Changes, Deletion, Happening, ItemChange, Watch, Watching};
pub use why::{Reasons, Standing, WayPoint, Why};
pub use work::{Begun, Ending, Job, Work};
