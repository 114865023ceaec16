//! Work items in other shapes: what other trackers and people write, and what jerry hands out.
//!
//! Reading is done in two steps, so that the order of lines and files does not matter. A format
//! turns text into drafts, which name other items as the text does. The import gives every draft
//! an identity, finds out which items the names mean, and only then makes items of them.

mod beads;
mod draft;
mod export;
mod import;
mod json_line;
mod jsonl;
mod known;
mod markdown;
mod plan;
mod reading;
mod report;
mod rings;

pub use export::{Export, ExportFormat};
pub use import::{Import, ImportFormat, ImportSource, Progress};
pub use markdown::render as render_markdown;
pub use report::{ImportReport, Rejection, Remark, Renumbered};
