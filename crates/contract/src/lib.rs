//! What jerry tells programs: the shapes of its answers, and one table of what can go wrong.
//!
//! The command line prints these under `--json`, the MCP server answers its tools with them. They
//! are the same types, so that whoever knows one knows the other; a change here is a change of the
//! contract. How an answer is written (one line, on which stream, with which exit status) is the
//! adapter's matter.

mod answer;
mod apply;
mod code;
mod failure;
mod from_errors;
mod history;
mod plan;
mod prime;
mod results;
mod schema;
mod watch;
mod work;

pub use answer::{
    Answer, Envelope, Hit, Hits, Items, NotRead, OneItem, Row, SCHEMA, ShownItem, Whole,
};
pub use apply::{Applied, InPlan};
pub use code::Code;
pub use failure::{ErrorBody, Failed, Failure, chain};
pub use history::{Difference, Entry, History};
pub use plan::{Because, BlockedItems, Chain, Explained, InPlace, Point, Stands, Tree, Waits};
pub use prime::{Brief, Primed};
pub use results::{OneResult, Results, Tally};
pub use schema::{ITEM_FILE, PLAN_FILE, SOME_FIELDS, schemas};
pub use watch::{Change, ChangeKind, ChangedItems};
pub use work::{Ended, Worked};
